// Chance as the product sees it. What protects against others (hash seeds, jitter) gets the system's; what must be the
// same in every run (made-up routes, fuzzing, simulations) is drawn from a seed.

export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
}

/** The same numbers for the same seed, which a failure prints so that it can be replayed (mulberry32). */
export class SeededRandom implements Random {
  readonly seed: number;
  #state: number;

  constructor(seed: number) {
    this.seed = seed;
    this.#state = seed | 0;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  }

  /** An integer in [0, limit). */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }
}
