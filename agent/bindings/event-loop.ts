// How late the event loop is: the largest single cause of missed keepalives.
import { monitorEventLoopDelay } from 'node:perf_hooks';

export interface EventLoopDelay {
  readonly p99Ms: number;
  readonly maxMs: number;
}

const RESOLUTION_MS = 10;
const WINDOW_MS = 60_000;

export interface EventLoopWatch extends Disposable {
  read(): EventLoopDelay;
}

/** Delays of the last one to two minutes; the sampling interval itself is taken off. */
export function watchEventLoop(): EventLoopWatch {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  let last: EventLoopDelay = { p99Ms: 0, maxMs: 0 };
  const current = (): EventLoopDelay => ({
    p99Ms: toDelay(histogram.percentile(99)),
    maxMs: toDelay(histogram.max),
  });
  const timer = setInterval(() => {
    last = current();
    histogram.reset();
  }, WINDOW_MS);
  timer.unref();
  return {
    read() {
      const now = histogram.count > 0 ? current() : last;
      return { p99Ms: Math.max(now.p99Ms, last.p99Ms), maxMs: Math.max(now.maxMs, last.maxMs) };
    },
    [Symbol.dispose]() {
      clearInterval(timer);
      histogram.disable();
    },
  };
}

function toDelay(nanoseconds: number): number {
  return Math.max(0, Math.round((nanoseconds / 1e6 - RESOLUTION_MS) * 10) / 10);
}
