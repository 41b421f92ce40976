// Collects what one flush tells the members of an update group, arranged for packing: units (a prefix id, or a
// path id with ADD-PATH) with the same attribute set share a bucket, and everything that came from one source
// peer lies together, so that this peer's own routes are one hole in the shared stream (split horizon).
// Bound: CAPACITY units and about MOST_OCTETS on the wire; the owner flushes when `isFull`. A member that blocks in the middle
// of a flush gets the rest of it, so that this is what it may hold beyond its mark.

const CAPACITY = 16384;
const BUCKET_SLOTS = CAPACITY * 2;
const MOST_OCTETS = 1 << 20;
/** Beside its attributes: the longest prefix with its path id; header and lengths of a message. */
const UNIT_OCTETS = 21;
const MESSAGE_OCTETS = 64;

export class UpdateBatch {
  /** Units and the next entry + 1 of the same list. */
  readonly unit = new Int32Array(CAPACITY);
  readonly next = new Int32Array(CAPACITY);
  count = 0;

  /** Buckets: attribute set, first entry + 1, next bucket + 1 of the same source. */
  readonly bucketSet = new Int32Array(CAPACITY);
  readonly bucketFirst = new Int32Array(CAPACITY);
  readonly bucketNext = new Int32Array(CAPACITY);
  readonly #bucketSource = new Int32Array(CAPACITY);
  readonly #bucketLast = new Int32Array(CAPACITY);
  readonly #bucketSlot = new Int32Array(CAPACITY);
  bucketCount = 0;
  /** Open addressing: bucket + 1 by (set, source). */
  readonly #slots = new Int32Array(BUCKET_SLOTS);

  /** Source peers that have something in the batch, in order of appearance. */
  readonly source = new Int32Array(CAPACITY);
  sourceCount = 0;
  /** By slot of the source peer: first bucket + 1, and first withdrawn entry + 1. */
  firstBucket = new Int32Array(64);
  firstWithdrawn = new Int32Array(64);
  #lastBucket = new Int32Array(64);
  #isListed = new Uint8Array(64);

  /** Withdrawals for one member only: its slots, and by slot the first entry + 1. */
  readonly member = new Int32Array(CAPACITY);
  memberCount = 0;
  firstForMember = new Int32Array(64);

  /** About what its messages take. */
  #octets = 0;
  readonly #attributes: { readonly length: Uint16Array };
  /** Odd and secret: set ids are handed out in an order that neighbours influence. */
  readonly #bySet: number;
  readonly #bySource: number;

  /** @param attributes for the lengths of sets */
  constructor(attributes: { readonly length: Uint16Array }, seed: number) {
    this.#attributes = attributes;
    this.#bySet = Math.imul(seed ^ 0x5bd1e995, 0x9e3779b1) | 1;
    this.#bySource = Math.imul(seed, 0x85ebca6b) | 1;
  }

  /** Room for one more announcement with its member's withdrawal. */
  get isFull(): boolean {
    return this.count >= CAPACITY - 2 || this.#octets >= MOST_OCTETS;
  }

  get isEmpty(): boolean {
    return this.count === 0;
  }

  /** Call before a batch: peers with slots below `end` may appear. */
  fit(end: number): void {
    if (this.firstBucket.length >= end) return;
    const size = Math.max(end, this.firstBucket.length * 2);
    this.firstBucket = new Int32Array(size);
    this.firstWithdrawn = new Int32Array(size);
    this.#lastBucket = new Int32Array(size);
    this.#isListed = new Uint8Array(size);
    this.firstForMember = new Int32Array(size);
  }

  announce(unit: number, set: number, source: number): void {
    const bucket = this.#bucketOf(set, source);
    const entry = this.count++;
    this.#octets += UNIT_OCTETS;
    this.unit[entry] = unit;
    this.next[entry] = 0;
    const last = this.#bucketLast[bucket]!;
    if (last === 0) this.bucketFirst[bucket] = entry + 1;
    else this.next[last - 1] = entry + 1;
    this.#bucketLast[bucket] = entry + 1;
  }

  /** For all members but `source`. */
  withdraw(unit: number, source: number): void {
    if (this.#isListed[source] === 0) this.#list(source);
    const entry = this.count++;
    this.#octets += UNIT_OCTETS;
    this.unit[entry] = unit;
    this.next[entry] = this.firstWithdrawn[source]!;
    this.firstWithdrawn[source] = entry + 1;
  }

  /** For the member with that slot only. */
  withdrawFrom(unit: number, slot: number): void {
    const entry = this.count++;
    this.#octets += UNIT_OCTETS;
    const first = this.firstForMember[slot]!;
    if (first === 0) this.member[this.memberCount++] = slot;
    this.unit[entry] = unit;
    this.next[entry] = first;
    this.firstForMember[slot] = entry + 1;
  }

  clear(): void {
    for (let b = 0; b < this.bucketCount; b++) this.#slots[this.#bucketSlot[b]!] = 0;
    for (let i = 0; i < this.sourceCount; i++) {
      const slot = this.source[i]!;
      this.firstBucket[slot] = 0;
      this.firstWithdrawn[slot] = 0;
      this.#lastBucket[slot] = 0;
      this.#isListed[slot] = 0;
    }
    for (let i = 0; i < this.memberCount; i++) this.firstForMember[this.member[i]!] = 0;
    this.count = 0;
    this.#octets = 0;
    this.bucketCount = 0;
    this.sourceCount = 0;
    this.memberCount = 0;
  }

  #bucketOf(set: number, source: number): number {
    const recent = this.bucketCount - 1;
    if (recent >= 0 && this.bucketSet[recent] === set && this.#bucketSource[recent] === source) return recent;
    let i = (Math.imul(set, this.#bySet) ^ Math.imul(source, this.#bySource)) >>> 17;
    for (; ; i = (i + 1) & (BUCKET_SLOTS - 1)) {
      const bucket = this.#slots[i]! - 1;
      if (bucket < 0) break;
      if (this.bucketSet[bucket] === set && this.#bucketSource[bucket] === source) return bucket;
    }
    const bucket = this.bucketCount++;
    this.#octets += this.#attributes.length[set]! + MESSAGE_OCTETS;
    this.#slots[i] = bucket + 1;
    this.bucketSet[bucket] = set;
    this.#bucketSource[bucket] = source;
    this.#bucketSlot[bucket] = i;
    this.bucketFirst[bucket] = 0;
    this.#bucketLast[bucket] = 0;
    this.bucketNext[bucket] = 0;
    if (this.#isListed[source] === 0) this.#list(source);
    const last = this.#lastBucket[source]!;
    if (last === 0) this.firstBucket[source] = bucket + 1;
    else this.bucketNext[last - 1] = bucket + 1;
    this.#lastBucket[source] = bucket + 1;
    return bucket;
  }

  #list(source: number): void {
    this.#isListed[source] = 1;
    this.source[this.sourceCount++] = source;
  }
}
