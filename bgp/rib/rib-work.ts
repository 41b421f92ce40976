// What the work loop runs: decide on dirty prefixes, tell the update groups and the listeners, free what is
// gone; and in the background sweeps, members that catch up, and housekeeping.
import type { Clock } from '../io.ts';
import type { AdjRibIn } from './in/adj-rib-in.ts';
import type { Decision } from './table/decision.ts';
import type { ExportGroups } from './out/export-groups.ts';
import { MOST_CHANGES, type RibForwarding } from './forwarding.ts';
import type { Housekeeping } from './housekeeping.ts';
import type { NextHops } from './attributes/next-hops.ts';
import type { PeerSlots } from './table/peer-slots.ts';
import type { ReadingPace } from './in/reading-pace.ts';
import { DEAD, HAS_DEAD, type RibTable } from './table/rib-table.ts';
import type { Sweeper } from './in/sweeper.ts';
import type { Work } from './work-loop.ts';

export interface WorkParts {
  readonly clock: Clock;
  readonly tables: readonly [RibTable, RibTable];
  readonly decision: Decision;
  readonly exports: ExportGroups;
  readonly paths: AdjRibIn;
  readonly slots: PeerSlots;
  readonly nextHops: NextHops;
  readonly sweepers: readonly Sweeper[];
  readonly forwarding: RibForwarding;
  readonly pace: ReadingPace;
  readonly housekeeping: Housekeeping;
  /** Changes processed at once, for tests. */
  readonly most: number;
  /** Background work of the owner, cheap. */
  idle(): void;
}

export class RibWork implements Work {
  readonly #parts: WorkParts;
  readonly #most: number;
  /** Sweeps and exports take turns: who causes sweeps all the time must not keep others from their tables. */
  #isSweepsTurn = false;
  readonly #touched = new Int32Array(MOST_CHANGES);
  readonly #isChanged = new Uint8Array(MOST_CHANGES);

  constructor(parts: WorkParts) {
    this.#parts = parts;
    this.#most = Math.min(MOST_CHANGES, parts.most);
  }

  get changes(): number {
    const { tables } = this.#parts;
    return tables[0].dirtyCount + tables[1].dirtyCount;
  }

  begin(): void {
    this.#parts.pace.beginTurn();
  }

  process(count: number): number {
    const { tables, clock, housekeeping } = this.#parts;
    let written = 0;
    for (const table of tables) {
      if (table.dirtyCount > 0) written += this.#process(table, Math.min(count, this.#most));
    }
    housekeeping.noteChange(clock.now());
    return written;
  }

  background(): boolean {
    const { sweepers, nextHops, exports, housekeeping } = this.#parts;
    const isSweeping = sweepers.some((sweeper) => !sweeper.isIdle);
    this.#isSweepsTurn = isSweeping && !this.#isSweepsTurn;
    if (this.#isSweepsTurn) {
      for (const sweeper of sweepers) if (!sweeper.isIdle) sweeper.step();
      if (sweepers.every((sweeper) => sweeper.isIdle)) nextHops.settle();
      return true;
    }
    if (exports.step() || isSweeping) return true;
    this.#parts.idle();
    return housekeeping.step();
  }

  end(): boolean {
    this.#parts.housekeeping.keepBound();
    return this.#parts.pace.endTurn(this.changes);
  }

  #process(table: RibTable, count: number): number {
    const { decision, clock, exports, slots } = this.#parts;
    const touched = this.#touched;
    const isChanged = this.#isChanged;
    let n = 0;
    for (; n < count; n++) {
      const prefix = table.takeDirty();
      if (prefix < 0) break;
      touched[n] = prefix;
      isChanged[n] = decision.choose(table, prefix) ? 1 : 0;
    }
    const start = clock.now();
    for (const group of exports.groups[table.family]) {
      group.fit(slots.end);
      const takesAll = group.rules.addPath;
      for (let i = 0; i < n; i++) {
        if (takesAll || isChanged[i] === 1) group.update(touched[i]!, isChanged[i] === 1);
      }
      group.flush();
    }
    const written = clock.now() - start;
    this.#parts.forwarding.tell(table, touched, isChanged, n);
    for (let i = 0; i < n; i++) {
      const prefix = touched[i]!;
      if ((table.prefixFlags[prefix]! & HAS_DEAD) !== 0) this.#bury(table, prefix);
      if (table.head[prefix] === 0) table.orphan(prefix);
    }
    return written;
  }

  /** Unlinks and frees the dead paths of a processed prefix. */
  #bury(table: RibTable, prefix: number): void {
    const { paths, slots } = this.#parts;
    table.prefixFlags[prefix] = table.prefixFlags[prefix]! & ~HAS_DEAD;
    let next: number;
    for (let path = table.head[prefix]! - 1; path >= 0; path = next) {
      next = table.next[path]! - 1;
      if ((table.flags[path]! & DEAD) === 0) continue;
      const slot = table.peer[path]!;
      table.unlink(path);
      paths.dropSets(table, path);
      slots.paths[slot] = slots.paths[slot]! - 1;
      table.freePath(path);
    }
  }
}
