// What a group of peers gets and how it is written: decided once per kind of peer, not per peer.
// Two peers whose rules have equal keys are in one update group.
import { octetsOfWords, type FamilyIndex, IPV6, isLinkLocalIpv6, parseAddressWords } from '#ip';
import {
  type ExportPlan,
  exportPlan,
  HAS_NO_ADVERTISE,
  HAS_NO_EXPORT,
  HAS_NO_EXPORT_SUBCONFED,
  RELATION_EBGP,
  RELATION_IBGP,
  UNCHANGED,
} from '../../message/index.ts';
import type { CompiledPolicy } from '../../policy/compile.ts';
import type { Session } from '../../session/index.ts';
import type { OwnIdentity } from '../attributes/attribute-intern.ts';
import type { RibPeer } from '../in/rib-peer.ts';

export interface ExportRules {
  /** Equal for peers that get the same bytes. */
  readonly key: string;
  readonly family: FamilyIndex;
  readonly external: boolean;
  /** iBGP clients of this reflector get routes of all iBGP peers (RFC 4456). */
  readonly client: boolean;
  /** Sets that carry one of these HAS_* bits stay here. */
  readonly blockedFlags: number;
  /** RFC 9234: routes with OTC stay here. */
  readonly blocksOtc: boolean;
  /** Next hops are passed on as they are, except of routes that start here. */
  readonly keepsNextHop: boolean;
  /** Bytes of our own next hop: 4, 16 or 32; undefined when this family has none on these sessions. */
  readonly self: Uint8Array | undefined;
  /** IPv4 routes may go out with an IPv6 next hop (RFC 8950). */
  readonly extendedNextHop: boolean;
  readonly addPath: boolean;
  readonly maxMessageBytes: number;
  readonly policy: CompiledPolicy;
  /** Filled in for each attribute set by the packer; its object is the group's own. */
  readonly plan: ExportPlan;
  /** Our cluster id, for what is reflected. */
  readonly clusterId: number;
}

/** The rules of an established peer. */
export function exportRules(
  peer: RibPeer,
  session: Session,
  family: FamilyIndex,
  own: OwnIdentity,
): ExportRules {
  const { config } = peer;
  const n = session.negotiated;
  const external = n.peerType === 'ebgp';
  const transparent = external && config.routeServerClient;
  const self = ownNextHop(peer, session, family);
  const keepsNextHop = transparent || config.nextHop === 'keep' || (!external && config.nextHop === 'auto');
  const role = n.role;
  const addsOtc = role === 'provider' || role === 'rs' || role === 'peer';
  const blocksOtc = role === 'customer' || role === 'peer' || role === 'rs-client';
  const addPath = family === 0 ? n.addPathSend.ipv4 : n.addPathSend.ipv6;
  const extendedNextHop = family === 0 && n.extendedNextHop;
  const key = JSON.stringify([
    family,
    external ? 'e' : config.routeReflectorClient ? 'c' : 'i',
    transparent,
    n.localAs,
    n.fourByteAs,
    session.maxMessageBytes,
    extendedNextHop,
    keepsNextHop,
    self === undefined ? '' : Buffer.from(self).toString('hex'),
    addPath,
    addsOtc,
    blocksOtc,
    config.removePrivateAs,
    peer.exportPolicy.fingerprint,
  ]);
  return {
    key,
    family,
    external,
    client: !external && config.routeReflectorClient,
    blockedFlags: HAS_NO_ADVERTISE | (external ? HAS_NO_EXPORT | HAS_NO_EXPORT_SUBCONFED : 0),
    blocksOtc,
    keepsNextHop,
    self,
    extendedNextHop,
    addPath,
    maxMessageBytes: session.maxMessageBytes,
    policy: peer.exportPolicy,
    clusterId: own.clusterId,
    plan: exportPlan({
      relation: external ? RELATION_EBGP : RELATION_IBGP,
      fourByteAs: n.fourByteAs,
      prepend: external && !transparent ? [n.localAs] : [],
      removePrivateAs: external && config.removePrivateAs,
      keepMed: transparent,
      otc: addsOtc ? n.localAs : UNCHANGED,
    }),
  };
}

/**
 * The address that goes out as our own next hop. Over an IPv6 session IPv4 routes need RFC 8950 or a configured
 * IPv4 address; on a link-local session IPv6 routes carry the link-local address, beside a global one if known.
 */
function ownNextHop(peer: RibPeer, session: Session, family: FamilyIndex): Uint8Array | undefined {
  const n = session.negotiated;
  const local = parseAddressWords(n.localAddress);
  if (local === undefined) return undefined;
  const configured = family === 0 ? peer.config.nextHopSelf.ipv4 : peer.config.nextHopSelf.ipv6;
  const chosen = configured === undefined ? undefined : parseAddressWords(configured);
  const isLinkLocal = local.family === IPV6 && isLinkLocalIpv6(local.words[0]!);
  if (family === 0) {
    if (chosen?.family === 0) return octetsOfWords(chosen.words);
    if (local.family === 0) return octetsOfWords(local.words);
    return n.extendedNextHop ? octetsOfWords(local.words) : undefined;
  }
  if (chosen?.family === 1) {
    const bytes = octetsOfWords(chosen.words);
    return isLinkLocal ? Buffer.concat([bytes, octetsOfWords(local.words)]) : bytes;
  }
  return local.family === 1 ? octetsOfWords(local.words) : undefined;
}
