// Walks all paths of a table in small steps when something changed for many of them at once: a session ended
// (its epoch is over), an import policy changed, next hops came or went. One walk serves all reasons that are
// pending; a reason that comes up meanwhile makes the walk go round once more.
import type { AdjRibIn } from './adj-rib-in.ts';
import type { AttributeStore } from './attribute-store.ts';
import type { NextHops } from './next-hops.ts';
import type { PeerSlots } from './peer-slots.ts';
import { CHANGED, DEAD, NO_PEER, type RibTable } from './rib-table.ts';

/** Paths looked at in one step: some tens of microseconds when nothing is found. */
const STEP = 16384;

/** Why a peer's paths must be looked at. */
export const SWEEP_OLD_EPOCH = 1;
export const SWEEP_POLICY = 2;

export class Sweeper {
  readonly #table: RibTable;
  readonly #paths: AdjRibIn;
  readonly #store: AttributeStore;
  readonly #peers: PeerSlots;
  readonly #nextHops: NextHops;
  readonly #reevaluate: (table: RibTable, path: number) => void;
  /** SWEEP_* bits by slot. */
  #reasons = new Uint8Array(64);
  #nextHopsChanged = false;
  #at = 0;
  /** Paths left until the walk is once around. */
  #left = 0;

  constructor(
    table: RibTable,
    paths: AdjRibIn,
    store: AttributeStore,
    peers: PeerSlots,
    nextHops: NextHops,
    reevaluate: (table: RibTable, path: number) => void,
  ) {
    this.#table = table;
    this.#paths = paths;
    this.#store = store;
    this.#peers = peers;
    this.#nextHops = nextHops;
    this.#reevaluate = reevaluate;
  }

  get isIdle(): boolean {
    return this.#left === 0;
  }

  sweep(slot: number, reason: number): void {
    if (slot >= this.#reasons.length) {
      const reasons = new Uint8Array(slot * 2);
      reasons.set(this.#reasons);
      this.#reasons = reasons;
    }
    this.#reasons[slot] = this.#reasons[slot]! | reason;
    this.#left = this.#table.pathIds.end;
    if (this.#left === 0) this.#finish();
  }

  sweepNextHops(): void {
    this.#nextHopsChanged = true;
    this.#left = this.#table.pathIds.end;
    if (this.#left === 0) this.#finish();
  }

  /** One step; returns true when the walk just ended (all reasons are served). */
  step(): boolean {
    if (this.#left === 0) return false;
    const table = this.#table;
    const end = table.pathIds.end;
    const reasons = this.#reasons;
    const peers = table.peer;
    const { changed } = this.#nextHops;
    let count = Math.min(STEP, this.#left);
    let path = this.#at;
    this.#left -= count;
    for (; count > 0; count--) {
      if (path >= end) path = 0;
      const slot = peers[path]!;
      // A path that is not in use has peer NO_PEER or was never written (slot 0 without the local bit set).
      if (slot !== NO_PEER && slot < reasons.length && table.pathIds.has(path)) {
        const why = reasons[slot]!;
        if (why !== 0) this.#look(path, slot, why);
        if (this.#nextHopsChanged) {
          const hop = this.#store.nextHop[table.attribute[path]!]!;
          if (hop >= 0 && changed[hop] === 1) {
            table.flags[path] = table.flags[path]! | CHANGED;
            table.markDirty(table.prefix[path]!, false);
          }
        }
      }
      path++;
    }
    this.#at = path;
    if (this.#left > 0) return false;
    this.#finish();
    return true;
  }

  #look(path: number, slot: number, why: number): void {
    const table = this.#table;
    if ((table.flags[path]! & DEAD) !== 0) return;
    if (table.epoch[path] !== this.#peers.epoch[slot]) {
      if ((why & SWEEP_OLD_EPOCH) !== 0) this.#paths.kill(table, path, false);
    } else if ((why & SWEEP_POLICY) !== 0) {
      this.#reevaluate(table, path);
    }
  }

  #finish(): void {
    this.#reasons.fill(0);
    this.#nextHopsChanged = false;
  }
}
