// The words between a session and the speaker above it: what was agreed, what happened, what can be asked.
// Everything here is plain data, except Session and SessionHandler.
import type { Family } from '#ip';
import type { PeerConfig } from '../config.ts';
import type { Counters } from './connection/counters.ts';
import type { CauseKind, DownCause, HeldDown, Refusal } from './fsm/cause.ts';
import type { PendingChange } from './fsm/config-change.ts';
import type { FailOptions, SessionDown } from './fsm/down.ts';
import type { RestartState } from './fsm/local-open.ts';
import type { NotificationError, SessionState } from './fsm/fsm-types.ts';
import type { Negotiated } from './fsm/negotiate.ts';

/** When something was recorded: the date, which somebody may set back, and the clock that only runs on, by which it is in order. */
export interface Recorded {
  /** Clock.wall() */
  readonly atMs: number;
  /** Clock.now() */
  readonly monotonicMs: number;
}

export interface StateTransition extends Recorded {
  readonly from: SessionState;
  readonly to: SessionState;
  readonly reason: string;
  /** Of a step back. */
  readonly cause?: DownCause;
}

/** The speaker's view of one established connection. Dead for good after down(): every call is then ignored. */
export interface Session {
  readonly peerId: string;
  /** Changes when updatePeer() needs no reset. */
  readonly config: PeerConfig;
  /** Set from established() on. */
  readonly negotiated: Negotiated;
  readonly state: SessionState;
  /** 4096, or 65535 when extended messages were agreed (RFC 8654). */
  readonly maxMessageBytes: number;
  /** Whole messages only. The bytes are not copied and must not change. False: wait for drained(). */
  write(messages: Uint8Array): boolean;
  cork(): void;
  uncork(): void;
  readonly queuedBytes: number;
  pauseReading(): void;
  resumeReading(): void;
  /** Sends the NOTIFICATION and ends the session; down() is called before this returns. */
  fail(error: NotificationError, options?: FailOptions): void;
  readonly counters: Counters;
}

/** Of a connection with a neighbour; addresses without '%device'. */
export interface SessionEnds {
  readonly localAddress: string;
  readonly remoteAddress: string;
  /** The link that both are on, where it is known. */
  readonly device?: string;
}

/** What is known of a neighbour by BFD (RFC 5882). */
export type BfdNews =
  | { readonly state: 'up' }
  /** Taken down by either side on purpose, or not up yet: no word about the neighbour. */
  | { readonly state: 'unknown' }
  | {
      readonly state: 'failed';
      /** The diagnosis. */
      readonly text: string;
      /** Its BFD goes on while its BGP restarts (the C bit of RFC 5880). */
      readonly isIndependent: boolean;
      /** So long after the last it sent it is noticed at the latest. */
      readonly detectionMs: number;
    };

/** Calls come from inside socket and timer callbacks and must not throw. */
export interface SessionHandler {
  established(session: Session): void;
  /** A whole UPDATE, header included, in [start, end); valid during the call. On a reset-class error the handler calls session.fail(). */
  update(session: Session, buffer: Uint8Array, start: number, end: number): void;
  /** subtype: 0 request, 1 BoRR, 2 EoRR (RFC 7313). */
  routeRefresh(session: Session, family: Family, subtype: number): void;
  /** The output queue is empty again. */
  drained(session: Session): void;
  /** Once for each established(). */
  down(session: Session, reason: SessionDown): void;
  /** Somebody ordered a neighbour down, or anew: what is kept of a session before, for its return, goes. */
  abandoned?(peerId: string): void;
  /** Of a neighbour with `bfd`: a connection has brought a good OPEN. Again when the ends are others. */
  met?(peerId: string, ends: SessionEnds): void;
  /** It is gone, shut down, or without `bfd` now. */
  parted?(peerId: string): void;
  stateChanged(peerId: string, transition: StateTransition): void;
  /** A connection was closed without a session. `subject` is a neighbour's or range's id, undefined for a stranger. */
  refused?(from: string, subject: string | undefined, why: Refusal): void;
  /** Asked at every connection, for the OPEN's graceful restart capability; default: not restarting, nothing kept. */
  restartState?(): RestartState;
}

