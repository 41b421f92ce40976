// What passed and failed with whom: printed after the tests, and written to docs/bgp.md when INTEROP_WRITE is set.
import { resolve } from 'node:path';
import { writeBetweenMarkers } from '../../testing/markers.ts';
import type { DaemonKind } from '../daemons/daemon.ts';

const PAGE = resolve(import.meta.dirname, '../../../docs/bgp.md');

interface MatrixCell {
  readonly text: string;
  /** Below the table. */
  readonly reason: string | undefined;
}

/** A table that fills as tests run: a cell a scenario and daemon, in the order of first mention. */
export class Matrix {
  readonly #corner: string;
  readonly #kinds: DaemonKind[] = [];
  readonly #rows = new Map<string, Map<DaemonKind, MatrixCell>>();

  constructor(corner: string) {
    this.#corner = corner;
  }

  /** @param reason why it is not what was to be expected: a note below the table */
  set(row: string, kind: DaemonKind, text: string, reason?: string): void {
    if (!this.#kinds.includes(kind)) this.#kinds.push(kind);
    const cells = this.#rows.get(row) ?? new Map<DaemonKind, MatrixCell>();
    cells.set(kind, { text, reason });
    this.#rows.set(row, cells);
  }

  markdown(): string {
    const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
    // By reason, in the order of reading: who gives it.
    const notes = new Map<string, Set<string>>();
    const textOf = (kind: DaemonKind, { text, reason }: MatrixCell) => {
      if (reason === undefined) return text;
      notes.set(reason, (notes.get(reason) ?? new Set()).add(kind.title));
      return `${text} (${[...notes.keys()].indexOf(reason) + 1})`;
    };
    const rows = [...this.#rows].map(([row, cells]) => [
      row,
      ...this.#kinds.map((kind) => textOf(kind, cells.get(kind) ?? { text: '–', reason: undefined })),
    ]);
    const head = [this.#corner, ...this.#kinds.map((kind) => `${kind.title} ${kind.version()}`.trim())];
    const table = [line(head), line(head.map(() => '---')), ...rows.map(line)];
    const below = [...notes].map(([reason, who], i) => `${i + 1}. ${[...who].join(', ')}: ${reason}`);
    return [...table, ...(below.length === 0 ? [] : ['', ...below])].join('\n');
  }

  /** Prints; with INTEROP_WRITE=1 also writes the page's part of this name. */
  publish(name: string, heading: string): void {
    if (this.#rows.size === 0) return;
    const text = this.markdown();
    console.log(`\n${text}\n`);
    if (process.env['INTEROP_WRITE'] === '1') writeBetweenMarkers(PAGE, name, heading, text);
  }
}
