// The soak: churn with session resets, sampled every second; printed, judged, and drawn to an SVG.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Host } from '#lab';
import { blastCommand, type BlastTarget } from './blast.ts';
import { writeBetweenMarkers } from '../testing/markers.ts';
import { withSpeaker } from './run.ts';
import { soakChart } from './soak-chart.ts';
import { faultsOf, type SoakEnd, type SoakSecond, whole } from './soak-figures.ts';
import { joinEvery, resetEvery, type SoakSize } from './soak-options.ts';
import { soakPage, type SoakRun, summaryLines } from './soak-report.ts';
import type { InsideView, RunningSpeaker, Speaker } from './speakers/speaker.ts';

const BUILD = resolve(import.meta.dirname, '../../build/bench');
const INSIDE_EVERY_MS = 10_000;

export interface SoakJob {
  readonly size: SoakSize;
  readonly profile: boolean;
  /** Where soak.svg and the figures go; undefined = only printed. */
  readonly docs: string | undefined;
  readonly command: string;
}

/** Runs the speakers one after another. Exit code: 1 when a state is wrong, memory grows or the rate was not held. */
export async function soak(speakers: readonly Speaker[], job: SoakJob): Promise<number> {
  const runs: SoakRun[] = [];
  for (const speaker of speakers) {
    const install = speaker.missing();
    if (install !== undefined) {
      console.error(`bench: ${speaker.title} is not installed: ${install}`);
      return 1;
    }
    const run = await soakOne(speaker, job).catch((error: Error) => {
      console.error(`bench soak: ${speaker.title}: ${error.message}`);
    });
    if (run === undefined) return 1;
    runs.push(run);
    keepRaw(run);
    console.log(summaryLines(run).join('\n'));
  }
  if (job.docs !== undefined) {
    writeFileSync(join(job.docs, 'soak.svg'), soakChart(runs));
    const page = soakPage(runs, job.size, job.command);
    writeBetweenMarkers(join(job.docs, 'benchmarks.md'), 'bench:soak', '## BGP: churn', page);
  }
  // Others run beside us for comparison: what they do wrong is said, but is no failure of ours.
  const judged = runs.filter((run) => run.speaker.name === 'podroute' || runs.length === 1);
  return judged.some((run) => run.faults.length > 0) ? 1 : 0;
}

function soakOne(speaker: Speaker, { size, profile }: SoakJob): Promise<SoakRun> {
  return withSpeaker(speaker, 'churn', size, profile, async (running, host, { place }) => {
    const target = { place, port: running.port, pid: running.process.pid };
    const watch = new InsideWatch(running);
    try {
      const { seconds, end } = await churn(host, speaker, size, target);
      return { speaker, seconds, end, inside: await watch.stop(), faults: faultsOf(seconds, end, size.rate) };
    } catch (error) {
      await watch.stop();
      const said = running.process.output.slice(-2000);
      throw new Error(`${(error as Error).message}\n${speaker.title} said:\n${said}`, { cause: error });
    }
  });
}

async function churn(
  host: Host,
  speaker: Speaker,
  size: SoakSize,
  target: BlastTarget,
): Promise<{ seconds: SoakSecond[]; end: SoakEnd }> {
  const more = ['-r', size.rate, '-d', Math.round(size.minutes * 60), '-R', resetEvery(size)];
  const guests = ['-J', joinEvery(size), '-S', size.slowReader];
  const command = blastCommand('churn', size, target, [...more, ...guests].map(String));
  const blast = host.spawn(command, { stdio: 'pipe' });
  if (blast.child.stdout === null) throw new Error('bgpblast: no pipe to its output');
  const seconds: SoakSecond[] = [];
  let end: SoakEnd | undefined;
  for await (const line of createInterface({ input: blast.child.stdout })) {
    const said = JSON.parse(line) as SoakSecond | SoakEnd;
    if ('end' in said) end = said;
    else {
      seconds.push(said);
      if (seconds.length % 10 === 0) console.error(progress(speaker, seconds.slice(-10)));
    }
  }
  const { code } = await blast.exited;
  if (code !== 0 || end === undefined) throw new Error(`bgpblast: exit ${code}: ${blast.output.trim()}`);
  const said = blast.output.trim();
  if (said !== '') console.error(said);
  return { seconds, end };
}

/** The last seconds in one line. */
function progress(speaker: Speaker, last: readonly SoakSecond[]): string {
  const now = last.at(-1) as SoakSecond;
  const of = (pick: (s: SoakSecond) => number) => last.map(pick);
  const cpu = (now.cpu_s - (last[0] as SoakSecond).cpu_s) / (now.t - (last[0] as SoakSecond).t);
  return (
    `${speaker.title} ${now.t.toFixed(0)} s: ${(now.rss_kb / 1024).toFixed(0)} MB, CPU ${(cpu * 100).toFixed(0)} %, ` +
    `${whole(of((s) => s.sent).reduce((a, b) => a + b) / last.length)} changes/s, ` +
    `flap worst p50 ${Math.max(...of((s) => s.p50_ms)).toFixed(1)} max ${Math.max(...of((s) => s.max_ms)).toFixed(0)} ms, ` +
    `load's own ${Math.max(...of((s) => s.load_ms)).toFixed(0)} ms, unread ${now.unread_kb} kB, ${now.up} peers up`
  );
}

/** Asks the speaker for its event loop delay every ten seconds: it answers for the last minute or two only. */
class InsideWatch {
  readonly #running: RunningSpeaker;
  readonly #timer: NodeJS.Timeout;
  #pending: Promise<void> = Promise.resolve();
  #worst: InsideView | undefined;

  constructor(running: RunningSpeaker) {
    this.#running = running;
    this.#timer = setInterval(() => {
      this.#pending = this.#ask();
    }, INSIDE_EVERY_MS);
  }

  /** The worst of all answers; undefined when the speaker has none. */
  async stop(): Promise<InsideView | undefined> {
    clearInterval(this.#timer);
    await this.#pending;
    await this.#ask();
    return this.#worst;
  }

  async #ask(): Promise<void> {
    // A speaker that is gone is reported by the load, with its output.
    const view = await this.#running.inside?.().catch(() => undefined);
    if (view === undefined) return;
    const { eventLoopDelayP99Ms: p99, eventLoopDelayMaxMs: max, heapUsedBytes: heap } = view;
    this.#worst = {
      eventLoopDelayP99Ms: Math.max(p99, this.#worst?.eventLoopDelayP99Ms ?? 0),
      eventLoopDelayMaxMs: Math.max(max, this.#worst?.eventLoopDelayMaxMs ?? 0),
      heapUsedBytes: Math.max(heap, this.#worst?.heapUsedBytes ?? 0),
    };
  }
}

function keepRaw({ speaker, seconds, end, inside }: SoakRun): void {
  mkdirSync(BUILD, { recursive: true });
  const lines = [...seconds, { ...end, inside }].map((line) => JSON.stringify(line));
  writeFileSync(join(BUILD, `soak-${speaker.name}.jsonl`), `${lines.join('\n')}\n`);
}
