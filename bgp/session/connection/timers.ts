// The six timers of one FSM over one alarm. Restarting a timer for a later time only writes a number; the
// alarm rings early at most once for it and is set anew.
import type { Random } from '#world';
import { Alarm, type Deadlines } from './deadlines.ts';
import type { TimerName } from '../fsm/fsm-types.ts';

const NAMES: readonly TimerName[] = [
  'connectRetry',
  'hold',
  'keepalive',
  'delayOpen',
  'idleHold',
  'sendHold',
];
const OFF = Number.POSITIVE_INFINITY;
export const HOLD = 1;
export const KEEPALIVE_TIMER = 2;
export const SEND_HOLD = 5;

/** RFC 4271 §10: 0.75 to 1.0 of the value in milliseconds. The hold timers and DelayOpen are exact. */
export function jittered(timer: TimerName, ms: number, random: Random): number {
  if (timer === 'hold' || timer === 'sendHold' || timer === 'delayOpen') return ms;
  return ms * (0.75 + 0.25 * random.next());
}

export class SessionTimers {
  readonly #deadlines: Deadlines;
  readonly #at = new Float64Array(NAMES.length).fill(OFF);
  /** As last started. */
  readonly #ms = new Float64Array(NAMES.length);
  readonly #alarm: Alarm;
  readonly #expired: (timer: TimerName, now: number) => void;
  #isStopped = false;

  /** @param expired called with the timer off; it may start and stop timers */
  constructor(deadlines: Deadlines, expired: (timer: TimerName, now: number) => void) {
    this.#deadlines = deadlines;
    this.#expired = expired;
    this.#alarm = new Alarm((now, isTimer) => this.#ring(now, isTimer));
  }

  start(timer: TimerName, now: number, ms: number): void {
    this.#ms[NAMES.indexOf(timer)] = ms;
    this.extend(timer, now, ms);
  }

  /** Once for another time: touch() goes on with the one that it was started for. */
  extend(timer: TimerName, now: number, ms: number): void {
    if (this.#isStopped) return;
    const at = now + ms;
    this.#at[NAMES.indexOf(timer)] = at;
    if (at < this.#alarm.at) this.#deadlines.set(this.#alarm, at);
  }

  /** For HOLD, KEEPALIVE_TIMER and SEND_HOLD, on the way of every message: a timer that runs begins anew. */
  touch(index: number, now: number): void {
    if (this.#at[index] !== OFF) this.#at[index] = now + this.#ms[index]!;
  }

  /** One that has run out. */
  again(timer: TimerName, now: number): void {
    this.extend(timer, now, this.#ms[NAMES.indexOf(timer)]!);
  }

  stop(timer: TimerName): void {
    this.#at[NAMES.indexOf(timer)] = OFF;
  }

  /** For good: start() does nothing any more. */
  stopAll(): void {
    this.#isStopped = true;
    this.#at.fill(OFF);
    this.#deadlines.clear(this.#alarm);
  }

  isRunning(timer: TimerName): boolean {
    return this.#at[NAMES.indexOf(timer)] !== OFF;
  }

  /** Milliseconds; undefined when it does not run. */
  remaining(timer: TimerName, now: number): number | undefined {
    const at = this.#at[NAMES.indexOf(timer)]!;
    return at === OFF ? undefined : Math.max(0, at - now);
  }

  /**
   * In the middle of reading only a KEEPALIVE may leave: whether a neighbour is silent is judged by a real timer,
   * when all sockets have had their turn since the last one.
   */
  #ring(now: number, isTimer: boolean): void {
    for (let index = 0; index < NAMES.length && !this.#isStopped; index++) {
      if (this.#at[index]! > now || (!isTimer && index !== KEEPALIVE_TIMER)) continue;
      this.#at[index] = OFF;
      this.#expired(NAMES[index]!, now);
    }
    if (this.#isStopped) return;
    let first = OFF;
    for (const at of this.#at) if (at < first) first = at;
    if (first <= now && !isTimer) this.#deadlines.defer(this.#alarm, first);
    else if (first < this.#alarm.at) this.#deadlines.set(this.#alarm, first);
  }
}
