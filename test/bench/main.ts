// npm run bench: measures podroute beside BIRD, FRR and GoBGP. `--help` says the rest.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type BenchCase, CASES } from './cases.ts';
import { writeBetweenMarkers } from '../testing/markers.ts';
import {
  caseTable,
  circumstances,
  eventLoopTable,
  failuresText,
  processTable,
  type Series,
  wrongCount,
} from './report.ts';
import { benchBfd } from './bfd/detection.ts';
import { benchKubernetes } from './kubernetes.ts';
import { benchRestarts } from './restarts/restarts.ts';
import { type RunResult, restingKb, runCase } from './run.ts';
import { soak } from './soak.ts';
import { soakSize } from './soak-options.ts';
import { SPEAKERS } from './speakers/index.ts';
import type { Speaker } from './speakers/speaker.ts';

const HELP = `npm run bench                      quick round: podroute and BIRD, smaller sizes, one run (two minutes)
npm run bench -- bgp [options]     all cases beside BIRD, FRR and GoBGP
npm run bench -- kubernetes [--write]  an agent in a cluster of 1,000 nodes, on a real API server (twelve minutes)
npm run bench -- restart [--write]  packets lost while agents and routers restart (four minutes)
npm run bench -- bfd [--kills N] [--minutes N] [--write]  from a neighbour's death to its route out of the kernel
npm run bench -- soak [options]    churn with session resets; memory and latency over time
options of bgp:
  --case ID        only this case (repeatable): ${CASES.map((c) => c.id).join(' ')}
  --speaker NAME   only this speaker (repeatable): ${SPEAKERS.map((s) => s.name).join(' ')}
  --runs N         median of N runs, speakers interleaved (default 1; published figures: 5)
  --slow-runs N    fewer runs of FRR and GoBGP (default: as --runs)
  --full           full size for the slow speakers too (FRR, GoBGP: many minutes)
  --profile        CPU profile of podroute into build/profile/PID/
  --write          put the table into docs/benchmarks.md
options of bfd:
  --kills N        for each interval (default 20, with --write 100)
  --minutes N      of the run that counts false alarms (default 1; 0: none)
options of soak:
  --minutes N (10)  --peers N (20)  --prefixes N (200000)  --rate CHANGES_PER_S (20000)
  --joins S (60)              every S seconds a peer joins, reads the table slowly and leaves; 0 = none
  --slow-reader BYTES (10000) a peer that reads so many bytes a second; 0 = none
  --speaker NAME (podroute)   repeatable: one after another, in one picture
  --profile                   as above
  --write                     docs/soak.svg, and the figures in docs/benchmarks.md
exit code: 0 done, 1 a speaker failed, a state is not what was sent or memory grows, 2 wrong use`;

const OPTIONS = {
  allowPositionals: true,
  options: {
    case: { type: 'string', multiple: true },
    speaker: { type: 'string', multiple: true },
    runs: { type: 'string', default: '1' },
    'slow-runs': { type: 'string' },
    full: { type: 'boolean', default: false },
    profile: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    minutes: { type: 'string' },
    kills: { type: 'string' },
    peers: { type: 'string', default: '20' },
    prefixes: { type: 'string', default: '200000' },
    rate: { type: 'string', default: '20000' },
    joins: { type: 'string', default: '60' },
    'slow-reader': { type: 'string', default: '10000' },
    help: { type: 'boolean', default: false },
  },
} as const;

const { values, positionals } = readArguments();

const QUICK_BFD = { kills: 5, intervalsMs: [100], minutes: 0 };
const DOCS = resolve(import.meta.dirname, '../../docs');
const command = ['npm run bench', ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [])].join(
  ' ',
);

process.exitCode = await main();

async function main(): Promise<number> {
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const [what = 'quick', ...rest] = positionals;
  if (rest.length > 0)
    return wrongUse(`one of bfd, bgp, kubernetes, restart, soak expected, not '${positionals.join(' ')}'`);
  if (what === 'soak') return runSoak();
  if (what === 'kubernetes') return runKubernetes();
  if (what === 'restart') return runRestarts();
  if (what === 'bfd') return runBfd();
  if (what !== 'bgp' && what !== 'quick') return wrongUse(`unknown bench '${what}'`);
  return compareSpeakers(what === 'quick');
}

function readArguments() {
  try {
    return parseArgs(OPTIONS);
  } catch (error) {
    process.exit(wrongUse((error as Error).message));
  }
}

function runSoak(): Promise<number> | number {
  const speakers = pick(SPEAKERS, 'name', values.speaker ?? ['podroute']);
  if (speakers.length === 0) return 2;
  try {
    const size = soakSize({ ...values, minutes: values.minutes ?? '10' });
    return soak(speakers, { size, profile: values.profile, docs: values.write ? DOCS : undefined, command });
  } catch (error) {
    if (error instanceof RangeError) return wrongUse(error.message);
    throw error;
  }
}

async function runKubernetes(): Promise<number> {
  const { page, isReached } = await benchKubernetes(command);
  console.log(`\n${page}`);
  if (values.write)
    writeBetweenMarkers(join(DOCS, 'benchmarks.md'), 'bench:kubernetes', '## In a large cluster', page);
  return isReached ? 0 : 1;
}

async function runRestarts(): Promise<number> {
  const { page, isReached } = await benchRestarts(command);
  console.log(`\n${page}`);
  if (values.write) writeBetweenMarkers(join(DOCS, 'benchmarks.md'), 'bench:restart', '## Restarts', page);
  return isReached ? 0 : 1;
}

