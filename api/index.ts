// The door of api/: resource kinds, reading documents, problems, selectors, addresses.
export {
  type Address,
  addressBits,
  addressCount,
  addressFromBytes,
  addressToBytes,
  blockCount,
  blockIndex,
  canonicalAddress,
  canonicalPrefix,
  comparePrefixes,
  contains,
  type Family,
  familyName,
  familyOf,
  formatAddress,
  formatPrefix,
  hostPrefix,
  isLinkLocal,
  nthAddress,
  nthBlock,
  overlaps,
  parseAddress,
  parsePrefix,
  type Prefix,
  truncate,
} from './addresses.ts';
export type { BGPConfiguration, BGPConfigurationSpec } from './bgp-configuration.ts';
export type { BGPFilter, BGPFilterRule, BGPFilterSpec } from './bgp-filter.ts';
export type { BGPNodeStatus, BGPNodeStatusSpec, BGPNodeStatusStatus } from './bgp-node-status.ts';
export type { BGPPeer, BGPPeerSpec } from './bgp-peer.ts';
export { closest } from './closest.ts';
export { checkTogether } from './cross-checks.ts';
export { formatDuration, parseDuration, type Seconds } from './duration.ts';
export {
  type IPAMBlock,
  type IPAMBlockSpec,
  ipamBlockName,
  type IPClaim,
  type IPClaimSpec,
} from './ipam-block.ts';
export type { IPPool, IPPoolSpec, IPReservation, IPReservationSpec } from './ip-pool.ts';
export { apiVersion, type Metadata } from './metadata.ts';
export { type Node, type NodeBgp, nodeBgp } from './node.ts';
export { type Identity, parseDocument, type ParsedDocument, type Where } from './parse-document.ts';
export { parseText, parseTextInSteps, type TextDocument } from './parse-text.ts';
export { type PeerAddress, parsePeerAddress } from './peer-address.ts';
export { usablePools } from './pool-conflicts.ts';
export { formatProblem, type Problem } from './problem.ts';
export {
  bgpConfigurationOf,
  collections,
  emptyResources,
  isKind,
  type Kind,
  type KindMap,
  kinds,
  objectName,
  ourKinds,
  type Resource,
  type ResourceMaps,
  type Resources,
  resourcesOf,
} from './resources.ts';
export type { Secret } from './secret.ts';
export { evaluateSelector, type Labels, parseSelector, selectorMatches } from './selector.ts';
export { doubledObject, placed, type ValidatedTexts, validateTexts } from './validate-texts.ts';
