// How much is read from whom: a peer has a share of each turn, not the machine. Who sends more
// than its share is paused until a later turn; who says little is always heard.
import type { RibPeer } from './rib-peer.ts';

/** A peer that made so many prefixes dirty in one turn is not read from for the rest of it … */
const PEER_SHARE = 3000;
/** … and when all together made so many, nobody is who makes more than a few. */
const TURN_SHARE = 6000;
const A_FEW = 64;
/** Of the paused peers so many are read from in the next turn; the others wait for theirs. */
const RESUMED_AT_ONCE = 2;
/** Nobody is read from while so many prefixes wait … */
const HIGH_WATER = 32768;
/** … until so few do. */
const LOW_WATER = 4096;

export class ReadingPace {
  readonly #isHeld: (peer: RibPeer) => boolean;
  /** Peers heard since the last turn, each once: what they say may change nothing, and then no turn comes. */
  readonly #heard: RibPeer[] = [];
  #marked = 0;
  /** In the order in which they will be read from again. */
  readonly #paused = new Set<RibPeer>();

  /** @param isHeld the peer must not be read from yet, whatever its turn */
  constructor(isHeld: (peer: RibPeer) => boolean = () => false) {
    this.#isHeld = isHeld;
  }

  /** Before an UPDATE of a peer is taken in. */
  hear(peer: RibPeer): void {
    if (peer.isHeard) return;
    peer.isHeard = true;
    this.#heard.push(peer);
  }

  /**
   * After it.
   * @param marked prefixes that it made dirty
   * @param waiting prefixes that wait in all
   */
  heard(peer: RibPeer, marked: number, waiting: number): void {
    this.#marked += marked;
    if (peer.isPaused || peer.marked < A_FEW || peer.session === undefined) return;
    if (peer.marked <= PEER_SHARE && this.#marked <= TURN_SHARE && waiting <= HIGH_WATER) return;
    this.pause(peer);
  }

  /** Nothing is read from the peer until a later turn, and not while it is held. */
  pause(peer: RibPeer): void {
    if (peer.isPaused || peer.session === undefined) return;
    peer.isPaused = true;
    this.#paused.add(peer);
    peer.session.pauseReading();
  }

  /** Peers in its lists. */
  get size(): number {
    return this.#heard.length + this.#paused.size;
  }

  beginTurn(): void {
    for (let i = 0; i < this.#heard.length; i++) {
      const peer = this.#heard[i]!;
      peer.isHeard = false;
      peer.marked = 0;
    }
    this.#heard.length = 0;
    this.#marked = 0;
  }

  /** @returns true while peers are paused: another turn must come, even if nobody else says anything */
  endTurn(waiting: number): boolean {
    if (this.#paused.size === 0 || waiting > LOW_WATER) return this.#paused.size > 0;
    let resumed = 0;
    for (const peer of this.#paused) {
      if (this.#isHeld(peer)) continue;
      this.drop(peer);
      peer.session?.resumeReading();
      if (++resumed === RESUMED_AT_ONCE) break;
    }
    return this.#paused.size > 0;
  }

  /** The session is gone. */
  drop(peer: RibPeer): void {
    this.#paused.delete(peer);
    peer.isPaused = false;
  }
}
