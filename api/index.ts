// The door of api/: resource kinds, reading documents, problems, selectors.
export {
  bfdKey,
  type BfdOfSession,
  type BFDProfile,
  type BFDProfileSpec,
  DEFAULT_BFD,
} from './kinds/bfd-profile.ts';
export type { BGPConfiguration, BGPConfigurationSpec } from './kinds/bgp-configuration.ts';
export { ROUTE_PRIORITY, rulesField } from './kinds/bgp-filter.ts';
export {
  communitiesIn,
  type CommunitySets,
  type FilterSets,
  setsOf,
  sharedSets,
} from './kinds/filter-sets.ts';
export {
  bfdProfileProblems,
  idleMembers,
  idleRules,
  missingProfile,
  unknownSets,
} from './read/cross-checks.ts';
export type { BGPFilter, BGPFilterRule, BGPFilterSpec } from './kinds/bgp-filter.ts';
export {
  type BGPNodeStatus,
  type BGPNodeStatusSpec,
  type BGPNodeStatusStatus,
  MOST_BLOCKS,
  MOST_LEAKS,
  MOST_PROBLEMS,
  MOST_SESSIONS,
} from './kinds/bgp-node-status.ts';
export type { BGPPeer, BGPPeerSpec } from './kinds/bgp-peer.ts';
export {
  type IPAMBlock,
  type IPAMBlockSpec,
  ipamBlockLabels,
  ipamBlockName,
  type IPClaim,
  type IPClaimSpec,
} from './kinds/ipam-block.ts';
export {
  type IPPool,
  type IPPoolSpec,
  type IPReservation,
  type IPReservationSpec,
  isForAnyPod,
} from './kinds/ip-pool.ts';
export { UNROUTABLE } from './schema/unroutable.ts';
export type { Metadata } from './schema/kind.ts';
export { type Condition, cutMessage, sinceWhen } from './schema/condition.ts';
export {
  type BGPPeerStatus,
  type IPPoolStatus,
  MOST_DOWN,
  MOST_POOL_NODES,
} from './kinds/summed-status.ts';
export { type Node, type NodeBgp, nodeBgp } from './kinds/node.ts';
export {
  inReadingOrder,
  isDocumentFile,
  isOwnFile,
  objectOfOwnFile,
  OWN_FOLDER,
} from './read/document-files.ts';
export { parseDocument, type ParsedDocument } from './read/parse-document.ts';
export {
  MOST_FILE_BYTES,
  parseText,
  parseTextInSteps,
  type ReadDocument,
  readText,
  type TextDocument,
  unreadableFile,
  withLines,
} from './read/parse-text.ts';
export { mayHide, mayHidePools, nothingRefused, type Refused } from './read/refused.ts';
export { type PeerAddress, parsePeerAddress } from './schema/peer-address.ts';
export { type FormerPool, formerPools, isOfFormer, isOfPool } from './kinds/former-pools.ts';
export { usablePools } from './read/pool-conflicts.ts';
export { formatProblem, type Problem, type ProblemCause } from './schema/problem.ts';
export { impliedText, NO_LIMIT } from './kinds/implied.ts';
export { bgpConfigurationFor, configurationOfNode, doubledNames } from './kinds/node-configuration.ts';
export {
  bgpConfigurationOf,
  collections,
  emptyResources,
  type Identity,
  identityOf,
  identityText,
  keyOf,
  type Kind,
  type KindMap,
  objectName,
  type Resource,
  type ResourceMaps,
  type Resources,
  resourcesOf,
} from './kinds/resources.ts';
export { passwordDoubt, passwordFault, passwordIn, type Secret, secretNamed } from './kinds/secret.ts';
export { type Labels, selectorMatches } from './schema/selector.ts';
export {
  doubledObject,
  isNobody,
  placed,
  type ValidatedTexts,
  validateDocuments,
  validateTexts,
} from './read/validate-texts.ts';
