// One clock timer for all deadlines of a speaker. A binary heap by time; moving an alarm costs O(log n) and
// no timer. Also asked after each chunk of input, so that keepalives leave in time while bytes pour in:
// a poll phase with much to read would otherwise run to its end before any timer.
import type { Clock, Timer } from '#world';

/** Something that is due at a time. Belongs to one Deadlines; set() and clear() are its only doors. */
export class Alarm {
  /** Clock.now() milliseconds; Infinity = not set. Written by Deadlines. */
  at = Number.POSITIVE_INFINITY;
  /** Place in the heap, -1 when not in it. Written by Deadlines. */
  index = -1;
  readonly ring: (now: number, isTimer: boolean) => void;

  /** @param ring `isTimer` false: called from poke(), in the middle of reading */
  constructor(ring: (now: number, isTimer: boolean) => void) {
    this.ring = ring;
  }
}

/** Holds one entry per alarm that is set: bounded by sessions. */
export class Deadlines {
  readonly #clock: Clock;
  readonly #heap: Alarm[] = [];
  /** Rung in the middle of reading, and waiting for the timer: it fires when all sockets have had their turn. */
  readonly #deferred = new Set<Alarm>();
  #timer: Timer | undefined;
  #armedFor = Number.POSITIVE_INFINITY;
  #isRinging = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#heap.length + this.#deferred.size;
  }

  set(alarm: Alarm, at: number): void {
    this.#deferred.delete(alarm);
    const earlier = at < alarm.at;
    alarm.at = at;
    if (alarm.index < 0) {
      this.#push(alarm);
    } else if (earlier) {
      this.#up(alarm.index);
    } else {
      this.#down(alarm.index);
    }
    if (!this.#isRinging) this.#arm();
  }

  /** From a ring in the middle of reading: to be rung for the same time by the timer, and not before. */
  defer(alarm: Alarm, at: number): void {
    this.clear(alarm);
    alarm.at = at;
    this.#deferred.add(alarm);
    if (!this.#isRinging) this.#arm();
  }

  clear(alarm: Alarm): void {
    const index = alarm.index;
    alarm.at = Number.POSITIVE_INFINITY;
    if (this.#deferred.delete(alarm) && this.size === 0) this.#disarm();
    if (index < 0) return;
    alarm.index = -1;
    const last = this.#heap.pop()!;
    if (last !== alarm) {
      this.#heap[index] = last;
      last.index = index;
      this.#up(index);
      this.#down(last.index);
    }
    if (this.size === 0) this.#disarm();
  }

  /** Rings what is due. Cheap when nothing is; does nothing when called from a ring. */
  poke(now: number): void {
    this.#ringDue(now, false);
  }

  #ringDue(now: number, isTimer: boolean): void {
    if (this.#isRinging) return;
    if (isTimer) {
      for (const alarm of this.#deferred) this.#push(alarm);
      this.#deferred.clear();
    }
    if (this.#heap.length === 0 || this.#heap[0]!.at > now) return;
    this.#isRinging = true;
    try {
      // What a ring sets anew for a time that has come waits for the next poke: no endless loop.
      for (let left = this.#heap.length; left > 0; left--) {
        const first = this.#heap[0];
        if (first === undefined || first.at > now) break;
        this.clear(first);
        first.ring(now, isTimer);
      }
    } finally {
      this.#isRinging = false;
      this.#arm();
    }
  }

  /** The timer is only moved forward: one that fires too early costs less than one made anew each time. */
  #arm(): void {
    const at = this.#deferred.size > 0 ? this.#clock.now() : this.#heap[0]?.at;
    if (at === undefined) {
      this.#disarm();
      return;
    }
    if (this.#timer !== undefined && this.#armedFor <= at) return;
    this.#timer?.cancel();
    this.#armedFor = at;
    this.#timer = this.#clock.setTimer(Math.max(0, at - this.#clock.now()), () => {
      this.#timer = undefined;
      this.#armedFor = Number.POSITIVE_INFINITY;
      this.#ringDue(this.#clock.now(), true);
      this.#arm();
    });
  }

  #disarm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#armedFor = Number.POSITIVE_INFINITY;
  }

  #push(alarm: Alarm): void {
    alarm.index = this.#heap.length;
    this.#heap.push(alarm);
    this.#up(alarm.index);
  }

  #up(from: number): void {
    const heap = this.#heap;
    const alarm = heap[from]!;
    let index = from;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (heap[parent]!.at <= alarm.at) break;
      heap[index] = heap[parent]!;
      heap[index]!.index = index;
      index = parent;
    }
    heap[index] = alarm;
    alarm.index = index;
  }

  #down(from: number): void {
    const heap = this.#heap;
    const alarm = heap[from]!;
    let index = from;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1]!.at < heap[child]!.at) child++;
      if (heap[child]!.at >= alarm.at) break;
      heap[index] = heap[child]!;
      heap[index]!.index = index;
      index = child;
    }
    heap[index] = alarm;
    alarm.index = index;
  }
}
