// How answers are printed: as tables for people, as JSON or YAML for programs.
import { stripVTControlCharacters, styleText } from 'node:util';
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

/** A column's name; numbers stand on the right, so that their digits stand below each other. */
export type Column = string | { readonly right: string };
export const numbers = (name: string): Column => ({ right: name });

/** Columns two spaces apart, as wide as their widest cell; an empty cell shows as '-'. Nothing is cut. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const header = columns.map((column) => (typeof column === 'string' ? column : column.right));
  const all = [header, ...rows.map((row) => row.map((cell) => (cell === '' ? '-' : oneLine(cell))))];
  const widths = header.map((_, i) => Math.max(...all.map((row) => width(row[i] ?? ''))));
  return all
    .map((row) =>
      row
        .map((cell, i) => {
          const space = ' '.repeat((widths[i] ?? 0) - width(cell));
          return typeof columns[i] === 'string' ? cell + space : space + cell;
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

const oneLine = (cell: string): string => cell.replaceAll(/[\n\r\t]+/g, ' ');

/** Of East Asian letters and pictures: two places on a terminal. */
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\u{1f300}-\u{1faff}]/u;

/** Places that a text takes on a terminal. */
function width(text: string): number {
  let places = 0;
  for (const letter of stripVTControlCharacters(text)) {
    if (!/[\p{Mn}\p{Me}\p{Cf}]/u.test(letter)) places += WIDE.test(letter) ? 2 : 1;
  }
  return places;
}

// Colour says again what the words say; styleText leaves it out for pipes, NO_COLOR and TERM=dumb.
/** What is down or failed. */
export const bad = (text: string): string => styleText('red', text);
/** What somebody should look at. */
export const doubtful = (text: string): string => styleText('yellow', text);

/** 59 s, 12 min, 3 h, 2 d: one unit, as in kubectl. */
export function duration(seconds: number): string {
  if (seconds < 120) return `${Math.floor(seconds)} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}
