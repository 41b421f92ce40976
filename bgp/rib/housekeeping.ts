// Forgets what nobody refers to any more, and gives memory back, when there is time for it: a withdrawn prefix
// or attribute set often comes back within moments, and while tables come or go the processor has better to do.
// Bound: what waits to be forgotten is at most LIMIT prefixes, LIMIT_BYTES of attributes, and beside LIMIT_HOPS next hops
// nothing; above that it is done at once.
import type { Clock, Timer } from '#world';
import type { AttributeStore } from './attributes/attribute-store.ts';
import type { NextHops } from './attributes/next-hops.ts';
import type { RibTable } from './table/rib-table.ts';

/** So long nothing changed before housekeeping begins … */
const QUIET_MS = 20;
/** … but where something always changes, it waits no longer than this for such a moment. */
const LONGEST_WAIT_MS = 2000;
/** Entries forgotten in one step. */
const STEP = 2048;
const LIMIT = 1 << 20;
/** A neighbour that never sends the same attributes twice, and never rests, must not hold more than this. */
const LIMIT_BYTES = 64 << 20;

/** A next hop is a kilobyte of objects and an address that is tracked: with so many none waits. */
const LIMIT_HOPS = 8192;

export class Housekeeping {
  readonly #tables: readonly RibTable[];
  readonly #attributes: AttributeStore;
  readonly #nextHops: NextHops;
  readonly #clock: Clock;
  readonly #wake: () => void;
  #timer: Timer | undefined;
  #lastChange = 0;
  /** The first change since all was tidy. */
  #wantedSince = 0;
  #isWanted = false;

  /** @param wake makes the owner call step() again */
  constructor(
    tables: readonly RibTable[],
    attributes: AttributeStore,
    nextHops: NextHops,
    clock: Clock,
    wake: () => void,
  ) {
    this.#nextHops = nextHops;
    this.#tables = tables;
    this.#attributes = attributes;
    this.#clock = clock;
    this.#wake = wake;
  }

  /** Something changed: there may be something to forget, but not now. */
  noteChange(now: number): void {
    this.#lastChange = now;
    if (this.#isWanted) return;
    this.#isWanted = true;
    this.#wantedSince = now;
  }

  /** Something was given back without a change. */
  ask(): void {
    this.#isWanted = true;
  }

  /** One step; false when there is nothing to do, or not yet. */
  step(): boolean {
    if (!this.#isWanted || this.#timer !== undefined) return false;
    const due = Math.min(this.#lastChange + QUIET_MS, this.#wantedSince + LONGEST_WAIT_MS);
    const waitMs = due - this.#clock.now();
    if (waitMs > 0) {
      this.#timer = this.#clock.setTimer(waitMs, () => {
        this.#timer = undefined;
        this.#wake();
      });
      return false;
    }
    if (this.#drop()) return true;
    if (this.#attributes.tidy()) return true;
    for (const table of this.#tables) table.shrink();
    this.#isWanted = false;
    return false;
  }

  /** Also what changes nothing may leave attributes behind: then a turn must come. */
  get isOverBound(): boolean {
    const { unusedBytes, unusedCount } = this.#attributes;
    if (unusedBytes > LIMIT_BYTES || (unusedCount > 0 && this.#nextHops.count > LIMIT_HOPS)) return true;
    return this.#tables[0]!.orphanCount > LIMIT || this.#tables[1]!.orphanCount > LIMIT;
  }

  /** Called in every turn: keeps the bound however busy it is. */
  keepBound(): void {
    while (this.isOverBound) this.#drop();
    this.#attributes.keepDense();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #drop(): boolean {
    let isLeft = false;
    for (const table of this.#tables) {
      table.dropOrphans(STEP);
      if (table.orphanCount > 0) isLeft = true;
    }
    this.#attributes.dropUnused(STEP);
    return isLeft || this.#attributes.unusedCount > 0;
  }
}
