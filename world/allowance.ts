// How often something may be done that others can cause: so often at once, and once more after each pause.

export class Allowance {
  readonly #most: number;
  #left: number;
  #countedAt: number;

  /** @param now Clock.now() */
  constructor(most: number, now: number) {
    this.#most = this.#left = most;
    this.#countedAt = now;
  }

  /** False: not now. */
  take(now: number, pauseMs: number): boolean {
    const earned = Math.floor((now - this.#countedAt) / pauseMs);
    if (earned > 0) {
      this.#left = Math.min(this.#most, this.#left + earned);
      this.#countedAt += earned * pauseMs;
    }
    if (this.#left === 0) return false;
    this.#left--;
    return true;
  }
}
