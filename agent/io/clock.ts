// The real time and chance: the only Clock and Random that are not a test's.
import type { Clock, Random } from '#bgp';

export const realClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  setTimer(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
};

export const realRandom: Random = { next: () => Math.random() };
