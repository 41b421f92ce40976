// Prefixes of one family, numbered: an open-addressing hash table in typed arrays, so that a million prefixes make
// no garbage. Ids are small, reused after remove(), and index the columns of the FIB.
//
//   #slots  [ id+1 | 0 empty | -1 was removed ]   hash → slot, linear probing, at most 2/3 full
//   #bytes  [ 4 or 16 bytes an id ]   #lengths [ prefix length an id, 255 = free ]
// Bound: the number of prefixes that are wanted or in the kernel; ids up to 2^30.

const FREE = 255;
const REMOVED = -1;

export class PrefixTable {
  readonly width: 4 | 16;
  #slots = new Int32Array(64);
  #bytes: Uint8Array;
  #lengths = new Uint8Array(32).fill(FREE);
  #freeIds: number[] = [];
  #nextId = 0;
  /** Slots that are not empty, removed ones included. */
  #usedSlots = 0;
  #size = 0;

  constructor(width: 4 | 16) {
    this.width = width;
    this.#bytes = new Uint8Array(32 * width);
  }

  /** Prefixes in the table. */
  get size(): number {
    return this.#size;
  }

  /** Every id is below this. */
  get idLimit(): number {
    return this.#nextId;
  }

  /** Valid until the next add(): address of id at id * width. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** Prefix length, or -1 for an id that is not in use. */
  lengthOf(id: number): number {
    const length = this.#lengths[id];
    return length === undefined || length === FREE ? -1 : length;
  }

  /** -1 when it is not there. Host bits must be zero. */
  find(address: Uint8Array, at: number, length: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = this.#hash(address, at, length) & mask; ; slot = (slot + 1) & mask) {
      const entry = this.#slots[slot]!;
      if (entry === 0) return -1;
      if (entry !== REMOVED && this.#equals(entry - 1, address, at, length)) return entry - 1;
    }
  }

  /** The id of the prefix, which is put in when it is not there. */
  add(address: Uint8Array, at: number, length: number): number {
    const found = this.find(address, at, length);
    if (found >= 0) return found;
    if ((this.#usedSlots + 1) * 3 > this.#slots.length * 2) this.#rehash();
    const id = this.#freeIds.pop() ?? this.#newId();
    this.#bytes.set(address.subarray(at, at + this.width), id * this.width);
    this.#lengths[id] = length;
    this.#insert(id);
    this.#size++;
    return id;
  }

  remove(id: number): void {
    const length = this.lengthOf(id);
    if (length < 0) return;
    const mask = this.#slots.length - 1;
    let slot = this.#hash(this.#bytes, id * this.width, length) & mask;
    while (this.#slots[slot] !== id + 1) slot = (slot + 1) & mask;
    this.#slots[slot] = REMOVED;
    this.#lengths[id] = FREE;
    this.#freeIds.push(id);
    this.#size--;
  }

  #newId(): number {
    if (this.#nextId === this.#lengths.length) {
      const lengths = new Uint8Array(this.#nextId * 2).fill(FREE);
      lengths.set(this.#lengths);
      this.#lengths = lengths;
      const bytes = new Uint8Array(lengths.length * this.width);
      bytes.set(this.#bytes);
      this.#bytes = bytes;
    }
    return this.#nextId++;
  }

  #insert(id: number): void {
    const mask = this.#slots.length - 1;
    let slot = this.#hash(this.#bytes, id * this.width, this.#lengths[id]!) & mask;
    while (this.#slots[slot]! > 0) slot = (slot + 1) & mask;
    if (this.#slots[slot] === 0) this.#usedSlots++;
    this.#slots[slot] = id + 1;
  }

  #rehash(): void {
    let capacity = this.#slots.length;
    while ((this.#size + 1) * 2 > capacity) capacity *= 2;
    this.#slots = new Int32Array(capacity);
    this.#usedSlots = 0;
    for (let id = 0; id < this.#nextId; id++) if (this.#lengths[id] !== FREE) this.#insert(id);
  }

  #equals(id: number, address: Uint8Array, at: number, length: number): boolean {
    if (this.#lengths[id] !== length) return false;
    const own = id * this.width;
    for (let i = 0; i < this.width; i++) if (this.#bytes[own + i] !== address[at + i]) return false;
    return true;
  }

  /** Multiply and shift over 4-byte words; the last mix spreads prefixes that differ in one high byte. */
  #hash(address: Uint8Array, at: number, length: number): number {
    let hash = Math.imul(length + 1, 0x9e3779b1);
    for (let i = at; i < at + this.width; i += 4) {
      const word = (address[i]! << 24) | (address[i + 1]! << 16) | (address[i + 2]! << 8) | address[i + 3]!;
      hash = Math.imul(hash ^ word, 0x85ebca6b);
      hash ^= hash >>> 15;
    }
    hash = Math.imul(hash, 0xc2b2ae35);
    return (hash ^ (hash >>> 16)) >>> 0;
  }
}