/** One neighbour as an operator sees it. Plain data, safe to keep. Times are Clock.wall() milliseconds. */
export interface PeerStatus {
  readonly id: string;
  readonly description?: string;
  /** 'address', 'address%device', or the range of a template. */
  readonly remote: string;
  readonly remotePort?: number;
  /** A range: lists only how many dynamic neighbours it has. */
  readonly dynamicPeers?: { readonly current: number; readonly max: number; readonly refused: number };
  /** The id of the range that this neighbour came from. */
  readonly dynamicOf?: string;
  readonly state: SessionState;
  /** When it came into this state, as the date was then. */
  readonly sinceMs: number;
  /** The same by Clock.now(). */
  readonly sinceMonotonicMs: number;
  /** For how long it is in this state, whatever was done to the date. */
  readonly sinceSeconds: number;
  readonly isPassive: boolean;
  /** Times that an established session was lost. */
  readonly flaps: number;
  /** Of these, how many by each kind of cause. */
  readonly losses: LossCounts;
  /** How the newest established session was lost; history may have forgotten it. */
  readonly lastLost?: LostSession;
  /** Connections that ended because another one with the same neighbour won (RFC 4271 §6.8). */
  readonly collisions: number;
  /** Over all sessions of this neighbour since it was configured. */
  readonly counters: Counters;
  /** Same, by error code. */
  readonly notifications: { readonly in: NotificationCounts; readonly out: NotificationCounts };
  readonly negotiated?: Negotiated;
  /** Readable names, such as 'multiprotocol ipv4' or 'add-path ipv6 send'. */
  readonly capabilities: {
    readonly local: readonly string[];
    readonly remote: readonly string[];
    readonly agreed: readonly string[];
  };
  /** Hold time in the newest OPEN of each side. */
  readonly offeredHoldSeconds: { readonly local?: number; readonly remote?: number };
  /** Milliseconds left; absent when a timer does not run. */
  readonly timers: {
    readonly holdMs?: number;
    readonly keepaliveMs?: number;
    readonly sendHoldMs?: number;
    readonly connectRetryMs?: number;
    readonly idleHoldMs?: number;
    readonly delayOpenMs?: number;
  };
  readonly lastNotificationIn?: NotificationRecord;
  readonly lastNotificationOut?: NotificationRecord;
  readonly lastError?: PeerError;
  /** Connections tried since the last established session. */
  readonly connectAttempts: number;
  /** Its OPEN is good, and the session waits for BFD. */
  readonly isBfdAwaited?: true;
  readonly nextAttemptInMs?: number;
  /** Why nothing is tried: 'shut down: …', 'over its prefix limit until reset', … */
  readonly heldDown?: string;
  /** The same as a value. */
  readonly heldDownBy?: HeldDown;
  /** Of an established session: what its configuration says since, and the next session will do. */
  readonly pending: readonly PendingChange[];
  readonly queuedBytes: number;
  /** Connections that are being negotiated beside the main one. */
  readonly connections: number;
  /** Newest last, at most 32; older tries that came to nothing are left out first. */
  readonly history: readonly StateTransition[];
}

export interface NotificationRecord extends Recorded {
  readonly code: number;
  readonly subcode: number;
  /** 'Cease: Administrative Shutdown: "maintenance"' */
  readonly text: string;
  /** Text of a shutdown or reset (RFC 9003). */
  readonly message?: string;
  /** Of one that we sent: what we found wrong. */
  readonly reason?: string;
  readonly dataBytes: number;
  /** Hex of the data, at most 256 bytes. */
  readonly dataHex: string;
}

/** How often by error code, such as { 4: 1, 6: 2 }. */
export type NotificationCounts = Readonly<Record<number, number>>;

export interface PeerError extends Recorded {
  readonly cause: DownCause;
  readonly text: string;
}

export type LossCounts = Readonly<Partial<Record<CauseKind, number>>>;

export interface LostSession extends Recorded {
  readonly cause: DownCause;
  readonly reason: string;
  readonly establishedSeconds: number;
}
