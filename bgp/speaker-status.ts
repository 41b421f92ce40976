// What the RIB adds to a neighbour's status: how many routes came and went. Plain data.
import { FAMILIES, type Family, familyIndex, needsZone, withZone } from '#ip';
import { MOST_NEXT_HOPS } from './rib/in/memory-limits.ts';
import type { MalformedCounts, MalformedUpdate } from './rib/in/malformed.ts';
import { STALE_COUNTS } from './rib/in/path-owner.ts';
import type { RibPeer } from './rib/in/rib-peer.ts';
import { type NextHopFault, nextHopFaults } from './rib/out/next-hop-faults.ts';
import type { Rib } from './rib/rib.ts';
import { AWAY, LONG_LIVED, STALE } from './rib/table/peer-slots.ts';
import type { Session } from './session/index.ts';

export interface FamilyRoutes {
  readonly family: Family;
  /** Live paths received: accepted + filtered + ineligible. */
  readonly received: number;
  readonly accepted: number;
  /** Rejected by import policy, or dropped. */
  readonly filtered: number;
  /** Of the filtered ones, those over a prefix limit that drops. */
  readonly dropped: number;
  /** Forbidden by a rule of the protocol: a loop, the first AS, a role, our own next hop. */
  readonly ineligible: number;
  /** Of the ineligible ones, those with our own AS in AS_PATH. */
  readonly ownAsLoops: number;
  /** Of these, our own routes that come back: the prefix starts here. */
  readonly ownReturns: number;
  /** Of the ineligible ones, those whose next hop is this speaker, or on no link of ours where it must be. */
  readonly unfitHops: number;
  /** What the peer has, or gets as soon as it takes it; its own routes are not sent back to it. */
  readonly advertised: number;
  /** Changes of these that a slow or new peer has still to get; 0 when it is up to date. */
  readonly owed: number;
  /** Of these, those that wait for the advertisement interval. */
  readonly heldBack: number;
  readonly endOfRibReceived: boolean;
  readonly endOfRibSent: boolean;
}

/** Routes of a session before this one, or of one that is gone (RFC 4724, RFC 9494). */
export interface KeptRoutes {
  readonly family: Family;
  /** 'returning': it is back, and has not sent them again yet. */
  readonly state: 'away' | 'returning' | 'long-lived';
  readonly routes: number;
  /** Until they go; of 'away' with a long-lived time: until that begins. */
  readonly secondsLeft: number;
}

export interface PeerRoutes {
  readonly families: readonly FamilyRoutes[];
  readonly kept: readonly KeptRoutes[];
  /** Prefixes of ours that it announces: never used. At most 256. */
  readonly ownClaims: readonly string[];
  readonly importPolicy: string;
  readonly exportPolicy: string;
  /** What its routes make us keep, and how much of it they may. */
  readonly memory: {
    readonly attributeOctets: number;
    readonly attributeOctetsLimit: number;
    readonly nextHops: number;
    readonly nextHopsLimit: number;
  };
  /** Reading is paused until the RIB has caught up. */
  readonly isPaused: boolean;
  /** UPDATEs that were malformed, by what became of them (RFC 7606), over all sessions since it was configured. */
  readonly malformed: { readonly counts: MalformedCounts; readonly last: readonly MalformedUpdate[] };
}

/** Of the sessions and ranges that are not held down. */
export interface Readiness {
  readonly wanted: number;
  readonly established: number;
  /** There are established ones, and each of them has sent its End-of-RIB in each family (RFC 4724 §2). */
  readonly hasFirstRoutes: boolean;
}

/** @param sessions that are wanted; undefined: not established */
export function readinessOf(rib: Rib, sessions: readonly (Session | undefined)[], ranges: number): Readiness {
  const up = sessions.filter((session) => session !== undefined);
  return {
    wanted: sessions.length + ranges,
    established: up.length,
    hasFirstRoutes: up.length > 0 && up.every((session) => hasSentAll(rib, session)),
  };
}

/** Its End-of-RIB has come in each family (RFC 4724 §2). */
export function hasSentAll(rib: Rib, session: Session): boolean {
  return session.negotiated.families.every((family) => hasSent(rib, session, family));
}

/** The same of one family. */
export function hasSent(rib: Rib, { peerId }: Session, family: Family): boolean {
  return rib.peer(peerId)?.endOfRibReceived[familyIndex(family)] === true;
}

