import assert from 'node:assert/strict';
import { describeEvent } from './cause-text.ts';
import type { FsmAction, FsmEvent, FsmRules, FsmState, SessionState } from './fsm-types.ts';
import { initialState, step } from './fsm.ts';

const RULES: FsmRules = { isPassive: false, isIncoming: false, connectRetryMs: 5000, delayOpenMs: 0 };
const CEASE = { code: 6, subcode: 2 };
const OPEN_OK: FsmEvent = { type: 'openReceived', holdMs: 90_000, keepaliveMs: 30_000 };

/** One word an action: 'dial', 'start hold 90000', 'notify 6/2'. */
function words(actions: readonly FsmAction[]): string {
  return actions
    .map((action) => {
      switch (action.type) {
        case 'startTimer':
          return `start ${action.timer} ${action.ms}`;
        case 'stopTimer':
          return `stop ${action.timer}`;
        case 'sendNotification':
          return `notify ${action.error.code}/${action.error.subcode}${action.error.data === undefined ? '' : ` ${Buffer.from(action.error.data).toString('hex')}`}`;
        case 'dial':
        case 'cancelDial':
        case 'sendOpen':
        case 'sendKeepalive':
        case 'dropConnection':
        case 'established':
        case 'ended':
          return action.type;
      }
    })
    .join(', ');
}

function inState(name: SessionState, more: Partial<FsmState> = {}, rules: Partial<FsmRules> = {}): FsmState {
  return {
    ...initialState({ ...RULES, ...rules }),
    name,
    ...(name === 'OpenConfirm' || name === 'Established' ? { holdMs: 90_000, keepaliveMs: 30_000 } : {}),
    ...more,
  };
}

const EVENTS: Readonly<Record<string, FsmEvent>> = {
  manualStart: { type: 'manualStart' },
  manualStop: { type: 'manualStop', cause: { kind: 'reset', text: 'by hand' }, error: CEASE },
  silentStop: { type: 'manualStop', cause: { kind: 'forgotten' } },
  automaticStart: { type: 'automaticStart', idleHoldMs: 0 },
  dampedStart: { type: 'automaticStart', idleHoldMs: 8000 },
  automaticStop: {
    type: 'automaticStop',
    cause: { kind: 'internal error', text: 'x' },
    error: { code: 6, subcode: 1 },
  },
  connectRetryExpired: { type: 'connectRetryExpired' },
  holdExpired: { type: 'holdExpired' },
  keepaliveExpired: { type: 'keepaliveExpired' },
  delayOpenExpired: { type: 'delayOpenExpired' },
  idleHoldExpired: { type: 'idleHoldExpired' },
  tcpConnected: { type: 'tcpConnected' },
  tcpFailed: { type: 'tcpFailed', cause: { kind: 'dial failed', problem: 'refused', text: 'refused' } },
  openReceived: OPEN_OK,
  headerInvalid: { type: 'headerInvalid', error: { code: 1, subcode: 1 } },
  openInvalid: { type: 'openInvalid', error: { code: 2, subcode: 2 } },
  collisionLost: { type: 'collisionLost' },
  versionNotification: {
    type: 'versionNotificationReceived',
    cause: { kind: 'notification received', code: 2, subcode: 1, text: 'version' },
  },
  notification: {
    type: 'notificationReceived',
    cause: { kind: 'notification received', code: 6, subcode: 2, text: 'cease' },
  },
  keepalive: { type: 'keepaliveReceived' },
  update: { type: 'updateReceived' },
  updateInvalid: { type: 'updateInvalid', error: { code: 3, subcode: 1 } },
  routeRefresh: { type: 'routeRefreshReceived' },
  sendHoldExpired: { type: 'sendHoldExpired' },
};

/** [event, next state, actions] */
type Row = readonly [string, SessionState, string];

