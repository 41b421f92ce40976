// Why a session ended, and whether its routes may stay: pure rules of RFC 4724 and RFC 8538.
import {
  CEASE_ADMIN_SHUTDOWN,
  CEASE_BFD_DOWN,
  CEASE_DECONFIGURED,
  CEASE_HARD_RESET,
  CEASE_MAX_PREFIXES,
  CODE_CEASE,
  hardReset,
} from '../../message/index.ts';
import { describeEvent, type FsmEvent } from './fsm-types.ts';
import type { SessionEnd } from '../owner.ts';
import type { FailOptions, Negotiated, NotificationError, SessionDown, SessionState } from '../types.ts';

/** What a session and its neighbour have said so far, as far as it matters at the end. */
export interface Dialogue {
  negotiated: Negotiated | undefined;
  /** The last one, in or out. */
  notification: NotificationError | undefined;
  failOptions: FailOptions | undefined;
  hasReceivedOpen: boolean;
}

/** Texts of automaticStop events that mean something here. */
export const LINK_DOWN = 'the link went down';
export const PEER_RESTARTED = 'the neighbour opened a new connection: it has restarted';

function causeOf(event: FsmEvent): SessionDown['cause'] {
  switch (event.type) {
    case 'holdExpired':
      return 'hold timer expired';
    case 'sendHoldExpired':
      return 'send hold timer expired';
    case 'tcpFailed':
      return 'connection lost';
    case 'notificationReceived':
    case 'versionNotificationReceived':
      return 'notification received';
    case 'automaticStop':
      if (event.reason.startsWith(LINK_DOWN)) return 'link down';
      if (event.reason === PEER_RESTARTED) return 'peer restarted';
      return event.error === undefined ? 'stopped' : 'notification sent';
    case 'manualStop':
      return 'stopped';
    case 'headerInvalid':
    case 'openInvalid':
    case 'openReceived':
    case 'updateInvalid':
    case 'collisionLost':
      return 'notification sent';
    case 'manualStart':
    case 'automaticStart':
    case 'connectRetryExpired':
    case 'keepaliveExpired':
    case 'delayOpenExpired':
    case 'idleHoldExpired':
    case 'tcpConnected':
    case 'keepaliveReceived':
    case 'updateReceived':
    case 'routeRefreshReceived':
      return 'stopped';
  }
}

/** @param establishedMs how long it was established, 0 when it never was */
export function sessionEnd(
  event: FsmEvent,
  from: SessionState,
  establishedMs: number,
  { negotiated, notification, failOptions, hasReceivedOpen }: Dialogue,
): SessionEnd {
  const cause = causeOf(event);
  const reason = describeEvent(event);
  return {
    event,
    from,
    cause,
    reason,
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
  return {
    cause,
    reason: describeEvent(event),
    ...(notification === undefined ? {} : { notification }),
    keepRoutes: mayKeepRoutes(cause, notification, negotiated),
  };
}

function mayKeepRoutes(
  cause: SessionDown['cause'],
  notification: NotificationError | undefined,
  negotiated: Negotiated,
): boolean {
  const restart = negotiated.gracefulRestart;
  if (restart === undefined || restart.families.length === 0) return false;
  switch (cause) {
    // RFC 4724 §4.2: TCP went away, or came anew.
    case 'connection lost':
    case 'peer restarted':
      return true;
    // RFC 8538 §4: these too when both sides said so.
    case 'hold timer expired':
    case 'send hold timer expired':
      return restart.notification;
    // … except a hard reset.
    case 'notification sent':
    case 'notification received':
      return restart.notification && !isHardReset(notification);
    // The way to the neighbour is gone, or somebody wants the session gone.
    case 'link down':
    case 'stopped':
      return false;
  }
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
