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

// What becomes of a peer's paths of a family: values of PeerSlots.retention.
/** Those of its newest epoch are all it has. */
export const CURRENT = 0;
/** Between BoRR and EoRR (RFC 7313): what it has not sent again yet is still used. */
export const REFRESHING = 1;
/** Its session is gone and is to come back (RFC 4724 section 4.2): everything is still used. */
export const AWAY = 2;
/** It is back: what it has not sent again is used until its End-of-RIB. */
export const STALE = 3;
/** It did not come back in time (RFC 9494): what it had is used where there is nothing else. */
export const LONG_LIVED = 4;

export class PeerSlots {
  readonly #ids = new IdPool();
  kind = new Uint8Array(64);
  /** 1: our route reflector client (RFC 4456). */
  client = new Uint8Array(64);
  /**
   * By slot * 2 + family. Bumped at each session's end or new beginning and at each BoRR: paths of an older epoch are
   * gone, or stale. So many do not fit between two sweeps that a number could come round: after an EoRR nothing is read
   * until it is swept.
   */
  epoch = new Uint16Array(64 * 2);
  /** By slot * 2 + family: the first epoch whose paths are still used; the newest one when retention is CURRENT. */
  oldest = new Uint16Array(64 * 2);
  /** By slot * 2 + family: CURRENT, REFRESHING, AWAY, STALE or LONG_LIVED. */
  retention = new Uint8Array(64 * 2);
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
    for (const column of [this.epoch, this.oldest, this.retention]) column.fill(0, slot * 2, slot * 2 + 2);
    this.routerId[slot] = 0;
    this.address.fill(0, slot * 4, slot * 4 + 4);
    this.paths[slot] = 0;
    return slot;
  }

  free(slot: number): void {
    this.#ids.free(slot);
  }

  /** What was announced so far is of a former epoch from now on: stale, or (isKept false) gone with all before. */
  nextEpoch(slot: number, family: number, isKept: boolean): void {
    const at = slot * 2 + family;
    this.epoch[at] = this.epoch[at]! + 1;
    if (!isKept) this.oldest[at] = this.epoch[at]!;
  }

  /** What is not of the newest epoch is gone. */
  dropFormer(slot: number, family: number): void {
    const at = slot * 2 + family;
    this.oldest[at] = this.epoch[at]!;
  }

  /** Does its peer still have a path of that epoch, or is it kept for it? */
  isUsed(slot: number, family: number, epoch: number): boolean {
    const at = slot * 2 + family;
    const newest = this.epoch[at]!;
    return newest === epoch || ((newest - epoch) & 0xffff) <= ((newest - this.oldest[at]!) & 0xffff);
  }

  /** A path that is used and that its peer may no longer have: it is away, or has not sent it again yet. */
  isStale(slot: number, family: number, epoch: number): boolean {
    const kind = this.retention[slot * 2 + family]!;
    if (kind === AWAY || kind === LONG_LIVED) return true;
    return epoch !== this.epoch[slot * 2 + family] && this.isUsed(slot, family, epoch);
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
    this.oldest = copy(this.oldest, new Uint16Array(size * 2));
    this.retention = copy(this.retention, new Uint8Array(size * 2));
    this.routerId = copy(this.routerId, new Uint32Array(size));
    this.address = copy(this.address, new Uint32Array(size * 4));
    this.paths = copy(this.paths, new Int32Array(size));
  }
}
