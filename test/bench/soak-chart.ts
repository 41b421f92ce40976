// The soak's picture: memory and latency over time, two panels, one colour a speaker. An SVG that brings its own
// background and follows the reader's light or dark scheme; no script, no font, no outside reference.
import type { SoakSecond } from './soak-figures.ts';
import type { SoakRun } from './soak-report.ts';

const WIDTH = 860;
const LEFT = 64;
const RIGHT = 20;
const PANEL = 190;
const TOPS = [56, 316] as const;
const HEIGHT = 560;
const MOST_POINTS = 300;

interface Scheme {
  readonly back: string;
  readonly text: string;
  readonly grid: string;
  /** By speaker. */
  readonly lines: readonly string[];
}

const LIGHT: Scheme = {
  back: '#ffffff',
  text: '#24292f',
  grid: '#d8dee4',
  lines: ['#0969da', '#bc4c00', '#1a7f37', '#8250df'],
};
const DARK: Scheme = {
  back: '#0d1117',
  text: '#e6edf3',
  grid: '#30363d',
  lines: ['#58a6ff', '#f0883e', '#56d364', '#bc8cff'],
};

// Plain rules for each scheme: not every viewer knows CSS variables.
const STYLE = `
  text { font: 12px system-ui, sans-serif }
  .title { font-size: 14px; font-weight: 600 }
  .grid { stroke-width: 1 }
  .line { fill: none; stroke-width: 1.6; stroke-linejoin: round }
  .max { stroke-width: 1; opacity: .45 }
  ${colours(LIGHT)}
  @media (prefers-color-scheme: dark) { ${colours(DARK)} }
`;

function colours({ back, text, grid, lines }: Scheme): string {
  const rules = [`.back { fill: ${back} }`, `text { fill: ${text} }`, `.grid { stroke: ${grid} }`];
  for (const [i, colour] of lines.entries()) {
    rules.push(`.s${i} { stroke: ${colour} }`, `.t${i} { fill: ${colour} }`);
  }
  return rules.join(' ');
}

interface Scale {
  /** Position of a value in SVG units. */
  (value: number): number;
}

/** Several seconds as one point of a line. */
interface Point {
  readonly t: number;
  readonly mb: number;
  readonly p50: number;
  readonly max: number;
}

export function soakChart(runs: readonly SoakRun[]): string {
  const lines = runs.map((run) => pointsOf(run.seconds));
  const duration = Math.max(...runs.map((run) => run.seconds.at(-1)?.t ?? 0));
  const x: Scale = (t) => LEFT + (t / duration) * (WIDTH - LEFT - RIGHT);
  const parts = [
    ...legend(runs),
    ...memoryPanel(lines, x, TOPS[0]),
    ...latencyPanel(lines, x, TOPS[1]),
    ...TOPS.flatMap((top) => timeAxis(duration, x, top + PANEL)),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img">
<title>Memory and flap latency during the soak</title>
<style>${STYLE}</style>
<rect class="back" width="${WIDTH}" height="${HEIGHT}"/>
${parts.join('\n')}
</svg>
`;
}

function memoryPanel(lines: readonly Point[][], x: Scale, top: number): string[] {
  const most = Math.max(...lines.flat().map((p) => p.mb));
  const step = niceStep(most / 5);
  const end = Math.ceil((most * 1.02) / step) * step;
  const y: Scale = (mb) => top + PANEL - (mb / end) * PANEL;
  const ticks = Array.from({ length: Math.round(end / step) + 1 }, (_, i) => i * step);
  return [
    text(LEFT, top - 12, 'Resident memory of the speaker (MB)', 'title'),
    ...ticks.flatMap((mb) => gridLine(y(mb), String(mb))),
    ...lines.map((points, i) => line(points, `line s${i}`, x, (p) => y(p.mb))),
  ];
}

function latencyPanel(lines: readonly Point[][], x: Scale, top: number): string[] {
  const values = lines.flat().filter((p) => p.p50 > 0);
  const low = Math.floor(Math.log10(Math.min(0.1, ...values.map((p) => p.p50))));
  const high = Math.ceil(Math.log10(Math.max(10, ...values.map((p) => p.max))));
  const y: Scale = (ms) => {
    const at = Math.min(high, Math.max(low, Math.log10(Math.max(ms, 1e-9))));
    return top + PANEL - ((at - low) / (high - low)) * PANEL;
  };
  const ticks = Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i));
  return [
    text(
      LEFT,
      top - 12,
      'Latency of a single flap, probe to sink (ms, logarithmic): bold p50, thin maximum',
      'title',
    ),
    ...ticks.flatMap((ms) => gridLine(y(ms), String(Number(ms.toPrecision(1))))),
    ...lines.map((points, i) => line(points, `line max s${i}`, x, (p) => y(p.max))),
    ...lines.map((points, i) => line(points, `line s${i}`, x, (p) => y(p.p50))),
  ];
}

function timeAxis(duration: number, x: Scale, bottom: number): string[] {
  const isLong = duration >= 120;
  const unit = isLong ? 60 : 1;
  const step = Math.max(1, niceStep(duration / unit / 10));
  const ticks: string[] = [];
  for (let t = 0; t <= duration / unit + 1e-9; t += step) {
    ticks.push(text(x(t * unit), bottom + 18, String(t), '', 'middle'));
  }
  const name = isLong ? 'minutes since the churn began' : 'seconds since the churn began';
  return [...ticks, text((LEFT + WIDTH - RIGHT) / 2, bottom + 38, name, '', 'middle')];
}

function legend(runs: readonly SoakRun[]): string[] {
  return runs.map((run, i) =>
    text(WIDTH - RIGHT - (runs.length - 1 - i) * 90, 22, run.speaker.title, `title t${i}`, 'end'),
  );
}

function gridLine(y: number, label: string): string[] {
  return [
    `<line class="grid" x1="${LEFT}" y1="${y.toFixed(1)}" x2="${WIDTH - RIGHT}" y2="${y.toFixed(1)}"/>`,
    text(LEFT - 8, y + 4, label, '', 'end'),
  ];
}

function line(points: readonly Point[], name: string, x: Scale, y: (point: Point) => number): string {
  const at = points.map((p) => `${x(p.t).toFixed(1)},${y(p).toFixed(1)}`);
  return `<polyline class="${name}" points="${at.join(' ')}"/>`;
}

function text(x: number, y: number, words: string, name = '', anchor = 'start'): string {
  const shown = words.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}"${name === '' ? '' : ` class="${name}"`}>${shown}</text>`;
}

/** At most MOST_POINTS points: the highest memory and latency of some seconds, and the middle one of their p50. */
function pointsOf(seconds: readonly SoakSecond[]): Point[] {
  const width = Math.ceil(seconds.length / MOST_POINTS);
  const points: Point[] = [];
  for (let i = 0; i < seconds.length; i += width) {
    const some = seconds.slice(i, i + width).filter((s) => s.flaps > 0);
    if (some.length === 0) continue;
    const p50 = some.map((s) => s.p50_ms).sort((a, b) => a - b)[some.length >> 1] as number;
    points.push({
      t: some[0]?.t ?? 0,
      mb: Math.max(...some.map((s) => s.rss_kb)) / 1024,
      p50,
      max: Math.max(...some.map((s) => s.max_ms)),
    });
  }
  return points;
}

/** The next of 1, 2, 5, 10, 20 … */
function niceStep(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5].find((n) => n * power >= value) ?? 10) * power;
}
