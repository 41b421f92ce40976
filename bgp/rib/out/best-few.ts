// Of the paths of a prefix that may go out those that do go, where a neighbour takes only so many: the best, and of the
// others the best again, as if those before were not there. Scratch for one prefix at a time.
import { resizeI32 } from '../../columns/columns.ts';
import type { ExportRules } from './export-rules.ts';
import type { ExportView } from './export-view.ts';
import type { AttributeStore } from '../attributes/attribute-store.ts';
import type { RibTable } from '../table/rib-table.ts';

export class BestFew {
  readonly #attributes: AttributeStore;
  /** All of the prefix: the first `count` go out, the best first. */
  paths = new Int32Array(64);
  /** Beside these, with a reference until release(). */
  sets = new Int32Array(64);
  total = 0;
  count = 0;
  #candidates = 0;

  constructor(attributes: AttributeStore) {
    this.#attributes = attributes;
  }

  find(view: ExportView, rules: ExportRules, table: RibTable, prefix: number): void {
    const { references } = this.#attributes;
    this.total = 0;
    this.count = 0;
    this.#candidates = 0;
    for (let path = table.head[prefix]! - 1; path >= 0; path = table.next[path]! - 1) {
      const set = view.path(rules, table, path);
      this.#add(path, set);
      if (set >= 0) references[set] = references[set]! + 1;
    }
    this.count = Math.min(this.#candidates, rules.mostPaths);
    if (this.count === this.#candidates) return;
    for (let i = 0; i < this.count; i++)
      this.#swap(i, view.decision.bestOf(table, this.paths, i, this.#candidates));
  }

  /** After find(), also one that threw. */
  release(): void {
    for (let i = 0; i < this.#candidates; i++) this.#attributes.release(this.sets[i]!);
    this.#candidates = 0;
  }

  /** @param set below 0: it does not go out */
  #add(path: number, set: number): void {
    const last = this.total++;
    if (last === this.paths.length) {
      this.paths = resizeI32(this.paths, last * 2);
      this.sets = resizeI32(this.sets, last * 2);
    }
    this.paths[last] = path;
    this.sets[last] = set;
    if (set >= 0) this.#swap(this.#candidates++, last);
  }

  #swap(a: number, b: number): void {
    const { paths, sets } = this;
    const path = paths[a]!;
    const set = sets[a]!;
    paths[a] = paths[b]!;
    sets[a] = sets[b]!;
    paths[b] = path;
    sets[b] = set;
  }
}
