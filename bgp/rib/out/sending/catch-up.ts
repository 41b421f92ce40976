// A member that is not in its group's shared stream: newly established (dump), asked for a refresh, or slower
// than the others. It owes its peer the newest state of some units, one bit each, however often they change;
// changes go before bulk. When nothing is owed and its queue is empty it joins the stream again, unless it has an
// advertisement interval: then it stays, and what it is owed beside withdrawals and bulk waits for its next round.
// Announcements to who takes only so many paths of a prefix are a round too: it begins when all withdrawals have gone.
// Bound: four bits a unit and CHANGES entries, whatever the peer does.
import type { FamilyIndex } from '#ip';
import { Bitmap } from '../../../columns/bitmap.ts';
import { type AdvertisementTimer, HeldBack } from './held-back.ts';
import type { Member } from './member.ts';

/** Newest changes in order; more only set their bits. */
const CHANGES = 1024;

export const BULK_NONE = 0;
/** The peer has nothing yet: everything is sent once. */
export const BULK_DUMP = 1;
/** The peer has everything: everything is sent again. */
export const BULK_REFRESH = 2;

/** What a catch-up asks of its group and has it do. */
export interface CatchUpGroup {
  readonly rules: {
    readonly family: FamilyIndex;
    readonly intervalMs: number;
    /** Of a prefix; Infinity: all. */
    readonly mostPaths: number;
  };
  readonly timer: AdvertisementTimer;
  readonly advertised: number;
  readonly isBuilding: boolean;
  readonly hasBatch: boolean;
  readonly isBatchFull: boolean;
  readonly unitEnd: number;
  readonly grain: number;
  isSentTo(unit: number, slot: number): boolean;
  batchAnnounce(unit: number): void;
  batchWithdraw(unit: number): void;
  pin(unit: number): void;
  unpin(unit: number): void;
  unpinLater(unit: number): void;
  flushTo(member: Member): void;
  rejoin(catchUp: CatchUp): void;
}

export class CatchUp {
  readonly member: Member;
  readonly #group: CatchUpGroup;
  bulk: number;
  /** Bulk units in [cursor, end) are still to be sent. -1: not begun. */
  #cursor = -1;
  #end = 0;
  /** Bulk units that a change has sent already. */
  readonly #done = new Bitmap();
  #doneCount = 0;
  /** Announcements that wait; a unit is never here and in #dirty. */
  readonly #waiting = new HeldBack();
  /** Units whose newest state the peer must be told, or that must be looked at at least. */
  readonly #dirty = new Bitmap();
  /** For dirty and waiting units: the peer holds an older state of it. */
  readonly #held = new Bitmap();
  #dirtyCount = 0;
  #scan = 0;
  readonly #changes = new Int32Array(CHANGES);
  #changeCount = 0;
  #refreshAgain = false;

  constructor(group: CatchUpGroup, member: Member, bulk: number) {
    this.#group = group;
    this.member = member;
    this.bulk = bulk;
  }

  /** Units still owed, for status. Of bulk that goes on: those still to be looked at. */
  get owed(): number {
    const changed = this.#dirtyCount + this.#waiting.count;
    if (this.bulk === BULK_NONE) return changed;
    const ahead = this.#cursor < 0 ? this.#group.advertised : this.#end - this.#cursor - this.#doneCount;
    return changed + ahead;
  }

  /** Of the units owed, those that wait for the advertisement interval. */
  get heldBack(): number {
    return this.#group.rules.intervalMs > 0 ? this.#waiting.count : 0;
  }

  isHeldBack(unit: number): boolean {
    return this.#group.rules.intervalMs > 0 && this.#waiting.has(unit);
  }

