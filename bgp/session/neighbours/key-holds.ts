// Holds down the neighbours whose MD5 key a listening socket does not carry, and nobody else, for as long as it does not.
import { Alarm } from '../connection/deadlines.ts';
import type { Listener } from '../connection/listener.ts';
import type { KeyRefusal } from '../fsm/cause.ts';
import type { Range } from './neighbours.ts';
import type { Peer } from '../peer.ts';
import type { PeerIo } from '../ports.ts';

/** Room in the kernel may come from others, or from an operator. */
const RETRY_MS = 30_000;

export class KeyHolds {
  readonly #io: PeerIo;
  readonly #listener: Listener;
  readonly #find: (id: string) => Peer | Range | undefined;
  /** Ids of neighbours and ranges. */
  #held = new Set<string>();
  readonly #retry = new Alarm(() => {
    this.#listener.retry();
    this.settle();
  });

  constructor(io: PeerIo, listener: Listener, find: (id: string) => Peer | Range | undefined) {
    this.#io = io;
    this.#listener = listener;
    this.#find = find;
  }

  /** After whatever may have changed keys, sockets or what holds a neighbour down. */
  settle(): void {
    const { refusals } = this.#listener;
    let mayChange = false;
    for (const [id, cause] of refusals) {
      this.#put(id, cause);
      mayChange ||= cause.problem === 'no memory' || cause.problem === 'other';
    }
    for (const id of this.#held) if (!refusals.has(id)) this.#put(id, undefined);
    this.#held = new Set(refusals.keys());
    const { clock, deadlines } = this.#io;
    if (!mayChange) deadlines.clear(this.#retry);
    else if (this.#retry.at === Number.POSITIVE_INFINITY) deadlines.set(this.#retry, clock.now() + RETRY_MS);
  }

  stop(): void {
    this.#io.deadlines.clear(this.#retry);
  }

  #put(id: string, cause: KeyRefusal | undefined): void {
    const found = this.#find(id);
    if (found === undefined) return;
    if ('peers' in found) {
      found.keyRefusal = cause;
      for (const peer of found.peers.values()) hold(peer, cause);
    } else {
      hold(found, cause);
    }
  }
}

/** Who is shut down stays so, with that reason. */
function hold(peer: Peer, cause: KeyRefusal | undefined): void {
  const now = peer.heldDown?.cause;
  if (cause === undefined) {
    if (now?.kind === 'key refused') peer.release();
  } else if (now !== cause && now?.kind !== 'shut down') {
    peer.holdDown(cause);
  }
}
