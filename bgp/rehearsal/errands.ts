// The clock and the scheduler of the rehearsal's speaker, which count what it has set out to do soon: the rehearsal waits
// until that is done, so that it sends all of its table however busy the machine is.
import { type Clock, type Scheduler, systemScheduler, type Timer } from '#world';

/** A wait inside one piece of work is shorter; what comes back every second (housekeeping, timers of sessions) is not. */
const SOON_MS = 50;

export class Errands implements Clock, Scheduler {
  readonly #clock: Clock;
  #open = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Something is under way, or about to be. */
  get isBusy(): boolean {
    return this.#open > 0;
  }

  now(): number {
    return this.#clock.now();
  }

  wall(): number {
    return this.#clock.wall();
  }

  soon(callback: () => void): void {
    this.#open++;
    systemScheduler.soon(() => {
      this.#open--;
      callback();
    });
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    if (delayMs > SOON_MS) return this.#clock.setTimer(delayMs, callback);
    this.#open++;
    let isOpen = true;
    const end = () => {
      if (isOpen) this.#open--;
      isOpen = false;
    };
    const timer = this.#clock.setTimer(delayMs, () => {
      end();
      callback();
    });
    return {
      cancel() {
        end();
        timer.cancel();
      },
    };
  }
}
