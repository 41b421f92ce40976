// A growing set of small integers, one bit each.
import { resizeI32 } from './columns.ts';

export class Bitmap {
  #words = new Int32Array(0);

  has(i: number): boolean {
    const w = i >>> 5;
    return w < this.#words.length && (this.#words[w]! & (1 << (i & 31))) !== 0;
  }

  add(i: number): void {
    const w = i >>> 5;
    if (w >= this.#words.length) this.#words = resizeI32(this.#words, Math.max(32, w + 1 + (w >>> 1)));
    this.#words[w] = this.#words[w]! | (1 << (i & 31));
  }

  delete(i: number): void {
    const w = i >>> 5;
    if (w < this.#words.length) this.#words[w] = this.#words[w]! & ~(1 << (i & 31));
  }

  /** The first member at or above `from`, or -1. */
  nextFrom(from: number): number {
    const words = this.#words;
    let w = from >>> 5;
    if (w >= words.length) return -1;
    let word = words[w]! & (-1 << (from & 31));
    while (word === 0) {
      if (++w >= words.length) return -1;
      word = words[w]!;
    }
    return (w << 5) + 31 - Math.clz32(word & -word);
  }

  get bytes(): number {
    return this.#words.length * 4;
  }
}
