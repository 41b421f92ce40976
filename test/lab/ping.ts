// Reachability as a person would try it.
import type { Host } from './netns.ts';

/** One echo, one second of patience. Returns the round-trip time in milliseconds, undefined when none came back. */
export function ping(from: Host, address: string): number | undefined {
  const output = from.run(['ping', '-n', '-c', '1', '-W', '1', address], { check: false });
  const match = /time=([\d.]+) ms/.exec(output);
  return match === null ? undefined : Number(match[1]);
}

/** Sends an echo every 10 ms until one is answered. Returns the milliseconds that took; throws after timeoutMs. */
export async function pingUntilReached(from: Host, address: string, timeoutMs: number): Promise<number> {
  const begin = performance.now();
  const pinging = from.spawn([
    'ping',
    '-n',
    '-i',
    '0.01',
    '-W',
    '1',
    '-w',
    String(Math.ceil(timeoutMs / 1000)),
    '-c',
    '1',
    address,
  ]);
  const { code } = await pinging.exited;
  if (code !== 0) throw new Error(`${from.name}: no answer from ${address} within ${timeoutMs} ms`);
  return performance.now() - begin;
}
