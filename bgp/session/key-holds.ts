// Holds down the neighbours whose MD5 key a listening socket does not carry, and nobody else, for as long as it does not.
import type { KeyRefusal } from './fsm/cause.ts';
import type { Range } from './neighbours.ts';
import type { Peer } from './peer.ts';

export class KeyHolds {
  readonly #refusals: () => ReadonlyMap<string, KeyRefusal>;
  readonly #find: (id: string) => Peer | Range | undefined;
  /** Ids of neighbours and ranges. */
  #held = new Set<string>();

  /** @param refusals by id, as they are now */
  constructor(
    refusals: () => ReadonlyMap<string, KeyRefusal>,
    find: (id: string) => Peer | Range | undefined,
  ) {
    this.#refusals = refusals;
    this.#find = find;
  }

  /** After whatever may have changed keys, sockets or what holds a neighbour down. */
  settle(): void {
    const refusals = this.#refusals();
    for (const [id, cause] of refusals) this.#put(id, cause);
    for (const id of this.#held) if (!refusals.has(id)) this.#put(id, undefined);
    this.#held = new Set(refusals.keys());
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
