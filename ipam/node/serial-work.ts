// Work with the store, one piece after the other, now or later, until it is stopped.
import { type Clock, Turns } from '#world';

export class SerialWork {
  readonly #clock: Clock;
  readonly #timers = new Set<{ cancel(): void }>();
  readonly #turns = new Turns();
  #isStopped = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  run<T>(work: () => Promise<T>): Promise<T> {
    return this.#turns.run(work);
  }

  after(delayMs: number, work: () => Promise<void>): void {
    if (this.#isStopped) return;
    const timer = this.#clock.setTimer(delayMs, () => {
      this.#timers.delete(timer);
      if (!this.#isStopped) void this.run(work);
    });
    this.#timers.add(timer);
  }

  /** What does the work once after that time, however often it is asked for it meanwhile. */
  once(delayMs: number, work: () => Promise<void>): () => void {
    let isWaiting = false;
    return () => {
      if (isWaiting) return;
      isWaiting = true;
      this.after(delayMs, () => {
        isWaiting = false;
        return work();
      });
    };
  }

  every(delayMs: number, work: () => Promise<void>): void {
    this.after(delayMs, async () => {
      this.every(delayMs, work);
      await work();
    });
  }

  /** Resolves when nothing is under way. */
  settled(): Promise<void> {
    return this.#turns.settled();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const timer of this.#timers) timer.cancel();
    await this.settled();
  }
}
