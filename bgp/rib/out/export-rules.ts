// What a group of peers gets and how it is written: decided once per kind of peer, not per peer.
// Two peers whose rules have equal keys are in one update group.
import { familyName, octetsOfWords, type FamilyIndex, IPV6, isLinkLocalIpv6, parseAddressWords } from '#ip';
import {
  type ExportPlan,
  exportPlan,
  HAS_LLGR_STALE,
  HAS_NO_ADVERTISE,
  HAS_NO_EXPORT,
  HAS_NO_EXPORT_SUBCONFED,
  RELATION_EBGP,
  RELATION_IBGP,
  UNCHANGED,
} from '../../message/index.ts';
import { MOST_SENT_PATHS, type PeerConfig } from '../../config.ts';
import type { CompiledPolicy } from '../../policy/compile.ts';
import { isSingleHop, type Session } from '../../session/index.ts';
import type { OwnIdentity } from '../attributes/attribute-intern.ts';
import type { RibPeer } from '../in/rib-peer.ts';

export interface ExportRules {
  /** Equal for peers that get the same bytes. */
  readonly key: string;
  /** Of it what changes octets of a route; the rest is which routes go out, and in which messages. */
  readonly octets: string;
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
  /** Of the sessions, where next hops are passed on: a link-local one is, only there (RFC 2545 section 3). */
  readonly link: string | undefined;
  /** Our own next hop stands in for a link-local one of another link: always right inside the AS, unless told to keep. */
  readonly replacesLinkLocal: boolean;
  /** Bytes of our own next hop: 4, 16 or 32; undefined when this family has none on these sessions. */
  readonly self: Uint8Array | undefined;
  /** IPv4 routes may go out with an IPv6 next hop (RFC 8950). */
  readonly extendedNextHop: boolean;
  readonly addPath: boolean;
  /** The default route that stands by on request goes out, whatever the policy says, and no other default route. */
  readonly originatesDefault: boolean;
  /** Gets aggregates, and what lies inside only of those that let it. */
  readonly takesAggregates: boolean;
  /** With ADD-PATH: so many paths of a prefix go out; Infinity: all. */
  readonly mostPaths: number;
  /** With our own next hop goes what the link bandwidths of all paths that are used together come to. */
  readonly sumsBandwidth: boolean;
  readonly maxMessageBytes: number;
  /** Between two announcements of a prefix (RFC 4271 section 9.2.1.1); with one nobody joins the shared stream. */
  readonly intervalMs: number;
  readonly policy: CompiledPolicy;
  /** Filled in for each attribute set by the packer; its object is the group's own. */
  readonly plan: ExportPlan;
  /** Our cluster id, for what is reflected. */
  readonly clusterId: number;
}

/** The rules of an established peer. */
export function exportRules(
  peer: Pick<RibPeer, 'config' | 'exportPolicy'>,
  session: Session,
  family: FamilyIndex,
  own: OwnIdentity,
): ExportRules {
  const { config } = peer;
  const n = session.negotiated;
  const external = n.peerType === 'ebgp';
  const transparent = external && config.routeServerClient;
  const self = ownNextHop(peer, session, family);
  const replacesLinkLocal = !external && config.nextHop === 'auto';
  const keepsNextHop = transparent || config.nextHop === 'keep' || replacesLinkLocal;
  const role = n.role;
  const addsOtc = role === 'provider' || role === 'rs' || role === 'peer';
  const blocksOtc = role === 'customer' || role === 'peer' || role === 'rs-client';
  const addPath = family === 0 ? n.addPathSend.ipv4 : n.addPathSend.ipv6;
  const extendedNextHop = family === 0 && n.extendedNextHop;
  const link = keepsNextHop ? (n.device ?? n.sharedLink?.device) : undefined;
  const sendLinkBandwidth = external && config.linkBandwidth !== undefined;
  const sumsBandwidth = config.linkBandwidth === 'sum' && !addPath;
  const originatesDefault = config.defaultOriginate?.includes(familyName(family)) ?? false;
  const takesAggregates = config.takesAggregates === true;
  const mostPaths = addPath ? pathsFor(config, n.pathsLimit?.[family === 0 ? 'ipv4' : 'ipv6']) : Infinity;
  const intervalMs = (config.advertisementIntervalSeconds ?? 0) * 1000;
  const ofPath = changesOfPath(peer, session, own);
  const octets = JSON.stringify([
    family,
    external,
    transparent,
    n.localAs,
    n.fourByteAs,
    keepsNextHop,
    link,
    self === undefined ? '' : Buffer.from(self).toString('hex'),
    addPath,
    addsOtc,
    external ? ofPath : own.clusterId,
    sendLinkBandwidth,
    sumsBandwidth,
  ]);
  const blockedFlags =
    HAS_NO_ADVERTISE |
    (external ? HAS_NO_EXPORT | HAS_NO_EXPORT_SUBCONFED : 0) |
    (n.takesLongLived ? 0 : HAS_LLGR_STALE);
  const key = JSON.stringify([
    octets,
    blockedFlags,
    external || config.routeReflectorClient,
    session.maxMessageBytes,
    extendedNextHop,
    originatesDefault,
    takesAggregates,
    mostPaths,
    intervalMs,
    blocksOtc,
    replacesLinkLocal,
    peer.exportPolicy.fingerprint,
  ]);
  return {
    key,
    octets,
    family,
    external,
    client: !external && config.routeReflectorClient,
    blockedFlags,
    blocksOtc,
    keepsNextHop,
    link,
    replacesLinkLocal,
    self,
    extendedNextHop,
    addPath,
    originatesDefault,
    takesAggregates,
    mostPaths,
    sumsBandwidth,
    maxMessageBytes: session.maxMessageBytes,
    intervalMs,
    policy: peer.exportPolicy,
    clusterId: own.clusterId,
    plan: exportPlan({
      relation: external ? RELATION_EBGP : RELATION_IBGP,
      fourByteAs: n.fourByteAs,
      ...ofPath,
      keepMed: transparent,
      sendLinkBandwidth,
      otc: addsOtc ? n.localAs : UNCHANGED,
    }),
  };
}

