// Events, actions and state of the FSM (RFC 4271 §8), as plain data.
// Events 14 and 15 (a connection request is valid or not) are decided by listener.ts before an FSM exists.
import type { NotificationError, SessionState } from '../types.ts';

export type TimerName = 'connectRetry' | 'hold' | 'keepalive' | 'delayOpen' | 'idleHold' | 'sendHold';

/** Fixed for the life of one FSM. */
export interface FsmRules {
  /** Never dials. */
  readonly isPassive: boolean;
  /** Made for a connection that the other side opened: it ends with that connection. */
  readonly isIncoming: boolean;
  readonly connectRetryMs: number;
  /** 0 = DelayOpen is off. */
  readonly delayOpenMs: number;
}

export interface FsmState {
  readonly name: SessionState;
  readonly rules: FsmRules;
  /** RFC 4271 §8.1.1: failures in a row. The peer takes it over into its next FSM. */
  readonly connectRetryCounter: number;
  readonly isDelayOpenRunning: boolean;
  readonly isIdleHoldRunning: boolean;
  /** Agreed; 0 = no keepalives and no hold timer. */
  readonly holdMs: number;
  readonly keepaliveMs: number;
}

/** RFC 4271 §8.1; the numbers are the RFC's. */
export type FsmEvent =
  /** 1, 4: starts at once, whatever the back-off. */
  | { readonly type: 'manualStart' }
  /** 2: an administrator stops the session; without an error it is closed silently. */
  | { readonly type: 'manualStop'; readonly error?: NotificationError }
  /** 3, 5, 6, 7: damped by the hold when it is not 0. */
  | { readonly type: 'automaticStart'; readonly idleHoldMs: number }
  /** 8: limits, changed configuration, a lost link; without an error it is closed silently. */
  | { readonly type: 'automaticStop'; readonly error?: NotificationError; readonly reason: string }
  /** 9 */
  | { readonly type: 'connectRetryExpired' }
  /** 10 */
  | { readonly type: 'holdExpired' }
  /** 11 */
  | { readonly type: 'keepaliveExpired' }
  /** 12 */
  | { readonly type: 'delayOpenExpired' }
  /** 13 */
  | { readonly type: 'idleHoldExpired' }
  /** 16 (we dialled), 17 (the other side did) */
  | { readonly type: 'tcpConnected' }
  /** 18 */
  | { readonly type: 'tcpFailed'; readonly error: string }
  /** 19, and 20 while DelayOpen runs; checked and negotiated */
  | { readonly type: 'openReceived'; readonly holdMs: number; readonly keepaliveMs: number }
  /** 21 */
  | { readonly type: 'headerInvalid'; readonly error: NotificationError }
  /** 22 */
  | { readonly type: 'openInvalid'; readonly error: NotificationError }
  /** 23 */
  | { readonly type: 'collisionLost' }
  /** 24 */
  | { readonly type: 'versionNotificationReceived'; readonly text: string }
  /** 25 */
  | { readonly type: 'notificationReceived'; readonly text: string }
  /** 26 */
  | { readonly type: 'keepaliveReceived' }
  /** 27 */
  | { readonly type: 'updateReceived' }
  /** 28, and every other reset-class error that the speaker finds */
  | { readonly type: 'updateInvalid'; readonly error: NotificationError }
  /** RFC 2918 */
  | { readonly type: 'routeRefreshReceived' }
  /** RFC 9687: the other side takes no bytes */
  | { readonly type: 'sendHoldExpired' };

export type FsmAction =
  /** (Re)starts; the one who executes adds jitter (RFC 4271 §10). */
  | { readonly type: 'startTimer'; readonly timer: TimerName; readonly ms: number }
  | { readonly type: 'stopTimer'; readonly timer: TimerName }
  | { readonly type: 'dial' }
  | { readonly type: 'cancelDial' }
  | { readonly type: 'sendOpen' }
  | { readonly type: 'sendKeepalive' }
  | { readonly type: 'sendNotification'; readonly error: NotificationError }
  /** Flushes a NOTIFICATION sent before, else closes at once. */
  | { readonly type: 'dropConnection' }
  | { readonly type: 'established' }
  /** Idle: this FSM is done for good. All timers, dials and connections of it are gone. */
  | { readonly type: 'ended' };

export interface FsmStep {
  readonly state: FsmState;
  readonly actions: readonly FsmAction[];
}

/** Why a transition happened, for log and history. */
export function describeEvent(event: FsmEvent): string {
  switch (event.type) {
    case 'manualStart':
      return 'started';
    case 'manualStop':
      return event.error?.reason ?? 'stopped';
    case 'automaticStart':
      return event.idleHoldMs > 0 ? `next try in ${formatSeconds(event.idleHoldMs)}` : 'started';
    case 'automaticStop':
      return event.reason;
    case 'connectRetryExpired':
      return 'connect retry timer expired';
    case 'holdExpired':
      return 'hold timer expired: nothing heard from the neighbour';
    case 'keepaliveExpired':
      return 'keepalive timer expired';
    case 'delayOpenExpired':
      return 'delay open timer expired';
    case 'idleHoldExpired':
      return 'back-off is over';
    case 'tcpConnected':
      return 'TCP connection is up';
    case 'tcpFailed':
      return event.error;
    case 'openReceived':
      return 'OPEN received';
    case 'headerInvalid':
    case 'openInvalid':
    case 'updateInvalid':
      return event.error.reason ?? `error ${event.error.code}/${event.error.subcode} found`;
    case 'collisionLost':
      return 'another connection with this neighbour won';
    case 'versionNotificationReceived':
    case 'notificationReceived':
      return `NOTIFICATION received: ${event.text}`;
    case 'keepaliveReceived':
      return 'KEEPALIVE received';
    case 'updateReceived':
      return 'UPDATE received';
    case 'routeRefreshReceived':
      return 'ROUTE-REFRESH received';
    case 'sendHoldExpired':
      return 'send hold timer expired (8/0): the neighbour takes no bytes';
  }
}

function formatSeconds(ms: number): string {
  return ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`;
}
