// A thread that must not be late (BFD's) before the other work of its host: the lowest real-time priority where the
// process may (CAP_SYS_NICE or RLIMIT_RTPRIO, and a cgroup that has real-time shares), else less niceness. Threads that it
// starts have none of it.
import { addon } from './addon.ts';

/** Of SCHED_RR: before every thread of the usual kind, and behind the kernel's own real-time threads. */
const PRIORITY = 1;
const NICENESS = -10;

export type ThreadPriority = 'real-time' | 'nice' | 'usual';

/** For the calling thread, until it ends: what the kernel allowed. */
export function raiseThreadPriority(): ThreadPriority {
  const native = addon();
  if (native.roundRobin(PRIORITY) >= 0) return 'real-time';
  return native.nice(NICENESS) >= 0 ? 'nice' : 'usual';
}
