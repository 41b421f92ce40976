// Prefix -> small integer id, for one family: open addressing over typed-array columns, no strings, no BigInt.
// The id indexes every other per-prefix column of the RIB. IPv4 uses one 32-bit word an address, IPv6 four.
// The hash is seeded, so that a neighbour cannot choose colliding prefixes; eight neighbouring prefixes of one
// length share a piece of a cache line, as prefixes come in runs (measured: half the time of a random spread).
// Bound: the prefixes stored; 9 to 13 bytes each for IPv4, 21 to 25 for IPv6.
import { grownCapacity, type I32, release, resizeI32, resizeU8, type U8 } from './columns.ts';
import { IdPool } from './id-pool.ts';
import type { FamilyIndex } from '../family.ts';

/** Enough for a policy's rules; the RIB's own tables start larger. */
const SMALLEST = 16;
/** Marks a slot whose prefix was removed and which others were put behind. */
const REMOVED = -1;
/** Slots from which the table doubles; below it grows fourfold, to move entries less often. */
const GROWS_SLOWER = 1 << 19;
const NO_WORDS = new Int32Array(0);

export class PrefixTable {
  readonly family: FamilyIndex;
  /** Address words as signed 32-bit integers, most significant first; IPv4 fills only a0. */
  a0: I32;
  a1: I32 = NO_WORDS;
  a2: I32 = NO_WORDS;
  a3: I32 = NO_WORDS;
  lengths: U8;
  readonly ids = new IdPool();
  /** Length of the columns; the owner of other per-prefix columns follows it. */
  capacity: number;
  readonly #firstCapacity: number;
  #seed: number;
  /** id + 1; 0 is empty, REMOVED was in use. */
  #slots: I32;
  #mask: number;
  #removed = 0;

  /** @param firstCapacity a power of two; the table never shrinks below it */
  constructor(family: FamilyIndex, seed: number, firstCapacity: number = SMALLEST) {
    this.family = family;
    this.#seed = seed | 0;
    this.#firstCapacity = firstCapacity;
    this.capacity = firstCapacity;
    this.a0 = new Int32Array(firstCapacity);
    this.lengths = new Uint8Array(firstCapacity);
    this.#slots = new Int32Array(firstCapacity * 2);
    this.#mask = firstCapacity * 2 - 1;
    if (family === 1) {
      this.a1 = new Int32Array(firstCapacity);
      this.a2 = new Int32Array(firstCapacity);
      this.a3 = new Int32Array(firstCapacity);
    }
  }

  get count(): number {
    return this.ids.used;
  }

