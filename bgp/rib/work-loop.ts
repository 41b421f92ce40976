// Runs the RIB's work in short turns, so that timers and sockets are never starved: first changes (decide,
// export, flush), then sweeps, then bulk (building groups, dumps, refreshes). It flushes at once when idle; when
// a flush to many members took long it waits about as long before the next, so that changes gather meanwhile.
import type { Clock, Scheduler, Timer } from '../io.ts';

/** A turn ends when it has taken this long. */
const TURN_MS = 2;
/** Waiting for more changes is worth it from this cost on. */
const WORTH_WAITING_MS = 1;
const LONGEST_WAIT_MS = 20;

/** The RIB's work, in pieces. */
export interface Work {
  /** Called first in each turn. */
  begin(): void;
  /** Changes waiting. */
  readonly changes: number;
  /** Processes up to `count` changes and flushes; returns the milliseconds that writing took. */
  process(count: number): number;
  /** One step of anything else; false when there is nothing to do. */
  background(): boolean;
  /** Called last in each turn; true when there must be another one. */
  end(): boolean;
}

const FEWEST = 512;
const MOST = 8192;
/** From so many changes on there is no point in waiting for more. */
const PLENTY = 8192;

export class WorkLoop {
  readonly #clock: Clock;
  readonly #scheduler: Scheduler;
  readonly #work: Work;
  /** Changes processed at once: adapts to what fits a turn. */
  #batch = 2048;
  #isScheduled = false;
  #timer: Timer | undefined;
  #isStopped = false;
  #lastWriteMs = 0;
  #lastEnd = 0;

  constructor(clock: Clock, scheduler: Scheduler, work: Work) {
    this.#clock = clock;
    this.#scheduler = scheduler;
    this.#work = work;
  }

  /** There is something to do. */
  wake(): void {
    if (this.#isScheduled || this.#isStopped) return;
    this.#isScheduled = true;
    this.#scheduler.soon(this.#turn);
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  readonly #turn = (): void => {
    this.#isScheduled = false;
    this.#timer = undefined;
    if (this.#isStopped) return;
    const work = this.#work;
    const start = this.#clock.now();
    const waitMs = Math.min(this.#lastWriteMs, LONGEST_WAIT_MS) - (start - this.#lastEnd);
    if (waitMs >= WORTH_WAITING_MS && work.changes > 0 && work.changes < PLENTY) {
      this.#lastWriteMs = 0;
      this.#isScheduled = true;
      this.#timer = this.#clock.setTimer(waitMs, this.#turn);
      return;
    }
    work.begin();
    let now = start;
    let hasMore = true;
    let written = 0;
    while (hasMore && now - start < TURN_MS) {
      const before = now;
      if (work.changes > 0) {
        written += work.process(this.#batch);
        now = this.#clock.now();
        this.#adapt(now - before);
      } else {
        hasMore = work.background();
        now = this.#clock.now();
      }
    }
    const isAnotherOwed = work.end();
    this.#lastEnd = now;
    this.#lastWriteMs = written;
    if (hasMore || isAnotherOwed || work.changes > 0) this.wake();
  };

  #adapt(tookMs: number): void {
    if (tookMs > TURN_MS) this.#batch = Math.max(FEWEST, this.#batch >>> 1);
    else if (tookMs < TURN_MS / 3) this.#batch = Math.min(MOST, this.#batch << 1);
  }
}
