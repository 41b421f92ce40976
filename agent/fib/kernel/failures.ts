// Routes that the kernel refused: why, how often, and when they are tried again (1 s, doubling to 60 s; at once when
// links or routes change). Bound: the wanted routes.

export interface Failure {
  readonly family: 0 | 1;
  readonly id: number;
  /** 'ENETUNREACH: …' */
  reason: string;
  attempts: number;
  /** Clock.now() */
  retryAtMs: number;
}

const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 60_000;

export class Failures {
  readonly #byId: readonly [Map<number, Failure>, Map<number, Failure>] = [new Map(), new Map()];

  get count(): number {
    return this.#byId[0].size + this.#byId[1].size;
  }

  note(family: 0 | 1, id: number, reason: string, nowMs: number): Failure {
    const failure = this.#byId[family].get(id) ?? { family, id, reason, attempts: 0, retryAtMs: 0 };
    failure.reason = reason;
    failure.retryAtMs = nowMs + Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failure.attempts, 10));
    failure.attempts++;
    this.#byId[family].set(id, failure);
    return failure;
  }

  clear(family: 0 | 1, id: number): void {
    this.#byId[family].delete(id);
  }

  of(family: 0 | 1, id: number): Failure | undefined {
    return this.#byId[family].get(id);
  }

  *all(): Iterable<Failure> {
    yield* this.#byId[0].values();
    yield* this.#byId[1].values();
  }

  /** When the next one is due; undefined when nothing waits. */
  nextRetryMs(): number | undefined {
    let next: number | undefined;
    for (const { retryAtMs } of this.all()) if (next === undefined || retryAtMs < next) next = retryAtMs;
    return next;
  }
}
