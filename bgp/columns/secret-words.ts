// V8 hashes small integers without a seed: who knows that chooses keys of a Map that all fall into one bucket, and each
// look-up walks them all. Keys that a neighbour may choose go through here first: a secret one-to-one map of 32-bit words.
// (Text has a seed of its own in V8.)

export class SecretWords {
  readonly #add: number;
  /** Odd, so that it can be undone. */
  readonly #first: number;
  readonly #second: number;

  /** @param seed secret */
  constructor(seed: number) {
    this.#add = Math.imul(seed ^ 0x5bd1e995, 0x9e3779b1);
    this.#first = Math.imul(this.#add ^ (this.#add >>> 15), 0x85ebca6b) | 1;
    this.#second = Math.imul(this.#first ^ (this.#first >>> 13) ^ seed, 0xc2b2ae35) | 1;
  }

  /** Different words stay different. */
  of(word: number): number {
    let h = Math.imul(word ^ this.#add, this.#first);
    h ^= h >>> 15;
    h = Math.imul(h, this.#second);
    return h ^ (h >>> 14);
  }
}
