// What could not be done: told once, and again when it failed for another reason; tried again ever more seldom, since what
// the server refuses it refuses again. Bound: its owner forgets what is wanted no more.
import { type Clock, growingPauseMs, type Random } from '#world';

interface Failure {
  readonly message: string;
  readonly count: number;
  /** It is left alone until then. */
  readonly untilMs: number;
}

export class Retries {
  readonly #io: { readonly clock: Clock; readonly random: Random };
  readonly #pauses: { readonly firstMs: number; readonly longestMs: number };
  /** By name; none: the last time it was done. */
  readonly #failures = new Map<string, Failure>();

  /** @param pauses a first failure waits for up to twice firstMs */
  constructor(
    io: { readonly clock: Clock; readonly random: Random },
    pauses: { readonly firstMs: number; readonly longestMs: number },
  ) {
    this.#io = io;
    this.#pauses = pauses;
  }

  isDue(name: string): boolean {
    const failure = this.#failures.get(name);
    return failure === undefined || this.#io.clock.now() >= failure.untilMs;
  }

  end(name: string): void {
    this.#failures.delete(name);
  }

  forgetOthers(names: ReadonlySet<string>): void {
    for (const name of this.#failures.keys()) if (!names.has(name)) this.#failures.delete(name);
  }

  /** @returns what is to be told of it; undefined: it was */
  note(name: string, error: unknown): string | undefined {
    const message = error instanceof Error ? error.message : String(error);
    const before = this.#failures.get(name);
    const count = (before?.count ?? 0) + 1;
    const untilMs = this.#io.clock.now() + growingPauseMs(this.#pauses, count, this.#io.random);
    this.#failures.set(name, { message, count, untilMs });
    return before?.message === message ? undefined : message;
  }
}
