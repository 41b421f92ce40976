// Work with the store, one piece after the other, now or later, until it is stopped.
import type { Clock } from '#world';

export class SerialWork {
  readonly #clock: Clock;
  readonly #timers = new Set<{ cancel(): void }>();
  #last: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }

  after(delayMs: number, work: () => Promise<void>): void {
    if (this.#isStopped) return;
    const timer = this.#clock.setTimer(delayMs, () => {
      this.#timers.delete(timer);
      if (!this.#isStopped) void this.run(work);
    });
    this.#timers.add(timer);
  }

  every(delayMs: number, work: () => Promise<void>): void {
    this.after(delayMs, async () => {
      this.every(delayMs, work);
      await work();
    });
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    for (let work: Promise<void> | undefined; work !== this.#last; ) {
      work = this.#last;
      await work;
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const timer of this.#timers) timer.cancel();
    await this.settled();
  }
}
