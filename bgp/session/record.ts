// What is remembered of one neighbour for the operator: state and its history, errors, NOTIFICATIONs, OPENs.
// Bounded: 32 transitions, the last of everything else.
import type { Clock } from '#world';
import type { NotificationError as WireError, OpenMessage } from '../message/index.ts';
import type { DownCause } from './fsm/cause.ts';
import { causeText } from './fsm/cause-text.ts';
import type { SessionState } from './fsm/fsm-types.ts';
import { shutdownMessage } from './fsm/receive.ts';
import type {
  LossCounts,
  LostSession,
  NotificationCounts,
  NotificationRecord,
  PeerError,
  Recorded,
  StateTransition,
} from './types.ts';

const MAX_HISTORY = 32;
/** The newest ones stay whatever they are; of older ones those go first that are only another try. */
const NEWEST = 12;
const MAX_DATA_BYTES = 256;

/** `open` is undefined when it was malformed. The bytes are the whole message (for BMP and diagnosis). */
export interface OpenRecord {
  readonly bytes: Uint8Array;
  readonly open: OpenMessage | undefined;
}

export class PeerRecord {
  readonly #clock: Clock;
  state: SessionState = 'Idle';
  /** The date. */
  sinceMs: number;
  sinceMonotonicMs: number;
  flaps = 0;
  readonly losses: { -readonly [Kind in keyof LossCounts]: LossCounts[Kind] } = {};
  /** Connections that ended because another one with the same neighbour won (RFC 4271 §6.8). */
  collisions = 0;
  lastLost: LostSession | undefined;
  /** Since the last established session. */
  connectAttempts = 0;
  openIn: OpenRecord | undefined;
  openOut: OpenRecord | undefined;
  lastNotificationIn: NotificationRecord | undefined;
  lastNotificationOut: NotificationRecord | undefined;
  lastError: PeerError | undefined;
  readonly #history: StateTransition[] = [];
  /** By error code. Bound: 256 a direction. */
  readonly #notifications = { in: new Map<number, number>(), out: new Map<number, number>() };

  constructor(clock: Clock) {
    this.#clock = clock;
    this.sinceMs = clock.wall();
    this.sinceMonotonicMs = clock.now();
  }

  /**
   * @param cause of a step back
   * @returns undefined when the state is the same
   */
  moved(to: SessionState, reason: string, cause: DownCause | undefined): StateTransition | undefined {
    if (to === this.state) return undefined;
    const transition: StateTransition = {
      from: this.state,
      to,
      reason,
      ...(cause === undefined ? {} : { cause }),
      ...this.#now(),
    };
    this.state = to;
    this.sinceMs = transition.atMs;
    this.sinceMonotonicMs = transition.monotonicMs;
    this.#history.push(transition);
    if (this.#history.length > MAX_HISTORY) this.#forgetOne();
    return transition;
  }

  #now(): Recorded {
    return { atMs: this.#clock.wall(), monotonicMs: this.#clock.now() };
  }

  /** A neighbour that is away for hours must not push out how it went away. */
  #forgetOne(): void {
    const older = this.#history.slice(0, -NEWEST);
    const retry = older.findIndex(
      ({ from, to, cause }) =>
        from !== 'Established' &&
        to !== 'Established' &&
        cause?.kind !== 'notification received' &&
        cause?.kind !== 'notification unreadable',
    );
    this.#history.splice(Math.max(retry, 0), 1);
  }

  /** An established session ended. */
  lost(cause: DownCause, establishedMs: number): void {
    this.flaps++;
    this.losses[cause.kind] = (this.losses[cause.kind] ?? 0) + 1;
    this.lastLost = {
      ...this.#now(),
      cause,
      reason: causeText(cause),
      establishedSeconds: Math.floor(establishedMs / 1000),
    };
  }

  get notifications(): { readonly in: NotificationCounts; readonly out: NotificationCounts } {
    const { in: received, out } = this.#notifications;
    return { in: Object.fromEntries(received), out: Object.fromEntries(out) };
  }

  get history(): readonly StateTransition[] {
    return [...this.#history];
  }

  error(cause: DownCause): void {
    this.lastError = { ...this.#now(), cause, text: causeText(cause) };
  }

  /** What was wrong with an OPEN or a connection that is not tried any more says nothing of the next one. */
  forgetError(): void {
    this.lastError = undefined;
  }

  /** @param error `reason` is our own, for one that we sent */
  notification(direction: 'in' | 'out', error: WireError & { readonly reason?: string }, text: string): void {
    const { code, subcode, data, reason } = error;
    const message = shutdownMessage(error);
    const counts = this.#notifications[direction];
    counts.set(code, (counts.get(code) ?? 0) + 1);
    const record: NotificationRecord = {
      ...this.#now(),
      code,
      subcode,
      text,
      ...(message === undefined ? {} : { message }),
      ...(reason === undefined ? {} : { reason }),
      dataBytes: data.length,
      dataHex: Buffer.from(data.subarray(0, MAX_DATA_BYTES)).toString('hex'),
    };
    if (direction === 'in') this.lastNotificationIn = record;
    else this.lastNotificationOut = record;
  }
}