async function runBfd(): Promise<number> {
  const { kills = values.write ? '100' : '20', minutes = '1' } = values;
  if (!/^[1-9][0-9]{0,3}$/.test(kills)) return wrongUse(`--kills ${kills}: a whole number from 1 expected`);
  if (!/^[0-9]{1,4}$/.test(minutes)) return wrongUse(`--minutes ${minutes}: a whole number expected`);
  const { page, isReached } = await benchBfd({ kills: Number(kills), minutes: Number(minutes) }, command);
  console.log(`\n${page}`);
  if (values.write)
    writeBetweenMarkers(join(DOCS, 'benchmarks.md'), 'bench:bfd', '## A neighbour dies: BFD', page);
  return isReached ? 0 : 1;
}

async function compareSpeakers(isQuick: boolean): Promise<number> {
  const wantedSpeakers = values.speaker ?? (isQuick ? ['podroute', 'bird'] : SPEAKERS.map((s) => s.name));
  const speakers = pick(SPEAKERS, 'name', wantedSpeakers);
  for (const name of ['runs', 'slow-runs'] as const) {
    const value = values[name] ?? '1';
    if (!/^[1-9][0-9]{0,3}$/.test(value))
      return wrongUse(`--${name} ${value}: a whole number from 1 expected`);
  }
  const cases = pick(CASES, 'id', values.case ?? CASES.map((c) => c.id)).filter(
    (c) => !isQuick || c.quick !== undefined,
  );
  if (speakers.length === 0 || cases.length === 0) return 2;
  const present = speakers.filter((speaker) => {
    const install = speaker.missing();
    if (install !== undefined) console.error(`bench: ${speaker.title} is not installed: ${install}`);
    return install === undefined;
  });
  const idleKb = new Map<Speaker, number>();
  for (const speaker of present) idleKb.set(speaker, await restingKb(speaker));
  const all: Series[] = [];
  for (const benchCase of cases) all.push(...(await runSeries(benchCase, idleKb, isQuick)));
  const text = [
    caseTable(all),
    failuresText(all),
    processTable(all),
    eventLoopTable(all),
    circumstances(present, command, runsOf),
  ];
  const page = text.filter((part) => part !== '').join('\n\n');
  console.log(`\n${page}`);
  keepRaw(all);
  if (values.write) {
    writeBetweenMarkers(join(DOCS, 'benchmarks.md'), 'bench:bgp', '## BGP: tables, reflection, flaps', page);
  }
  if (isQuick) console.log(`\n${(await benchBfd(QUICK_BFD, command)).page}`);
  return present.length === speakers.length && wrongCount(all, 'podroute') === 0 ? 0 : 1;
}

/** All runs of one case: speaker after speaker, then again, so that a busy minute hits everybody. */
async function runSeries(
  benchCase: BenchCase,
  idleKb: ReadonlyMap<Speaker, number>,
  isQuick: boolean,
): Promise<Series[]> {
  const full = isQuick ? (benchCase.quick ?? benchCase.full) : benchCase.full;
  const series = [...idleKb.keys()].map((speaker) => {
    const reduced = values.full || isQuick ? undefined : benchCase.reduced[speaker.name];
    const runs: RunResult[] = [];
    const failures: string[] = [];
    return { benchCase, speaker, size: reduced ?? full, isReduced: reduced !== undefined, runs, failures };
  });
  for (let run = 0; run < Number(values.runs); run++) {
    for (const { speaker, size, runs, failures } of series) {
      if (run >= runsOf(speaker)) continue;
      const label = `${benchCase.id} ${speaker.title} run ${run + 1}`;
      try {
        const result = await runCase(
          speaker,
          benchCase,
          size,
          values.profile && speaker.name === 'podroute',
          idleKb.get(speaker) ?? 0,
        );
        runs.push(result);
        const { announce_s: wall, announce_cpu_s: cpu, withdraw_s: withdraw, wrong } = result;
        const memory = ((result.peak_kb - result.idle_kb) / 1024).toFixed(0);
        console.error(
          `${label}: ${wall.toFixed(2)} s (CPU ${cpu.toFixed(2)}), withdraw ${withdraw.toFixed(2)} s, ` +
            `flap p50 ${result.flap_ms_p50.toFixed(2)} p99 ${result.flap_ms_p99.toFixed(2)} ms, +${memory} MB` +
            (wrong === 0 ? '' : `, ${wrong} PREFIXES WRONG`),
        );
      } catch (error) {
        failures.push((error as Error).message);
        console.error(`${label}: FAILED: ${(error as Error).message}`);
      }
    }
  }
  return series;
}

/** Items whose `key` was asked for; complains about names that do not exist. */
function pick<T, K extends keyof T>(items: readonly T[], key: K, wanted: readonly string[]): T[] {
  const known = items.map((item) => String(item[key]));
  for (const name of wanted) {
    if (!known.includes(name)) wrongUse(`unknown ${String(key)} '${name}', one of: ${known.join(' ')}`);
  }
  return wanted.every((name) => known.includes(name))
    ? items.filter((i) => wanted.includes(String(i[key])))
    : [];
}

function runsOf(speaker: Speaker): number {
  return Number((speaker.isSlow ? values['slow-runs'] : undefined) ?? values.runs);
}

function keepRaw(all: readonly Series[]): void {
  const folder = resolve(import.meta.dirname, '../../build/bench');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${new Date().toISOString().replaceAll(':', '-')}.json`);
  const raw = all.map((s) => ({ case: s.benchCase.id, speaker: s.speaker.name, size: s.size, runs: s.runs }));
  writeFileSync(file, JSON.stringify(raw, undefined, 1));
}

function wrongUse(message: string): number {
  console.error(`bench: ${message}\n${HELP}`);
  return 2;
}
