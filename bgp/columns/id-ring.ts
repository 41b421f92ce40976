// A queue of ids that wait for something. The caller keeps each id in at most once (a flag beside the id), so it
// is bounded by the number of ids; its memory comes back when it is empty.
import { release } from './columns.ts';

const FIRST_CAPACITY = 1024;

export class IdRing {
  #ring = new Int32Array(FIRST_CAPACITY);
  #head = 0;
  count = 0;

  push(id: number): void {
    if (this.count === this.#ring.length) this.#grow();
    this.#ring[(this.#head + this.count) & (this.#ring.length - 1)] = id;
    this.count++;
  }

  /** The oldest, or -1. */
  take(): number {
    if (this.count === 0) return -1;
    const id = this.#ring[this.#head]!;
    this.#head = (this.#head + 1) & (this.#ring.length - 1);
    this.count--;
    return id;
  }

  shrink(): void {
    if (this.count > 0 || this.#ring.length === FIRST_CAPACITY) return;
    release(this.#ring);
    this.#ring = new Int32Array(FIRST_CAPACITY);
    this.#head = 0;
  }

  get bytes(): number {
    return this.#ring.length * 4;
  }

  #grow(): void {
    const old = this.#ring;
    const ring = new Int32Array(old.length * 4);
    const tail = old.length - this.#head;
    ring.set(old.subarray(this.#head), 0);
    ring.set(old.subarray(0, this.#head), tail);
    this.#ring = ring;
    this.#head = 0;
    release(old);
  }
}
