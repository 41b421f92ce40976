// Medians of runs, and the Markdown table with ratios to BIRD.
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import type { BenchCase, Size, SpeakerName } from './cases.ts';
import { sizeText } from './cases.ts';
import type { RunResult } from './run.ts';
import type { Speaker } from './speakers/speaker.ts';

/** All runs of one case with one speaker. */
export interface Series {
  readonly benchCase: BenchCase;
  readonly speaker: Speaker;
  readonly size: Size;
  /** Smaller than what the others did in this round. */
  readonly isReduced: boolean;
  readonly runs: readonly RunResult[];
  /** Why a run failed; the others still count. */
  readonly failures: readonly string[];
}

type Measure = (run: RunResult) => number;

const COLUMNS: readonly { title: string; of: Measure; unit: 's' | 'ms' | 'MB' }[] = [
  { title: 'announce s', of: (r) => r.announce_s, unit: 's' },
  { title: 'CPU s', of: (r) => r.announce_cpu_s, unit: 's' },
  { title: 'withdraw s', of: (r) => r.withdraw_s, unit: 's' },
  { title: 'CPU s', of: (r) => r.withdraw_cpu_s, unit: 's' },
  { title: 'flap p50 ms', of: (r) => r.flap_ms_p50, unit: 'ms' },
  { title: 'p99 ms', of: (r) => r.flap_ms_p99, unit: 'ms' },
  { title: 'peak RSS above empty MB', of: (r) => (r.peak_kb - r.idle_kb) / 1024, unit: 'MB' },
];

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low = NaN, high = NaN] = [sorted[middle - 1], sorted[middle]];
  return sorted.length % 2 === 1 ? high : (low + high) / 2;
}

/** One row a case and speaker; in brackets the ratio to BIRD in the same case at the same size. */
export function caseTable(all: readonly Series[]): string {
  const rows = [
    ['case', 'peers × prefixes', 'speaker', ...COLUMNS.map((c) => c.title), 'state at the sinks'],
  ];
  for (const series of all) {
    const base = all.find((s) => s.speaker.name === 'bird' && s.benchCase === series.benchCase);
    const comparable =
      base !== undefined && base !== series && base.runs.length > 0 && sameSize(base, series);
    const cells = COLUMNS.map(({ of, unit }) => {
      if (series.runs.length === 0) return '–';
      const value = median(series.runs.map(of));
      const reference = comparable ? median(base.runs.map(of)) : NaN;
      const ratio = reference > 0 ? ` (${(value / reference).toFixed(2)})` : '';
      return `${numberText(value, unit)}${ratio}`;
    });
    const size = sizeText(series.size) + (series.isReduced ? ' (reduced)' : '');
    rows.push([series.benchCase.id, size, series.speaker.title, ...cells, stateText(series)]);
  }
  return markdown(rows);
}

/** RSS with nothing connected, at rest. */
export function processTable(all: readonly Series[]): string {
  const rows = [['speaker', 'empty RSS MB']];
  for (const name of new Set(all.map((s) => s.speaker.name))) {
    const mine = all.filter((s) => s.speaker.name === name);
    const runs = mine.flatMap((s) => s.runs);
    if (runs.length === 0) continue;
    rows.push([mine[0]?.speaker.title ?? name, numberText(median(runs.map((r) => r.idle_kb / 1024)), 'MB')]);
  }
  return markdown(rows);
}

/** How late our event loop was between the first UPDATE and the last prefix at the sinks. */
export function eventLoopTable(all: readonly Series[]): string {
  const rows = [['case', 'event loop delay while the table arrives, p99 ms', 'max ms', 'max of all runs ms']];
  for (const { benchCase, runs } of all) {
    const delays = runs.flatMap((r) => (r.eventLoop === undefined ? [] : [r.eventLoop]));
    if (delays.length === 0) continue;
    const max = delays.map((d) => d.maxMs);
    const middle = [median(delays.map((d) => d.p99Ms)), median(max), Math.max(...max)];
    rows.push([benchCase.id, ...middle.map((ms) => ms.toFixed(1))]);
  }
  return rows.length === 1 ? '' : markdown(rows);
}

/** Machine, kernel, versions, date and command: what a reader needs to judge or repeat the figures. */
export function circumstances(
  speakers: readonly Speaker[],
  command: string,
  runsOf: (speaker: Speaker) => number,
): string {
  const versions = speakers.map((s) => `${s.title} ${s.version()}`).join(', ');
  const runs = [...new Set(speakers.map(runsOf))].map((n) => {
    const who = speakers.filter((s) => runsOf(s) === n).map((s) => s.title);
    return `${who.join(' and ')}: ${n === 1 ? 'one run' : `median of ${n}`}`;
  });
  return `${machineText()}; ${versions}; ${dateText()}; ${runs.join('; ')}; \`${command}\`.`;
}

/** '2 × AMD EPYC, 24 GB, Linux 6.18' */
export function machineText(): string {
  const model = /model name\s*: (.+)/.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? 'unknown CPU';
  return `${cpus().length} × ${model}, ${Math.round(totalmem() / 2 ** 30)} GB, Linux ${release()}`;
}

export const dateText = (): string => new Date().toISOString().slice(0, 10);

export function failuresText(all: readonly Series[]): string {
  const lines = all.flatMap((s) =>
    s.failures.map((f) => `- ${s.benchCase.id}, ${s.speaker.title}: ${f.split('\n')[0]}`),
  );
  return lines.join('\n');
}

export function wrongCount(all: readonly Series[], name: SpeakerName): number {
  const mine = all.filter((s) => s.speaker.name === name);
  return (
    mine.flatMap((s) => s.runs).reduce((sum, r) => sum + r.wrong, 0) + mine.flatMap((s) => s.failures).length
  );
}

function stateText(series: Series): string {
  if (series.runs.length === 0) return 'failed';
  const wrong = Math.max(...series.runs.map((r) => r.wrong));
  return wrong === 0 ? 'as sent' : `${wrong} prefixes differ`;
}

function sameSize(a: Series, b: Series): boolean {
  return a.size.peers === b.size.peers && a.size.prefixes === b.size.prefixes;
}

function numberText(value: number, unit: 's' | 'ms' | 'MB'): string {
  return unit === 'MB' || value >= 100 ? value.toFixed(0) : value.toFixed(2);
}

export function markdown(rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const [head = [], ...body] = rows;
  return [line(head), line(head.map(() => '---')), ...body.map(line)].join('\n');
}
