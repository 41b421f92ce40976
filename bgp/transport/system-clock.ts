// The process's own clock, chance and turns: a real default for programs that have no simulator above them.
import type { Clock, Random, Scheduler, Timer } from '#world';

export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  setTimer(delayMs: number, callback: () => void): Timer {
    const timer = setTimeout(callback, Math.ceil(delayMs));
    return { cancel: () => clearTimeout(timer) };
  },
};

export const systemRandom: Random = { next: () => Math.random() };

/** After the sockets that are ready were read, before timers. */
export const systemScheduler: Scheduler = {
  soon(callback: () => void): void {
    setImmediate(callback);
  },
};
