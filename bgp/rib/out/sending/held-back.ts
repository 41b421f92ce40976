// Announcements that one member may not get yet: with an advertisement interval they go out in rounds (RFC 4271 section
// 9.2.1.1). A round tells the newest state of each unit once, in their order; the next one begins an interval after it
// ended. Bound: one bit a unit.
import type { Clock, Random, Timer } from '#world';
import { Bitmap } from '../../../columns/bitmap.ts';

export class HeldBack {
  readonly #units = new Bitmap();
  count = 0;
  /** Of a round that goes on: units below were told, or come with the next one. -1: between rounds. */
  #next = -1;
  /** When the last round ended, and what part of the interval the next one is away. */
  #endedAt = Number.NEGATIVE_INFINITY;
  #share = 1;

  get isInRound(): boolean {
    return this.#next >= 0;
  }

  has(unit: number): boolean {
    return this.#units.has(unit);
  }

  add(unit: number): void {
    this.#units.add(unit);
    this.count++;
  }

  delete(unit: number): void {
    if (!this.#units.has(unit)) return;
    this.#units.delete(unit);
    this.count--;
  }

  dueAt(intervalMs: number): number {
    return this.#endedAt + intervalMs * this.#share;
  }

  beginRound(): void {
    this.#next = 0;
  }

  /** Takes the next unit of the round out; -1 when it is over. */
  take(): number {
    const unit = this.#units.nextFrom(this.#next);
    if (unit < 0) {
      this.#next = -1;
      return -1;
    }
    this.#next = unit + 1;
    this.delete(unit);
    return unit;
  }

  /** Something was announced until now: the interval begins. */
  restart(timer: AdvertisementTimer): void {
    this.#endedAt = timer.now();
    this.#share = timer.share();
  }

  /** The same neighbour, in another group: when it was told last. */
  follow(before: HeldBack): void {
    this.#endedAt = before.#endedAt;
    this.#share = before.#share;
  }
}

/** The one timer of all members with an interval: it wakes the RIB when the first of them may be told again. */
export class AdvertisementTimer {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #wake: () => void;
  #timer: Timer | undefined;
  #at = Number.POSITIVE_INFINITY;

  /** @param wake makes the owner look whose time has come */
  constructor(clock: Clock, random: Random, wake: () => void) {
    this.#clock = clock;
    this.#random = random;
    this.#wake = wake;
  }

  now(): number {
    return this.#clock.now();
  }

  /** The part of an interval to wait, so that speakers do not fall into step (RFC 4271 section 10). */
  share(): number {
    return 0.75 + 0.25 * this.#random.next();
  }

  wakeAt(at: number): void {
    if (at >= this.#at) return;
    this.#timer?.cancel();
    this.#at = at;
    this.#timer = this.#clock.setTimer(Math.max(0, at - this.now()), () => {
      this.#at = Number.POSITIVE_INFINITY;
      this.#wake();
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }
}
