// Time that stands until it is moved. Nothing in here waits for real: ten simulated minutes take as long as what they
// make others do.
import type { Clock, Scheduler, Timer } from '../clock.ts';

interface FakeTimer extends Timer {
  readonly at: number;
  /** Of two that are due at one moment the one that was set first runs first. */
  readonly order: number;
  readonly callback: () => void;
  isPending: boolean;
}

export class FakeClock implements Clock, Scheduler {
  #now = 1_000_000;
  /** Somebody sets the date: timers and now() know nothing of it. */
  dateSetByMs = 0;
  #order = 0;
  #pending = 0;
  /** A heap, the next to run at 0; what was cancelled stays until it gets there. */
  readonly #timers: FakeTimer[] = [];

  now(): number {
    return this.#now;
  }

  wall(): number {
    return this.#now + 1_700_000_000_000 + this.dateSetByMs;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const timer: FakeTimer = {
      at: this.#now + Math.max(0, delayMs),
      order: this.#order++,
      callback,
      isPending: true,
      cancel: () => {
        if (!timer.isPending) return;
        timer.isPending = false;
        this.#pending--;
      },
    };
    this.#pending++;
    this.#push(timer);
    return timer;
  }

  soon(callback: () => void): void {
    this.setTimer(0, callback);
  }

  /** Timers that would still fire. */
  get pending(): number {
    return this.#pending;
  }

  /** Runs what falls due, in order, then stands `ms` later. For what is synchronous: promises get no turn. */
  advance(ms: number): void {
    const end = this.#now + ms;
    while (this.#fireNext(end));
    this.#now = end;
  }

  /** As advance; and before time passes, all promises that were made get their turn, as many as it takes. */
  async run(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      await noPromiseIsLeft();
      while (this.#fireNext(this.#now));
      await noPromiseIsLeft();
      const next = this.#next();
      if (next === undefined || next.at > end) break;
      this.#now = Math.max(this.#now, next.at);
    }
    this.#now = end;
  }

  /** The process stood still: time passes, and nothing runs until the next advance. */
  stall(ms: number): void {
    this.#now += ms;
  }

  /** Runs everything that is due now, without moving time. */
  settle(): void {
    this.advance(0);
  }

  #fireNext(end: number): boolean {
    const next = this.#next();
    if (next === undefined || next.at > end) return false;
    this.#pop();
    next.isPending = false;
    this.#pending--;
    this.#now = Math.max(this.#now, next.at);
    next.callback();
    return true;
  }

  #next(): FakeTimer | undefined {
    while (this.#timers[0]?.isPending === false) this.#pop();
    return this.#timers[0];
  }

  #push(timer: FakeTimer): void {
    const heap = this.#timers;
    let at = heap.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (isBefore(heap[parent]!, timer)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = timer;
  }

  #pop(): void {
    const heap = this.#timers;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (child >= heap.length || isBefore(last, heap[child]!)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}

const isBefore = (a: FakeTimer, b: FakeTimer): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

/** The runtime empties its queue of promises before an immediate; without I/O of others nothing else runs then. */
const noPromiseIsLeft = (): Promise<void> => new Promise((resume) => setImmediate(resume));
