// Counts durations by how long they were, for Prometheus. Bound: one number a bucket.

/** Upper ends in seconds, from what a batch to the kernel takes to what a container runtime does not wait for. */
const BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;

export class Histogram {
  /** By bucket; the last one is of what is longer than every bound. */
  readonly #counts = new Float64Array(BOUNDS.length + 1);
  #sum = 0;

  observe(seconds: number): void {
    let bucket = 0;
    while (bucket < BOUNDS.length && seconds > BOUNDS[bucket]!) bucket++;
    this.#counts[bucket]!++;
    this.#sum += seconds;
  }

  get sum(): number {
    return this.#sum;
  }

  get count(): number {
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }

  /** Of each bound how many were no longer; the last one is '+Inf'. */
  *cumulative(): Iterable<readonly [bound: string, count: number]> {
    let count = 0;
    for (const [bucket, ofBucket] of this.#counts.entries()) {
      count += ofBucket;
      yield [BOUNDS[bucket] === undefined ? '+Inf' : `${BOUNDS[bucket]}`, count];
    }
  }
}
