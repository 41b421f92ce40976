// Why a session is down, why a connection is refused, what holds a neighbour down: values that code switches on.
// The sentences for people are made of them in cause-text.ts and never read back.
import type { Family } from '#ip';
import type { RuleBreach } from '../../io.ts';

interface CauseRule {
  /** Something is wrong; else somebody wanted it so, or another connection took over. */
  readonly isFailure: boolean;
  /** When graceful restart was agreed the routes may stay: 'agreed' = only with the N bit of RFC 8538. */
  readonly keepsRoutes: 'always' | 'agreed' | 'never';
}

/** One row a kind. The compiler asks for the sentence and the advice of each. */
export const CAUSES = {
  'dial failed': { isFailure: true, keepsRoutes: 'never' },
  'no answer': { isFailure: true, keepsRoutes: 'never' },
  'connection refused': { isFailure: true, keepsRoutes: 'never' },
  'transport refused': { isFailure: true, keepsRoutes: 'never' },
  'key refused': { isFailure: true, keepsRoutes: 'never' },
  // RFC 4724 §4.2: TCP went away, or came anew.
  'connection lost': { isFailure: true, keepsRoutes: 'always' },
  'peer restarted': { isFailure: true, keepsRoutes: 'always' },
  // RFC 8538 §4: these too when both sides said so; a hard reset is looked for beside this table.
  'hold timer expired': { isFailure: true, keepsRoutes: 'agreed' },
  'send hold timer expired': { isFailure: true, keepsRoutes: 'agreed' },
  'notification received': { isFailure: true, keepsRoutes: 'agreed' },
  'notification unreadable': { isFailure: true, keepsRoutes: 'agreed' },
  'notification sent': { isFailure: true, keepsRoutes: 'agreed' },
  // What it sent is why: it is not kept.
  'prefix limit': { isFailure: true, keepsRoutes: 'never' },
  'memory limit': { isFailure: true, keepsRoutes: 'never' },
  'internal error': { isFailure: true, keepsRoutes: 'never' },
  'fsm error': { isFailure: true, keepsRoutes: 'agreed' },
  'collision lost': { isFailure: false, keepsRoutes: 'agreed' },
  // The way to the neighbour is gone, or somebody wants the session gone.
  'link down': { isFailure: true, keepsRoutes: 'never' },
  'BFD down': { isFailure: true, keepsRoutes: 'never' },
  // Asked for: what BFD cannot tell from a restart is taken for one (RFC 5882 §4.3).
  'BFD restart': { isFailure: true, keepsRoutes: 'always' },
  'too many connections': { isFailure: false, keepsRoutes: 'never' },
  'too many half-open': { isFailure: false, keepsRoutes: 'never' },
  'shut down': { isFailure: false, keepsRoutes: 'never' },
  reset: { isFailure: false, keepsRoutes: 'never' },
  'configuration changed': { isFailure: false, keepsRoutes: 'never' },
  'identity changed': { isFailure: false, keepsRoutes: 'never' },
  removed: { isFailure: false, keepsRoutes: 'never' },
  // Of a range: what is kept of all that came and went is bounded by what is remembered of them.
  forgotten: { isFailure: false, keepsRoutes: 'never' },
  'speaker stopped': { isFailure: false, keepsRoutes: 'never' },
} as const satisfies Readonly<Record<string, CauseRule>>;

export type CauseKind = keyof typeof CAUSES;

/** What the kernel says of a connection, as far as an operator acts differently on it. */
export type SocketProblem =
  | 'refused'
  | 'no answer'
  | 'unreachable'
  | 'no local address'
  | 'forbidden'
  | 'reset'
  | 'closed'
  | 'other';

const BY_ERRNO: ReadonlyMap<string | undefined, SocketProblem> = new Map([
  ['ECONNREFUSED', 'refused'],
  ['ETIMEDOUT', 'no answer'],
  ['EHOSTUNREACH', 'unreachable'],
  ['ENETUNREACH', 'unreachable'],
  ['EADDRNOTAVAIL', 'no local address'],
  ['ENODEV', 'forbidden'],
  ['EACCES', 'forbidden'],
  ['EPERM', 'forbidden'],
  ['ECONNRESET', 'reset'],
]);

export function socketProblem(errno: string | undefined): SocketProblem {
  return BY_ERRNO.get(errno) ?? 'other';
}

/** Of the kernel and of TCP: `text` is the transport's, which names the neighbour. */
export type SocketCause =
  | { readonly kind: 'dial failed'; readonly problem: SocketProblem; readonly text: string }
  /** Without a text: the neighbour closed it in order. */
  | { readonly kind: 'connection lost'; readonly problem: SocketProblem; readonly text?: string };

/** What a NOTIFICATION of the neighbour said (RFC 4271 §4.5). */
export type NotificationCause =
  | {
      readonly kind: 'notification received';
      readonly code: number;
      readonly subcode: number;
      /** In words. */
      readonly text: string;
      /** What an operator wrote there (RFC 9003). */
      readonly message?: string;
    }
  | { readonly kind: 'notification unreadable'; readonly why: string }
  /** That another connection won, and there is one. */
  | { readonly kind: 'collision lost' };

