// Refreshes that a peer marks (RFC 7313): between its BoRR and EoRR it sends all it has, and what it did not send
// again is gone at the end, also when no EoRR ever comes. At no cost for an announcement: a refresh is an epoch.
import type { FamilyIndex } from '#ip';
import type { Clock, Timer } from '#world';
import type { PeerSlots } from '../table/peer-slots.ts';
import type { RibPeer } from './rib-peer.ts';

/** RFC 7313 section 4.2: an upper bound on keeping what was not sent again, when the EoRR does not come. */
const LONGEST_MS = 600_000;

/** At most one a peer and family. */
export class RefreshesIn {
  readonly #slots: PeerSlots;
  readonly #clock: Clock;
  readonly #over: (peer: RibPeer, family: FamilyIndex) => void;
  readonly #timers = new Map<string, Timer>();

  /** @param over the peer's paths of former epochs must go */
  constructor(slots: PeerSlots, clock: Clock, over: (peer: RibPeer, family: FamilyIndex) => void) {
    this.#slots = slots;
    this.#clock = clock;
    this.#over = over;
  }

  /**
   * Ignored before the peer's End-of-RIB (its first transfer is not over), and while a refresh goes on: what it
   * sends in the first is in the second too.
   */
  begin(peer: RibPeer, family: FamilyIndex): void {
    if (!peer.endOfRibReceived[family] || this.#isOn(peer, family)) return;
    this.#slots.nextEpoch(peer.slot, family, true);
    peer.ageCounts(family);
    const timer = this.#clock.setTimer(LONGEST_MS, () => this.end(peer, family));
    this.#timers.set(keyOf(peer, family), timer);
  }

  end(peer: RibPeer, family: FamilyIndex): void {
    if (!this.#isOn(peer, family)) return;
    this.drop(peer, family);
    peer.forgetStale(family);
    this.#over(peer, family);
  }

  /** The session is gone, with all its paths. */
  drop(peer: RibPeer, family: FamilyIndex): void {
    this.#slots.refreshing[peer.slot * 2 + family] = 0;
    const key = keyOf(peer, family);
    this.#timers.get(key)?.cancel();
    this.#timers.delete(key);
  }

  #isOn(peer: RibPeer, family: FamilyIndex): boolean {
    return this.#slots.refreshing[peer.slot * 2 + family] === 1;
  }
}

function keyOf(peer: RibPeer, family: FamilyIndex): string {
  return `${peer.slot}/${family}`;
}
