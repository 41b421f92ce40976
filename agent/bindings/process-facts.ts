// What the operating system and the engine tell of this process. /proc is asked without waiting for it.
import { readdir, readFile } from 'node:fs/promises';
import type { ProcessFacts } from '../outside.ts';
import type { EventLoopWatch } from './event-loop.ts';

export function processFacts(eventLoop: EventLoopWatch): ProcessFacts {
  return {
    pid: process.pid,
    runtime: process.version,
    status() {
      const { rss, heapUsed } = process.memoryUsage();
      const { p99Ms, maxMs } = eventLoop.read();
      return {
        rssBytes: rss,
        heapUsedBytes: heapUsed,
        eventLoopDelayP99Ms: p99Ms,
        eventLoopDelayMaxMs: maxMs,
      };
    },
    async figures() {
      const { rssBytes, ...status } = this.status();
      const { user, system } = process.cpuUsage();
      const [openFiles, mostFiles] = await Promise.all([countOpenFiles(), readMostFiles()]);
      return {
        ...status,
        residentBytes: rssBytes,
        cpuSeconds: (user + system) / 1e6,
        startedAtSeconds: performance.timeOrigin / 1000,
        ...(openFiles === undefined ? {} : { openFiles }),
        ...(mostFiles === undefined ? {} : { mostFiles }),
      };
    },
  };
}

async function countOpenFiles(): Promise<number | undefined> {
  const names = await readdir('/proc/self/fd').catch(() => undefined);
  // One of them is the folder's own.
  return names && names.length - 1;
}

/** The soft limit: what open() is refused at. */
async function readMostFiles(): Promise<number | undefined> {
  const text = await readFile('/proc/self/limits', 'utf8').catch(() => '');
  const limit = /^Max open files +(\d+)/m.exec(text)?.[1];
  return limit === undefined ? undefined : Number(limit);
}
