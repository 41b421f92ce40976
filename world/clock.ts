// Time as the product sees it: it is asked for here and nowhere else, so that a test or a simulation can stop it.
// system-clock.ts has the real one, testing/ one that stands until it is moved.

export interface Clock {
  /** Monotonic milliseconds. */
  now(): number;
  /** Milliseconds since 1970, only for display and for what outlives the process. */
  wall(): number;
  /** A callback may set or cancel other timers. */
  setTimer(delayMs: number, callback: () => void): Timer;
}

export interface Timer {
  /** Harmless when it fired or was cancelled before. */
  cancel(): void;
}

/** Long work in turns: how the next one is asked for. */
export interface Scheduler {
  /** After what is ready now (sockets, other work) had its turn, and before time passes. */
  soon(callback: () => void): void;
}
