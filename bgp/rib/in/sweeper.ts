// Walks all paths of a table in small steps when something changed for many of them at once: a session ended
// (its epoch is over) or did not come back in time, an import policy changed, next hops came or went, or how many paths
// are used together. One walk serves all reasons that are pending; a reason that comes up meanwhile makes the walk go round once more.
import type { AdjRibIn } from './adj-rib-in.ts';
import type { AttributeStore } from '../attributes/attribute-store.ts';
import type { RibFaults } from '../faults.ts';
import { HOP_LINKS_CHANGED, HOP_RULE_CHANGED, type NextHops } from '../attributes/next-hops.ts';
import type { PolicyDelta } from '../../policy/policy-delta.ts';
import type { PeerSlots } from '../table/peer-slots.ts';
import { CHANGED, DEAD, NO_PEER, type RibTable } from '../table/rib-table.ts';

/** Why a peer's paths must be looked at. */
export const SWEEP_OLD_EPOCH = 1;
export const SWEEP_POLICY = 2;
export const SWEEP_LONG_LIVED = 4;
/** Its prefix limit drops, and has places for other paths than before. */
export const SWEEP_PLACES = 8;

/** What is done to a live path. */
export interface PathChanges {
  reevaluate(table: RibTable, path: number): void;
  makeLongLived(table: RibTable, path: number): void;
  fitPlaces(table: RibTable, path: number): void;
}

export class Sweeper {
  readonly #table: RibTable;
  readonly #paths: AdjRibIn;
  readonly #store: AttributeStore;
  readonly #peers: PeerSlots;
  readonly #nextHops: NextHops;
  readonly #changes: PathChanges;
  readonly #grain: number;
  readonly #faults: RibFaults;
  /** SWEEP_* bits by slot. */
  #reasons = new Uint8Array(64);
  /** By slot: what the one change of its policy concerns; without it, all. Cleared with the reasons. */
  readonly #deltas = new Map<number, PolicyDelta>();
  #nextHopsChanged = false;
  #isAllChanged = false;
  #isIdle = true;
  /** The walk is complete when it has passed the end and come to #stop. */
  #at = 0;
  #stop = 0;
  #hasWrapped = false;

  constructor(
    table: RibTable,
    paths: AdjRibIn,
    store: AttributeStore,
    peers: PeerSlots,
    nextHops: NextHops,
    changes: PathChanges,
    grain: number,
    faults: RibFaults,
  ) {
    this.#grain = grain;
    this.#faults = faults;
    this.#table = table;
    this.#paths = paths;
    this.#store = store;
    this.#peers = peers;
    this.#nextHops = nextHops;
    this.#changes = changes;
  }

  get isIdle(): boolean {
    return this.#isIdle;
  }

