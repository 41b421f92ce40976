// Numbers 0..size-1 that are free, in the order in which they became so: the one that was freed longest ago is taken
// first. A doubly linked list in typed arrays, so that any number can be taken out of the middle. Size is fixed.

export class FreeList {
  /** The sentinel is the number `size`: next[size] is the head, previous[size] the tail. */
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  readonly #freedAtMs: Float64Array;
  readonly #sentinel: number;
  #count: number;

  /** All numbers are free, in rising order, since ever. */
  constructor(size: number) {
    this.#sentinel = size;
    this.#next = new Int32Array(size + 1);
    this.#previous = new Int32Array(size + 1);
    this.#freedAtMs = new Float64Array(size).fill(Number.NEGATIVE_INFINITY);
    for (let i = 0; i <= size; i++) {
      this.#next[i] = i === size ? 0 : i + 1;
      this.#previous[i] = i === 0 ? size : i - 1;
    }
    this.#count = size;
  }

  get count(): number {
    return this.#count;
  }

  /** The number that was freed longest ago; -1 when none is free. */
  get oldest(): number {
    return this.#count === 0 ? -1 : this.#next[this.#sentinel]!;
  }

  freedAtMs(n: number): number {
    return this.#freedAtMs[n]!;
  }

  isFree(n: number): boolean {
    return this.#next[n] !== -1;
  }

  /** False when it was taken already. */
  take(n: number): boolean {
    if (!this.isFree(n)) return false;
    const next = this.#next[n]!;
    const previous = this.#previous[n]!;
    this.#next[previous] = next;
    this.#previous[next] = previous;
    this.#next[n] = -1;
    this.#count--;
    return true;
  }

  /** Puts it behind all others. False when it was free already. */
  free(n: number, nowMs: number): boolean {
    if (this.isFree(n)) return false;
    const tail = this.#previous[this.#sentinel]!;
    this.#next[tail] = n;
    this.#previous[n] = tail;
    this.#next[n] = this.#sentinel;
    this.#previous[this.#sentinel] = n;
    this.#freedAtMs[n] = nowMs;
    this.#count++;
    return true;
  }
}
