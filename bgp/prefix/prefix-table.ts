// Prefix -> small integer id, for one family: open addressing over typed-array columns, no strings, no BigInt.
// The id indexes every other per-prefix column of its owner (the RIB, a forwarding table). IPv4 uses one 32-bit word an address, IPv6 four.
// The hash is seeded, so that a neighbour cannot choose colliding prefixes; eight neighbouring prefixes of one
// length share a piece of a cache line, as prefixes come in runs (measured: half the time of a random spread).
// Bound: the prefixes stored, 33 million at most; 18 to 31 bytes each for IPv4, 30 to 43 for IPv6.
import type { FamilyIndex } from '#ip';
import { grownCapacity, type I32, release, resizeI32, resizeU8, type U8 } from '../columns/columns.ts';
import { IdPool } from '../columns/id-pool.ts';
import { SecretWords } from '../columns/secret-words.ts';
import { hash4, hash6 } from './prefix-hash.ts';

/** Enough for a policy's rules; the RIB's own tables start larger. */
const SMALLEST = 16;
/** Marks a slot whose prefix was removed and which others were put behind. */
const REMOVED = -1;
/** Slots from which the table doubles; below it grows fourfold, to move entries less often. */
const GROWS_SLOWER = 1 << 15;
/** Large tables grow a sixteenth at a time: moving half a million entries at once would hold up the event loop. */
const SHARDS = 16;
const SHARD_SHIFT = 28;
const MANY = 4096;
/** Bits of an IPv4 entry that hold the prefix length. */
const LENGTH_BITS = 6;
const LENGTH_MASK = 63;
const MOST = (1 << (31 - LENGTH_BITS)) - 1;
const NO_WORDS = new Int32Array(0);

/** A part of the hash table, with the prefixes whose hash begins alike. */
class Shard {
  /**
   * Two words a slot, so that an IPv4 look-up reads one cache line and nothing else: a tag (IPv4: the address,
   * IPv6: the hash), and an entry (IPv4: id + 1 and the length, IPv6: id + 1); 0 is empty, REMOVED was in use.
   */
  slots: I32;
  /** Slots - 1. */
  mask: number;
  used = 0;
  removed = 0;

