// The paths of one prefix in a table of their own, decided by the code that decides in the RIB's: as they are, or as another
// configuration would have them. Nothing of the RIB changes but counts of references, which are given back.
import type { FamilyIndex } from '#ip';
import type { AttributeStore } from '../attributes/attribute-store.ts';
import type { Decision } from '../table/decision.ts';
import { MOST_PATHS } from '../table/decision-steps.ts';
import { RibTable } from '../table/rib-table.ts';

export class PrefixScene {
  readonly table: RibTable;
  readonly #store: AttributeStore;
  readonly #bytes = new Uint8Array(16);
  readonly #paths: number[] = [];
  readonly #together = new Int32Array(MOST_PATHS);
  /** Its only prefix. */
  prefix = -1;

  constructor(family: FamilyIndex, store: AttributeStore) {
    this.table = new RibTable(family, 1);
    this.#store = store;
  }

  /** The prefix of another table, without paths yet. */
  begin(from: RibTable, prefix: number): void {
    const length = from.prefixes.read(prefix, this.#bytes, 0);
    this.prefix = this.table.prefixes.findOrAddBytes(this.#bytes, 0, length);
    this.table.fitPrefixColumns();
  }

  /** @param set taken with a reference of its own */
  add(slot: number, set: number, epoch: number, receivedId: number, flags = 0): void {
    const { references } = this.#store;
    references[set] = references[set]! + 1;
    const path = this.table.addPath(this.prefix, slot, set, flags, epoch);
    if (receivedId !== 0 || this.table.receivedId !== undefined)
      this.table.keepReceivedIds()[path] = receivedId;
    this.#paths.push(path);
  }

  /** The paths that are used, as numbers to compare: slot and attribute set, in order. */
  used(decision: Decision): number[] {
    const { table, prefix } = this;
    decision.choose(table, prefix);
    const count = decision.markMultipath(table, prefix, this.#together);
    const used = [...this.#together.subarray(0, count)];
    return used.map((path) => pathKey(table.peer[path]!, table.attribute[path]!)).sort((a, b) => a - b);
  }

  empty(): void {
    const { table } = this;
    for (const path of this.#paths) {
      this.#store.release(table.attribute[path]!);
      table.unlink(path);
      table.freePath(path);
    }
    this.#paths.length = 0;
    if (this.prefix >= 0) table.prefixes.remove(this.prefix);
    this.prefix = -1;
  }
}

/** A path's slot and attribute set in one number. */
export const pathKey = (slot: number, set: number): number => slot * 0x1_0000_0000 + set;
export const slotOf = (key: number): number => Math.floor(key / 0x1_0000_0000);
export const setOf = (key: number): number => key % 0x1_0000_0000;
