// The words between a session and the speaker above it: what was agreed, what happened, what can be asked.
// Everything here is plain data, except Session and SessionHandler.
import type { PeerConfig, Role } from '../config.ts';
import type { Family } from '../family.ts';

export type SessionState = 'Idle' | 'Connect' | 'Active' | 'OpenSent' | 'OpenConfirm' | 'Established';

/** What a NOTIFICATION says (RFC 4271 §4.5); `data` is at most what fits a message. */
export interface NotificationError {
  readonly code: number;
  readonly subcode: number;
  readonly data?: Uint8Array;
  /** For our own log and status: which field of what had which value. */
  readonly reason?: string;
}

/** What both sides may use, computed from the two OPENs; fixed while the session is up. */
export interface Negotiated {
  readonly families: readonly Family[];
  readonly fourByteAs: boolean;
  readonly extendedMessages: boolean;
  readonly routeRefresh: boolean;
  readonly enhancedRouteRefresh: boolean;
  readonly extendedNextHop: boolean;
  readonly addPathReceive: { readonly ipv4: boolean; readonly ipv6: boolean };
  readonly addPathSend: { readonly ipv4: boolean; readonly ipv6: boolean };
  /** 0 = neither keepalives nor a hold timer. */
  readonly holdTimeSeconds: number;
  readonly keepaliveTimeSeconds: number;
  readonly remoteAs: number;
  readonly remoteRouterId: string;
  readonly localAs: number;
  readonly localRouterId: string;
  readonly localAddress: string;
  readonly remoteAddress: string;
  readonly device?: string;
  readonly peerType: 'ebgp' | 'ibgp';
  /** Present when both sides sent capability 64. */
  readonly gracefulRestart?: NegotiatedGracefulRestart;
  /** Ours on an eBGP session (RFC 9234); `remoteRole` is absent when the neighbour said none. */
  readonly role?: Role;
  readonly remoteRole?: Role;
}

export interface NegotiatedGracefulRestart {
  /** The neighbour has just restarted (R bit): do not wait for its End-of-RIB (RFC 4724 §4.1). */
  readonly isRemoteRestarting: boolean;
  /** Seconds that the neighbour asks us to keep its routes. */
  readonly remoteRestartSeconds: number;
  /** Families whose forwarding the neighbour can keep; `isForwardingKept` is the F bit. */
  readonly families: readonly { readonly family: Family; readonly isForwardingKept: boolean }[];
  /** Both set the N bit (RFC 8538): NOTIFICATION and hold expiry keep routes too. */
  readonly notification: boolean;
  /** RFC 9494, only when both sides sent capability 71. */
  readonly longLived: readonly { readonly family: Family; readonly staleSeconds: number }[];
}

/** Why an established session ended. */
export interface SessionDown {
  readonly cause:
    | 'notification sent'
    | 'notification received'
    | 'hold timer expired'
    | 'send hold timer expired'
    | 'connection lost'
    | 'link down'
    | 'peer restarted'
    | 'stopped';
  /** One line for log and status. */
  readonly reason: string;
  readonly notification?: NotificationError;
  /** The rules of RFC 4724 and 8538 let the routes stay as stale. Undefined when graceful restart was not agreed. */
  readonly keepRoutes: boolean;
}

export interface StateTransition {
  readonly from: SessionState;
  readonly to: SessionState;
  readonly reason: string;
  /** Clock.wall() */
  readonly atMs: number;
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

export interface FailOptions {
  /** How long the neighbour stays down before the next try; 'until reset' needs resetPeer or a changed configuration. */
  readonly holdDownSeconds?: number | 'until reset';
}

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
  stateChanged(peerId: string, transition: StateTransition): void;
  /** A connection was closed without a session. `subject` is a neighbour's or range's id, undefined for a stranger. */
  refused?(from: string, subject: string | undefined, why: string): void;
  /** Asked at every connection, for the OPEN's graceful restart capability; default: not restarting, nothing kept. */
  restartState?(peerId: string): {
    readonly isRestarting: boolean;
    readonly forwardingKept: readonly Family[];
  };
}

/** By message type; messages and bytes include the header. */
export interface Counters {
  readonly in: Readonly<DirectionCounters>;
  readonly out: Readonly<DirectionCounters>;
}

export interface DirectionCounters {
  open: number;
  update: number;
  notification: number;
  keepalive: number;
  routeRefresh: number;
  bytes: number;
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
  readonly sinceMs: number;
  readonly uptimeSeconds: number;
  readonly isPassive: boolean;
  /** Times that an established session was lost. */
  readonly flaps: number;
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
  readonly lastError?: { readonly atMs: number; readonly text: string };
  /** Connections tried since the last established session. */
  readonly connectAttempts: number;
  readonly nextAttemptInMs?: number;
  /** Why nothing is tried: 'shut down: …', 'over its prefix limit until reset', … */
  readonly heldDown?: string;
  readonly queuedBytes: number;
  /** Connections that are being negotiated beside the main one. */
  readonly connections: number;
  /** Newest last, at most 32; older tries that came to nothing are left out first. */
  readonly history: readonly StateTransition[];
}

export interface NotificationRecord {
  readonly atMs: number;
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

export interface LostSession {
  readonly atMs: number;
  readonly reason: string;
  readonly establishedSeconds: number;
}
