// What the RIB must know of each peer, as columns indexed by a small slot number that paths carry.
// Slot 0 is this speaker itself (originated routes). A slot lives as long as its peer is configured and any
// path of it is left. Bound: 65,535 peers.
import { IdPool } from '../../columns/id-pool.ts';
import { FROM_EBGP, FROM_IBGP, FROM_LOCAL } from '../../policy/compile.ts';

/** The slot of originated routes. */
export const LOCAL_SLOT = 0;

/** Values of PeerSlots.kind: a policy's sources. */
export const KIND_LOCAL = FROM_LOCAL;
export const KIND_EBGP = FROM_EBGP;
export const KIND_IBGP = FROM_IBGP;

export class PeerSlots {
  readonly #ids = new IdPool();
  kind = new Uint8Array(64);
  /** 1: our route reflector client (RFC 4456). */
  client = new Uint8Array(64);
  /**
   * By slot * 2 + family. Bumped at each session's end and at each BoRR: paths of an older epoch are gone, or stale. So
   * many do not fit between two sweeps that a number could come round: after an EoRR nothing is read until it is swept.
   */
  epoch = new Uint16Array(64 * 2);
  /** By slot * 2 + family: 1 between BoRR and EoRR (RFC 7313), while paths of the epoch before are still used. */
  refreshing = new Uint8Array(64 * 2);
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
    this.epoch.fill(0, slot * 2, slot * 2 + 2);
    this.refreshing.fill(0, slot * 2, slot * 2 + 2);
    this.routerId[slot] = 0;
    this.address.fill(0, slot * 4, slot * 4 + 4);
    this.paths[slot] = 0;
    return slot;
  }

  free(slot: number): void {
    this.#ids.free(slot);
  }

  /** What was announced so far is of the former epoch from now on: gone, or (isRefresh) stale until the refresh ends. */
  nextEpoch(slot: number, family: number, isRefresh: boolean): void {
    const at = slot * 2 + family;
    this.epoch[at] = this.epoch[at]! + 1;
    this.refreshing[at] = isRefresh ? 1 : 0;
  }

  /** A path of a former epoch that is still used: its peer is sending everything anew, and has not sent it yet. */
  isStale(slot: number, family: number, epoch: number): boolean {
    const at = slot * 2 + family;
    return this.refreshing[at] === 1 && epoch === ((this.epoch[at]! - 1) & 0xffff);
  }

  /** One above the highest slot in use. */
  get end(): number {
    return this.#ids.end;
  }

  #grow(): void {
    const size = this.kind.length * 2;
    const copy = <T extends Uint8Array | Uint16Array | Uint32Array | Int32Array>(from: T, to: T): T => {
      to.set(from);
      return to;
    };
    this.kind = copy(this.kind, new Uint8Array(size));
    this.client = copy(this.client, new Uint8Array(size));
    this.epoch = copy(this.epoch, new Uint16Array(size * 2));
    this.refreshing = copy(this.refreshing, new Uint8Array(size * 2));
    this.routerId = copy(this.routerId, new Uint32Array(size));
    this.address = copy(this.address, new Uint32Array(size * 4));
    this.paths = copy(this.paths, new Int32Array(size));
  }
}
