// What received messages mean to the FSM: pure, from bytes and what the codec found to events.
import type { PeerConfig } from '../../config.ts';
import {
  CEASE_ADMIN_RESET,
  CEASE_ADMIN_SHUTDOWN,
  CEASE_COLLISION,
  CEASE_RESOURCES,
  CODE_CEASE,
  CODE_HEADER,
  CODE_OPEN,
  NOTIFICATION,
  OPEN_UNSUPPORTED_PARAMETER,
  OPEN_UNSUPPORTED_VERSION,
  ROUTE_REFRESH,
  decodeOpen,
  decodeShutdownText,
  describeNotification,
  isNotificationError,
  unwrapHardReset,
  type Framer,
  type NotificationError as WireError,
  type OpenMessage,
} from '../../message/index.ts';
import type { NotificationCause } from './cause.ts';
import type { FsmEvent, NotificationError } from './fsm-types.ts';
import { causeText } from './cause-text.ts';
import { negotiate, type Negotiated, type NegotiationEnds } from './negotiate.ts';

export interface JudgedOpen {
  /** Undefined when it was malformed. */
  readonly theirs: OpenMessage | undefined;
  readonly result: Negotiated | NotificationError;
}

/** Reads the OPEN at buf[start, end) and holds it against ours and the configuration. */
export function judgeOpen(
  config: PeerConfig,
  ours: OpenMessage,
  ends: NegotiationEnds,
  buf: Uint8Array,
  start: number,
  end: number,
): JudgedOpen {
  const theirs = decodeOpen(buf, start, end);
  if (isNotificationError(theirs)) {
    return { theirs: undefined, result: { ...theirs, reason: describeNotification(theirs) } };
  }
  return { theirs, result: negotiate(config, ours, theirs, ends) };
}

/** @param outcome of Framer.feed(): code << 8 | subcode */
export function headerEvent(outcome: number, framer: Framer): FsmEvent {
  const error = { code: outcome >> 8, subcode: outcome & 255, data: framer.errorData };
  const reason = describeNotification(error);
  // HDR-5: a NOTIFICATION is never answered by one.
  if (framer.errorMessageType === NOTIFICATION) {
    return { type: 'notificationReceived', cause: { kind: 'notification unreadable', why: reason } };
  }
  return { type: 'headerInvalid', error: { ...error, reason } };
}

/** HDR-4: ROUTE-REFRESH is a type that we never said we know. */
export function unofferedRefreshEvent(): FsmEvent {
  const reason = 'ROUTE-REFRESH received, which we did not offer';
  const data = Uint8Array.of(ROUTE_REFRESH);
  return { type: 'headerInvalid', error: { code: CODE_HEADER, subcode: 3, data, reason } };
}

/** A fault of ours must not end the process or another session (SEC-4). */
export function internalErrorEvent(error: unknown): FsmEvent {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const cause = { kind: 'internal error', text } as const;
  const reason = causeText(cause);
  return { type: 'automaticStop', cause, error: { code: CODE_CEASE, subcode: CEASE_RESOURCES, reason } };
}

/** RFC 4271 §6.8, RFC 4486: the connection that it comes over lost against another one. */
export const losesCollision = ({ code, subcode }: WireError): boolean =>
  code === CODE_CEASE && subcode === CEASE_COLLISION;

export function notificationCause(
  error: WireError,
): Extract<NotificationCause, { kind: 'notification received' }> {
  const { code, subcode } = error;
  const message = shutdownMessage(error);
  return {
    kind: 'notification received',
    code,
    subcode,
    text: describeNotification(error),
    ...(message === undefined ? {} : { message }),
  };
}

/** What an operator wrote on the other side (RFC 9003), also inside a hard reset (RFC 8538). */
export function shutdownMessage(error: WireError): string | undefined {
  const { code, subcode, data } = unwrapHardReset(error) ?? error;
  if (code !== CODE_CEASE || (subcode !== CEASE_ADMIN_SHUTDOWN && subcode !== CEASE_ADMIN_RESET))
    return undefined;
  const decoded = decodeShutdownText(data);
  return ('text' in decoded ? decoded.text : '') || undefined;
}

export function refusesVersion({ code, subcode }: WireError): boolean {
  return code === CODE_OPEN && subcode === OPEN_UNSUPPORTED_VERSION;
}

/** CAP-10: the neighbour does not know optional parameters (RFC 5492 §3). */
export function refusesParameters({ code, subcode }: WireError): boolean {
  return code === CODE_OPEN && subcode === OPEN_UNSUPPORTED_PARAMETER;
}
