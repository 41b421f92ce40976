// What is remembered of one neighbour for the operator: state and its history, errors, NOTIFICATIONs, OPENs.
// Bounded: 32 transitions, the last of everything else.
import type { Clock } from '../io.ts';
import type { NotificationError as WireError, OpenMessage } from '../message/index.ts';
import type { NotificationRecord, SessionState, StateTransition } from './types.ts';

const MAX_HISTORY = 32;
const MAX_DATA_BYTES = 64;

/** `open` is undefined when it was malformed. The bytes are the whole message (for BMP and diagnosis). */
export interface OpenRecord {
  readonly bytes: Uint8Array;
  readonly open: OpenMessage | undefined;
}

export class PeerRecord {
  readonly #clock: Clock;
  state: SessionState = 'Idle';
  sinceMs: number;
  sinceMonotonicMs: number;
  flaps = 0;
  /** Since the last established session. */
  connectAttempts = 0;
  openIn: OpenRecord | undefined;
  openOut: OpenRecord | undefined;
  lastNotificationIn: NotificationRecord | undefined;
  lastNotificationOut: NotificationRecord | undefined;
  lastError: { readonly atMs: number; readonly text: string } | undefined;
  readonly #history: StateTransition[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
    this.sinceMs = clock.wall();
    this.sinceMonotonicMs = clock.now();
  }

  /** Undefined when the state is the same. */
  moved(to: SessionState, reason: string): StateTransition | undefined {
    if (to === this.state) return undefined;
    const transition: StateTransition = { from: this.state, to, reason, atMs: this.#clock.wall() };
    this.state = to;
    this.sinceMs = transition.atMs;
    this.sinceMonotonicMs = this.#clock.now();
    this.#history.push(transition);
    if (this.#history.length > MAX_HISTORY) this.#history.shift();
    return transition;
  }

  get history(): readonly StateTransition[] {
    return [...this.#history];
  }

  error(text: string): void {
    this.lastError = { atMs: this.#clock.wall(), text };
  }

  notification(direction: 'in' | 'out', error: WireError, text: string): void {
    const { code, subcode, data } = error;
    const record: NotificationRecord = {
      atMs: this.#clock.wall(),
      code,
      subcode,
      text,
      dataHex: Buffer.from(data.subarray(0, MAX_DATA_BYTES)).toString('hex'),
    };
    if (direction === 'in') this.lastNotificationIn = record;
    else this.lastNotificationOut = record;
  }
}
