// The real binding of Scheduler: after the sockets that are ready were read, before timers.
import type { Scheduler } from '../rib/work-loop.ts';

export const immediateScheduler: Scheduler = {
  soon(callback: () => void): void {
    setImmediate(callback);
  },
};
