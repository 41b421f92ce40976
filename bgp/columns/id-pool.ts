// Hands out small integers, lowest free one first, so that the columns they index stay dense and can shrink
// after a burst. A bitmap with one summary level: an allocation looks at a few words, whatever the size.
// Bound: the ids in use; 1 bit each.
import { resizeI32 } from './columns.ts';

export class IdPool {
  /** Bit set: id in use. */
  #words = new Int32Array(32);
  /** Bit set: that word is full. */
  #full = new Int32Array(1);
  /** No word below this index of #full has a free bit. */
  #hint = 0;
  #used = 0;
  #end = 0;

  get used(): number {
    return this.#used;
  }

  /** One above the highest id in use, or more: see trim(). */
  get end(): number {
    return this.#end;
  }

  take(): number {
    const full = this.#full;
    let s = this.#hint;
    while (s < full.length && full[s] === -1) s++;
    this.#hint = s;
    if (s === full.length) {
      this.#grow(s + 1);
      return this.take();
    }
    const w = (s << 5) + lowestZero(full[s]!);
    const word = this.#words[w]!;
    const bit = lowestZero(word);
    const next = word | (1 << bit);
    this.#words[w] = next;
    if (next === -1) full[s] = full[s]! | (1 << (w & 31));
    const id = (w << 5) + bit;
    this.#used++;
    if (id >= this.#end) this.#end = id + 1;
    return id;
  }

  free(id: number): void {
    const w = id >>> 5;
    const s = w >>> 5;
    this.#words[w] = this.#words[w]! & ~(1 << (id & 31));
    this.#full[s] = this.#full[s]! & ~(1 << (w & 31));
    if (s < this.#hint) this.#hint = s;
    this.#used--;
  }

  has(id: number): boolean {
    return id < this.#end && (this.#words[id >>> 5]! & (1 << (id & 31))) !== 0;
  }

  /** Lowers `end` to one above the highest id in use and returns it. Looks at most at `end / 32` words. */
  trim(): number {
    let w = (this.#end + 31) >>> 5;
    while (w > 0 && this.#words[w - 1] === 0) w--;
    this.#end = w === 0 ? 0 : (w << 5) - Math.clz32(this.#words[w - 1]!);
    return this.#end;
  }

  #grow(neededSummary: number): void {
    const size = Math.max(neededSummary, this.#full.length * 2);
    this.#full = resizeI32(this.#full, size);
    this.#words = resizeI32(this.#words, size * 32);
  }
}

function lowestZero(word: number): number {
  const free = ~word;
  return 31 - Math.clz32(free & -free);
}
