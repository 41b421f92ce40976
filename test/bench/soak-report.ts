// The soak in words: the summary on the terminal, and the part of docs/benchmarks.md.
import { circumstances, markdown } from './report.ts';
import { growthOf, residentMbAt, type SoakEnd, type SoakSecond, whole } from './soak-figures.ts';
import { joinEvery, resetEvery, type SoakSize } from './soak-options.ts';
import type { InsideView, Speaker } from './speakers/speaker.ts';

export interface SoakRun {
  readonly speaker: Speaker;
  readonly seconds: readonly SoakSecond[];
  readonly end: SoakEnd;
  /** Only ours. */
  readonly inside: InsideView | undefined;
  readonly faults: readonly string[];
}

export function summaryLines(run: SoakRun): string[] {
  const name = run.speaker.title;
  const lines = figuresOf(run).map(([what, figure]) => `${name}: ${what}: ${figure}`);
  const verdict = run.faults.length === 0 ? 'all well' : run.faults.map((f) => `FAULT: ${f}`).join('; ');
  return [...lines, `${name}: ${verdict}`];
}

/** One column a speaker, with the picture and what was run. */
export function soakPage(runs: readonly SoakRun[], size: SoakSize, command: string): string {
  const columns = runs.map(figuresOf);
  const rows = (columns[0] ?? []).map(([what], i) => [what, ...columns.map((c) => c[i]?.[1] ?? '')]);
  const faults = runs.flatMap((r) => r.faults.map((f) => `- ${r.speaker.title}: ${f}`));
  const load =
    `${size.minutes} minutes of ${whole(size.rate)} changes a second over ${whole(size.prefixes)} prefixes from ` +
    `${size.peers} eBGP peers, each prefix announced by one to seven of them: withdrawals, new paths, new ` +
    `communities. Every ${resetEvery(size)} s one peer drops its session, by Cease or by closing, and comes back 2 s ` +
    `later with all its routes.${guestsText(size)} At the end the sink's state is compared, prefix by prefix, with ` +
    'the route that must have won. Latency is that of single flaps of other prefixes, 20 a second, from the probe ' +
    'to the sink, at any time of the churn.';
  const criterion =
    'The run fails when a prefix is wrong, a session is lost, less than 90 % of the changes were taken, or memory ' +
    'grows: the straight line through the second half may rise by 5 % of the mean there, or 8 MB.';
  const warming =
    'Memory rises in the first minutes: at first eight neighbouring prefixes share one set of ' +
    'attributes, which the churn breaks up.';
  return [
    '![memory and latency over time](soak.svg)',
    wrapped(load),
    markdown([['', ...runs.map((r) => r.speaker.title)], ...rows]),
    ...(faults.length === 0 ? [] : [faults.join('\n')]),
    wrapped(warming),
    wrapped(criterion),
    circumstances(
      runs.map((r) => r.speaker),
      command,
      () => 1,
    ),
  ].join('\n\n');
}

/** Lines of at most 118 characters. */
function wrapped(text: string): string {
  return text.replaceAll(/(.{1,118})(?: |$)/g, '$1\n').trimEnd();
}

function guestsText(size: SoakSize): string {
  const slow =
    size.slowReader === 0 ? '' : ` One more peer reads only ${whole(size.slowReader)} bytes a second.`;
  const joins =
    size.joins === 0
      ? ''
      : ` Every ${joinEvery(size)} s another one joins, reads the whole table slowly and leaves.`;
  return slow + joins;
}

function figuresOf({ seconds, end, inside }: SoakRun): [string, string][] {
  const duration = seconds.at(-1)?.t ?? NaN;
  const growth = growthOf(seconds);
  const mb = (kb: number) => (kb / 1024).toFixed(0);
  const latency = (p50: number, p99: number, max: number) =>
    `${p50.toFixed(2)} / ${p99.toFixed(1)} / ${max.toFixed(0)}`;
  const loads = seconds.map((s) => s.load_ms);
  return [
    ['RSS MB: empty, loaded', `${mb(end.empty_kb)}, ${mb(end.loaded_kb)}`],
    [
      'RSS MB: after the first minute, at the end, peak',
      `${residentMbAt(seconds, Math.min(60, duration)).toFixed(0)}, ${residentMbAt(seconds, duration).toFixed(0)}, ${mb(end.peak_kb)}`,
    ],
    [
      'RSS: slope over the second half',
      growth === undefined
        ? 'too short to judge'
        : `${growth.mbPerMinute >= 0 ? '+' : ''}${growth.mbPerMinute.toFixed(2)} MB/min`,
    ],
    ['RSS MB when all injectors had left', mb(end.left_kb)],
    ['flap latency ms: p50 / p99 / max', latency(end.p50_ms, end.p99_ms, end.max_ms)],
    [
      'while a joiner reads its table',
      end.join_flaps === 0 ? '–' : latency(end.join_p50_ms, end.join_p99_ms, end.join_max_ms),
    ],
    ["load generator's own longest delay ms", Math.max(...loads).toFixed(0)],
    ['CPU', `${((end.cpu_s / duration) * 100).toFixed(0)} % of a core`],
    ['waited for a core that others had', `${waitedMsPerS(seconds).toFixed(0)} ms in each second`],
    ['changes taken', `${whole(end.sent / duration)}/s`],
    ['prefixes updated at the sink', `${whole(end.seen / duration)}/s`],
    ['session resets, joins, sessions lost', `${end.resets}, ${end.joins}, ${end.lost}`],
    ['longest silence on a session', `${end.silence_s.toFixed(1)} s`],
    [
      'event loop delay ms, worst: p99 / max',
      inside === undefined
        ? '–'
        : `${inside.eventLoopDelayP99Ms.toFixed(1)} / ${inside.eventLoopDelayMaxMs.toFixed(1)}`,
    ],
    [
      'wrong prefixes at the sink, at a fresh reader',
      `${end.wrong}, ${end.wrong_fresh} of ${whole(end.prefixes)}`,
    ],
  ];
}

function waitedMsPerS(seconds: readonly SoakSecond[]): number {
  const first = seconds[0];
  const last = seconds.at(-1);
  return first === undefined || last === undefined
    ? NaN
    : ((last.wait_s - first.wait_s) / (last.t - first.t)) * 1000;
}
