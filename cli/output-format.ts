// How answers are printed: as tables for people, as JSON or YAML for programs.
import { stringify } from 'yaml';

export const OUTPUT_FORMATS = ['table', 'json', 'yaml'] as const;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

/** Prints `value` as it is in JSON or YAML, else what `asTable` makes of it. */
export function print<T>(value: T, format: OutputFormat, asTable: (value: T) => string): void {
  const text =
    format === 'json'
      ? `${JSON.stringify(value, null, 2)}\n`
      : format === 'yaml'
        ? stringify(value)
        : `${asTable(value)}\n`;
  process.stdout.write(text);
}

/** Left-aligned columns two spaces apart; an empty cell shows as '-'. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, ...rows].map((row) => row.map((cell) => (cell === '' ? '-' : cell)));
  const widths = header.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  return all
    .map((row) =>
      row
        .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** 59 s, 12 min, 3 h, 2 d: one unit, as in kubectl. */
export function duration(seconds: number): string {
  if (seconds < 120) return `${Math.floor(seconds)} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}
