// One family's routes: the prefixes, and for each a linked list of paths (Adj-RIB-In and Loc-RIB in one).
// Everything is a typed-array column indexed by prefix id or path id; links hold id + 1, so that fresh
// (zero) memory means "none". Who changes a path marks its prefix dirty; decide.ts and the update groups take
// it from there. A withdrawn path stays in its list, DEAD, until its prefix was processed.
// Bound: paths are bounded by each peer's prefix limit; 22 bytes a path, 5 a prefix beside the PrefixTable.
import { type FamilyIndex, mask, type PrefixWords } from '#ip';
import {
  grownCapacity,
  type I32,
  resizeI32,
  resizeU8,
  resizeU16,
  resizeU32,
  type U8,
  type U16,
  type U32,
} from '../../columns/columns.ts';

import { IdPool } from '../../columns/id-pool.ts';
import { IdRing } from '../../columns/id-ring.ts';
import { PrefixTable } from '../../prefix/prefix-table.ts';

// Path flags.
/** The prefix's chosen path; then it is the first in the list. */
export const BEST = 1;
/** Used together with the best one. */
export const MULTIPATH = 2;
/** Rejected by the import policy: kept for display and re-evaluation, never chosen. */
export const FILTERED = 4;
/** A protocol rule forbids its use (loop, first AS, role, own address as next hop). */
export const INELIGIBLE = 8;
/**
 * Our own AS is in AS_PATH: an INELIGIBLE that is counted by itself. Import policy is never asked about what is
 * INELIGIBLE, so that both bits together are free to mean this.
 */
export const OWN_AS_LOOP = FILTERED | INELIGIBLE;
/** The same of one whose next hop is this speaker, or is on no link of ours where it must be. */
export const UNFIT_HOP = INELIGIBLE | 128;
/** Withdrawn; goes when its prefix is processed. */
export const DEAD = 16;
/** Attributes or eligibility changed since its prefix was last processed. */
export const CHANGED = 32;
/** One more than its neighbour's prefix limit, which drops such: kept until there is a place, as it came. */
export const OVER_LIMIT = 64;

// Prefix flags.
export const DIRTY = 1;
export const HAS_DEAD = 2;
/** Waits in the queue of prefixes to be forgotten. */
export const ORPHAN = 4;
/** ORIGIN + 1 of the best path that aggregates count it with; 0: they do not. */
export const COUNTED = 24;
export const COUNTED_SHIFT = 3;

/** Slot of a free path id. */
export const NO_PEER = 0xffff;

const FIRST_CAPACITY = 4096;

export class RibTable {
  readonly family: FamilyIndex;
  readonly prefixes: PrefixTable;
  readonly pathIds = new IdPool();

  // By prefix id.
  head: I32 = new Int32Array(FIRST_CAPACITY);
  prefixFlags: U8 = new Uint8Array(FIRST_CAPACITY);

  // By path id.
  peer: U16 = new Uint16Array(FIRST_CAPACITY);
  attribute: I32 = new Int32Array(FIRST_CAPACITY);
  next: I32 = new Int32Array(FIRST_CAPACITY);
  prefix: I32 = new Int32Array(FIRST_CAPACITY);
  /** Sixteen bits, of which seven are in use. */
  flags: U16 = new Uint16Array(FIRST_CAPACITY);
  /** The peer's epoch (PeerSlots) when the path was last announced. */
  epoch: U16 = new Uint16Array(FIRST_CAPACITY);
  /** Seconds, by the clock, at which it came or was last changed: for people. */
  since: U32 = new Uint32Array(FIRST_CAPACITY);
  /** Path identifiers received (RFC 7911): made when the first peer sends them. */
  receivedId: U32 | undefined;
  /** The set as received, where import policy changed it: made when the first policy sets something. */
  original: I32 | undefined;
  pathCapacity = FIRST_CAPACITY;

  /** How many lagging members still owe a peer the withdrawal of a prefix (path): its id must not be reused. */
  #prefixPins: U16 | undefined;
  #pathPins: U16 | undefined;

  /** Prefixes of small changes, processed before those of bulk. */
  readonly #urgent = new IdRing();
  readonly #bulk = new IdRing();
  /** Prefixes without paths, forgotten when there is time: many come back (flaps, sessions that restart). */
  readonly #orphans = new IdRing();

  constructor(family: FamilyIndex, seed: number) {
    this.family = family;
    this.prefixes = new PrefixTable(family, seed, FIRST_CAPACITY);
  }

