// What passed and failed with whom: printed after the tests, and written to docs/bgp.md when INTEROP_WRITE is set.
import { resolve } from 'node:path';
import { writeBetweenMarkers } from '../../scripts/markers.ts';
import type { DaemonKind } from './daemon.ts';

const PAGE = resolve(import.meta.dirname, '../../docs/bgp.md');

/** A table that fills as tests run: a cell a scenario and daemon, in the order of first mention. */
export class Matrix {
  readonly #corner: string;
  readonly #kinds: DaemonKind[] = [];
  readonly #rows = new Map<string, Map<DaemonKind, string>>();
  /** Texts below the table, in order. */
  readonly #notes: string[] = [];

  constructor(corner: string) {
    this.#corner = corner;
  }

  set(row: string, kind: DaemonKind, text: string): void {
    if (!this.#kinds.includes(kind)) this.#kinds.push(kind);
    const cells = this.#rows.get(row) ?? new Map<DaemonKind, string>();
    cells.set(kind, text);
    this.#rows.set(row, cells);
  }

  notApplicable(row: string, kind: DaemonKind, reason: string): void {
    this.annotated(row, kind, 'n/a', reason);
  }

  /** A cell with a number that leads to a note below the table. */
  annotated(row: string, kind: DaemonKind, text: string, reason: string): void {
    const note = `${kind.title}: ${reason}`;
    if (!this.#notes.includes(note)) this.#notes.push(note);
    this.set(row, kind, `${text} (${this.#notes.indexOf(note) + 1})`);
  }

  markdown(): string {
    const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
    const rows = [...this.#rows].map(([row, cells]) => [
      row,
      ...this.#kinds.map((kind) => cells.get(kind) ?? '–'),
    ]);
    const head = [this.#corner, ...this.#kinds.map((kind) => `${kind.title} ${kind.version()}`.trim())];
    const notes = this.#notes.map((note, i) => `${i + 1}. ${note}`);
    const table = [line(head), line(head.map(() => '---')), ...rows.map(line)];
    return [...table, ...(notes.length === 0 ? [] : ['', ...notes])].join('\n');
  }

  /** Prints; with INTEROP_WRITE=1 also writes the page's part of this name. */
  publish(name: string, heading: string): void {
    if (this.#rows.size === 0) return;
    const text = this.markdown();
    console.log(`\n${text}\n`);
    if (process.env['INTEROP_WRITE'] === '1') writeBetweenMarkers(PAGE, name, heading, text);
  }
}
