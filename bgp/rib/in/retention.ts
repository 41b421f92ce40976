// How long a neighbour's paths stay that it may no longer have, by family: over a refresh that it marks (RFC 7313), a
// restart (RFC 4724), and long after one that did not come back (RFC 9494). At no cost for an announcement: what was
// sent before is an epoch. Bound: one timer a peer and family.
import { type FamilyIndex, familyIndex } from '#ip';
import type { Clock, Timer } from '#world';
import type { RouteRetention, Session } from '../../session/index.ts';
import { AWAY, CURRENT, LONG_LIVED, type PeerSlots, REFRESHING, STALE } from '../table/peer-slots.ts';
import type { RibPeer } from './rib-peer.ts';
import { SWEEP_LONG_LIVED, SWEEP_OLD_EPOCH } from './sweeper.ts';

/** RFC 7313 section 4.2: an upper bound on keeping what was not sent again, when the EoRR does not come. */
const LONGEST_REFRESH_MS = 600_000;
/** RFC 4724 section 4.2: the same for the End-of-RIB of a neighbour that is back. */
const LONGEST_RETURN_MS = 360_000;

const FAMILY_INDICES = [0, 1] as const;

export class Retention {
  readonly #slots: PeerSlots;
  readonly #clock: Clock;
  readonly #changed: (peer: RibPeer, family: FamilyIndex, sweep: number) => void;
  /** By slot * 2 + family. */
  readonly #timers = new Map<number, { readonly timer: Timer; readonly atMs: number }>();

  /** @param changed the peer's paths of a family must be looked at, for that reason (SWEEP_*) */
  constructor(
    slots: PeerSlots,
    clock: Clock,
    changed: (peer: RibPeer, family: FamilyIndex, sweep: number) => void,
  ) {
    this.#slots = slots;
    this.#clock = clock;
    this.#changed = changed;
  }

  /**
   * A BoRR. Ignored before the peer's End-of-RIB (its first transfer is not over), and while a refresh goes on: what it
   * sends in the first is in the second too.
   */
  refreshBegins(peer: RibPeer, family: FamilyIndex): void {
    if (!peer.endOfRibReceived[family] || this.kind(peer, family) !== CURRENT) return;
    this.#slots.nextEpoch(peer.slot, family, true);
    peer.ageCounts(family);
    this.#set(peer, family, REFRESHING, LONGEST_REFRESH_MS, () => this.refreshEnds(peer, family));
  }

  /** An EoRR. Ignored without a BoRR. */
  refreshEnds(peer: RibPeer, family: FamilyIndex): void {
    if (this.kind(peer, family) === REFRESHING) this.#complete(peer, family);
  }

  /** It has sent all that it has: what it had before its restart and did not send again is gone. */
  endOfRib(peer: RibPeer, family: FamilyIndex): void {
    if (this.kind(peer, family) === STALE) this.#complete(peer, family);
  }

  /**
   * Its session ended. What is left from the restart before this one goes now (RFC 4724 section 4.2).
   * @param kept undefined: all of its paths go
   */
  sessionEnded(peer: RibPeer, kept: RouteRetention | undefined): void {
    // First what stays: whoever is told that the rest goes asks whether the peer is away.
    if (kept !== undefined) this.#keep(peer, kept);
    for (const family of FAMILY_INDICES) if (this.kind(peer, family) !== AWAY) this.#drop(peer, family);
  }

