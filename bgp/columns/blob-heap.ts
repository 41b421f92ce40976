// Bytes of interned attribute sets: a log-structured heap. Blobs are appended to the open segment; a segment
// whose blobs are all dead is dropped at once; when much of the heap is dead, the emptiest segments are
// emptied by moving what lives in them. So churn does not fragment it, and a burst's memory comes back.
//
//   segment: | owner id u32 | length u16 | bytes … | pad to 4 | owner id … |      (a blob never straddles)
import { release, type U8 } from './columns.ts';

const SEGMENT_BITS = 18;
const SEGMENT = 1 << SEGMENT_BITS;
const HEADER = 6;

export class BlobHeap {
  /** Index = location >>> 18; undefined when the segment was dropped. */
  #segments: (U8 | undefined)[] = [];
  #live: number[] = [];
  #fill: number[] = [];
  #open = -1;
  #spare: U8 | undefined;
  #liveBytes = 0;
  #heldSegments = 0;

  get bytes(): number {
    return this.#heldSegments * SEGMENT;
  }

  /** Copies bytes [start,end) in and returns their location (a non-negative integer). At most 65,535 bytes. */
  put(owner: number, bytes: Uint8Array, start: number, end: number): number {
    const length = end - start;
    const size = (HEADER + length + 3) & ~3;
    if (this.#open < 0 || this.#fill[this.#open]! + size > SEGMENT) this.#openSegment();
    const open = this.#open;
    const segment = this.#segments[open]!;
    const at = this.#fill[open]!;
    segment[at] = owner;
    segment[at + 1] = owner >>> 8;
    segment[at + 2] = owner >>> 16;
    segment[at + 3] = owner >>> 24;
    segment[at + 4] = length;
    segment[at + 5] = length >>> 8;
    // Short copies: a loop beats TypedArray.set, which costs some 100 ns a call.
    if (length <= 96) for (let i = 0; i < length; i++) segment[at + HEADER + i] = bytes[start + i]!;
    else segment.set(bytes.subarray(start, end), at + HEADER);
    this.#fill[open] = at + size;
    this.#live[open] = this.#live[open]! + size;
    this.#liveBytes += size;
    return (open << SEGMENT_BITS) + at + HEADER;
  }

  /** The array that holds the blob at `location`; its first byte is at offset(location). */
  segment(location: number): U8 {
    return this.#segments[location >>> SEGMENT_BITS]!;
  }

  static offset(location: number): number {
    return location & (SEGMENT - 1);
  }

  free(location: number, length: number): void {
    const index = location >>> SEGMENT_BITS;
    const size = (HEADER + length + 3) & ~3;
    this.#live[index] = this.#live[index]! - size;
    this.#liveBytes -= size;
    if (this.#live[index] === 0 && index !== this.#open) this.#drop(index);
  }

  /** True when more than half of a heap of several segments is dead: call compact() until it is false. */
  get sparse(): boolean {
    return this.#heldSegments > 4 && this.#liveBytes * 2 < this.#heldSegments * SEGMENT;
  }

  /** True when it is so sparse that compact() should not wait for a quiet moment: a blob here and there keeps segments. */
  get isWasteful(): boolean {
    return this.#heldSegments > 128 && this.sparse;
  }

  /**
   * Empties the emptiest segment (256 KiB, well under a millisecond). `located(owner)` is where the owner
   * believes its blob is, `moved` is told where it went.
   */
  compact(located: (owner: number) => number, moved: (owner: number, location: number) => void): void {
    let victim = -1;
    for (let i = 0; i < this.#segments.length; i++) {
      if (i === this.#open || this.#segments[i] === undefined) continue;
      if (victim < 0 || this.#live[i]! < this.#live[victim]!) victim = i;
    }
    if (victim < 0) return;
    const segment = this.#segments[victim]!;
    const fill = this.#fill[victim]!;
    for (let at = 0; at < fill && this.#segments[victim] === segment; ) {
      const owner =
        segment[at]! | (segment[at + 1]! << 8) | (segment[at + 2]! << 16) | (segment[at + 3]! << 24);
      const length = segment[at + 4]! | (segment[at + 5]! << 8);
      const location = (victim << SEGMENT_BITS) + at + HEADER;
      if (located(owner) === location) {
        moved(owner, this.put(owner, segment, at + HEADER, at + HEADER + length));
        this.free(location, length);
      }
      at += (HEADER + length + 3) & ~3;
    }
  }

  #openSegment(): void {
    const previous = this.#open;
    let index = this.#segments.indexOf(undefined);
    if (index < 0) index = this.#segments.length;
    this.#segments[index] = this.#spare ?? new Uint8Array(SEGMENT);
    this.#spare = undefined;
    this.#live[index] = 0;
    this.#fill[index] = 0;
    this.#open = index;
    this.#heldSegments++;
    if (previous >= 0 && this.#live[previous] === 0) this.#drop(previous);
  }

  /** One dropped segment is kept for the next opening: a table that breathes does not allocate. */
  #drop(index: number): void {
    const segment = this.#segments[index]!;
    this.#segments[index] = undefined;
    this.#heldSegments--;
    if (this.#spare === undefined) this.#spare = segment;
    else release(segment);
  }
}