/** Somebody asked for it. */
export type OrderCause =
  | {
      readonly kind: 'shut down';
      readonly message: string;
      readonly because?: 'missing key' | 'operator';
    }
  | { readonly kind: 'reset'; readonly text: string }
  /** @see configChange() */
  | {
      readonly kind: 'configuration changed';
      readonly fields: readonly string[];
      readonly text: string;
    }
  /** Of the speaker itself. */
  | {
      readonly kind: 'identity changed';
      readonly field: 'AS' | 'router ID';
      readonly from: number | string;
      readonly to: number | string;
    }
  | { readonly kind: 'removed'; readonly text: string }
  | { readonly kind: 'speaker stopped'; readonly text: string }
  /** A dynamic neighbour without a connection for long. */
  | { readonly kind: 'forgotten' };

/** FSM events that say nothing but their name; an 'fsm error' is one that came in the wrong state (RFC 4271 §6.6). */
export type PlainEvent =
  | 'manualStart'
  | 'automaticStart'
  | 'connectRetryExpired'
  | 'keepaliveExpired'
  | 'delayOpenExpired'
  | 'idleHoldExpired'
  | 'tcpConnected'
  | 'openReceived'
  | 'keepaliveReceived'
  | 'updateReceived'
  | 'routeRefreshReceived';

export interface PrefixLimit {
  readonly kind: 'prefix limit';
  readonly family: Family;
  readonly count: number;
  readonly limit: number;
}

/** A neighbour whose MD5 key a listening socket does not carry. The text never shows a key. */
export interface KeyRefusal {
  readonly kind: 'key refused';
  readonly problem: 'too long' | 'no memory' | 'shared address' | 'other';
  readonly text: string;
}

/** What Linux takes (TCP_MD5SIG_MAXKEYLEN), and all that most routers do. */
export const MAX_KEY_OCTETS = 80;

export function keyTooLong(secret: string | undefined): KeyRefusal | undefined {
  const octets = Buffer.byteLength(secret ?? '');
  if (octets <= MAX_KEY_OCTETS) return undefined;
  const text = `its password has ${octets} octets, and TCP MD5 takes ${MAX_KEY_OCTETS} at most`;
  return { kind: 'key refused', problem: 'too long', text };
}

/** From what a transport threw. */
export function refusedKey(error: unknown): KeyRefusal {
  const { message, code } = error as NodeJS.ErrnoException;
  return { kind: 'key refused', problem: code === 'ENOMEM' ? 'no memory' : 'other', text: message };
}

/** What its routes make us keep is more than one neighbour may have (bgp/rib/in/memory-limits.ts). */
export interface MemoryLimit {
  readonly kind: 'memory limit';
  readonly what: 'attribute octets' | 'next hops' | 'routes';
  readonly count: number;
  readonly limit: number;
}

/** A fault of ours over what this neighbour sent. */
export interface InternalError {
  readonly kind: 'internal error';
  readonly text: string;
  /** The route in hand, when it was no message. */
  readonly route?: string;
}

/** What ends a session because of its routes, beside a malformed message. */
export type RouteCause = PrefixLimit | MemoryLimit | InternalError;

export type DownCause =
  | SocketCause
  | NotificationCause
  | OrderCause
  | RouteCause
  | KeyRefusal
  | { readonly kind: 'no answer'; readonly address: string; readonly port: number }
  | { readonly kind: 'connection refused'; readonly refusal: Refusal }
  /** It cannot do what the configuration asks for (MD5, TTL). */
  | { readonly kind: 'transport refused'; readonly text: string }
  | { readonly kind: 'peer restarted' }
  | { readonly kind: 'hold timer expired' }
  | { readonly kind: 'send hold timer expired' }
  /** What we found wrong; `why` names it. */
  | {
      readonly kind: 'notification sent';
      readonly code: number;
      readonly subcode: number;
      readonly why?: string;
    }
  | { readonly kind: 'fsm error'; readonly event: PlainEvent }
  | { readonly kind: 'collision lost' }
  | { readonly kind: 'link down'; readonly device: string }
  /** BFD says that the neighbour cannot be reached; `text` is its diagnosis. */
  | { readonly kind: 'BFD down'; readonly text: string }
  | { readonly kind: 'BFD restart'; readonly text: string }
  | { readonly kind: 'too many connections' }
  /** Of all neighbours together. */
  | { readonly kind: 'too many half-open'; readonly max: number };

/** Why a connection that a neighbour opened becomes no session. */
export type Refusal =
  | { readonly kind: 'no neighbour' }
  | { readonly kind: 'range full'; readonly max: number }
  | { readonly kind: 'range shut down' }
  | { readonly kind: 'not started' }
  | { readonly kind: 'held down'; readonly by: HeldDown }
  | { readonly kind: 'wrong address'; readonly to: string; readonly expected: string }
  | RuleBreach
  /** After too many failures in a row. */
  | { readonly kind: 'backing off' }
  | { readonly kind: 'transport refused'; readonly text: string };

/** A neighbour that is kept down on purpose. */
export interface HeldDown {
  readonly cause: DownCause;
  /** Absent: until the configuration says otherwise. */
  readonly forSeconds?: number | 'until reset';
}
