// BFD on the calling thread with real sockets, in another network namespace.
import { udp, withNetns } from '#linux';
import { systemClock, systemRandom, systemScheduler } from '#world';
import type { Detection } from '../detection.ts';
import { localDetection } from '../local-detection.ts';

export type { Detection } from '../detection.ts';

/** @param netns its path */
export const detectionIn = (netns: string): Detection =>
  localDetection({
    clock: systemClock,
    scheduler: systemScheduler,
    random: systemRandom,
    datagrams: { bind: (options, received) => withNetns(netns, () => udp.bind(options, received)) },
  });