  #keep(peer: RibPeer, { restartSeconds, families }: RouteRetention): void {
    for (const { family: name, longLivedSeconds, isLongLivedOnly } of families) {
      const family = familyIndex(name);
      const isReturning = this.kind(peer, family) === STALE;
      const over = () => this.#restartTimeIsOver(peer, family, longLivedSeconds * 1000);
      this.#set(peer, family, AWAY, isLongLivedOnly ? 0 : restartSeconds * 1000, over);
      if (isReturning) this.#dropFormer(peer, family);
    }
  }

  /**
   * It is back. What it could not go on forwarding, or does not speak of any more, goes at once. A session that began
   * before the one before it was over loses everything of that one.
   */
  sessionBegan(peer: RibPeer, session: Session): void {
    for (const family of FAMILY_INDICES) {
      if (!isKeptOver(session, family, this.kind(peer, family))) {
        if (this.kind(peer, family) !== CURRENT) this.#drop(peer, family);
        continue;
      }
      this.#slots.nextEpoch(peer.slot, family, true);
      peer.ageCounts(family);
      this.#set(peer, family, STALE, LONGEST_RETURN_MS, () => this.endOfRib(peer, family));
    }
  }

  /** Whatever was kept goes. */
  drop(peer: RibPeer): void {
    for (const family of FAMILY_INDICES) this.#drop(peer, family);
  }

  /** Has it no session, and paths that are used? */
  isAway(peer: RibPeer): boolean {
    return FAMILY_INDICES.some((family) => {
      const kind = this.kind(peer, family);
      return kind === AWAY || kind === LONG_LIVED;
    });
  }

  /** CURRENT, REFRESHING, AWAY, STALE or LONG_LIVED. */
  kind(peer: RibPeer, family: FamilyIndex): number {
    return this.#slots.retention[peer.slot * 2 + family]!;
  }

  /** Until what is kept goes, or (AWAY) its long-lived time begins; undefined: nothing is kept. */
  msLeft(peer: RibPeer, family: FamilyIndex): number | undefined {
    const end = this.#timers.get(peer.slot * 2 + family)?.atMs;
    return end === undefined ? undefined : Math.max(0, end - this.#clock.now());
  }

  /** No timer runs any more. */
  stop(): void {
    for (const { timer } of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }

  #restartTimeIsOver(peer: RibPeer, family: FamilyIndex, longLivedMs: number): void {
    if (longLivedMs === 0) {
      this.#drop(peer, family);
      return;
    }
    this.#set(peer, family, LONG_LIVED, longLivedMs, () => this.#drop(peer, family));
    this.#changed(peer, family, SWEEP_LONG_LIVED);
  }

  #complete(peer: RibPeer, family: FamilyIndex): void {
    this.#set(peer, family, CURRENT);
    this.#dropFormer(peer, family);
  }

  /** What is of a former epoch goes. */
  #dropFormer(peer: RibPeer, family: FamilyIndex): void {
    this.#slots.dropFormer(peer.slot, family);
    peer.forgetStale(family);
    this.#changed(peer, family, SWEEP_OLD_EPOCH);
  }

  #drop(peer: RibPeer, family: FamilyIndex): void {
    this.#set(peer, family, CURRENT);
    this.#slots.nextEpoch(peer.slot, family, false);
    peer.forgetCounts(family);
    this.#changed(peer, family, SWEEP_OLD_EPOCH);
  }

  #set(peer: RibPeer, family: FamilyIndex, kind: number, ms = 0, over?: () => void): void {
    const at = peer.slot * 2 + family;
    this.#slots.retention[at] = kind;
    this.#timers.get(at)?.timer.cancel();
    this.#timers.delete(at);
    if (over === undefined) return;
    this.#timers.set(at, { timer: this.#clock.setTimer(ms, over), atMs: this.#clock.now() + ms });
  }
}

/** RFC 4724 section 4.2, RFC 9494 section 4.2: the family is in its capability, and it has gone on forwarding. */
function isKeptOver({ negotiated }: Session, family: FamilyIndex, kind: number): boolean {
  const { gracefulRestart } = negotiated;
  const tuples =
    kind === AWAY ? gracefulRestart?.families : kind === LONG_LIVED ? gracefulRestart?.longLived : undefined;
  return tuples?.some((one) => familyIndex(one.family) === family && one.isForwardingKept) === true;
}
