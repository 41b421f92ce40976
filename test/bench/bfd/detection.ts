// npm run bench -- bfd: how long from a neighbour's death to its route out of the kernel, with podroute, BIRD and FRR as
// the ones that find out. One BIRD is the neighbour of all three, and they lose it in the same instant.
import { mkdirSync, mkdtempSync, rmSync, chmodSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHost, type Host } from '#lab';
import { waitUntil } from '#world';
import { dateText, machineText, markdown } from '../report.ts';
import { falseAlarms } from './false-alarms.ts';
import { birdConfig, FAR, FINDERS, MULTIPLIER, type Finder, startBird } from './finders.ts';
import { RouteWatch, Wire } from './wire.ts';

const INTERVALS_MS = [50, 100, 300];
const PREFIX = '10.77.0.0/24';
/** What a finder may need beside the detection time. */
const BESIDE_MS = 30;
const BACK_MS = 60_000;
/** The hold time would have found out: nobody needs longer. */
const GONE_MS = 100_000;

export interface BfdBench {
  readonly kills: number;
  readonly intervalsMs?: readonly number[];
  /** Of the run under load; 0: none. */
  readonly minutes: number;
}

/** @returns the part of the page, and whether podroute has reached its goals */
export async function benchBfd(
  { kills, intervalsMs = INTERVALS_MS, minutes }: BfdBench,
  command: string,
): Promise<{ readonly page: string; readonly isReached: boolean }> {
  const present = FINDERS.filter((finder) => {
    const install = finder.missing();
    if (install !== undefined) console.error(`bench: ${finder.title} is left out: ${install}`);
    return install === undefined;
  });
  const rows = [['interval', 'finds out', 'kills', 'p50 ms', 'p99 ms', 'max ms', 'goal ms']];
  let isReached = true;
  const loads = [loadavg()[0]!];
  // Side by side: a bench of a hundred kills each would else take half an hour, most of it in waiting for the neighbour.
  const all = await Promise.all(intervalsMs.map((intervalMs) => measure(present, intervalMs, kills)));
  loads.push(loadavg()[0]!);
  for (const [i, intervalMs] of intervalsMs.entries()) {
    const goal = MULTIPLIER * intervalMs + BESIDE_MS;
    for (const [f, { title }] of present.entries()) {
      const sorted = all[i]!.taken[f]!.toSorted((a, b) => a - b);
      const max = sorted.at(-1)!;
      if (title === 'podroute' && max > goal) isReached = false;
      const verdict = max <= goal ? 'met' : `missed by ${sorted.filter((ms) => ms > goal).length}`;
      const figures = [quantile(sorted, 0.5), quantile(sorted, 0.99), max].map((ms) => ms.toFixed(1));
      rows.push([
        `${MULTIPLIER} × ${intervalMs} ms`,
        title,
        String(kills),
        ...figures,
        `${goal}: ${verdict}`,
      ]);
    }
  }
  const parts = [markdown(rows)];
  const early = all.reduce((sum, one) => sum + one.early, 0);
  if (early > 0) parts.push(`Kills not counted, as somebody had lost the neighbour before: ${early}.`);
  if (minutes > 0) {
    const { text, downs } = await falseAlarms(minutes);
    if (downs > 0) isReached = false;
    parts.push(text);
  }
  const versions = present.map((finder) => `${finder.title} ${finder.version()}`).join(', ');
  const load = loads.map((one) => one.toFixed(1)).join(' and ');
  parts.push(
    `${machineText()}, its load ${load} before and after the kills; ${versions}; ${dateText()}; \`${command}\`.`,
  );
  return { page: parts.join('\n\n'), isReached };
}

interface Measured {
  /** Milliseconds of each kill, by finder. */
  readonly taken: readonly number[][];
  /** Kills that are not among them: somebody had lost the neighbour before it was gone. */
  readonly early: number;
}

async function measure(finders: readonly Finder[], intervalMs: number, kills: number): Promise<Measured> {
  const group = `bench-bfd-${intervalMs}`;
  await using owned = new AsyncDisposableStack();
  const parent = mkdtempSync(join(tmpdir(), 'podroute-bench-'));
  // FRR becomes a user of its own.
  chmodSync(parent, 0o755);
  owned.defer(() => rmSync(parent, { recursive: true, force: true }));
  const wire = owned.use(new Wire(group));
  const far = owned.use(createHost('far', { group }));
  wire.join(far, `${FAR.address}/24`);
  const places = finders.map(({ title }, i) => {
    const name = title.toLowerCase();
    const host: Host = owned.use(createHost(name, { group }));
    const folder = join(parent, name);
    mkdirSync(folder);
    const address = `10.1.0.${2 + i}`;
    wire.join(host, `${address}/24`);
    return { host, folder, address, asNumber: FAR.asNumber + 1 + i, intervalMs };
  });
  await startBird(far, join(parent, 'far'), birdConfig({ ...FAR, intervalMs }, places, [PREFIX]));
  const watches = places.map(({ host }) => new RouteWatch(host, PREFIX));
  const areReady: (() => boolean | Promise<boolean>)[] = [];
  for (const [i, finder] of finders.entries()) areReady.push(await finder.start(places[i]!));
  const taken: number[][] = finders.map(() => []);
  let early = 0;
  for (let kill = 0; kill < kills; ) {
    for (const [i, isReady] of areReady.entries()) {
      const what = `${finders[i]!.title} to have the route and BFD (${intervalMs} ms, kill ${kill + 1})`;
      await waitUntil(what, BACK_MS, async () => watches[i]!.isThere && (await isReady()));
    }
    const cutAt = wire.cut();
    await waitUntil('the route to go', GONE_MS, () => watches.every(({ isThere }) => !isThere));
    wire.mend();
    const after = watches.map(({ changedAt }) => changedAt - cutAt);
    const said = after.map((ms, i) => `${finders[i]!.title} ${ms.toFixed(1)}`).join(', ');
    console.error(`bench: ${MULTIPLIER} × ${intervalMs} ms, kill ${kill + 1}: ${said} ms`);
    if (Math.min(...after) < 0) {
      if (++early > kills)
        throw new Error('bench: neighbours are lost that are there: the machine is too busy');
      continue;
    }
    for (const [i, ms] of after.entries()) taken[i]!.push(ms);
    kill++;
  }
  return { taken, early };
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? NaN;
}
