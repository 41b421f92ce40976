// Events, actions and state of the FSM (RFC 4271 §8), as plain data.
// Events 14 and 15 (a connection request is valid or not) are decided by listener.ts before an FSM exists.
import type { DownCause, NotificationCause, RouteCause, SocketCause } from './cause.ts';

export type SessionState = 'Idle' | 'Connect' | 'Active' | 'OpenSent' | 'OpenConfirm' | 'Established';

/** What a NOTIFICATION says (RFC 4271 §4.5); `data` is at most what fits a message. */
export interface NotificationError {
  readonly code: number;
  readonly subcode: number;
  readonly data?: Uint8Array;
  /** For our own log and status: which field of what had which value. */
  readonly reason?: string;
}

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
  | { readonly type: 'manualStop'; readonly cause: DownCause; readonly error?: NotificationError }
  /** 3, 5, 6, 7: damped by the hold when it is not 0. */
  | { readonly type: 'automaticStart'; readonly idleHoldMs: number }
  /** 8: limits, changed configuration, a lost link; without an error it is closed silently. */
  | { readonly type: 'automaticStop'; readonly cause: DownCause; readonly error?: NotificationError }
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
  | { readonly type: 'tcpFailed'; readonly cause: SocketCause }
  /** 19, and 20 while DelayOpen runs; checked and negotiated */
  | { readonly type: 'openReceived'; readonly holdMs: number; readonly keepaliveMs: number }
  /** 21 */
  | { readonly type: 'headerInvalid'; readonly error: NotificationError }
  /** 22 */
  | { readonly type: 'openInvalid'; readonly error: NotificationError }
  /** 23 */
  | { readonly type: 'collisionLost' }
  /** 24 */
  | { readonly type: 'versionNotificationReceived'; readonly cause: NotificationCause }
  /** 25 */
  | { readonly type: 'notificationReceived'; readonly cause: NotificationCause }
  /** 26 */
  | { readonly type: 'keepaliveReceived' }
  /** 27 */
  | { readonly type: 'updateReceived' }
  /** 28, and every other reset-class error that the speaker finds */
  | { readonly type: 'updateInvalid'; readonly error: NotificationError; readonly cause?: RouteCause }
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
