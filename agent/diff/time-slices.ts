// Long looks of a running agent: lets others work every few milliseconds, and knows when there is no time left.
import type { Clock, Scheduler } from '#world';

/** Who asks waits for 10 s. */
export const LONGEST_MS = 5_000;
/** The event loop is let go after so long. */
const TURN_MS = 5;

export interface TimeSlicesIo {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
}

export class TimeSlices {
  readonly #io: TimeSlicesIo;
  readonly #endMs: number;
  #turnMs: number;

  constructor(io: TimeSlicesIo) {
    this.#io = io;
    this.#turnMs = io.clock.now();
    this.#endMs = this.#turnMs + LONGEST_MS;
  }

  get isOver(): boolean {
    return this.#io.clock.now() > this.#endMs;
  }

  async rest(): Promise<void> {
    if (this.#io.clock.now() - this.#turnMs < TURN_MS) return;
    await new Promise<void>((resolve) => this.#io.scheduler.soon(resolve));
    this.#turnMs = this.#io.clock.now();
  }
}
