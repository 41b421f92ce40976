// The process's own clock and chance: a real default for programs that have no simulator above them.
import type { Clock, Random, Timer } from '../io.ts';

export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  setTimer(delayMs: number, callback: () => void): Timer {
    const timer = setTimeout(callback, Math.ceil(delayMs));
    return { cancel: () => clearTimeout(timer) };
  },
};

export const systemRandom: Random = { next: () => Math.random() };
