// One BGP session in GET /v1/status: what was agreed, what came and went, what went wrong, and what to do about it.
// Everything that a neighbour could make long is bounded.

import type { Family } from '#ip';

/** A number for each address family. */
export type PerFamily = Readonly<Record<Family, number>>;

export type SessionState = 'Idle' | 'Connect' | 'Active' | 'OpenSent' | 'OpenConfirm' | 'Established';

export type SessionKind = 'peer' | 'mesh' | 'reflector' | 'range';

export interface SessionStatus {
  /** Stable id: the BGPPeer's name, 'NAME/NODE/FAMILY', 'mesh/NODE/FAMILY' or 'reflector/NODE/FAMILY'. */
  readonly id: string;
  /** What asked for it: a BGPPeer, podroute by itself, or a neighbour that connected from a BGPPeer's range. */
  readonly kind: SessionKind;
  /** The object that asked for it, e.g. 'BGPPeer tor-a' or 'node-to-node mesh, Node node-2'. */
  readonly from: string;
  /** The other end: 'address', 'address%device' or the range of a dynamic neighbour. */
  readonly remote: string;
  readonly remotePort?: number;
  readonly state: SessionState;
  readonly since: string;
  readonly sinceSeconds: number;
  readonly type?: 'ebgp' | 'ibgp';
  readonly configuredRemoteAs: number | 'internal' | 'external';
  readonly remoteAs?: number;
  readonly remoteRouterId?: string;
  readonly localAs: number;
  readonly localAddress?: string;
  /** Families in use when established, else those asked for. */
  readonly families: readonly Family[];
  readonly isRouteReflectorClient: boolean;
  readonly isPassive: boolean;
  /** In use when established, else as configured. */
  readonly holdTimeSeconds: number;
  readonly keepaliveTimeSeconds: number;
  /** What both sides use, in words; empty unless established. */
  readonly capabilities: readonly string[];
  /** What each side said in its newest OPEN, in words. */
  readonly offered: { readonly local: readonly string[]; readonly remote: readonly string[] };
  readonly timers: SessionTimers;
  readonly prefixes: SessionPrefixes;
  /** Of a session before, while graceful restart lets them stay; absent when there are none. */
  readonly kept?: readonly KeptRoutes[];
  readonly messages: MessageCounters;
  /** Times that an established session was lost. */
  readonly flaps: number;
  /** Of these, how many by each kind of cause, such as `{ "hold timer expired": 2 }`; kinds that never came are left out. */
  readonly losses: Readonly<Record<string, number>>;
  /** Connections that ended because another one with the same neighbour won. */
  readonly collisions: number;
  /** Connections tried since the last established session. */
  readonly connectAttempts: number;
  /** The newest of what went wrong, whatever it was. */
  readonly lastError?: SessionError;
  readonly notifications: SessionNotifications;
  /** UPDATEs with errors (RFC 7606), over all sessions with this neighbour. */
  readonly malformed: MalformedStatus;
  /** Absent before the first session. */
  readonly memory?: SessionMemory;
  /** How the newest established session ended. */
  readonly lastLost?: {
    readonly at: string;
    readonly kind: string;
    readonly reason: string;
    readonly establishedSeconds: number;
  };
  /** Only while the session is not established: why in one line, and what to do next. */
  readonly whyDown?: { readonly why: string; readonly next: string; readonly kind?: string };
  /** Of an established session: what is likely not as it was meant, and what to change. */
  readonly hint?: string;
  /** Of an established session, when there are any: fields changed since it was opened that only the next one uses. */
  readonly pending?: readonly PendingField[];
  /** Newest last, bounded. */
  readonly history: readonly SessionTransition[];
  /** Absent: BFD is not asked for, or not to be had (see the problems). */
  readonly bfd?: SessionBfd;
  /** Why the session is held down by configuration, e.g. a missing Secret. */
  readonly shutdown?: string;
  /** Names of the policies in force. */
  readonly importPolicy: string;
  readonly exportPolicy: string;
  /** Not read at the moment, because the RIB is busy with what it sent. */
  readonly isReadingPaused: boolean;
  /** Bytes that wait for the neighbour to take them. */
  readonly queuedBytes: number;
}

/** RFC 5880 section 6.2 */
export type BfdState = 'AdminDown' | 'Down' | 'Init' | 'Up';

/** How BFD sees the neighbour. */
export interface SessionBfd {
  /** 'BFDProfile fast', 'defaults' */
  readonly profile: string;
  readonly state: BfdState;
  /** ISO 8601; of this state. */
  readonly since: string;
  /** Why it left Up last, in words (RFC 5880 section 4.1); absent: it never did. */
  readonly diagnostic?: string;
  /** What the neighbour says of the same; absent: nothing. */
  readonly remoteDiagnostic?: string;
  /** In force, as agreed with the neighbour. */
  readonly transmitMicros: number;
  /** Without a packet for so long the neighbour is lost; absent: none came yet. */
  readonly detectionMicros?: number;
  /** Times that it was lost when it was up. */
  readonly downs: number;
  /** A BGP session begins only when this is up. */
  readonly isRequired?: true;
  /** Packets for this session that were not taken, and why the newest was not; absent: none. */
  readonly refused?: number;
  readonly lastRefusal?: string;
  /** Why it cannot run, such as a socket that cannot be opened. */
  readonly problem?: string;
}

