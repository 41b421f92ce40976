// Interned attribute sets: each distinct (canonical bytes, session kind, next hop) is stored once, judged once,
// and carried by paths as a small integer. The columns are what the decision process and the export rules
// compare; the bytes are looked at only when an UPDATE is built or a route is shown.
// Bound: one entry per distinct set in use by paths, Adj-RIB-Outs and each peer's last set; about 66 bytes + blob.
import type { AttributeBlock } from './attribute-block.ts';
import { BlobHeap } from '../../columns/blob-heap.ts';
import {
  grownCapacity,
  release,
  resizeF32,
  resizeI32,
  resizeU8,
  resizeU16,
  resizeU32,
} from '../../columns/columns.ts';
import { IdPool } from '../../columns/id-pool.ts';
import { IdRing } from '../../columns/id-ring.ts';
import type { NextHops } from './next-hops.ts';
import { AS_IT_CAME, HOP_AS_USUAL, HOP_GIVEN, Variants } from './variants.ts';

const FIRST_CAPACITY = 2048;
/** Columns, hash slots and queue of one set, about, with their room to grow, beside its bytes. */
const SET_BYTES = 128;
/** Segments of the heap that are emptied in one turn of a busy RIB: more than a turn can fill. */
const DENSER_AT_ONCE = 16;

/** What is stored beside the bytes. One object is filled again and again. */
export class AttributeFacts {
  localPref = 4294967295;
  /** 0 when absent (see RFC 4271 section 9.1.2.2 (c)). */
  med = 4294967295;
  pathLength = 0;
  origin = 0;
  /** Neighbouring AS for comparing MED. */
  neighborAs = 4294967295;
  /** 0 without ORIGINATOR_ID. */
  originator = 4294967295;
  clusterLength = 0;
  /** HAS_* bits of the codec. */
  flags = 0;
  /** PRESENT_* bits of the codec. */
  present = 0;
  /** How often the speaker's own AS stands in AS_PATH. */
  ownAsCount = 0;
  /** LOOP_* bits. */
  loops = 0;
  /** Octets a second of the link bandwidth community; 0 without. */
  linkBandwidth = 0.5;
  /** Tells sets with equal bytes apart: a number of Variants. */
  variant = 0xffffffff;
}

/** ORIGINATOR_ID is our router id. */
export const LOOP_ORIGINATOR = 1;
/** CLUSTER_LIST holds our cluster id. */
export const LOOP_CLUSTER = 2;

export class AttributeStore {
  localPref = new Uint32Array(FIRST_CAPACITY);
  med = new Uint32Array(FIRST_CAPACITY);
  pathLength = new Uint16Array(FIRST_CAPACITY);
  origin = new Uint8Array(FIRST_CAPACITY);
  neighborAs = new Uint32Array(FIRST_CAPACITY);
  originator = new Uint32Array(FIRST_CAPACITY);
  clusterLength = new Uint8Array(FIRST_CAPACITY);
  flags = new Uint8Array(FIRST_CAPACITY);
  present = new Uint32Array(FIRST_CAPACITY);
  ownAsCount = new Uint8Array(FIRST_CAPACITY);
  loops = new Uint8Array(FIRST_CAPACITY);
  linkBandwidth = new Float32Array(FIRST_CAPACITY);
  variant = new Uint32Array(FIRST_CAPACITY);
  readonly variants = new Variants();
  /** Bit k: these very bytes (with NEXT_HOP) came over a session of verdict key k and were judged good. */
  cleanKeys = new Int32Array(FIRST_CAPACITY);
  /** Next-hop id, -1 for routes originated here. */
  nextHop = new Int32Array(FIRST_CAPACITY);
  length = new Uint16Array(FIRST_CAPACITY);
  references = new Int32Array(FIRST_CAPACITY);
  /** How often an id was given to a set: who remembers something by id compares it. */
  generation = new Uint32Array(FIRST_CAPACITY);
  /** Waits in #unused. */
  #isQueued = new Uint8Array(FIRST_CAPACITY);
  /** Sets that lost their last reference: forgotten when there is time, as many come back. */
  readonly #unused = new IdRing();
  #unusedBytes = 0;
  #location = new Int32Array(FIRST_CAPACITY);
  #hash = new Int32Array(FIRST_CAPACITY);
  #capacity = FIRST_CAPACITY;
  readonly #ids = new IdPool();
  readonly #heap = new BlobHeap();
  readonly #nextHops: NextHops;
  /** id + 1, 0 empty. */
  #slots = new Int32Array(FIRST_CAPACITY * 2);
  #mask = FIRST_CAPACITY * 2 - 1;
  /** Secret odd multipliers: who does not know them cannot choose colliding sets. */
  readonly #multiplier1: number;
  readonly #multiplier2: number;

  constructor(nextHops: NextHops, seed: number) {
    this.#nextHops = nextHops;
    this.#multiplier1 = Math.imul(seed, 0x9e3779b1) | 1;
    this.#multiplier2 = Math.imul(seed ^ 0x5bd1e995, 0x85ebca6b) | 1;
  }

  get count(): number {
    return this.#ids.used;
  }