  /** @param delta what of the peer's routes a change of its policy concerns; undefined: all */
  sweep(slot: number, reason: number, delta?: PolicyDelta): void {
    if (slot >= this.#reasons.length) {
      const reasons = new Uint8Array(slot * 2);
      reasons.set(this.#reasons);
      this.#reasons = reasons;
    }
    if ((reason & SWEEP_POLICY) !== 0) {
      const isFirst = (this.#reasons[slot]! & SWEEP_POLICY) === 0;
      if (isFirst && delta !== undefined) this.#deltas.set(slot, delta);
      else this.#deltas.delete(slot);
    }
    this.#reasons[slot] = this.#reasons[slot]! | reason;
    this.#start();
  }

  /** Are paths that a peer no longer has, or that wait for a place, still to be found? Else it could keep the walk going for ever. */
  isClearing(slot: number): boolean {
    return !this.#isIdle && ((this.#reasons[slot] ?? 0) & (SWEEP_OLD_EPOCH | SWEEP_PLACES)) !== 0;
  }

  /** What every prefix is forwarded by must be decided and told again. */
  sweepAll(): void {
    this.#isAllChanged = true;
    this.#start();
  }

  sweepNextHops(): void {
    this.#nextHopsChanged = true;
    this.#start();
  }

  /** One step. */
  step(): void {
    try {
      this.#walk();
    } catch (error) {
      // The walk goes on behind the path that it failed at.
      this.#faults.path(error, this.#table, this.#at);
      this.#advance(this.#table.pathIds.end);
    }
  }

  #walk(): void {
    const table = this.#table;
    const end = table.pathIds.end;
    const reasons = this.#reasons;
    const peers = table.peer;
    for (let count = this.#grain * 4; count > 0 && !this.#isIdle; count--) {
      const path = this.#at;
      if (path < end && table.pathIds.has(path) && peers[path] !== NO_PEER) {
        const slot = peers[path]!;
        const why = slot < reasons.length ? reasons[slot]! : 0;
        if (why !== 0) this.#look(path, slot, this.#concerned(path, slot, why));
        const hopChange = this.#nextHopsChanged ? this.#hopChange(path) : 0;
        if ((hopChange & (HOP_RULE_CHANGED | HOP_LINKS_CHANGED)) !== 0) this.#look(path, slot, SWEEP_POLICY);
        if (hopChange !== 0 || this.#isAllChanged) {
          table.flags[path] = table.flags[path]! | CHANGED;
          table.markDirty(table.prefix[path]!, false);
        }
      }
      this.#advance(end);
    }
  }

  /** HOP_* bits of the next hop that a path is used with; and of what rules asked of the one that it came with. */
  #hopChange(path: number): number {
    const { changed } = this.#nextHops;
    const { nextHop } = this.#store;
    const hop = nextHop[this.#table.attribute[path]!]!;
    const original = this.#table.original?.[path] ?? -1;
    const came = original < 0 ? -1 : nextHop[original]!;
    const asked = came < 0 ? 0 : changed[came]! & (HOP_RULE_CHANGED | HOP_LINKS_CHANGED);
    return (hop < 0 ? 0 : changed[hop]!) | asked;
  }

  /** The reasons without SWEEP_POLICY when the change is about other routes. */
  #concerned(path: number, slot: number, why: number): number {
    const delta = (why & SWEEP_POLICY) === 0 ? undefined : this.#deltas.get(slot);
    if (delta === undefined) return why;
    const { prefixes, prefix } = this.#table;
    return delta.concerns(prefixes, prefix[path]!, this.#peers.kind[slot]!) ? why : why & ~SWEEP_POLICY;
  }

  /** A new reason: all paths from here on and around must be looked at (once more). */
  #start(): void {
    this.#isIdle = false;
    this.#stop = this.#at;
    this.#hasWrapped = false;
  }

  #advance(end: number): void {
    this.#at++;
    const isPastEnd = this.#at >= end;
    if (this.#hasWrapped && (isPastEnd || this.#at >= this.#stop)) {
      this.#finish();
    } else if (isPastEnd) {
      this.#at = 0;
      this.#hasWrapped = true;
      if (this.#stop === 0) this.#finish();
    }
  }

  #look(path: number, slot: number, why: number): void {
    const table = this.#table;
    if ((table.flags[path]! & DEAD) !== 0) return;
    const { family } = table;
    const epoch = table.epoch[path]!;
    if (!this.#peers.isUsed(slot, family, epoch)) {
      if ((why & SWEEP_OLD_EPOCH) !== 0) this.#paths.kill(table, path, false);
      return;
    }
    if ((why & SWEEP_LONG_LIVED) !== 0) this.#changes.makeLongLived(table, path);
    if ((why & SWEEP_POLICY) !== 0 && (table.flags[path]! & DEAD) === 0)
      this.#changes.reevaluate(table, path);
    if ((why & SWEEP_PLACES) !== 0 && (table.flags[path]! & DEAD) === 0) this.#changes.fitPlaces(table, path);
  }

  #finish(): void {
    this.#isIdle = true;
    if (this.#at >= this.#table.pathIds.end) this.#at = 0;
    this.#reasons.fill(0);
    this.#deltas.clear();
    this.#nextHopsChanged = false;
    this.#isAllChanged = false;
  }
}
