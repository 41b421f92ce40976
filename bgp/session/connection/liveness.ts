// What it means that a timer of a session has run out: for most the FSM's event, for the hold timers first a look
// at the connection, since a late timer of ours or a slow reader is no dead neighbour.
import type { FsmEvent, TimerName } from '../fsm/fsm-types.ts';
import { SEND_HOLD, type SessionTimers } from './timers.ts';
import type { Wire } from './wire.ts';

/**
 * @param now Clock.now() in milliseconds
 * @returns undefined when the timer runs on
 */
export function expiryEvent(
  timer: TimerName,
  now: number,
  timers: SessionTimers,
  wire: Wire | undefined,
): FsmEvent | undefined {
  switch (timer) {
    case 'connectRetry':
      return { type: 'connectRetryExpired' };
    case 'hold':
      return extendsHold(now, timers, wire) ? undefined : { type: 'holdExpired' };
    case 'keepalive':
      noteProgress(now, timers, wire);
      return { type: 'keepaliveExpired' };
    case 'delayOpen':
      return { type: 'delayOpenExpired' };
    case 'idleHold':
      return { type: 'idleHoldExpired' };
    case 'sendHold':
      timers.again('sendHold', now);
      return noteProgress(now, timers, wire) ? undefined : { type: 'sendHoldExpired' };
  }
}

/** FSM-9: bytes of the neighbour may wait unread. */
function extendsHold(now: number, timers: SessionTimers, wire: Wire | undefined): boolean {
  const extensionMs = wire?.holdExtensionMs() ?? 0;
  if (extensionMs > 0) timers.extend('hold', now, extensionMs);
  return extensionMs > 0;
}

/** RFC 9687 §3.1: the timer starts anew when TCP takes bytes or none wait; looked at with each keepalive. */
function noteProgress(now: number, timers: SessionTimers, wire: Wire | undefined): boolean {
  const isStuck = wire?.isStuck() ?? false;
  if (!isStuck) timers.touch(SEND_HOLD, now);
  return !isStuck;
}
