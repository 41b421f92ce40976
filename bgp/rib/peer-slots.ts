// What the RIB must know of each peer, as columns indexed by a small slot number that paths carry.
// Slot 0 is this speaker itself (originated routes). A slot lives as long as its peer is configured and any
// path of it is left. Bound: 65,535 peers.
import { IdPool } from './id-pool.ts';

/** The slot of originated routes. */
export const LOCAL_SLOT = 0;

/** Values of PeerSlots.kind; the same numbers as a policy's sources. */
export const KIND_LOCAL = 0;
export const KIND_EBGP = 1;
export const KIND_IBGP = 2;

export class PeerSlots {
  readonly #ids = new IdPool();
  kind = new Uint8Array(64);
  /** 1: our route reflector client (RFC 4456). */
  client = new Uint8Array(64);
  /** Bumped at each session's end: paths of an older epoch are gone (or stale, RFC 4724). */
  epoch = new Uint8Array(64);
  /** BGP identifier, for the tie-break and ORIGINATOR_ID. */
  routerId = new Uint32Array(64);
  /** Remote addresses as four words, for the last tie-break. */
  address = new Uint32Array(64 * 4);
  /** Paths in the tables, all families: a slot may go when it is 0. */
  paths = new Int32Array(64);

  constructor() {
    this.take();
  }

  take(): number {
    const slot = this.#ids.take();
    if (slot > 0xffff) throw new Error('more than 65,535 peers');
    if (slot >= this.kind.length) this.#grow();
    this.kind[slot] = KIND_LOCAL;
    this.client[slot] = 0;
    this.epoch[slot] = 0;
    this.routerId[slot] = 0;
    this.address.fill(0, slot * 4, slot * 4 + 4);
    this.paths[slot] = 0;
    return slot;
  }

  free(slot: number): void {
    this.#ids.free(slot);
  }

  /** One above the highest slot in use. */
  get end(): number {
    return this.#ids.end;
  }

  #grow(): void {
    const size = this.kind.length * 2;
    const copy = <T extends Uint8Array | Uint32Array | Int32Array>(from: T, to: T): T => {
      to.set(from);
      return to;
    };
    this.kind = copy(this.kind, new Uint8Array(size));
    this.client = copy(this.client, new Uint8Array(size));
    this.epoch = copy(this.epoch, new Uint8Array(size));
    this.routerId = copy(this.routerId, new Uint32Array(size));
    this.address = copy(this.address, new Uint32Array(size * 4));
    this.paths = copy(this.paths, new Int32Array(size));
  }
}
