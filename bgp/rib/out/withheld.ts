// How many routes of an update group a member does not get: those that came from it (split horizon), and those
// whose next hop is its own address (TX-4). Counted as routes change, so that status need not look at a
// million of them.
// Whose address a next hop is changes when sessions come and go: then the second count is made anew in steps,
// and is too low until that is done.
import type { U16 } from '../../columns/columns.ts';

/** Slot of the other peer (not the source) whose address is the next hop of a unit's set, -1 when there is none. */
export type OwnerOf = (set: number, source: number) => number;

export class Withheld {
  /** By slot: units that came from it. */
  #bySource = new Int32Array(64);
  /** By slot: units of others through its address; of units below #counted. */
  #byOwner = new Int32Array(64);
  #counted = Number.POSITIVE_INFINITY;

  fit(slotEnd: number): void {
    if (this.#bySource.length >= slotEnd) return;
    this.#bySource = grown(this.#bySource, slotEnd * 2);
    this.#byOwner = grown(this.#byOwner, slotEnd * 2);
  }

  of(slot: number): number {
    return (this.#bySource[slot] ?? 0) + (this.#byOwner[slot] ?? 0);
  }

  /** @param by 1 when a unit of this source was added, -1 when one went */
  source(slot: number, by: 1 | -1): void {
    this.#bySource[slot] = this.#bySource[slot]! + by;
  }

  owner(slot: number, unit: number, by: 1 | -1): void {
    if (unit < this.#counted) this.#byOwner[slot] = this.#byOwner[slot]! + by;
  }

  /** Some next hop belongs to another peer now, or to none. */
  ownersChanged(): void {
    this.#byOwner.fill(0);
    this.#counted = 0;
  }

  get isCounting(): boolean {
    return this.#counted !== Number.POSITIVE_INFINITY;
  }

  /** Counts the next `count` units of a group's columns (set + 1, and source). */
  countSome(count: number, end: number, sets: Int32Array, sources: U16, ownerOf: OwnerOf): void {
    const last = Math.min(end, this.#counted + count);
    for (let unit = this.#counted; unit < last; unit++) {
      const set = sets[unit]! - 1;
      const owner = set < 0 ? -1 : ownerOf(set, sources[unit]!);
      if (owner >= 0) this.#byOwner[owner] = this.#byOwner[owner]! + 1;
    }
    this.#counted = last === end ? Number.POSITIVE_INFINITY : last;
  }
}

function grown(old: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const out = new Int32Array(length);
  out.set(old);
  return out;
}