function table(title: string, from: FsmState, rows: readonly Row[], others: Row | 'ignored'): void {
  describe(title, () => {
    const named = new Set(rows.map(([event]) => event));
    const rest = Object.keys(EVENTS)
      .filter((event) => !named.has(event))
      .map((event): Row => {
        if (others === 'ignored') return [event, from.name, ''];
        return [event, others[1], others[2]];
      });
    for (const [event, name, actions] of [...rows, ...rest]) {
      it(`${event} → ${name}${actions === '' ? '' : `: ${actions}`}`, () => {
        const result = step(from, EVENTS[event]!);
        assert.equal(words(result.actions), actions);
        assert.equal(result.state.name, name);
      });
    }
  });
}

describe('BGP finite state machine (RFC 4271 §8.2.2)', () => {
  table(
    'Idle',
    inState('Idle'),
    [
      ['manualStart', 'Connect', 'stop idleHold, start connectRetry 5000, dial'],
      ['automaticStart', 'Connect', 'stop idleHold, start connectRetry 5000, dial'],
      ['dampedStart', 'Idle', 'start idleHold 8000'],
      ['idleHoldExpired', 'Connect', 'stop idleHold, start connectRetry 5000, dial'],
    ],
    'ignored',
  );
  table(
    'Idle, resting',
    inState('Idle', { isIdleHoldRunning: true }),
    [
      ['manualStart', 'Connect', 'stop idleHold, start connectRetry 5000, dial'],
      ['automaticStart', 'Connect', 'stop idleHold, start connectRetry 5000, dial'],
      ['dampedStart', 'Idle', 'start idleHold 8000'],
      ['idleHoldExpired', 'Connect', 'stop idleHold, start connectRetry 5000, dial'],
      ['manualStop', 'Idle', 'ended'],
      ['silentStop', 'Idle', 'ended'],
      ['automaticStop', 'Idle', 'ended'],
      ['collisionLost', 'Idle', 'ended'],
    ],
    'ignored',
  );
  table(
    'Connect',
    inState('Connect'),
    [
      ['manualStart', 'Connect', ''],
      ['automaticStart', 'Connect', ''],
      ['dampedStart', 'Connect', ''],
      ['manualStop', 'Idle', 'cancelDial, dropConnection, ended'],
      ['silentStop', 'Idle', 'cancelDial, dropConnection, ended'],
      [
        'connectRetryExpired',
        'Connect',
        'cancelDial, dropConnection, stop delayOpen, start connectRetry 5000, dial',
      ],
      ['tcpConnected', 'OpenSent', 'stop connectRetry, stop delayOpen, sendOpen, start hold 240000'],
      ['delayOpenExpired', 'OpenSent', 'stop connectRetry, stop delayOpen, sendOpen, start hold 240000'],
      ['collisionLost', 'Idle', 'cancelDial, dropConnection, ended'],
    ],
    ['', 'Idle', 'cancelDial, dropConnection, ended'],
  );
  table(
    'Connect, DelayOpen running',
    inState('Connect', { isDelayOpenRunning: true }, { delayOpenMs: 1000 }),
    [
      ['manualStart', 'Connect', ''],
      ['automaticStart', 'Connect', ''],
      ['dampedStart', 'Connect', ''],
      ['manualStop', 'Idle', 'cancelDial, dropConnection, ended'],
      ['silentStop', 'Idle', 'cancelDial, dropConnection, ended'],
      [
        'connectRetryExpired',
        'Connect',
        'cancelDial, dropConnection, stop delayOpen, start connectRetry 5000, dial',
      ],
      ['tcpConnected', 'Connect', 'stop connectRetry, start delayOpen 1000'],
      ['delayOpenExpired', 'OpenSent', 'stop connectRetry, stop delayOpen, sendOpen, start hold 240000'],
      ['tcpFailed', 'Active', 'dropConnection, stop delayOpen, stop hold, start connectRetry 5000'],
      [
        'openReceived',
        'OpenConfirm',
        'sendOpen, stop connectRetry, stop delayOpen, sendKeepalive, start hold 90000, start keepalive 30000',
      ],
      ['openInvalid', 'Idle', 'notify 2/2, dropConnection, ended'],
      ['headerInvalid', 'Idle', 'notify 1/1, dropConnection, ended'],
      ['versionNotification', 'Idle', 'dropConnection, ended'],
      ['collisionLost', 'Idle', 'cancelDial, dropConnection, ended'],
    ],
    ['', 'Idle', 'cancelDial, dropConnection, ended'],
  );
  table(
    'Active',
    inState('Active'),
    [
      ['manualStart', 'Active', ''],
      ['automaticStart', 'Active', ''],
      ['dampedStart', 'Active', ''],
      ['manualStop', 'Idle', 'dropConnection, ended'],
      ['silentStop', 'Idle', 'dropConnection, ended'],
      ['connectRetryExpired', 'Connect', 'stop delayOpen, dropConnection, start connectRetry 5000, dial'],
      ['tcpConnected', 'OpenSent', 'stop connectRetry, stop delayOpen, sendOpen, start hold 240000'],
      ['delayOpenExpired', 'OpenSent', 'stop connectRetry, stop delayOpen, sendOpen, start hold 240000'],
      ['tcpFailed', 'Idle', 'dropConnection, ended'],
      ['collisionLost', 'Idle', 'dropConnection, ended'],
    ],
    ['', 'Idle', 'cancelDial, dropConnection, ended'],
  );
  table(
    'OpenSent',
    inState('OpenSent'),
    [
      ['manualStop', 'Idle', 'notify 6/2, dropConnection, ended'],
      ['silentStop', 'Idle', 'dropConnection, ended'],
      ['automaticStop', 'Idle', 'notify 6/1, dropConnection, ended'],
      ['holdExpired', 'Idle', 'notify 4/0, dropConnection, ended'],
      ['tcpFailed', 'Active', 'dropConnection, stop delayOpen, stop hold, start connectRetry 5000'],
      [
        'openReceived',
        'OpenConfirm',
        'stop connectRetry, stop delayOpen, sendKeepalive, start hold 90000, start keepalive 30000',
      ],
      ['headerInvalid', 'Idle', 'notify 1/1, dropConnection, ended'],
      ['openInvalid', 'Idle', 'notify 2/2, dropConnection, ended'],
      ['updateInvalid', 'Idle', 'notify 3/1, dropConnection, ended'],
      ['collisionLost', 'Idle', 'notify 6/7, dropConnection, ended'],
      ['versionNotification', 'Idle', 'dropConnection, ended'],
      ['notification', 'Idle', 'dropConnection, ended'],
      ['keepalive', 'Idle', 'notify 5/1 04, dropConnection, ended'],
      ['update', 'Idle', 'notify 5/1 02, dropConnection, ended'],
      ['routeRefresh', 'Idle', 'notify 5/1 05, dropConnection, ended'],
    ],
    'ignored',
  );
  table(
    'OpenConfirm',
    inState('OpenConfirm'),
    [
      ['manualStop', 'Idle', 'notify 6/2, dropConnection, ended'],
      ['silentStop', 'Idle', 'dropConnection, ended'],
      ['automaticStop', 'Idle', 'notify 6/1, dropConnection, ended'],
      ['holdExpired', 'Idle', 'notify 4/0, dropConnection, ended'],
      ['keepaliveExpired', 'OpenConfirm', 'sendKeepalive, start keepalive 30000'],
      ['tcpFailed', 'Idle', 'dropConnection, ended'],
      ['notification', 'Idle', 'dropConnection, ended'],
      ['versionNotification', 'Idle', 'dropConnection, ended'],
      ['headerInvalid', 'Idle', 'notify 1/1, dropConnection, ended'],
      ['openInvalid', 'Idle', 'notify 2/2, dropConnection, ended'],
      ['updateInvalid', 'Idle', 'notify 3/1, dropConnection, ended'],
      ['openReceived', 'Idle', 'notify 5/2 01, dropConnection, ended'],
      ['collisionLost', 'Idle', 'notify 6/7, dropConnection, ended'],
      ['keepalive', 'Established', 'start hold 90000, start sendHold 480000, established'],
      ['update', 'Idle', 'notify 5/2 02, dropConnection, ended'],
      ['routeRefresh', 'Idle', 'notify 5/2 05, dropConnection, ended'],
    ],
    'ignored',
  );
  table(
    'Established',
    inState('Established'),
    [
      ['manualStop', 'Idle', 'notify 6/2, dropConnection, ended'],
      ['silentStop', 'Idle', 'dropConnection, ended'],
      ['automaticStop', 'Idle', 'notify 6/1, dropConnection, ended'],
      ['holdExpired', 'Idle', 'notify 4/0, dropConnection, ended'],
      ['sendHoldExpired', 'Idle', 'dropConnection, ended'],
      ['keepaliveExpired', 'Established', 'sendKeepalive, start keepalive 30000'],
      ['tcpFailed', 'Idle', 'dropConnection, ended'],
      ['notification', 'Idle', 'dropConnection, ended'],
      ['versionNotification', 'Idle', 'dropConnection, ended'],
      ['keepalive', 'Established', 'start hold 90000'],
      ['update', 'Established', 'start hold 90000'],
      ['headerInvalid', 'Idle', 'notify 1/1, dropConnection, ended'],
      ['updateInvalid', 'Idle', 'notify 3/1, dropConnection, ended'],
      ['openReceived', 'Idle', 'notify 5/3 01, dropConnection, ended'],
      ['openInvalid', 'Idle', 'notify 5/3 01, dropConnection, ended'],
      ['collisionLost', 'Idle', 'notify 6/7, dropConnection, ended'],
    ],
    'ignored',
  );

  it('a passive one only listens, and never dials', () => {
    const begun = step(initialState({ ...RULES, isPassive: true }), EVENTS.automaticStart!);
    assert.equal(begun.state.name, 'Active');
    assert.equal(words(begun.actions), 'stop idleHold');
    const retried = step(begun.state, EVENTS.connectRetryExpired!);
    assert.deepEqual(retried, { state: begun.state, actions: [] });
  });

  it('one for an accepted connection begins in Active and ends with its connection', () => {
    const fresh = initialState({ ...RULES, isPassive: true, isIncoming: true });
    assert.equal(fresh.name, 'Active');
    const sent = step(fresh, EVENTS.tcpConnected!);
    assert.equal(sent.state.name, 'OpenSent');
    const failed = step(sent.state, EVENTS.tcpFailed!);
    assert.equal(words(failed.actions), 'dropConnection, ended');
  });

  it('hold time 0 runs neither hold, keepalive nor send hold timer (RFC 4271 §4.2)', () => {
    const confirmed = step(inState('OpenSent'), { type: 'openReceived', holdMs: 0, keepaliveMs: 0 });
    assert.equal(
      words(confirmed.actions),
      'stop connectRetry, stop delayOpen, sendKeepalive, stop hold, stop keepalive',
    );
    const up = step(confirmed.state, EVENTS.keepalive!);
    assert.equal(words(up.actions), 'established');
    assert.equal(words(step(up.state, EVENTS.update!).actions), '');
    assert.equal(words(step(up.state, EVENTS.keepaliveExpired!).actions), '');
  });

  it('the send hold timer is twice the hold time when that is more than 8 minutes (RFC 9687)', () => {
    const up = step(inState('OpenConfirm', { holdMs: 300_000 }), EVENTS.keepalive!);
    assert.equal(words(up.actions), 'start hold 300000, start sendHold 600000, established');
  });

  it('every event has a reason for log and history', () => {
    for (const event of Object.values(EVENTS)) assert.notEqual(describeEvent(event), '');
  });
});
