// The process's own time, turns and chance: what programs bind that have no simulator above them.
import { getRandomValues } from 'node:crypto';
import type { Clock, Scheduler, Timer } from './clock.ts';
import type { Random } from './random.ts';

export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  setTimer(delayMs: number, callback: () => void): Timer {
    const timer = setTimeout(callback, Math.ceil(delayMs));
    return { cancel: () => clearTimeout(timer) };
  },
};

/** After the sockets that are ready were read, before timers. */
export const systemScheduler: Scheduler = {
  soon(callback: () => void): void {
    setImmediate(callback);
  },
};

/** Hash seeds come from it, so it must not be guessed from other draws, as those of Math.random can be. */
const drawn = new Uint32Array(1);
export const systemRandom: Random = { next: () => getRandomValues(drawn)[0]! / 2 ** 32 };
