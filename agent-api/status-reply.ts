// What the agent's socket answers of the node as a whole. The rules for every file of this room: plain data, one type an
// endpoint; a field may be added, never changed in meaning; times of day are ISO 8601 text in UTC, durations carry
// their unit in the name, addresses and prefixes are canonical text.
import type { IpamSummary } from './ipam-reply.ts';
import type { PerFamily, SessionStatus } from './session-reply.ts';

/** GET /v1/version */
export interface VersionReply {
  readonly version: string;
  readonly node: string;
  readonly pid: number;
  /** Runtime, for bug reports: 'v24.21.0'. */
  readonly runtime: string;
}

/** GET /v1/status */
export interface StatusReply {
  readonly node: string;
  readonly version: string;
  readonly pid: number;
  readonly startedAt: string;
  readonly uptimeSeconds: number;
  /** Undefined while no plan could be made (no Node document). */
  readonly asNumber?: number;
  readonly routerId?: string;
  readonly clusterId?: string;
  readonly addresses: { readonly ipv4?: string; readonly ipv6?: string };
  /** podroute.io/GracefulShutdown: what it announces is marked, and others take another way where there is one. */
  readonly isLeaving?: true;
  readonly plan: PlanSummary;
  readonly sessions: readonly SessionStatus[];
  /** Ranges from which neighbours may connect; those that did are in `sessions`. */
  readonly ranges: readonly RangeStatus[];
  /** Sessions whose neighbour is not found yet; absent: none. */
  readonly waiting?: readonly WaitingSession[];
  readonly rib: RibStatus;
  /** Undefined with --fib none. */
  readonly fib?: FibStatus;
  readonly ipam: IpamSummary;
  /** Families in which nothing is chosen among learned routes yet, after a restart; absent: none. */
  readonly deferred?: readonly DeferredSelection[];
  /** Of all neighbours together, since start; absent until there is a plan. */
  readonly speaker?: {
    /** Connections from addresses that are nobody's. */
    readonly strangersRefused: number;
    /** Log lines that neighbours would have caused above the rate of their kind. */
    readonly logLinesLeftOut: number;
  };
  /** BFD packets that belong to no session, since the thread of BFD began; absent: none came, or nobody listens. */
  readonly bfdUnclaimed?: {
    readonly packets: number;
    /** Of the newest: 'from 192.0.2.9 to 192.0.2.1, between which there is no session'. */
    readonly lastReason: string;
  };
  /**
   * Packets of pods that the kernel dropped, since it checks them; absent: it does not (see problems), or the agent is
   * without pods.
   */
  readonly podPacketsDropped?: {
    /** From an address that is not the pod's. */
    readonly source: number;
    /** Router advertisements. */
    readonly advertisement: number;
    /** From a link-local address, other than reports of multicast groups. */
    readonly linkLocal: number;
  };
  /** Addresses of Pods that are gone; absent: there are and were none, or nobody says which Pods there are. */
  readonly leaks?: LeaksStatus;
  /** Why no pod can be given an address now; absent: one can, or the agent is without pods. */
  readonly whyNoPods?: string;
  /** Whether the node does its work; all of them true: exit code 0. */
  readonly conditions: readonly ConditionStatus[];
  readonly problems: readonly StatusProblem[];
  readonly process: ProcessStatus;
}

/** What the kernel has goes on meanwhile. */
export interface DeferredSelection {
  readonly family: 'ipv4' | 'ipv6';
  /** Sessions that are not up, or have not sent all routes; first ones only (at most 10). */
  readonly waitsFor: readonly string[];
  /** How many they are. */
  readonly neighbours: number;
  /** Then it is chosen all the same. */
  readonly secondsLeft: number;
}

export interface LeaksStatus {
  /** Pods that are gone and whose addresses are not given back. */
  readonly count: number;
  /** First ones only (at most 10). */
  readonly first: readonly LeakedAddress[];
  /** Pods whose addresses were given back, since start. */
  readonly collected: number;
  /** The last of these: '10.244.1.5 of Pod default/web-0'. */
  readonly newest?: string;
}