/** Values as in the configuration, durations in seconds; without one: none was or is written. */
export interface PendingField {
  /** As BGPPeer calls it; of a mesh or reflector session as BGPConfiguration does. */
  readonly field: string;
  readonly inUse?: unknown;
  readonly next?: unknown;
}

/** Seconds; 0 hold time means no keepalives at all. */
export interface SessionTimers {
  readonly configured: {
    readonly hold: number;
    /** Absent: a third of the hold time. */
    readonly keepalive?: number;
    readonly connectRetry: number;
    /** Changed routes are announced at most once in this time; absent: nothing waits. */
    readonly advertisementInterval?: number;
  };
  /** Hold time in the newest OPEN of each side; the lesser one is agreed. */
  readonly offeredHold: { readonly local?: number; readonly remote?: number };
  readonly negotiated?: { readonly hold: number; readonly keepalive: number };
  /** Left until each fires; absent when it does not run. */
  readonly left: {
    readonly hold?: number;
    readonly keepalive?: number;
    readonly sendHold?: number;
    readonly connectRetry?: number;
    readonly idleHold?: number;
    readonly delayOpen?: number;
  };
}

export interface SessionPrefixes {
  /** In Adj-RIB-In: accepted, filtered and ineligible ones. */
  readonly received: PerFamily;
  readonly accepted: PerFamily;
  /** Rejected by the import policy, or dropped. */
  readonly filtered: PerFamily;
  /** Of the filtered ones, those over a limit that drops (maxPrefixes.action). */
  readonly dropped: PerFamily;
  /** Forbidden by a rule of the protocol: our AS in AS_PATH, the first AS, a role, our own next hop. */
  readonly ineligible: PerFamily;
  /** Of the ineligible ones, those with our own AS in AS_PATH. */
  readonly ownAsLoops: PerFamily;
  /** Of these, our own routes that come back. */
  readonly ownReturns: PerFamily;
  /** Of the ineligible ones, those whose next hop is this node, or on no link of it where it must be. */
  readonly unfitHops: PerFamily;
  /** Rejected ones for blocks of this node, or parts of them; at most 256. */
  readonly ownClaims: PerFamily;
  /** In Adj-RIB-Out: what the neighbour has, or gets as soon as it takes it. */
  readonly advertised: PerFamily;
  /** Of the changes to these, those that it has still to get. */
  readonly owed: PerFamily;
  /** Of these, those that wait for the advertisement interval. */
  readonly heldBack: PerFamily;
  readonly endOfRibReceived: readonly Family[];
  readonly endOfRibSent: readonly Family[];
  readonly limit: number;
}

/** Routes that the neighbour may no longer have (RFC 4724, RFC 9494), by family. */
export interface KeptRoutes {
  readonly family: Family;
  /** It is away; it is back and has not sent them again yet; it did not come back in time. */
  readonly state: 'away' | 'returning' | 'long-lived';
  readonly routes: number;
  /** Until they go; of 'away' with a long-lived time: until that begins. */
  readonly secondsLeft: number;
}

/** What a neighbour's routes make this node keep; above a limit the session ends. */
export interface SessionMemory {
  /** Of attributes; each route counts all of its own. */
  readonly attributeOctets: number;
  readonly attributeOctetsLimit: number;
  /** Different ones that it brought. */
  readonly nextHops: number;
  readonly nextHopsLimit: number;
}

/** Over all sessions with this neighbour since it was configured. */
export interface MessageCounters {
  readonly updatesIn: number;
  readonly updatesOut: number;
  readonly messagesIn: number;
  readonly messagesOut: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly in: MessagesByType;
  readonly out: MessagesByType;
}

export interface MessagesByType {
  readonly open: number;
  readonly update: number;
  readonly notification: number;
  readonly keepalive: number;
  readonly routeRefresh: number;
}

export interface SessionError {
  readonly at: string;
  /** What kind of cause it was, such as 'hold timer expired': for machines, the text is for people. */
  readonly kind: string;
  readonly direction: 'sent' | 'received' | 'local';
  /** RFC 4271 §4.5, absent for a TCP error. */
  readonly code?: number;
  readonly subcode?: number;
  readonly text: string;
}

export interface SessionNotifications {
  readonly lastIn?: NotificationStatus;
  readonly lastOut?: NotificationStatus;
  /** By error code. */
  readonly countsIn: Readonly<Record<string, number>>;
  readonly countsOut: Readonly<Record<string, number>>;
}

export interface NotificationStatus {
  readonly at: string;
  readonly code: number;
  readonly subcode: number;
  /** 'cease: administrative shutdown: "maintenance until 5"' */
  readonly text: string;
  /** What an operator wrote (RFC 9003). */
  readonly message?: string;
  /** Of one that this node sent: what it found wrong. */
  readonly reason?: string;
  readonly dataBytes: number;
  /** At most 256 octets. */
  readonly dataHex: string;
}

export interface MalformedStatus {
  readonly attributeDiscard: number;
  readonly treatAsWithdraw: number;
  readonly sessionReset: number;
  /** Newest last, at most five. */
  readonly last: readonly {
    readonly at: string;
    readonly action: 'attributeDiscard' | 'treatAsWithdraw' | 'sessionReset';
    /** 'as_path: malformed AS_PATH' */
    readonly reason: string;
    readonly messageBytes: number;
    /** The message from its header on, at most 4,096 octets. */
    readonly hex: string;
  }[];
}

export interface SessionTransition {
  readonly at: string;
  readonly from: SessionState;
  readonly to: SessionState;
  readonly reason: string;
  /** Of a step back. */
  readonly kind?: string;
}
