// Dynamic neighbours come and go: what happened to one without a connection is shown a while longer.
import type { Clock } from '#world';
import { Alarm, type Deadlines } from '../connection/deadlines.ts';
import type { Peer } from '../peer.ts';

/** One without a connection is forgotten after this time, or when its place is needed. */
const LINGER_MS = 300_000;

export class Linger {
  readonly #io: { readonly clock: Clock; readonly deadlines: Deadlines };
  readonly #forget: (peer: Peer) => void;
  readonly #alarms = new Map<Peer, Alarm>();

  /** @param forget its time is over */
  constructor(io: { readonly clock: Clock; readonly deadlines: Deadlines }, forget: (peer: Peer) => void) {
    this.#io = io;
    this.#forget = forget;
  }

  has(peer: Peer): boolean {
    return this.#alarms.has(peer);
  }

  peers(): Iterable<Peer> {
    return this.#alarms.keys();
  }

  /** It has no connection. */
  add(peer: Peer): void {
    if (this.#alarms.has(peer)) return;
    const alarm = new Alarm(() => this.#forget(peer));
    this.#alarms.set(peer, alarm);
    this.#io.deadlines.set(alarm, this.#io.clock.now() + LINGER_MS);
  }

  delete(peer: Peer): void {
    const alarm = this.#alarms.get(peer);
    if (alarm !== undefined) this.#io.deadlines.clear(alarm);
    this.#alarms.delete(peer);
  }
}