  /** Prefixes that wait to be processed. */
  get dirtyCount(): number {
    return this.#urgent.count + this.#bulk.count;
  }

  /** @param isUrgent part of a small change: it overtakes bulk */
  markDirty(prefixId: number, isUrgent: boolean): void {
    const flags = this.prefixFlags[prefixId]!;
    if ((flags & DIRTY) !== 0) return;
    this.prefixFlags[prefixId] = flags | DIRTY;
    if (isUrgent) this.#urgent.push(prefixId);
    else this.#bulk.push(prefixId);
  }

  /** The next dirty prefix, or -1. Its DIRTY flag is cleared. */
  takeDirty(): number {
    const prefixId = this.#urgent.count > 0 ? this.#urgent.take() : this.#bulk.take();
    if (prefixId >= 0) this.prefixFlags[prefixId] = this.prefixFlags[prefixId]! & ~DIRTY;
    return prefixId;
  }

  /** Follows the growth of `prefixes`: call after prefixes were added. */
  fitPrefixColumns(): void {
    const capacity = this.prefixes.capacity;
    if (this.head.length === capacity) return;
    this.head = resizeI32(this.head, capacity);
    this.prefixFlags = resizeU8(this.prefixFlags, capacity);
  }

  /** The path of a peer (and received path id), or -1. DEAD ones count. */
  findPath(prefixId: number, peer: number, receivedId: number): number {
    const peers = this.peer;
    const next = this.next;
    const ids = this.receivedId;
    let path = this.head[prefixId]! - 1;
    if (ids === undefined) {
      while (path >= 0 && peers[path] !== peer) path = next[path]! - 1;
    } else {
      while (path >= 0 && (peers[path] !== peer || ids[path] !== receivedId)) path = next[path]! - 1;
    }
    return path;
  }

  /** Adds a path behind the first one. The caller counts references and marks the prefix dirty. */
  addPath(prefixId: number, peer: number, attribute: number, flags: number, epoch: number): number {
    const path = this.pathIds.take();
    if (path >= this.pathCapacity) this.#resizePaths(grownCapacity(this.pathCapacity, path + 1));
    this.peer[path] = peer;
    this.attribute[path] = attribute;
    this.prefix[path] = prefixId;
    this.flags[path] = flags;
    this.epoch[path] = epoch;
    const first = this.head[prefixId]!;
    if (first === 0) {
      this.head[prefixId] = path + 1;
      this.next[path] = 0;
    } else {
      this.next[path] = this.next[first - 1]!;
      this.next[first - 1] = path + 1;
    }
    return path;
  }

  /** Takes a path out of its list; its id stays taken until freePath(). */
  unlink(path: number): void {
    const prefixId = this.prefix[path]!;
    const next = this.next;
    if (this.head[prefixId] === path + 1) {
      this.head[prefixId] = next[path]!;
      return;
    }
    let before = this.head[prefixId]! - 1;
    while (next[before] !== path + 1) before = next[before]! - 1;
    next[before] = next[path]!;
  }

  /** Puts a path of the list first. */
  moveToFront(path: number): void {
    const prefixId = this.prefix[path]!;
    if (this.head[prefixId] === path + 1) return;
    this.unlink(path);
    this.next[path] = this.head[prefixId]!;
    this.head[prefixId] = path + 1;
  }

