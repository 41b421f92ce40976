// A neighbour that is kept down on purpose: why, and for how long. What that ends and starts is the peer's.
import type { Clock } from '../io.ts';
import { Alarm, type Deadlines } from './connection/deadlines.ts';
import type { FailOptions } from './types.ts';

export class HoldDown {
  readonly #clock: Clock;
  readonly #deadlines: Deadlines;
  readonly #alarm: Alarm;
  #text: string | undefined;

  /** @param over the time is over; it shall call end() */
  constructor(io: { readonly clock: Clock; readonly deadlines: Deadlines }, over: () => void) {
    this.#clock = io.clock;
    this.#deadlines = io.deadlines;
    this.#alarm = new Alarm(over);
  }

  /** For the operator; undefined when the neighbour is not held down. */
  get text(): string | undefined {
    return this.#text;
  }

  /** Until end(). */
  begin(text: string): void {
    this.#deadlines.clear(this.#alarm);
    this.#text = text;
  }

  /** For a time, or until end(). */
  beginFor(seconds: NonNullable<FailOptions['holdDownSeconds']>, reason: string): void {
    this.begin(seconds === 'until reset' ? `${reason}; until reset` : `${reason}; for ${seconds} s`);
    if (seconds !== 'until reset') this.#deadlines.set(this.#alarm, this.#clock.now() + seconds * 1000);
  }

  end(): void {
    this.#deadlines.clear(this.#alarm);
    this.#text = undefined;
  }
}