  /** `address` is a signed 32-bit integer with zero host bits. Returns the id, or -1. */
  find4(address: number, length: number): number {
    const slots = this.#slots;
    const mask = this.#mask;
    const a0 = this.a0;
    const lengths = this.lengths;
    let i = hash4(address, length, this.#seed) & mask;
    for (;;) {
      const id = slots[i]! - 1;
      if (id === -1) return -1;
      if (id >= 0 && a0[id] === address && lengths[id] === length) return id;
      i = (i + 1) & mask;
    }
  }

  findOrAdd4(address: number, length: number): number {
    const slots = this.#slots;
    const mask = this.#mask;
    const a0 = this.a0;
    const lengths = this.lengths;
    let i = hash4(address, length, this.#seed) & mask;
    let reusable = -1;
    for (;;) {
      const id = slots[i]! - 1;
      if (id >= 0) {
        if (a0[id] === address && lengths[id] === length) return id;
      } else if (id === -1) {
        break;
      } else if (reusable < 0) {
        reusable = i;
      }
      i = (i + 1) & mask;
    }
    const id = this.#takeId();
    this.a0[id] = address;
    this.lengths[id] = length;
    this.#put(reusable < 0 ? i : reusable, id);
    return id;
  }

  find6(w0: number, w1: number, w2: number, w3: number, length: number): number {
    const slots = this.#slots;
    const mask = this.#mask;
    let i = hash6(w0, w1, w2, w3, length, this.#seed) & mask;
    for (;;) {
      const id = slots[i]! - 1;
      if (id === -1) return -1;
      if (id >= 0 && this.#is6(id, w0, w1, w2, w3, length)) return id;
      i = (i + 1) & mask;
    }
  }

  findOrAdd6(w0: number, w1: number, w2: number, w3: number, length: number): number {
    const slots = this.#slots;
    const mask = this.#mask;
    let i = hash6(w0, w1, w2, w3, length, this.#seed) & mask;
    let reusable = -1;
    for (;;) {
      const id = slots[i]! - 1;
      if (id >= 0) {
        if (this.#is6(id, w0, w1, w2, w3, length)) return id;
      } else if (id === -1) {
        break;
      } else if (reusable < 0) {
        reusable = i;
      }
      i = (i + 1) & mask;
    }
    const id = this.#takeId();
    this.a0[id] = w0;
    this.a1[id] = w1;
    this.a2[id] = w2;
    this.a3[id] = w3;
    this.lengths[id] = length;
    this.#put(reusable < 0 ? i : reusable, id);
    return id;
  }

  /** Forgets the prefix; its id may be handed out again at once. */
  remove(id: number): void {
    const slots = this.#slots;
    const mask = this.#mask;
    let i = this.#hash(id) & mask;
    while (slots[i] !== id + 1) i = (i + 1) & mask;
    this.ids.free(id);
    if (slots[(i + 1) & mask] !== 0) {
      slots[i] = REMOVED;
      this.#removed++;
      return;
    }
    // At the end of a run nothing needs a mark, nor do the marks before.
    slots[i] = 0;
    for (i = (i - 1) & mask; slots[i] === REMOVED; i = (i - 1) & mask) {
      slots[i] = 0;
      this.#removed--;
    }
  }

  /** Writes 4 or 16 address bytes at out[at] and returns the prefix length, or -1 when the id is free. */
  read(id: number, out: Uint8Array, at: number): number {
    if (!this.ids.has(id)) return -1;
    putWord(out, at, this.a0[id]!);
    if (this.family === 1) {
      putWord(out, at + 4, this.a1[id]!);
      putWord(out, at + 8, this.a2[id]!);
      putWord(out, at + 12, this.a3[id]!);
    }
    return this.lengths[id]!;
  }

  /** Gives memory back when few of many prefixes are left; the owner of other columns must follow `capacity`. */
  shrink(): boolean {
    const end = this.ids.trim();
    let capacity = this.capacity;
    while (capacity > this.#firstCapacity && end <= capacity >>> 3) capacity >>>= 2;
    capacity = Math.max(capacity, this.#firstCapacity);
    if (capacity === this.capacity) return false;
    this.#resize(capacity);
    let slots = this.#firstCapacity * 2;
    while (slots < this.ids.used * 2) slots *= 2;
    this.#rehash(slots);
    return true;
  }

  get bytes(): number {
    return this.capacity * (this.family === 1 ? 17 : 5) + this.#slots.length * 4;
  }

  #put(slot: number, id: number): void {
    if (this.#slots[slot] === REMOVED) this.#removed--;
    this.#slots[slot] = id + 1;
    const size = this.#mask + 1;
    if ((this.ids.used + this.#removed) * 8 <= size * 5) return;
    if (this.ids.used * 8 <= size * 3) this.#rehash(size);
    else this.#rehash(size * (size < GROWS_SLOWER ? 4 : 2));
  }

  #takeId(): number {
    const id = this.ids.take();
    if (id >= this.capacity) this.#resize(grownCapacity(this.capacity, id + 1));
    return id;
  }

  #resize(capacity: number): void {
    this.capacity = capacity;
    this.a0 = resizeI32(this.a0, capacity);
    this.lengths = resizeU8(this.lengths, capacity);
    if (this.family === 0) return;
    this.a1 = resizeI32(this.a1, capacity);
    this.a2 = resizeI32(this.a2, capacity);
    this.a3 = resizeI32(this.a3, capacity);
  }

  #rehash(size: number): void {
    const old = this.#slots;
    const slots = new Int32Array(size);
    this.#removed = 0;
    const mask = size - 1;
    const end = this.ids.end;
    // In id order: the columns are read sequentially, only the writes are scattered.
    for (let id = 0; id < end; id++) {
      if (!this.ids.has(id)) continue;
      let i = this.#hash(id) & mask;
      while (slots[i] !== 0) i = (i + 1) & mask;
      slots[i] = id + 1;
    }
    this.#slots = slots;
    this.#mask = mask;
    release(old);
  }

  #hash(id: number): number {
    return this.family === 0
      ? hash4(this.a0[id]!, this.lengths[id]!, this.#seed)
      : hash6(this.a0[id]!, this.a1[id]!, this.a2[id]!, this.a3[id]!, this.lengths[id]!, this.#seed);
  }

  #is6(id: number, w0: number, w1: number, w2: number, w3: number, length: number): boolean {
    return (
      this.a1[id] === w1 &&
      this.a0[id] === w0 &&
      this.a2[id] === w2 &&
      this.a3[id] === w3 &&
      this.lengths[id] === length
    );
  }
}

/** The last bits of the prefix choose the place among neighbours, all others the neighbourhood. */
function hash4(address: number, length: number, seed: number): number {
  const shift = 32 - length;
  const place = length === 0 ? 0 : (address >>> shift) & 7;
  const rest = address ^ (place << shift);
  let h = Math.imul(rest ^ seed, 0x9e3779b1) ^ Math.imul(length, 0x85ebca6b);
  h ^= h >>> 15;
  h = Math.imul(h, 0x2c1b3c6d);
  return ((h ^ (h >>> 13)) << 3) | place;
}

function hash6(w0: number, w1: number, w2: number, w3: number, length: number, seed: number): number {
  const last = length <= 32 ? w0 : length <= 64 ? w1 : length <= 96 ? w2 : w3;
  const shift = -length & 31;
  const place = length === 0 ? 0 : (last >>> shift) & 7;
  // Taking the place out of whichever word it is in: by xor into the mixture, so that it cancels.
  const out = place << shift;
  let h = Math.imul((length <= 32 ? w0 ^ out : w0) ^ seed, 0x9e3779b1);
  h = Math.imul((h ^ (h >>> 15)) + (length > 32 && length <= 64 ? w1 ^ out : w1), 0x85ebca6b);
  h = Math.imul((h ^ (h >>> 13)) + (length > 64 && length <= 96 ? w2 ^ out : w2), 0xc2b2ae35);
  h = Math.imul((h ^ (h >>> 15)) + (length > 96 ? w3 ^ out : w3) + (length << 24), 0x2c1b3c6d);
  return ((h ^ (h >>> 13)) << 3) | place;
}

function putWord(out: Uint8Array, at: number, word: number): void {
  out[at] = word >>> 24;
  out[at + 1] = word >>> 16;
  out[at + 2] = word >>> 8;
  out[at + 3] = word;
}
