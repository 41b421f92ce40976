// How many routes of an update group a member does not get: those that came from it (split horizon), and those
// whose next hop is its own address (TX-4), which it may share with others. Counted as routes change, so that status
// need not look at a million of them.
// Whose address a next hop is changes when sessions come and go: then what hangs on it is counted anew in steps,
// and is too low until that is done.
import type { U16 } from '../../columns/columns.ts';
import type { NextHops } from '../attributes/next-hops.ts';

/** Number of the neighbours' address (NextHops.owner) that a set leaves with as next hop, -1 when it is none's. */
export type OwnerOf = (set: number) => number;

export class Withheld {
  readonly #nextHops: NextHops;
  /** By slot: units that came from it. */
  #bySource = new Int32Array(64);
  /** By number of an address: units through it; of units below #counted. */
  #byOwner = new Int32Array(64);
  /** By slot: units that came from it through its own address, which both others have; of units below #counted. */
  #inBoth = new Int32Array(64);
  #counted = Number.POSITIVE_INFINITY;

  constructor(nextHops: NextHops) {
    this.#nextHops = nextHops;
  }

  /** There are no more addresses than slots. */
  fit(slotEnd: number): void {
    if (this.#bySource.length >= slotEnd) return;
    this.#bySource = grown(this.#bySource, slotEnd * 2);
    this.#byOwner = grown(this.#byOwner, slotEnd * 2);
    this.#inBoth = grown(this.#inBoth, slotEnd * 2);
  }

  of(slot: number): number {
    const owner = this.#nextHops.addressOf[slot] ?? -1;
    const own = owner < 0 ? 0 : (this.#byOwner[owner] ?? 0) - (this.#inBoth[slot] ?? 0);
    return (this.#bySource[slot] ?? 0) + own;
  }

  /** @param by 1 when a unit of this source was added, -1 when one went */
  count(unit: number, owner: number, source: number, by: 1 | -1): void {
    this.#bySource[source] = this.#bySource[source]! + by;
    if (owner >= 0 && unit < this.#counted) this.#countOwner(owner, source, by);
  }

  #countOwner(owner: number, source: number, by: 1 | -1): void {
    this.#byOwner[owner] = this.#byOwner[owner]! + by;
    if (this.#nextHops.addressOf[source] === owner) this.#inBoth[source] = this.#inBoth[source]! + by;
  }

  /** Some next hop belongs to another peer now, or to none. */
  ownersChanged(): void {
    this.#byOwner.fill(0);
    this.#inBoth.fill(0);
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
      const owner = set < 0 ? -1 : ownerOf(set);
      if (owner >= 0) this.#countOwner(owner, sources[unit]!, 1);
    }
    this.#counted = last === end ? Number.POSITIVE_INFINITY : last;
  }
}

function grown(old: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const out = new Int32Array(length);
  out.set(old);
  return out;
}
