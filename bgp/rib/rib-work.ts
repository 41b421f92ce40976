// The RIB's work, in short turns, so that timers and sockets are never starved: first changes (decide on dirty
// prefixes, tell the update groups and the listeners, free what is gone), then in the background sweeps, members that
// catch up, and housekeeping. It flushes at once when idle; when a flush to many members took long it waits about as
// long before the next, so that changes gather meanwhile.
import type { Clock, Scheduler, Timer } from '#world';
import type { Aggregates } from './in/aggregates.ts';
import type { AdjRibIn } from './in/adj-rib-in.ts';
import type { Decision } from './table/decision.ts';
import type { ExportGroups } from './out/export-groups.ts';
import type { UpdateGroup } from './out/update-group.ts';
import type { RibFaults } from './faults.ts';
import { MOST_CHANGES, type RibForwarding } from './forwarding.ts';
import type { Housekeeping } from './housekeeping.ts';
import type { NextHops } from './attributes/next-hops.ts';
import type { PeerSlots } from './table/peer-slots.ts';
import type { ReadingPace } from './in/reading-pace.ts';
import { DEAD, HAS_DEAD, type RibTable } from './table/rib-table.ts';
import type { Sweeper } from './in/sweeper.ts';

/** A turn ends when it has taken this long. */
const TURN_MS = 2;
/** Waiting for more changes is worth it from this cost on. */
const WORTH_WAITING_MS = 1;
const LONGEST_WAIT_MS = 20;
/** Changes processed at once, at least. */
const FEWEST_CHANGES = 512;
/** From so many changes on there is no point in waiting for more. */
const PLENTY = 8192;
/** After a fault that nobody was found for: if it comes again and again, the rest of the process must have time. */
const AFTER_FAULT_MS = 100;

export interface WorkParts {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly tables: readonly [RibTable, RibTable];
  readonly decision: Decision;
  readonly exports: ExportGroups;
  readonly paths: AdjRibIn;
  readonly slots: PeerSlots;
  readonly nextHops: NextHops;
  readonly sweepers: readonly Sweeper[];
  readonly forwarding: RibForwarding;
  readonly aggregates: readonly Aggregates[];
  readonly pace: ReadingPace;
  readonly housekeeping: Housekeeping;
  readonly faults: RibFaults;
  /** Changes processed at once, for tests. */
  readonly most: number;
  /** Background work of the owner, cheap. */
  idle(): void;
  /** What was noted in `faults` is to be acted on. Nothing is half done. */
  failed(): void;
}

export class RibWork {
  readonly #parts: WorkParts;
  readonly #most: number;
  /** Changes processed at once: adapts to what fits a turn. */
  #batch = 2048;
  #isScheduled = false;
  #timer: Timer | undefined;
  #isStopped = false;
  #lastWriteMs = 0;
  #lastEnd = 0;
  /** Sweeps and exports take turns: who causes sweeps all the time must not keep others from their tables. */
  #isSweepsTurn = false;
  readonly #touched = new Int32Array(MOST_CHANGES);
  readonly #isChanged = new Uint8Array(MOST_CHANGES);

  constructor(parts: WorkParts) {
    this.#parts = parts;
    this.#most = Math.min(MOST_CHANGES, parts.most);
  }