/** A neighbour that gets next hops which it surely cannot use, or no route for want of one. */
export interface NextHopDoubt {
  readonly id: string;
  /** The neighbour's address, with its link where that is needed. */
  readonly remote: string;
  /** As configured. */
  readonly description: string | undefined;
  readonly fault: NextHopFault;
}

export function nextHopDoubts(rib: Rib): NextHopDoubt[] {
  const doubts: NextHopDoubt[] = [];
  for (const peer of rib.peers()) {
    const { id, config, session } = peer;
    // Asked again and again, of all neighbours: nearly always there are none.
    const faults = nextHopFaults(rib, peer);
    if (session === undefined || faults.length === 0) continue;
    const { remoteAddress, device } = session.negotiated;
    const remote = withZone(remoteAddress, needsZone(remoteAddress) ? device : undefined);
    for (const fault of faults) doubts.push({ id, remote, description: config.description, fault });
  }
  return doubts;
}

/** Prefixes of ours that a neighbour announces (PolicyTerm.action.isOwn); at most 256. */
export function ownClaims(rib: Rib, peer: RibPeer): string[] {
  if (peer.ownClaims.isEmpty) return [];
  return rib.tables.flatMap((table) =>
    peer.claimsIn(table, rib.slots).map((prefix) => rib.prefixText(table, prefix)),
  );
}

function keptRoutes(rib: Rib, peer: RibPeer, family: Family): KeptRoutes[] {
  const index = familyIndex(family);
  const state = KEPT_STATES[rib.neighbours.retention.kind(peer, index)];
  const left = rib.neighbours.retention.msLeft(peer, index);
  if (state === undefined || left === undefined) return [];
  const routes = state === 'returning' ? peer.received[index + STALE_COUNTS]! : peer.receivedIn(index);
  return [{ family, state, routes, secondsLeft: Math.ceil(left / 1000) }];
}

const KEPT_STATES: Readonly<Record<number, KeptRoutes['state']>> = {
  [AWAY]: 'away',
  [STALE]: 'returning',
  [LONG_LIVED]: 'long-lived',
};

/** Undefined for a neighbour that has never been up. */
export function peerRoutes(rib: Rib, id: string): PeerRoutes | undefined {
  const peer = rib.peer(id);
  if (peer === undefined) return undefined;
  const { session } = peer;
  return {
    families: FAMILIES.filter((f) => session?.negotiated.families.includes(f)).map((family) => {
      const index = familyIndex(family);
      const inAll = (counts: readonly number[]): number => counts[index]! + counts[index + STALE_COUNTS]!;
      const group = session && rib.exports.groupOf(session, index);
      const catchUp = group?.catchUps.find((c) => c.member.slot === peer.slot);
      return {
        family,
        received: peer.receivedIn(index),
        accepted: peer.receivedIn(index) - inAll(peer.filtered) - inAll(peer.ineligible),
        filtered: inAll(peer.filtered),
        dropped: inAll(peer.overLimit),
        ineligible: inAll(peer.ineligible),
        ownAsLoops: inAll(peer.ownAsLoops),
        unfitHops: inAll(peer.unfitHops),
        ownReturns: inAll(peer.ownAsLoops) === 0 ? 0 : rib.originated.returned(peer.slot, index),
        advertised: group?.out.countFor(peer.slot) ?? 0,
        owed: catchUp?.owed ?? 0,
        heldBack: catchUp?.heldBack ?? 0,
        endOfRibReceived: peer.endOfRibReceived[index]!,
        endOfRibSent: peer.endOfRibSent[index]!,
      };
    }),
    kept: FAMILIES.flatMap((family) => keptRoutes(rib, peer, family)),
    ownClaims: ownClaims(rib, peer),
    importPolicy: peer.importPolicy.policy.name,
    exportPolicy: peer.exportPolicy.policy.name,
    memory: {
      attributeOctets: peer.attributeOctets,
      attributeOctetsLimit: peer.octetsLimit,
      nextHops: rib.nextHops.chargedTo(peer.slot),
      nextHopsLimit: MOST_NEXT_HOPS,
    },
    isPaused: peer.isPaused,
    malformed: { counts: peer.malformed.counts, last: peer.malformed.last },
  };
}