export interface LeakedAddress {
  /** All of the Pod. */
  readonly address: string;
  /** 'default/web-0' */
  readonly pod: string;
  /** Since then it is known to be gone. */
  readonly since: string;
}

export interface ConditionStatus {
  readonly type: 'SessionsEstablished' | 'PodsServed' | 'RoutesInstalled' | 'NoProblems';
  readonly isTrue: boolean;
  /** One word for machines. */
  readonly reason: string;
  readonly message: string;
}

export interface PlanSummary {
  /** Counts plans in force since start; 0 = none yet. */
  readonly generation: number;
  readonly madeAt?: string;
  /** True when the newest input was unusable, so that an older plan is in force. */
  readonly isStale: boolean;
  readonly originations: readonly { readonly prefix: string; readonly why: string }[];
}

export interface RangeStatus {
  /** 'NAME'; its neighbours are 'NAME/ADDRESS'. */
  readonly id: string;
  readonly from: string;
  readonly prefix: string;
  readonly neighbours: number;
  readonly most: number;
  /** Connections that found no room. */
  readonly refused: number;
  readonly shutdown?: string;
}

/** One that is wanted with whoever is found on a link, and nobody is. */
export interface WaitingSession {
  readonly id: string;
  /** 'BGPPeer tor-a' */
  readonly from: string;
  readonly device: string;
  readonly why: string;
}

/** Something in the input, or in what it asks for, that the operator should change. */
export interface StatusProblem {
  /** 'BGPPeer tor-a' */
  readonly object: string;
  /** 'spec.peerIP' */
  readonly field: string;
  readonly message: string;
  readonly value?: unknown;
  readonly allowed?: string;
  readonly file?: string;
  readonly line?: number;
  /** One word for programs; absent: there is none for it. */
  readonly cause?: 'SecretMissing' | 'Conflict' | 'OwnBlockHeard';
  /** Who found it. */
  readonly from:
    | 'store'
    | 'plan'
    | 'speaker'
    | 'fib'
    | 'ipam'
    | 'pods'
    | 'start'
    | 'agent'
    | 'reconcile'
    | 'reports'
    | 'marks';
  /** The whole as one line, as logged. */
  readonly text: string;
}

export interface RibStatus {
  readonly prefixes: PerFamily;
  readonly paths: number;
  readonly attributeSets: number;
  readonly bytes: number;
}

export interface FibStatus {
  readonly table: number;
  readonly protocol: number;
  readonly metric: number;
  /** Routes that the plan and the RIB ask for. */
  readonly wanted: PerFamily;
  /** Of these, in the kernel as wanted. */
  readonly installed: PerFamily;
  /** Waiting for the kernel's answer or their turn. */
  readonly pending: number;
  readonly failed: number;
  /** Left by an earlier run, kept until the sessions have converged. */
  readonly adopted: number;
  /** Put back after somebody else deleted or changed them. */
  readonly repaired: number;
  /** First ones only (at most 100). */
  readonly failures: readonly FibFailure[];
  readonly nextHops: readonly NextHopStatus[];
  readonly isConverged: boolean;
}

export interface FibFailure {
  readonly prefix: string;
  /** 'ENETUNREACH' or another name of errno, or why it was not even tried. */
  readonly reason: string;
  readonly attempts: number;
  readonly retryInSeconds: number;
}

export interface NextHopStatus {
  readonly address: string;
  readonly device?: string;
  readonly isReachable: boolean;
  /** 'connected', 'via 10.1.1.1 dev eth0', or why it is not reachable. */
  readonly how: string;
  readonly metric: number;
}

export interface ProcessStatus {
  readonly rssBytes: number;
  readonly heapUsedBytes: number;
  /** Of the last minute or so. */
  readonly eventLoopDelayP99Ms: number;
  readonly eventLoopDelayMaxMs: number;
}

/** Any answer with a status of 400 or more. */
export interface ErrorReply {
  readonly error: string;
}