  constructor(size: number) {
    this.slots = new Int32Array(size * 2);
    this.mask = size - 1;
  }
}

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
  readonly #secret: SecretWords;
  readonly #shards: readonly Shard[];

  /** @param firstCapacity a power of two; the table never shrinks below it. From 4,096 on it has 16 shards */
  constructor(family: FamilyIndex, seed: number, firstCapacity: number = SMALLEST) {
    this.family = family;
    this.#secret = new SecretWords(seed);
    this.#firstCapacity = firstCapacity;
    this.capacity = firstCapacity;
    this.a0 = new Int32Array(firstCapacity);
    this.lengths = new Uint8Array(firstCapacity);
    const shards = firstCapacity < MANY ? 1 : SHARDS;
    this.#shards = Array.from({ length: shards }, () => new Shard((firstCapacity * 2) / shards));
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
    const hash = hash4(address, length, this.#secret);
    const shard = this.#shardOf(hash);
    const { slots, mask } = shard;
    let i = hash & mask;
    for (;;) {
      const entry = slots[i * 2 + 1]!;
      if (entry === 0) return -1;
      if (slots[i * 2] === address && entry > 0 && (entry & LENGTH_MASK) === length)
        return (entry >> LENGTH_BITS) - 1;
      i = (i + 1) & mask;
    }
  }

  findOrAdd4(address: number, length: number): number {
    const hash = hash4(address, length, this.#secret);
    const shard = this.#shardOf(hash);
    const { slots, mask } = shard;
    let i = hash & mask;
    let reusable = -1;
    for (;;) {
      const entry = slots[i * 2 + 1]!;
      if (entry > 0) {
        if (slots[i * 2] === address && (entry & LENGTH_MASK) === length) return (entry >> LENGTH_BITS) - 1;
      } else if (entry === 0) {
        break;
      } else if (reusable < 0) {
        reusable = i;
      }
      i = (i + 1) & mask;
    }
    const id = this.#takeId();
    this.a0[id] = address;
    this.lengths[id] = length;
    this.#put(shard, reusable < 0 ? i : reusable, address, ((id + 1) << LENGTH_BITS) | length);
    return id;
  }

  find6(w0: number, w1: number, w2: number, w3: number, length: number): number {
    const hash = hash6(w0, w1, w2, w3, length, this.#secret);
    const shard = this.#shardOf(hash);
    const { slots, mask } = shard;
    let i = hash & mask;
    for (;;) {
      const id = slots[i * 2 + 1]! - 1;
      if (id === -1) return -1;
      if (slots[i * 2] === hash && id >= 0 && this.#is6(id, w0, w1, w2, w3, length)) return id;
      i = (i + 1) & mask;
    }
  }

  findOrAdd6(w0: number, w1: number, w2: number, w3: number, length: number): number {
    const hash = hash6(w0, w1, w2, w3, length, this.#secret);
    const shard = this.#shardOf(hash);
    const { slots, mask } = shard;
    let i = hash & mask;
    let reusable = -1;
    for (;;) {
      const id = slots[i * 2 + 1]! - 1;
      if (id >= 0) {
        if (slots[i * 2] === hash && this.#is6(id, w0, w1, w2, w3, length)) return id;
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
    this.#put(shard, reusable < 0 ? i : reusable, hash, id + 1);
    return id;
  }

  /** As find4 and find6, of an address in bytes, as read() writes them. */
  findBytes(bytes: Uint8Array, at: number, length: number): number {
    if (this.family === 0) return this.find4(wordAt(bytes, at), length);
    return this.find6(
      wordAt(bytes, at),
      wordAt(bytes, at + 4),
      wordAt(bytes, at + 8),
      wordAt(bytes, at + 12),
      length,
    );
  }

  findOrAddBytes(bytes: Uint8Array, at: number, length: number): number {
    if (this.family === 0) return this.findOrAdd4(wordAt(bytes, at), length);
    return this.findOrAdd6(
      wordAt(bytes, at),
      wordAt(bytes, at + 4),
      wordAt(bytes, at + 8),
      wordAt(bytes, at + 12),
      length,
    );
  }

  /** Forgets the prefix; its id may be handed out again at once. */
  remove(id: number): void {
    const hash = this.#hash(id);
    const shard = this.#shardOf(hash);
    const { slots, mask } = shard;
    const entry = this.family === 0 ? ((id + 1) << LENGTH_BITS) | this.lengths[id]! : id + 1;
    let i = hash & mask;
    while (slots[i * 2 + 1] !== entry) i = (i + 1) & mask;
    this.ids.free(id);
    shard.used--;
    if (slots[((i + 1) & mask) * 2 + 1] !== 0) {
      slots[i * 2 + 1] = REMOVED;
      shard.removed++;
      return;
    }
    // At the end of a run nothing needs a mark, nor do the marks before.
    slots[i * 2 + 1] = 0;
    for (i = (i - 1) & mask; slots[i * 2 + 1] === REMOVED; i = (i - 1) & mask) {
      slots[i * 2 + 1] = 0;
      shard.removed--;
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
    for (const shard of this.#shards) {
      let size = (this.#firstCapacity * 2) / this.#shards.length;
      while (size < shard.used * 2) size *= 2;
      this.#rehash(shard, size);
    }
    return true;
  }

  get bytes(): number {
    let slots = 0;
    for (const shard of this.#shards) slots += shard.slots.length;
    return this.capacity * (this.family === 1 ? 17 : 5) + slots * 4;
  }

  #shardOf(hash: number): Shard {
    return this.#shards[(hash >>> SHARD_SHIFT) & (this.#shards.length - 1)]!;
  }

  #put(shard: Shard, slot: number, tag: number, entry: number): void {
    const { slots } = shard;
    if (slots[slot * 2 + 1] === REMOVED) shard.removed--;
    slots[slot * 2] = tag;
    slots[slot * 2 + 1] = entry;
    shard.used++;
    const size = shard.mask + 1;
    if ((shard.used + shard.removed) * 8 <= size * 5) return;
    if (shard.used * 8 <= size * 3) this.#rehash(shard, size);
    else this.#rehash(shard, size * (size < GROWS_SLOWER ? 4 : 2));
  }

  #takeId(): number {
    const id = this.ids.take();
    if (id >= MOST) throw new RangeError(`more than ${MOST} prefixes`);
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

  #rehash(shard: Shard, size: number): void {
    const old = shard.slots;
    const slots = new Int32Array(size * 2);
    const mask = size - 1;
    const isV4 = this.family === 0;
    for (let s = 0; s < old.length; s += 2) {
      const entry = old[s + 1]!;
      if (entry <= 0) continue;
      const tag = old[s]!;
      let i = (isV4 ? hash4(tag, entry & LENGTH_MASK, this.#secret) : tag) & mask;
      while (slots[i * 2 + 1] !== 0) i = (i + 1) & mask;
      slots[i * 2] = tag;
      slots[i * 2 + 1] = entry;
    }
    shard.slots = slots;
    shard.mask = mask;
    shard.removed = 0;
    release(old);
  }

  #hash(id: number): number {
    return this.family === 0
      ? hash4(this.a0[id]!, this.lengths[id]!, this.#secret)
      : hash6(this.a0[id]!, this.a1[id]!, this.a2[id]!, this.a3[id]!, this.lengths[id]!, this.#secret);
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

function putWord(out: Uint8Array, at: number, word: number): void {
  out[at] = word >>> 24;
  out[at + 1] = word >>> 16;
  out[at + 2] = word >>> 8;
  out[at + 3] = word;
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}
