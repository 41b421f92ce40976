// Every state that the FSM can reach, with every event in each: what a state says of timers is what its actions did.
import assert from 'node:assert/strict';
import type { FsmAction, FsmEvent, FsmRules, FsmState, TimerName } from './fsm-types.ts';
import { initialState, step } from './fsm.ts';

const error = { code: 2, subcode: 0 };
const cause = { kind: 'notification received', ...error, text: '' } as const;
const stop = { cause: { kind: 'forgotten' } } as const;
const EVENTS: readonly FsmEvent[] = [
  { type: 'manualStart' },
  { type: 'automaticStart', idleHoldMs: 0 },
  { type: 'automaticStart', idleHoldMs: 1 },
  { type: 'manualStop', ...stop },
  { type: 'automaticStop', ...stop },
  { type: 'tcpConnected' },
  { type: 'tcpFailed', cause: { kind: 'connection lost', problem: 'closed' } },
  { type: 'openReceived', holdMs: 90_000, keepaliveMs: 30_000 },
  { type: 'openReceived', holdMs: 0, keepaliveMs: 0 },
  { type: 'headerInvalid', error },
  { type: 'openInvalid', error },
  { type: 'collisionLost' },
  { type: 'versionNotificationReceived', cause },
  { type: 'notificationReceived', cause },
  { type: 'keepaliveReceived' },
  { type: 'updateReceived' },
  { type: 'updateInvalid', error },
  { type: 'routeRefreshReceived' },
];
const EXPIRES = {
  connectRetry: { type: 'connectRetryExpired' },
  hold: { type: 'holdExpired' },
  keepalive: { type: 'keepaliveExpired' },
  delayOpen: { type: 'delayOpenExpired' },
  idleHold: { type: 'idleHoldExpired' },
  sendHold: { type: 'sendHoldExpired' },
} as const satisfies Record<TimerName, FsmEvent>;

interface Place {
  readonly state: FsmState;
  readonly timers: ReadonlySet<TimerName>;
  /** How often it said so, and what it did afterwards. */
  readonly ended: number;
  readonly late: readonly FsmAction[];
  /** The events that led here. */
  readonly way: string;
}

function go({ state, timers, ended, late, way }: Place, event: FsmEvent, expired?: TimerName): Place {
  const next = step(state, event);
  const after = new Set(timers);
  if (expired !== undefined) after.delete(expired);
  for (const action of next.actions) {
    if (action.type === 'startTimer') after.add(action.timer);
    if (action.type === 'stopTimer') after.delete(action.timer);
    if (action.type === 'ended') after.clear();
  }
  return {
    state: next.state,
    timers: after,
    ended: ended + next.actions.filter(({ type }) => type === 'ended').length,
    late: ended > 0 ? [...late, ...next.actions] : late,
    way: `${way}, ${event.type}`,
  };
}

/** All places; each is seen once. */
function explore(rules: FsmRules): Place[] {
  const first = {
    state: initialState(rules),
    timers: new Set<TimerName>(),
    ended: 0,
    late: [],
    way: 'start',
  };
  const key = ({ state, timers, ended, late }: Place): string =>
    JSON.stringify([state, [...timers].sort(), ended, late]);
  const seen = new Map<string, Place>([[key(first), first]]);
  for (const place of seen.values()) {
    if (place.late.length > 0) continue;
    // Nobody starts an FSM that has ended (§8.2.1: the next connection gets its own).
    const events = EVENTS.filter(({ type }) => place.ended === 0 || !type.endsWith('Start'));
    const next = [
      ...events.map((event) => go(place, event)),
      ...[...place.timers].map((timer) => go(place, EXPIRES[timer], timer)),
    ];
    for (const other of next) if (!seen.has(key(other))) seen.set(key(other), other);
  }
  return [...seen.values()];
}

describe('in every state that the FSM can reach', () => {
  const places = [false, true].flatMap((isPassive) =>
    [false, true].flatMap((isIncoming) =>
      [0, 1000].flatMap((delayOpenMs) =>
        explore({ isPassive, isIncoming, connectRetryMs: 5000, delayOpenMs }),
      ),
    ),
  );

  it('DelayOpen and the rest are said to run while their timers do', () => {
    for (const { state, timers, way } of places) {
      assert.equal(state.isDelayOpenRunning, timers.has('delayOpen'), way);
      assert.equal(state.isIdleHoldRunning, timers.has('idleHold'), way);
    }
  });

  it('no silence lasts for ever: a hold timer runs from our OPEN on, unless both agreed on none', () => {
    const names = new Set<string>();
    for (const { state, timers, way } of places) {
      const { name, holdMs } = state;
      if (!['OpenSent', 'OpenConfirm', 'Established'].includes(name)) continue;
      names.add(`${name} ${holdMs}`);
      assert.equal(timers.has('hold'), holdMs > 0, way);
      if (name !== 'OpenSent') assert.equal(timers.has('keepalive'), holdMs > 0, way);
      if (name === 'Established') assert.equal(timers.has('sendHold'), holdMs > 0, way);
    }
    assert.equal(names.size, 5);
  });

  it('what has ended does nothing more', () => {
    const over = places.filter(({ ended }) => ended > 0);
    assert.ok(over.length > 0);
    for (const { state, ended, late, way } of over)
      assert.deepEqual([state.name, ended, late], ['Idle', 1, []], way);
  });

  it('one that is to listen only, or has a connection of the neighbour, never dials', () => {
    for (const { state, way } of places) {
      const { isPassive, isIncoming } = state.rules;
      if (isPassive || isIncoming) {
        const { actions } = step(state, { type: 'connectRetryExpired' });
        if (state.name === 'Active') assert.deepEqual(actions, [], way);
        assert.notEqual(state.name, 'Connect', way);
      }
    }
  });
});
