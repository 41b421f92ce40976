// Many deadlines behind one timer: a heap, the next at 0. Setting one allocates nothing, and what is due is asked of the
// clock, not of the timer: one that fires late finds all that fell due meanwhile. Bound: what callers keep of deadlines.
import type { Clock, Timer } from '#world';

/** So many fall due in one turn at most; the rest in the next. */
const MOST_A_TURN = 500;

export class Deadline {
  /** Clock.now() when it is due. */
  at = Infinity;
  /** In the heap; -1: not set. Only Deadlines writes it. */
  place = -1;
  readonly due: (now: number) => void;

  constructor(due: (now: number) => void) {
    this.due = due;
  }

  get isSet(): boolean {
    return this.place >= 0;
  }
}

/** Who wants to know of the turns in which deadlines fall due. */
export interface TurnsOfDeadlines {
  /** @param lateMs since the first of them */
  beforeTurn(now: number, lateMs: number): void;
  afterTurn(): void;
}

export class Deadlines {
  readonly #clock: Clock;
  readonly #heap: Deadline[] = [];
  readonly #around: TurnsOfDeadlines;
  #timer: Timer | undefined;
  #timerAt = Infinity;
  #isRunning = false;

  constructor(clock: Clock, around: TurnsOfDeadlines) {
    this.#clock = clock;
    this.#around = around;
  }

  set(deadline: Deadline, at: number): void {
    const isSooner = at < deadline.at;
    deadline.at = at;
    if (deadline.place < 0) {
      deadline.place = this.#heap.length;
      this.#heap.push(deadline);
      this.#up(deadline);
    } else if (isSooner) this.#up(deadline);
    else this.#down(deadline);
    this.#arm();
  }

  cancel(deadline: Deadline): void {
    const { place } = deadline;
    if (place < 0) return;
    deadline.place = -1;
    deadline.at = Infinity;
    const last = this.#heap.pop()!;
    if (last === deadline) return;
    last.place = place;
    this.#heap[place] = last;
    this.#up(last);
    this.#down(last);
  }

  [Symbol.dispose](): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const deadline of this.#heap.splice(0)) {
      deadline.place = -1;
      deadline.at = Infinity;
    }
  }

  /** A timer that is too early costs one look; it is left, so that setting costs no timer. */
  #arm(): void {
    const next = this.#heap[0];
    if (this.#isRunning || next === undefined || next.at >= this.#timerAt) return;
    this.#timer?.cancel();
    this.#timerAt = next.at;
    this.#timer = this.#clock.setTimer(Math.max(0, next.at - this.#clock.now()), () => this.#run());
  }

  #run(): void {
    this.#timerAt = Infinity;
    this.#isRunning = true;
    try {
      const now = this.#clock.now();
      const lateMs = now - (this.#heap[0]?.at ?? Infinity);
      if (lateMs >= 0) this.#around.beforeTurn(now, lateMs);
      for (let count = 0; count < MOST_A_TURN; count++) {
        const next = this.#heap[0];
        if (next === undefined || next.at > now) break;
        this.cancel(next);
        next.due(now);
      }
      if (lateMs >= 0) this.#around.afterTurn();
    } finally {
      this.#isRunning = false;
      this.#arm();
    }
  }

  #up(deadline: Deadline): void {
    const heap = this.#heap;
    let place = deadline.place;
    while (place > 0) {
      const parent = heap[(place - 1) >> 1]!;
      if (parent.at <= deadline.at) break;
      heap[place] = parent;
      parent.place = place;
      place = (place - 1) >> 1;
    }
    heap[place] = deadline;
    deadline.place = place;
  }

  #down(deadline: Deadline): void {
    const heap = this.#heap;
    let place = deadline.place;
    for (;;) {
      let child = 2 * place + 1;
      if (child + 1 < heap.length && heap[child + 1]!.at < heap[child]!.at) child++;
      if (child >= heap.length || deadline.at <= heap[child]!.at) break;
      heap[place] = heap[child]!;
      heap[place]!.place = place;
      place = child;
    }
    heap[place] = deadline;
    deadline.place = place;
  }
}