  /** One above the highest id. */
  get end(): number {
    return this.#ids.end;
  }

  has(id: number): boolean {
    return this.#ids.has(id);
  }

  get bytes(): number {
    return this.#capacity * 66 + this.#slots.length * 4 + this.#heap.bytes;
  }

  isMedSet(id: number): boolean {
    return this.variants.isMedSet[this.variant[id]!]!;
  }

  /** Of the kernel's route, as a policy set it; 0: none did. */
  metricOf(id: number): number {
    return this.variants.metric[this.variant[id]!]!;
  }

  /** As a policy set it; 0: none did. */
  weightOf(id: number): number {
    return this.variants.weight[this.variant[id]!]!;
  }

  /** Does it carry what no neighbour is told, and would be another set without? */
  hasSecrets(id: number): boolean {
    const variant = this.variant[id]!;
    return variant !== AS_IT_CAME && (this.metricOf(id) !== 0 || this.weightOf(id) !== 0);
  }

  /** Does it go out with the next hop that it has, and not with ours? @param isUsual the group's neighbours get them so */
  leavesWithHop(id: number, isUsual: boolean): boolean {
    if (this.nextHop[id]! < 0) return false;
    const said = this.variants.nextHop[this.variant[id]!]!;
    return said === HOP_AS_USUAL ? isUsual : said === HOP_GIVEN;
  }

  /** Is its next hop this speaker (RFC 4271 section 5.1.3)? */
  hasOwnHop(id: number): boolean {
    const hop = this.nextHop[id]!;
    return hop >= 0 && this.#nextHops.isOwn[hop] === 1;
  }

  /** Can routes of a family have its next hop? IPv4 routes can have either (RFC 8950). */
  isHopFor(id: number, family: number): boolean {
    const hop = this.nextHop[id]!;
    return family === 0 || hop < 0 || this.#nextHops.family[hop] === family;
  }

  /** Hash of a block with its next hop; give it to find() and add(). */
  hashOf(block: AttributeBlock, nextHop: number, variant: number): number {
    const seed =
      Math.imul(nextHop + 1 + Math.imul(variant, 0x01000193), this.#multiplier2) ^
      block.length ^
      (block.origin << 16);
    let h = this.#mix(seed, block.bytes, block.pathStart, block.pathEnd);
    h = this.#mix(h, block.bytes, block.restStart, block.restEnd);
    h ^= h >>> 16;
    h = Math.imul(h, 0x85ebca6b);
    return h ^ (h >>> 13);
  }

  #mix(seed: number, bytes: Uint8Array, start: number, end: number): number {
    const m1 = this.#multiplier1;
    const m2 = this.#multiplier2;
    let h = seed;
    let i = start;
    for (const last = end - 3; i < last; i += 4) {
      const word = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
      const k = Math.imul(word, m1);
      h = Math.imul(h ^ (k ^ (k >>> 15)), m2);
      h = (h << 13) | (h >>> 19);
    }
    for (; i < end; i++) h = Math.imul(h ^ bytes[i]!, m1);
    return h;
  }

  /** The id of an equal set, or -1. No reference is taken. */
  find(block: AttributeBlock, nextHop: number, variant: number, hash: number): number {
    const slots = this.#slots;
    const mask = this.#mask;
    for (let i = hash & mask; ; i = (i + 1) & mask) {
      const id = slots[i]! - 1;
      if (id < 0) return -1;
      if (
        this.#hash[id] === hash &&
        this.nextHop[id] === nextHop &&
        this.variant[id] === variant &&
        this.length[id] === block.length &&
        block.equals(this.blob(id), this.start(id))
      ) {
        return id;
      }
    }
  }