  /** Frees an unlinked path's id, at once or when the last pin goes. */
  freePath(path: number): void {
    this.flags[path] = 0;
    this.peer[path] = NO_PEER;
    if ((this.#pathPins?.[path] ?? 0) === 0) this.pathIds.free(path);
  }

  /** A prefix has no path any more. It is forgotten later, unless something needs its id by then. */
  orphan(prefixId: number): void {
    const flags = this.prefixFlags[prefixId]!;
    if ((flags & ORPHAN) !== 0) return;
    this.prefixFlags[prefixId] = flags | ORPHAN;
    this.#orphans.push(prefixId);
  }

  /** Prefixes with paths (those that came back a moment ago may be missing). */
  get liveCount(): number {
    return this.prefixes.count - this.#orphans.count;
  }

  get orphanCount(): number {
    return this.#orphans.count;
  }

  /** Forgets up to `count` orphans. */
  dropOrphans(count: number): void {
    for (let n = 0; n < count; n++) {
      const prefixId = this.#orphans.take();
      if (prefixId < 0) return;
      const flags = this.prefixFlags[prefixId]! & ~ORPHAN;
      this.prefixFlags[prefixId] = flags;
      if (this.head[prefixId] !== 0 || (flags & DIRTY) !== 0) continue;
      if ((this.#prefixPins?.[prefixId] ?? 0) !== 0) continue;
      this.prefixFlags[prefixId] = 0;
      this.prefixes.remove(prefixId);
    }
  }

  pinPrefix(prefixId: number): void {
    if (this.#prefixPins === undefined || this.#prefixPins.length !== this.prefixes.capacity) {
      this.#prefixPins = resizeU16(this.#prefixPins ?? new Uint16Array(0), this.prefixes.capacity);
    }
    this.#prefixPins[prefixId] = this.#prefixPins[prefixId]! + 1;
  }

  unpinPrefix(prefixId: number): void {
    const pins = this.#prefixPins![prefixId]! - 1;
    this.#prefixPins![prefixId] = pins;
    if (pins === 0 && this.head[prefixId] === 0) this.orphan(prefixId);
  }

  /** Pins a path and its prefix. */
  pinPath(path: number): void {
    if (this.#pathPins === undefined || this.#pathPins.length !== this.pathCapacity) {
      this.#pathPins = resizeU16(this.#pathPins ?? new Uint16Array(0), this.pathCapacity);
    }
    this.#pathPins[path] = this.#pathPins[path]! + 1;
    this.pinPrefix(this.prefix[path]!);
  }

  unpinPath(path: number): void {
    const pins = this.#pathPins![path]! - 1;
    this.#pathPins![path] = pins;
    if (pins === 0 && this.peer[path] === NO_PEER) this.pathIds.free(path);
    this.unpinPrefix(this.prefix[path]!);
  }

  /** The chosen path, or -1. */
  best(prefixId: number): number {
    const path = this.head[prefixId]! - 1;
    return path >= 0 && (this.flags[path]! & BEST) !== 0 ? path : -1;
  }

  /** Is it, or lies it in, a prefix of this family? */
  isInside(prefixId: number, outer: PrefixWords): boolean {
    const p = this.prefixes;
    const { length, words } = outer;
    if (p.lengths[prefixId]! < length || (p.a0[prefixId]! & mask(length)) !== words[0]) return false;
    if (this.family === 0) return true;
    return (
      (p.a1[prefixId]! & mask(length - 32)) === words[1] &&
      (p.a2[prefixId]! & mask(length - 64)) === words[2] &&
      (p.a3[prefixId]! & mask(length - 96)) === words[3]
    );
  }

  keepReceivedIds(): U32 {
    this.receivedId ??= new Uint32Array(this.pathCapacity);
    return this.receivedId;
  }

  /** -1 where the path's set is as it came. */
  keepOriginals(): I32 {
    this.original ??= new Int32Array(this.pathCapacity).fill(-1);
    return this.original;
  }

  /** Gives memory back after a burst. Cheap when there is nothing to give. Returns true when prefix columns moved. */
  shrink(): boolean {
    const end = this.pathIds.trim();
    let capacity = this.pathCapacity;
    while (capacity > FIRST_CAPACITY && end <= capacity >>> 3) capacity >>>= 2;
    capacity = Math.max(capacity, FIRST_CAPACITY);
    if (capacity !== this.pathCapacity) this.#resizePaths(capacity);
    this.#urgent.shrink();
    this.#bulk.shrink();
    this.#orphans.shrink();
    if (!this.prefixes.shrink()) return false;
    this.fitPrefixColumns();
    return true;
  }

  get bytes(): number {
    const optional = (this.receivedId === undefined ? 0 : 4) + (this.original === undefined ? 0 : 4);
    return (
      this.prefixes.bytes +
      this.head.length * 5 +
      this.pathCapacity * (22 + optional) +
      this.#urgent.bytes +
      this.#bulk.bytes
    );
  }

  #resizePaths(capacity: number): void {
    const before = this.pathCapacity;
    this.pathCapacity = capacity;
    this.peer = resizeU16(this.peer, capacity);
    this.attribute = resizeI32(this.attribute, capacity);
    this.next = resizeI32(this.next, capacity);
    this.prefix = resizeI32(this.prefix, capacity);
    this.flags = resizeU16(this.flags, capacity);
    this.epoch = resizeU16(this.epoch, capacity);
    this.since = resizeU32(this.since, capacity);
    if (this.receivedId !== undefined) this.receivedId = resizeU32(this.receivedId, capacity);
    if (this.original !== undefined) {
      this.original = resizeI32(this.original, capacity);
      if (capacity > before) this.original.fill(-1, before);
    }
  }
}