  /** A unit's state in the group is about to change; `wasHeld`: by the old state the peer has it. */
  note(unit: number, wasHeld: boolean): void {
    if (this.bulk === BULK_DUMP) {
      if (this.#cursor < 0) return;
      if (this.#isAhead(unit)) {
        this.#done.add(unit);
        this.#doneCount++;
        this.mark(unit, false);
        return;
      }
    }
    this.mark(unit, wasHeld);
  }

  /** Owes the peer the newest state of a unit. */
  mark(unit: number, isHeld: boolean): void {
    if (this.#dirty.has(unit)) return;
    const isKnown = this.#waiting.has(unit);
    this.#waiting.delete(unit);
    this.#dirty.add(unit);
    this.#dirtyCount++;
    if (isHeld && !isKnown) {
      this.#held.add(unit);
      this.#group.pin(unit);
    }
    if (this.#changeCount < CHANGES) this.#changes[this.#changeCount++] = unit;
  }

  /** Does the peer have this unit, given what the group's state says? */
  holds(unit: number, byState: boolean): boolean {
    if (this.#isOwed(unit)) return this.#held.has(unit);
    if (this.bulk === BULK_DUMP && (this.#cursor < 0 || this.#isAhead(unit))) return false;
    return byState;
  }

  /** What the peer has of a unit, or has not, is what the group's state says. */
  isUpToDate(unit: number): boolean {
    if (this.#isOwed(unit)) return false;
    return this.bulk !== BULK_DUMP || (this.#cursor >= 0 && !this.#isAhead(unit));
  }

  /**
   * Sends a step's worth.
   * @returns true when there is more to send now; false when done, blocked, or waiting for the group
   */
  work(): boolean {
    const { member } = this;
    const group = this.#group;
    if (group.isBuilding || member.isBlocked) return false;
    if (this.bulk !== BULK_NONE && this.#cursor < 0) {
      this.#cursor = 0;
      this.#end = group.unitEnd;
      if (this.bulk === BULK_REFRESH) member.beginRefresh(group.rules.family);
    }
    const changes = this.#changes.subarray(0, this.#changeCount);
    this.#changeCount = 0;
    // What does not fit is still dirty, and comes without its place in the order.
    for (let i = 0; i < changes.length && !group.isBatchFull; i++)
      if (this.#dirty.has(changes[i]!)) this.#settle(changes[i]!);
    if (!group.hasBatch && this.#dirtyCount > 0) this.#scanDirty();
    if (this.#dirtyCount === 0) {
      if (this.#isRoundDue()) this.#advanceRound();
      else if (!group.hasBatch) this.#advanceBulk();
    }
    group.flushTo(member);
    if (member.isBlocked) return false;
    if (this.#dirtyCount > 0 || this.#isRoundDue()) return true;
    if (this.bulk !== BULK_NONE) {
      if (this.#cursor < this.#end) return true;
      if (this.bulk === BULK_DUMP && !member.mayEndDump(group.rules.family)) return false;
      if (this.bulk === BULK_DUMP) member.endDump(group.rules.family);
      else member.endRefresh(group.rules.family);
      this.bulk = BULK_NONE;
      if (group.rules.intervalMs > 0) this.#waiting.restart(group.timer);
      if (this.#refreshAgain) {
        this.#refreshAgain = false;
        this.bulk = BULK_REFRESH;
        this.#cursor = -1;
        return true;
      }
    }
    const { intervalMs } = group.rules;
    if (this.#waiting.count > 0) group.timer.wakeAt(this.#waiting.dueAt(intervalMs));
    if (intervalMs === 0) group.rejoin(this);
    return false;
  }

  /** Everything is wanted again (RFC 2918). Several requests become one; one in the middle makes another round. */
  refresh(): void {
    if (this.bulk === BULK_NONE) this.bulk = BULK_REFRESH;
    else if (this.#cursor >= 0) this.#refreshAgain = true;
  }

  /** After the difference to another group was marked: what the other group had begun goes on here. */
  goOn(old: CatchUp): void {
    this.#waiting.follow(old.#waiting);
    this.bulk = old.bulk;
    if (this.bulk !== BULK_DUMP) return;
    // What is missing is marked already; only End-of-RIB is left of the dump.
    this.#cursor = 0;
    this.#end = 0;
  }

  /** The session is gone: gives back what is pinned. */
  abandon(): void {
    for (let unit = this.#held.nextFrom(0); unit >= 0; unit = this.#held.nextFrom(unit + 1)) {
      this.#group.unpin(unit);
    }
  }

  #isAhead(unit: number): boolean {
    return unit >= this.#cursor && unit < this.#end && !this.#done.has(unit);
  }

  #scanDirty(): void {
    let unit = this.#dirty.nextFrom(this.#scan);
    if (unit < 0) unit = this.#dirty.nextFrom(0);
    for (let n = 0; n < this.#group.grain && unit >= 0 && !this.#group.isBatchFull; n++) {
      this.#settle(unit);
      unit = this.#dirty.nextFrom(unit + 1);
    }
    this.#scan = unit < 0 ? 0 : unit;
  }

  #advanceBulk(): void {
    if (this.bulk === BULK_NONE) return;
    const group = this.#group;
    const last = Math.min(this.#end, this.#cursor + this.#group.grain);
    let unit = this.#cursor;
    for (; unit < last && !group.isBatchFull; unit++) {
      if (this.#done.has(unit)) {
        this.#done.delete(unit);
        this.#doneCount--;
      } else if (group.isSentTo(unit, this.member.slot)) group.batchAnnounce(unit);
    }
    this.#cursor = unit;
  }

  #isOwed(unit: number): boolean {
    return this.#dirty.has(unit) || this.#waiting.has(unit);
  }

  /** Bulk was asked for, and waits for nothing: what waits goes before it. */
  #isRoundDue(): boolean {
    const waiting = this.#waiting;
    if (waiting.isInRound) return true;
    if (waiting.count === 0) return false;
    const { timer, rules } = this.#group;
    if (this.bulk === BULK_NONE && timer.now() < waiting.dueAt(rules.intervalMs)) return false;
    waiting.beginRound();
    return true;
  }

  #advanceRound(): void {
    const group = this.#group;
    for (let n = 0; n < group.grain && !group.isBatchFull; n++) {
      const unit = this.#waiting.take();
      if (unit < 0) {
        this.#waiting.restart(group.timer);
        return;
      }
      this.#tell(unit);
    }
  }

  /** A dirty unit: its withdrawal goes out; its announcement does, or waits. */
  #settle(unit: number): void {
    const group = this.#group;
    this.#dirty.delete(unit);
    this.#dirtyCount--;
    const { intervalMs, mostPaths } = group.rules;
    const isPaced = mostPaths !== Infinity || (intervalMs > 0 && this.bulk === BULK_NONE);
    if (isPaced && group.isSentTo(unit, this.member.slot)) this.#waiting.add(unit);
    else this.#tell(unit);
  }

  /** Puts the newest state of a unit into the batch. */
  #tell(unit: number): void {
    const group = this.#group;
    const wasHeld = this.#held.has(unit);
    if (group.isSentTo(unit, this.member.slot)) group.batchAnnounce(unit);
    else if (wasHeld) group.batchWithdraw(unit);
    if (wasHeld) {
      this.#held.delete(unit);
      group.unpinLater(unit);
    }
  }
}
