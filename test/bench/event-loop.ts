// What the probe in the agent noted (event-loop-probe.ts), cut to a stretch of time.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { transformSync } from 'esbuild';

export interface EventLoopDelay {
  readonly p99Ms: number;
  readonly maxMs: number;
}

const PROBE = join(import.meta.dirname, 'event-loop-probe.ts');

/** How to start an agent with the probe, which writes `ticks` in the folder. As JavaScript: the agent is to load no more. */
export function probed(folder: string): {
  ticks: string;
  nodeOptions: string[];
  env: Record<string, string>;
} {
  const probe = join(folder, 'probe.mjs');
  writeFileSync(probe, transformSync(readFileSync(PROBE, 'utf8'), { loader: 'ts' }).code);
  const ticks = join(folder, 'ticks');
  return { ticks, nodeOptions: [`--import=${probe}`], env: { PODROUTE_BENCH_TICKS: ticks } };
}

/**
 * Delay of the ticks between two moments of CLOCK_MONOTONIC, in seconds. Undefined when there are none: the probe
 * writes twice a second.
 */
export function delayBetween(file: string, from: number, to: number): EventLoopDelay | undefined {
  const late: number[] = [];
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const [at = NaN, ms = NaN] = line.split(' ').map(Number);
    // A tick that came late tells of the time before it.
    if (at >= from && at - ms / 1000 <= to) late.push(ms);
  }
  if (late.length === 0) return undefined;
  late.sort((a, b) => a - b);
  const p99 = late[Math.min(late.length - 1, Math.floor(late.length * 0.99))] ?? NaN;
  return { p99Ms: p99, maxMs: late.at(-1) ?? NaN };
}
