// Reachability as a person would try it.
import type { Host } from './hosts.ts';

/** One echo, one second of patience. Returns the round-trip time in milliseconds, undefined when none came back. */
export function ping(from: Host, address: string): number | undefined {
  const output = from.run(['ping', '-n', '-c', '1', '-W', '1', address], { check: false });
  const match = /time=([\d.]+) ms/.exec(output);
  return match === null ? undefined : Number(match[1]);
}

/** Pings again and again until one is answered. Returns the milliseconds that took; throws after timeoutMs. */
export async function pingUntilReached(from: Host, address: string, timeoutMs: number): Promise<number> {
  const begin = performance.now();
  while (performance.now() - begin < timeoutMs) {
    // A new process each time: one that waits gives up at the first ICMP error it is told of.
    const pinging = from.spawn(['ping', '-n', '-c', '1', '-W', '0.1', address]);
    if ((await pinging.exited).code === 0) return performance.now() - begin;
  }
  throw new Error(`${from.name}: no answer from ${address} within ${timeoutMs} ms`);
}
