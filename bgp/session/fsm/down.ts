// How a session ended, and whether its routes may stay: pure rules of RFC 4724 and RFC 8538.
import {
  CEASE_ADMIN_SHUTDOWN,
  CEASE_BFD_DOWN,
  CEASE_DECONFIGURED,
  CEASE_HARD_RESET,
  CEASE_MAX_PREFIXES,
  CODE_CEASE,
  encodeShutdownText,
  hardReset,
} from '../../message/index.ts';
import type { Family } from '#ip';
import { CAUSES, type DownCause, type RouteCause } from './cause.ts';
import type { FsmEvent, NotificationError, SessionState } from './fsm-types.ts';
import type { Negotiated, NegotiatedGracefulRestart } from './negotiate.ts';

/** Why an established session ended. */
export interface SessionDown {
  readonly cause: DownCause;
  /** The rules of RFC 4724 and 8538 let routes stay; undefined: none. */
  readonly kept: RouteRetention | undefined;
}

/** Whose routes stay when a session has ended, and how long. */
export interface RouteRetention {
  /** What the neighbour asked for: it must be back by then. */
  readonly restartSeconds: number;
  readonly families: readonly {
    readonly family: Family;
    /** After that (RFC 9494); 0: not at all. */
    readonly longLivedSeconds: number;
    /** At once: it has no restart time. */
    readonly isLongLivedOnly?: true;
  }[];
}

/** How a session ended; `down` only when it was established. */
export interface SessionEnd {
  readonly event: FsmEvent;
  readonly from: SessionState;
  readonly cause: DownCause;
  readonly hasReceivedOpen: boolean;
  readonly establishedMs: number;
  readonly down?: SessionDown;
  readonly failOptions?: FailOptions;
}

export interface FailOptions {
  /** How long the neighbour stays down before the next try; 'until reset' needs resetPeer or a changed configuration. */
  readonly holdDownSeconds?: number | 'until reset';
  /** More than the NOTIFICATION says of it. */
  readonly cause?: RouteCause;
}

/** What a session and its neighbour have said so far, as far as it matters at the end. */
export interface Dialogue {
  negotiated: Negotiated | undefined;
  /** The last one, in or out. */
  notification: NotificationError | undefined;
  failOptions: FailOptions | undefined;
  hasReceivedOpen: boolean;
}

/** Of an event that ends a session, or sets it back. */
export function causeOf(event: FsmEvent): DownCause {
  switch (event.type) {
    case 'holdExpired':
      return { kind: 'hold timer expired' };
    case 'sendHoldExpired':
      return { kind: 'send hold timer expired' };
    case 'tcpFailed':
    case 'notificationReceived':
    case 'versionNotificationReceived':
    case 'manualStop':
    case 'automaticStop':
      return event.cause;
    case 'headerInvalid':
    case 'openInvalid':
    case 'updateInvalid': {
      const { code, subcode, reason } = event.error;
      const found = { kind: 'notification sent', code, subcode } as const;
      return (
        ('cause' in event ? event.cause : undefined) ??
        (reason === undefined ? found : { ...found, why: reason })
      );
    }
    case 'collisionLost':
      return { kind: 'collision lost' };
    case 'manualStart':
    case 'automaticStart':
    case 'connectRetryExpired':
    case 'keepaliveExpired':
    case 'delayOpenExpired':
    case 'idleHoldExpired':
    case 'tcpConnected':
    case 'openReceived':
    case 'keepaliveReceived':
    case 'updateReceived':
    case 'routeRefreshReceived':
      return { kind: 'fsm error', event: event.type };
  }
}

/** @param establishedMs how long it was established, 0 when it never was */
export function sessionEnd(
  event: FsmEvent,
  from: SessionState,
  establishedMs: number,
  { negotiated, notification, failOptions, hasReceivedOpen }: Dialogue,
): SessionEnd {
  return {
    event,
    from,
    cause: causeOf(event),
    hasReceivedOpen,
    establishedMs,
    ...(from === 'Established' && negotiated !== undefined
      ? { down: sessionDown(event, notification, negotiated) }
      : {}),
    ...(failOptions === undefined ? {} : { failOptions }),
  };
}

export function sessionDown(
  event: FsmEvent,
  notification: NotificationError | undefined,
  negotiated: Negotiated,
): SessionDown {
  const cause = causeOf(event);
  const restart = negotiated.gracefulRestart;
  const isKept = restart !== undefined && mayKeepRoutes(cause, notification, restart);
  return { cause, kept: isKept ? retention(restart) : undefined };
}

function mayKeepRoutes(
  cause: DownCause,
  notification: NotificationError | undefined,
  restart: NegotiatedGracefulRestart,
): boolean {
  if (!mayRestart(restart)) return false;
  switch (CAUSES[cause.kind].keepsRoutes) {
    case 'always':
      return true;
    case 'agreed':
      return restart.notification && !isHardReset(notification);
    case 'never':
      return false;
  }
}

function retention({ remoteRestartSeconds, families, longLived }: NegotiatedGracefulRestart): RouteRetention {
  return {
    restartSeconds: remoteRestartSeconds,
    families: [
      ...families.map(({ family }) => ({
        family,
        longLivedSeconds: longLived.find((one) => one.family === family)?.staleSeconds ?? 0,
      })),
      // RFC 9494 section 4.2: one that the other capability does not list has a restart time of zero.
      ...longLived
        .filter((one) => one.staleSeconds > 0 && !families.some(({ family }) => family === one.family))
        .map(
          (one) =>
            ({ family: one.family, longLivedSeconds: one.staleSeconds, isLongLivedOnly: true }) as const,
        ),
    ],
  };
}

/** Who lists no family cannot restart gracefully, and only helps others: nothing of it is kept. */
export function mayRestart({ families, longLived }: NegotiatedGracefulRestart): boolean {
  return families.length > 0 || longLived.some(({ staleSeconds }) => staleSeconds > 0);
}

function isHardReset(error: NotificationError | undefined): boolean {
  return error?.code === CODE_CEASE && error.subcode === CEASE_HARD_RESET;
}

/** RFC 8538 §3: what shall end forwarding too is wrapped in a hard reset when the neighbour would keep routes. */
export function asSent(error: NotificationError, negotiated: Negotiated | undefined): NotificationError {
  const endsForwarding =
    error.code === CODE_CEASE &&
    (error.subcode === CEASE_MAX_PREFIXES ||
      error.subcode === CEASE_ADMIN_SHUTDOWN ||
      error.subcode === CEASE_DECONFIGURED ||
      error.subcode === CEASE_BFD_DOWN);
  if (!endsForwarding || negotiated?.gracefulRestart?.notification !== true) return error;
  const wrapped = hardReset({ ...error, data: error.data ?? new Uint8Array(0) });
  return error.reason === undefined ? wrapped : { ...wrapped, reason: error.reason };
}

/** What this layer says of its own accord (RFC 4486), with its text (RFC 9003). */
export function cease(subcode: number, text = ''): NotificationError {
  return { code: CODE_CEASE, subcode, data: encodeShutdownText(text) };
}
