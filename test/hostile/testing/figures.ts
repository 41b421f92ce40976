// What was measured, as one line, and the bounds that hold for every attack.
import assert from 'node:assert/strict';
import type { Seen } from './innocents.ts';
import type { Figures } from './orders.ts';

const MIB = 1024 * 1024;
/** Of its own work: what other processes took of the machine is in the wall figure only. */
const LONGEST_STALL_MS = 50;
/** What the RIB may hold for a neighbour that never rests is 64 MiB; the rest is the collector's room. */
const MOST_GROWN_MIB = 300;

export function report(what: string, before: Figures, after: Figures, seen?: Seen): void {
  const grown = Math.round((after.rssBytes - before.rssBytes) / MIB);
  const parts = [
    `loop late ${after.maxBusyMs.toFixed(0)} ms by its own work (${after.maxWallMs.toFixed(0)} by the wall)`,
    `RSS ${grown < 0 ? '' : '+'}${grown} MiB`,
  ];
  if (seen !== undefined) {
    parts.push(
      `route median ${seen.flapMedianMs.toFixed(1)} ms, worst ${seen.flapWorstMs.toFixed(0)} of ${seen.flaps}`,
      `nothing heard for ${seen.silenceMs.toFixed(0)} ms at most`,
    );
  }
  console.log(`        ${what}: ${parts.join('; ')}`);
}

export function assertBounded(before: Figures, after: Figures): void {
  assert.ok(after.maxBusyMs < LONGEST_STALL_MS, `the event loop stood still for ${after.maxBusyMs} ms`);
  const grown = (after.rssBytes - before.rssBytes) / MIB;
  assert.ok(grown < MOST_GROWN_MIB, `grew by ${grown.toFixed(0)} MiB`);
}
