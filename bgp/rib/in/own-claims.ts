// The paths of one neighbour for prefixes that are this speaker's own (PolicyTerm.action.isOwn): never used, and worth
// an alarm. Kept by path id, so that a route costs nothing unless it is one. A path that went without a word (a refresh
// left it out) is noticed when the list is read. Bound: MOST.
import type { FamilyIndex } from '#ip';
import { DEAD, FILTERED, INELIGIBLE, type RibTable } from '../table/rib-table.ts';

const MOST = 256;

export class OwnClaims {
  /** Path id * 2 + family. */
  readonly #paths = new Set<number>();

  /** Of a path that was announced, withdrawn or looked at again. */
  note(table: RibTable, path: number, isClaim: boolean): void {
    if (isClaim) {
      if (this.#paths.size < MOST) this.#paths.add(path * 2 + table.family);
    } else if (this.#paths.size > 0) this.#paths.delete(path * 2 + table.family);
  }

  /** All of a family. */
  forget(family: FamilyIndex): void {
    for (const key of this.#paths) if ((key & 1) === family) this.#paths.delete(key);
  }

  get isEmpty(): boolean {
    return this.#paths.size === 0;
  }

  /** Prefix ids of one family. @param epoch of the neighbour's paths now */
  prefixes(table: RibTable, slot: number, epoch: number): number[] {
    const found: number[] = [];
    for (const key of this.#paths) {
      if ((key & 1) !== table.family) continue;
      const path = key >> 1;
      const isThere =
        table.pathIds.has(path) &&
        table.peer[path] === slot &&
        table.epoch[path] === epoch &&
        (table.flags[path]! & (FILTERED | INELIGIBLE | DEAD)) === FILTERED;
      if (isThere) found.push(table.prefix[path]!);
      else this.#paths.delete(key);
    }
    return found;
  }
}
