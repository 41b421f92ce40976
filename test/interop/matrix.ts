// What passed and failed with whom: printed after the tests, and written to docs/bgp.md when INTEROP_WRITE is set.
import { resolve } from 'node:path';
import { writeBetweenMarkers } from '../bench/markers.ts';

const PAGE = resolve(import.meta.dirname, '../../docs/bgp.md');

/** A table that fills as tests run: a cell a scenario and daemon, in the order of first mention. */
export class Matrix {
  readonly #corner: string;
  readonly #columns: string[] = [];
  readonly #rows = new Map<string, Map<string, string>>();

  constructor(corner: string) {
    this.#corner = corner;
  }

  set(row: string, column: string, text: string): void {
    if (!this.#columns.includes(column)) this.#columns.push(column);
    const cells = this.#rows.get(row) ?? new Map<string, string>();
    cells.set(column, text);
    this.#rows.set(row, cells);
  }

  /** Runs a scenario and keeps whether it passed. */
  async run(row: string, column: string, scenario: () => Promise<void>): Promise<void> {
    this.set(row, column, 'FAIL');
    await scenario();
    this.set(row, column, 'pass');
  }

  markdown(): string {
    const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
    const rows = [...this.#rows].map(([row, cells]) => [
      row,
      ...this.#columns.map((c) => cells.get(c) ?? '–'),
    ]);
    const head = [this.#corner, ...this.#columns];
    return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
  }

  /** Prints; with INTEROP_WRITE=1 also writes the page's part of this name. */
  publish(name: string, heading: string, notes = ''): void {
    const text = [this.markdown(), notes].filter((part) => part !== '').join('\n\n');
    console.log(`\n${text}\n`);
    if (process.env['INTEROP_WRITE'] === '1') writeBetweenMarkers(PAGE, name, heading, text);
  }
}