  /** There is something to do. */
  wake(): void {
    if (this.#isScheduled || this.#isStopped) return;
    this.#isScheduled = true;
    this.#parts.scheduler.soon(this.#turn);
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  /** Changes waiting. */
  get changes(): number {
    const { tables } = this.#parts;
    return tables[0].dirtyCount + tables[1].dirtyCount;
  }

  readonly #turn = (): void => {
    this.#isScheduled = false;
    this.#timer = undefined;
    if (this.#isStopped) return;
    try {
      this.#work();
    } catch (error) {
      this.#parts.faults.other(error);
      this.#isScheduled = true;
      this.#timer = this.#parts.clock.setTimer(AFTER_FAULT_MS, this.#turn);
    }
    this.#parts.failed();
  };

  #work(): void {
    const { clock, pace, housekeeping, exports } = this.#parts;
    const start = clock.now();
    const waitMs = Math.min(this.#lastWriteMs, LONGEST_WAIT_MS) - (start - this.#lastEnd);
    if (waitMs >= WORTH_WAITING_MS && this.changes > 0 && this.changes < PLENTY) {
      this.#lastWriteMs = 0;
      this.#isScheduled = true;
      this.#timer = clock.setTimer(waitMs, this.#turn);
      return;
    }
    pace.beginTurn();
    let now = start;
    let hasMore = true;
    let written = 0;
    while (hasMore && now - start < TURN_MS) {
      const before = now;
      // Before all else: who catches up, moves, or joins a stream has what was packed for it.
      if (exports.deliver()) {
        now = clock.now();
      } else if (this.changes > 0) {
        written += this.#changes(this.#batch);
        now = clock.now();
        this.#adapt(now - before);
      } else {
        hasMore = this.#background();
        now = clock.now();
      }
    }
    housekeeping.keepBound();
    const isAnotherOwed = pace.endTurn(this.changes);
    this.#lastEnd = now;
    this.#lastWriteMs = written;
    if (hasMore || isAnotherOwed || exports.isDelivering || this.changes > 0) this.wake();
  }

  #adapt(tookMs: number): void {
    if (tookMs > TURN_MS) this.#batch = Math.max(FEWEST_CHANGES, this.#batch >>> 1);
    else if (tookMs < TURN_MS / 3) this.#batch = Math.min(MOST_CHANGES, this.#batch << 1);
  }

  /** Processes up to `count` changes of each family and flushes; returns the milliseconds that writing took. */
  #changes(count: number): number {
    const { tables, clock, housekeeping } = this.#parts;
    let written = 0;
    for (const table of tables) {
      if (table.dirtyCount > 0) written += this.#process(table, Math.min(count, this.#most));
    }
    housekeeping.noteChange(clock.now());
    return written;
  }

  /** One step of anything else; false when there is nothing to do. */
  #background(): boolean {
    const { sweepers, nextHops, exports, aggregates, housekeeping } = this.#parts;
    if (!exports.isBuilding && aggregates.some((one) => one.step())) return true;
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

  #process(table: RibTable, count: number): number {
    const { clock, exports, slots } = this.#parts;
    const aggregates = this.#parts.aggregates[table.family]!;
    const touched = this.#touched;
    let n = 0;
    while (n < count && table.dirtyCount > 0) n = this.#choose(table, n, count);
    if (aggregates.isOn)
      for (let i = 0; i < n; i++) if (this.#isChanged[i] === 1) aggregates.note(touched[i]!);
    const start = clock.now();
    for (const group of exports.groups[table.family]) {
      group.fit(slots.end);
      for (let i = 0; i < n; ) i = this.#updateGroup(group, i, n);
      group.flush();
    }
    const written = clock.now() - start;
    this.#tell(table, n);
    for (let i = 0; i < n; i++) {
      const prefix = touched[i]!;
      if ((table.prefixFlags[prefix]! & HAS_DEAD) !== 0) this.#bury(table, prefix);
      if (table.head[prefix] === 0) table.orphan(prefix);
    }
    aggregates.settle();
    return written;
  }

  /** Decides from #touched[from] on, up to `count` or to a prefix for which that fails; returns where to go on. */
  #choose(table: RibTable, from: number, count: number): number {
    const { decision, faults } = this.#parts;
    const touched = this.#touched;
    const isChanged = this.#isChanged;
    let n = from;
    let prefix = -1;
    try {
      for (; n < count; n++) {
        prefix = table.takeDirty();
        if (prefix < 0) break;
        touched[n] = prefix;
        isChanged[n] = decision.choose(table, prefix) ? 1 : 0;
      }
    } catch (error) {
      faults.prefix(error, table, prefix);
      isChanged[n++] = 1;
    }
    return n;
  }

  /** The same for what a group sends. */
  #updateGroup(group: UpdateGroup, from: number, count: number): number {
    const touched = this.#touched;
    const isChanged = this.#isChanged;
    const takesAll = group.rules.addPath || group.rules.originatesDefault;
    let i = from;
    try {
      for (; i < count; i++) {
        if (takesAll || isChanged[i] === 1) group.update(touched[i]!, isChanged[i] === 1);
      }
    } catch (error) {
      group.spare(error, touched[i++]!);
    }
    return i;
  }

  #tell(table: RibTable, count: number): void {
    const { forwarding, faults } = this.#parts;
    const touched = this.#touched;
    const isChanged = this.#isChanged;
    try {
      forwarding.tell(table, touched, isChanged, count);
      return;
    } catch {
      // Once more, one by one: then it is known for which prefix it fails, and the others are told.
    }
    for (let i = 0; i < count; i++) {
      try {
        forwarding.tell(table, touched.subarray(i, i + 1), isChanged.subarray(i, i + 1), 1);
      } catch (error) {
        faults.prefix(error, table, touched[i]!);
      }
    }
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
