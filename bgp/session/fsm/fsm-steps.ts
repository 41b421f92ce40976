// What the states of the FSM have in common: the steps out of Idle, through the OPENs, and back to Idle.
import { CEASE_COLLISION, CODE_CEASE, CODE_FSM, CODE_HOLD_TIMER } from '../../message/index.ts';
import type { FsmAction, FsmState, FsmStep, NotificationError, TimerName } from './fsm-types.ts';

/** RFC 4271 §8.2.2: "a HoldTimer value of 4 minutes is suggested" until the OPENs have met. */
export const OPEN_HOLD_MS = 240_000;
const MIN_SEND_HOLD_MS = 480_000;

/** RFC 9687 §3: the Send Hold Timer is the greater of 8 minutes and twice the hold time. */
export function sendHoldMs(holdMs: number): number {
  return Math.max(MIN_SEND_HOLD_MS, 2 * holdMs);
}

/** Out of Idle: dial and wait for the answer, or only listen. */
export function begin(state: FsmState): FsmStep {
  const next = { ...state, isIdleHoldRunning: false };
  if (state.rules.isPassive) return { state: { ...next, name: 'Active' }, actions: [stopTimer('idleHold')] };
  return {
    state: { ...next, name: 'Connect' },
    actions: [
      stopTimer('idleHold'),
      startTimer('connectRetry', state.rules.connectRetryMs),
      { type: 'dial' },
    ],
  };
}

/** Events 16 and 17: the connection is up; with DelayOpen the other side speaks first. */
export function connected(state: FsmState): FsmStep {
  if (state.rules.delayOpenMs === 0) return sendOpen(state);
  return to(
    { ...state, isDelayOpenRunning: true },
    stopTimer('connectRetry'),
    startTimer('delayOpen', state.rules.delayOpenMs),
  );
}

export function sendOpen(state: FsmState): FsmStep {
  return {
    state: { ...state, name: 'OpenSent', isDelayOpenRunning: false },
    actions: [
      stopTimer('connectRetry'),
      stopTimer('delayOpen'),
      { type: 'sendOpen' },
      startTimer('hold', OPEN_HOLD_MS),
    ],
  };
}

export function openAccepted(
  state: FsmState,
  open: { readonly holdMs: number; readonly keepaliveMs: number },
  first: readonly FsmAction[],
): FsmStep {
  const next: FsmState = {
    ...state,
    name: 'OpenConfirm',
    isDelayOpenRunning: false,
    holdMs: open.holdMs,
    keepaliveMs: open.keepaliveMs,
  };
  return {
    state: next,
    actions: [
      ...first,
      stopTimer('connectRetry'),
      stopTimer('delayOpen'),
      { type: 'sendKeepalive' },
      ...(next.holdMs === 0
        ? [stopTimer('hold'), stopTimer('keepalive')]
        : [startTimer('hold', next.holdMs), startTimer('keepalive', next.keepaliveMs)]),
    ],
  };
}

export function keepalive(state: FsmState): FsmStep {
  if (state.holdMs === 0) return stay(state);
  return to(state, { type: 'sendKeepalive' }, startTimer('keepalive', state.keepaliveMs));
}

export function startHold(state: FsmState): readonly FsmAction[] {
  return state.holdMs === 0 ? [] : [startTimer('hold', state.holdMs)];
}

/** The connection is lost, the FSM goes on listening and dials again when the retry timer says so. */
export function backToActive(state: FsmState): FsmStep {
  return {
    state: { ...state, name: 'Active', isDelayOpenRunning: false, holdMs: OPEN_HOLD_MS },
    actions: [
      { type: 'dropConnection' },
      stopTimer('delayOpen'),
      stopTimer('hold'),
      startTimer('connectRetry', state.rules.connectRetryMs),
    ],
  };
}

/** An error other than a protocol error before the OPENs: nothing to tell the other side. */
export function abandon(state: FsmState): FsmStep {
  return end(state, [{ type: 'cancelDial' }, { type: 'dropConnection' }]);
}

export function notifyAndEnd(state: FsmState, error: NotificationError | undefined): FsmStep {
  const actions: FsmAction[] = error === undefined ? [] : [{ type: 'sendNotification', error }];
  return end(state, [...actions, { type: 'dropConnection' }]);
}

export function end(state: FsmState, actions: readonly FsmAction[]): FsmStep {
  return {
    state: { ...state, name: 'Idle', isDelayOpenRunning: false, isIdleHoldRunning: false },
    actions: [...actions, { type: 'ended' }],
  };
}

export function to(state: FsmState, ...actions: readonly FsmAction[]): FsmStep {
  return { state, actions };
}

export function stay(state: FsmState): FsmStep {
  return { state, actions: [] };
}

export function startTimer(timer: TimerName, ms: number): FsmAction {
  return { type: 'startTimer', timer, ms };
}

export function stopTimer(timer: TimerName): FsmAction {
  return { type: 'stopTimer', timer };
}

export function holdTimerError(): NotificationError {
  return {
    code: CODE_HOLD_TIMER,
    subcode: 0,
    reason: 'hold timer expired: nothing heard from the neighbour',
  };
}

export function collisionError(): NotificationError {
  return {
    code: CODE_CEASE,
    subcode: CEASE_COLLISION,
    reason: 'another connection with this neighbour won',
  };
}

/** RFC 6608: the data is the type of the message that nobody expected. */
export function fsmError(subcode: 1 | 2 | 3, messageType: number): NotificationError {
  const names = { 1: 'OpenSent', 2: 'OpenConfirm', 3: 'Established' } as const;
  return {
    code: CODE_FSM,
    subcode,
    data: Uint8Array.of(messageType),
    reason: `message type ${messageType} must not come in ${names[subcode]}`,
  };
}