  /** Stores a set that find() did not find, with no reference yet; takes over the caller's references to next hop and variant. */
  add(bytes: Uint8Array, length: number, nextHop: number, hash: number, facts: AttributeFacts): number {
    const id = this.#ids.take();
    if (id >= this.#capacity) this.#resize(grownCapacity(this.#capacity, id + 1));
    this.localPref[id] = facts.localPref;
    this.med[id] = facts.med;
    this.pathLength[id] = facts.pathLength;
    this.origin[id] = facts.origin;
    this.neighborAs[id] = facts.neighborAs;
    this.originator[id] = facts.originator;
    this.clusterLength[id] = facts.clusterLength;
    this.flags[id] = facts.flags;
    this.present[id] = facts.present;
    this.ownAsCount[id] = facts.ownAsCount;
    this.loops[id] = facts.loops;
    this.linkBandwidth[id] = facts.linkBandwidth;
    this.variant[id] = facts.variant;
    this.cleanKeys[id] = 0;
    this.nextHop[id] = nextHop;
    this.length[id] = length;
    this.references[id] = 0;
    this.generation[id] = this.generation[id]! + 1;
    this.#location[id] = this.#heap.put(id, bytes, 0, length);
    this.#hash[id] = hash;
    const slots = this.#slots;
    const mask = this.#mask;
    let i = hash & mask;
    while (slots[i] !== 0) i = (i + 1) & mask;
    slots[i] = id + 1;
    if (this.#ids.used > (mask + 1) * 0.5) this.#rehash((mask + 1) * 2);
    return id;
  }

  release(id: number): void {
    const left = this.references[id]! - 1;
    this.references[id] = left;
    if (left > 0 || this.#isQueued[id] === 1) return;
    this.#isQueued[id] = 1;
    this.#unused.push(id);
    this.#unusedBytes += this.length[id]! + SET_BYTES;
  }

  get unusedCount(): number {
    return this.#unused.count;
  }

  /** What they hold, about. */
  get unusedBytes(): number {
    return this.#unusedBytes;
  }

  /** Forgets up to `count` sets that nobody refers to. */
  dropUnused(count: number): void {
    for (let n = 0; n < count; n++) {
      const id = this.#unused.take();
      if (id < 0) return;
      this.#isQueued[id] = 0;
      this.#unusedBytes -= this.length[id]! + SET_BYTES;
      if (this.references[id] === 0) this.#forget(id);
    }
  }

  /** The array that holds a set's bytes, from start(id), `length[id]` bytes long. Valid until the next add(). */
  blob(id: number): Uint8Array {
    return this.#heap.segment(this.#location[id]!);
  }

  start(id: number): number {
    return BlobHeap.offset(this.#location[id]!);
  }

  /** One bounded step of housekeeping; true when there is more to do. Call when idle, and after bursts. */
  tidy(): boolean {
    if (this.#unused.count === 0) this.#unused.shrink();
    if (this.#heap.sparse) {
      this.#compact();
      return true;
    }
    const end = this.#ids.trim();
    let capacity = this.#capacity;
    while (capacity > FIRST_CAPACITY && end <= capacity >>> 3) capacity >>>= 2;
    capacity = Math.max(capacity, FIRST_CAPACITY);
    if (capacity === this.#capacity) return false;
    this.#resize(capacity);
    let size = FIRST_CAPACITY * 2;
    while (size < this.#ids.used * 4) size *= 2;
    if (size < this.#slots.length) this.#rehash(size);
    return false;
  }

  /** For busy times: a few steps when bytes that are gone hold more memory than those that live. */
  keepDense(): void {
    for (let step = 0; step < DENSER_AT_ONCE && this.#heap.isWasteful; step++) this.#compact();
  }

  #compact(): void {
    this.#heap.compact(
      (owner) => this.#location[owner]!,
      (owner, location) => {
        this.#location[owner] = location;
      },
    );
  }

  #forget(id: number): void {
    const slots = this.#slots;
    const mask = this.#mask;
    let hole = this.#hash[id]! & mask;
    while (slots[hole] !== id + 1) hole = (hole + 1) & mask;
    for (let i = (hole + 1) & mask; slots[i] !== 0; i = (i + 1) & mask) {
      const home = this.#hash[slots[i]! - 1]! & mask;
      if (((i - home) & mask) >= ((i - hole) & mask)) {
        slots[hole] = slots[i]!;
        hole = i;
      }
    }
    slots[hole] = 0;
    this.#heap.free(this.#location[id]!, this.length[id]!);
    this.#location[id] = -1;
    const hop = this.nextHop[id]!;
    if (hop >= 0) this.#nextHops.release(hop);
    this.variants.release(this.variant[id]!);
    this.#ids.free(id);
  }

  #rehash(size: number): void {
    const old = this.#slots;
    const slots = new Int32Array(size);
    const mask = size - 1;
    for (let s = 0; s < old.length; s++) {
      const entry = old[s]!;
      if (entry === 0) continue;
      let i = this.#hash[entry - 1]! & mask;
      while (slots[i] !== 0) i = (i + 1) & mask;
      slots[i] = entry;
    }
    this.#slots = slots;
    this.#mask = mask;
    release(old);
  }

  #resize(capacity: number): void {
    this.#capacity = capacity;
    this.localPref = resizeU32(this.localPref, capacity);
    this.med = resizeU32(this.med, capacity);
    this.pathLength = resizeU16(this.pathLength, capacity);
    this.origin = resizeU8(this.origin, capacity);
    this.neighborAs = resizeU32(this.neighborAs, capacity);
    this.originator = resizeU32(this.originator, capacity);
    this.clusterLength = resizeU8(this.clusterLength, capacity);
    this.flags = resizeU8(this.flags, capacity);
    this.present = resizeU32(this.present, capacity);
    this.ownAsCount = resizeU8(this.ownAsCount, capacity);
    this.loops = resizeU8(this.loops, capacity);
    this.linkBandwidth = resizeF32(this.linkBandwidth, capacity);
    this.variant = resizeU32(this.variant, capacity);
    this.cleanKeys = resizeI32(this.cleanKeys, capacity);
    this.nextHop = resizeI32(this.nextHop, capacity);
    this.length = resizeU16(this.length, capacity);
    this.references = resizeI32(this.references, capacity);
    this.generation = resizeU32(this.generation, capacity);
    this.#isQueued = resizeU8(this.#isQueued, capacity);
    this.#location = resizeI32(this.#location, capacity);
    this.#hash = resizeI32(this.#hash, capacity);
  }
}
