// Keeps what a stranger can cause from filling the log: a few lines at once, then one now and then that says how
// many were left out. Bound: MAX_KEYS subjects, the oldest is forgotten first.
import { Allowance, type Clock } from '#world';

const MAX_KEYS = 4096;

interface Bucket {
  readonly lines: Allowance;
  leftOut: number;
}

export class LogLimit {
  readonly #clock: Clock;
  readonly #burst: number;
  readonly #everyMs: number;
  readonly #buckets = new Map<string, Bucket>();

  /** @param burst lines that may come at once; @param everyMs one more after each such time */
  constructor(clock: Clock, burst: number, everyMs: number) {
    this.#clock = clock;
    this.#burst = burst;
    this.#everyMs = everyMs;
  }

  /** Undefined: say nothing. Else how many lines about this subject were left out since its last one. */
  take(key: string): number | undefined {
    const now = this.#clock.now();
    const bucket = this.#buckets.get(key) ?? this.#add(key, now);
    if (!bucket.lines.take(now, this.#everyMs)) {
      bucket.leftOut++;
      return undefined;
    }
    const { leftOut } = bucket;
    bucket.leftOut = 0;
    return leftOut;
  }

  #add(key: string, now: number): Bucket {
    const bucket: Bucket = { lines: new Allowance(this.#burst, now), leftOut: 0 };
    if (this.#buckets.size >= MAX_KEYS) {
      for (const oldest of this.#buckets.keys()) {
        this.#buckets.delete(oldest);
        break;
      }
    }
    this.#buckets.set(key, bucket);
    return bucket;
  }
}