/** The lesser of what we and the neighbour say. */
function pathsFor({ addPathLimit }: PeerConfig, theirs: number | undefined): number {
  if (addPathLimit === undefined && theirs === undefined) return Infinity;
  return Math.min(addPathLimit ?? Infinity, theirs ?? Infinity, MOST_SENT_PATHS);
}

/** What becomes of AS_PATH: outside of the AS only, and to a client of a route server nothing of ours comes into it (RFC 7947). */
function changesOfPath(
  { config }: Pick<RibPeer, 'config'>,
  { negotiated }: Session,
  own: OwnIdentity,
): Partial<ExportPlan> {
  const { localAs, peerType, remoteAs } = negotiated;
  if (peerType !== 'ebgp') return {};
  const removePrivateAs = config.removePrivateAs;
  if (config.routeServerClient) return { removePrivateAs };
  const showsBoth = config.localAsRules?.prependOut === true && localAs !== own.asNumber;
  const replacesPrivateAs = removePrivateAs && config.replacePrivateAs === true;
  const isOverridden = config.asOverride === true;
  return {
    prepend: showsBoth ? [localAs, own.asNumber] : [localAs],
    removePrivateAs,
    replacesPrivateAs,
    overriddenAs: isOverridden ? remoteAs : UNCHANGED,
    substituteAs: isOverridden || replacesPrivateAs ? localAs : UNCHANGED,
  };
}

/**
 * The address that goes out as our own next hop (RFC 4271 section 5.1.3). A neighbour on a shared link reaches our
 * address on that link, and perhaps no other: the session's own, or for the other family one of the same link. One
 * further away, or in our own AS, gets the address that is known as the node's, unless the session's is asked for.
 * IPv4 routes on an IPv6 session carry its IPv6 address where both sides can (RFC 8950): the link may have none of IPv4.
 * A link-local address goes beside a global one, if there is one (RFC 2545 section 3).
 */
function ownNextHop(
  peer: Pick<RibPeer, 'config'>,
  session: Session,
  family: FamilyIndex,
): Uint8Array | undefined {
  const { config } = peer;
  const { localAddress, sharedLink, extendedNextHop, peerType } = session.negotiated;
  const local = parseAddressWords(localAddress);
  if (local === undefined) return undefined;
  const isShared = peerType === 'ebgp' && (isSingleHop(config) || sharedLink !== undefined);
  const name = family === 0 ? 'ipv4' : 'ipv6';
  const nodes = octetsOf(config.nextHopSelf[name], family);
  const links = isShared ? octetsOf(sharedLink?.[name], family) : undefined;
  const own = octetsOfWords(local.words);
  if (family === 1 && local.family === IPV6 && isLinkLocalIpv6(local.words[0]!)) {
    const global = links ?? nodes;
    return global === undefined ? own : Buffer.concat([global, own]);
  }
  const isOwnFirst = isShared || config.nextHop === 'self';
  if (local.family === family) return isOwnFirst ? own : (nodes ?? own);
  const isExtended = family === 0 && extendedNextHop;
  if (isOwnFirst) return isExtended ? own : (links ?? nodes);
  return nodes ?? (isExtended ? own : undefined);
}

function octetsOf(address: string | undefined, family: FamilyIndex): Uint8Array | undefined {
  const parsed = address === undefined ? undefined : parseAddressWords(address);
  return parsed?.family === family ? octetsOfWords(parsed.words) : undefined;
}
