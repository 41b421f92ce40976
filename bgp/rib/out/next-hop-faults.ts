// Which next hops that go out the neighbour surely cannot use, as far as this side can know (RFC 4271 sections 5.1.3 and
// 6.3): one hop away in another AS it takes only what is on the link that it shares with us. Further away, in our own AS
// and on a link that is not known it may have a way of its own, and nothing is said. Pure: it only reads.
import {
  addressFromBytes,
  contains,
  FAMILIES,
  type Family,
  familyIndex,
  formatAddress,
  isLinkLocal,
  parsePrefix,
  type Prefix,
} from '#ip';
import { isSingleHop, type Session } from '../../session/index.ts';
import type { Originated } from '../in/originated.ts';
import type { RibPeer } from '../in/rib-peer.ts';
import type { ExportRules } from './export-rules.ts';
import type { ExportGroups } from './export-groups.ts';
import { type ExportView, NO_NEXT_HOP } from './export-view.ts';
import type { NextHops } from '../attributes/next-hops.ts';
import type { AttributeStore } from '../attributes/attribute-store.ts';
import type { UpdateGroup } from './update-group.ts';

/** Units of an Adj-RIB-Out that are looked at for next hops of others, from the first on. */
const MOST_UNITS = 2048;

export type NextHopFault =
  /** Routes of this node stay here: it has no address that could go out with them. */
  | { readonly kind: 'no address'; readonly family: Family; readonly lacksExtendedNextHop: boolean }
  /** What goes out as our own next hop is not on the link. */
  | {
      readonly kind: 'not on the link';
      readonly family: Family;
      readonly nextHop: string;
      readonly device: string;
      /** IPv4 routes over IPv6, and IPv6 next hops for them are not agreed (RFC 8950): the neighbour did not offer it. */
      readonly lacksExtendedNextHop: boolean;
    }
  /** That of another router, passed on as it came, is not on the link. */
  | {
      readonly kind: 'kept, not on the link';
      readonly family: Family;
      readonly nextHop: string;
      readonly device: string;
      readonly network: string;
      /** It is kept because we are a route server, and not because of `nextHop: 'keep'`. */
      readonly isRouteServer: boolean;
    };

/** What of the RIB it is read from. */
export interface SentRoutes {
  readonly exports: ExportGroups;
  readonly originated: Originated;
  readonly view: ExportView;
  readonly attributes: AttributeStore;
  readonly nextHops: NextHops;
}

/** At most one of a kind and family. */
export function nextHopFaults(rib: SentRoutes, peer: RibPeer): NextHopFault[] {
  const { session } = peer;
  if (session === undefined) return [];
  const faults: NextHopFault[] = [];
  const note = (fault: NextHopFault | undefined) => {
    if (fault !== undefined) faults.push(fault);
  };
  for (const family of FAMILIES) {
    const group = rib.exports.groupOf(session, familyIndex(family));
    if (group === undefined) continue;
    if (group.rules.self === undefined) note(withoutAddress(rib, session, group, family));
    else if (group.out.countFor(peer.slot) > 0) {
      note(ownOffLink(session, group.rules, family));
      note(keptOffLink(rib, peer, session, group, family));
    }
  }
  return faults;
}

function withoutAddress(
  { originated, view }: SentRoutes,
  session: Session,
  { rules, table }: UpdateGroup,
  family: Family,
): NextHopFault | undefined {
  for (const path of originated.paths(rules.family)) {
    if (view.path(rules, table, path) !== NO_NEXT_HOP) continue;
    if (view.whyRejected(rules, table, path) !== undefined) continue;
    return { kind: 'no address', family, lacksExtendedNextHop: lacksExtendedNextHop(session, family) };
  }
  return undefined;
}

function lacksExtendedNextHop({ negotiated }: Session, family: Family): boolean {
  return family === 'ipv4' && negotiated.localAddress.includes(':') && !negotiated.extendedNextHop;
}

/** The link with a neighbour that takes only what is on it; undefined when it may take more, or it is not known. */
function strictLink(session: Session) {
  const { peerType, sharedLink } = session.negotiated;
  return peerType === 'ebgp' && isSingleHop(session.config) ? sharedLink : undefined;
}

function ownOffLink(session: Session, rules: ExportRules, family: Family): NextHopFault | undefined {
  const link = strictLink(session);
  // A pair has a link-local address, which is right on every link (RFC 2545 section 3).
  if (link === undefined || rules.self === undefined || rules.self.length === 32) return undefined;
  const { localAddress } = session.negotiated;
  const address = addressFromBytes(rules.self);
  const nextHop = formatAddress(address);
  // The neighbour answers to the session's own address, so it reaches that.
  if ([localAddress, link.ipv4, link.ipv6].includes(nextHop)) return undefined;
  const network = parsePrefix(link.network);
  if (network === undefined || contains(network, address)) return undefined;
  const { device } = link;
  const lacks = lacksExtendedNextHop(session, family);
  return { kind: 'not on the link', family, nextHop, device, lacksExtendedNextHop: lacks };
}

function keptOffLink(
  rib: SentRoutes,
  peer: RibPeer,
  session: Session,
  group: UpdateGroup,
  family: Family,
): NextHopFault | undefined {
  const link = strictLink(session);
  if (link === undefined || !group.rules.keepsNextHop) return undefined;
  const network = networkOfMany(link.network);
  if (network === undefined) return undefined;
  const { out, rules } = group;
  const known = new Set<number>();
  for (let unit = 0; unit < Math.min(out.set.length, MOST_UNITS); unit++) {
    if (!out.isFor(unit, peer.slot)) continue;
    const set = out.set[unit]! - 1;
    const hop = rib.attributes.nextHop[set]!;
    if (known.has(hop) || !rib.attributes.leavesWithHop(set, true)) continue;
    known.add(hop);
    const bytes = rib.nextHops.bytesFor(hop, rules.link);
    // A pair has a link-local one of this link.
    if (bytes === undefined || bytes.length === 32) continue;
    const address = addressFromBytes(bytes);
    const nextHop = formatAddress(address);
    if (address.family !== network.family || isLinkLocal(nextHop) || contains(network, address)) continue;
    const isRouteServer = session.config.nextHop !== 'keep';
    const { device } = link;
    return { kind: 'kept, not on the link', family, nextHop, device, network: link.network, isRouteServer };
  }
  return undefined;
}

/** Undefined where it says nothing of what else is on the link: one address alone, link-local addresses. */
function networkOfMany(text: string): Prefix | undefined {
  const network = parsePrefix(text);
  if (network === undefined || isLinkLocal(text.split('/')[0]!)) return undefined;
  return network.length === (network.family === 'ipv4' ? 32 : 128) ? undefined : network;
}
