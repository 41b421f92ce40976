import assert from 'node:assert/strict';
import type { DownCause, PeerStatus } from '#bgp';
import { loopHint } from './advice.ts';
import { sessionStatus } from './session-status.ts';

const REFUSED: DownCause = { kind: 'dial failed', problem: 'refused', text: 'connect: ECONNREFUSED' };
const COUNTS = { open: 0, update: 0, notification: 0, keepalive: 0, routeRefresh: 0, bytes: 0 };
const LOST: PeerStatus = {
  ...{
    id: 'tor',
    remote: '10.0.1.0',
    state: 'Idle',
    sinceMs: 0,
    sinceMonotonicMs: 0,
    sinceSeconds: 0,
    isPassive: false,
    pending: [],
    flaps: 1,
    losses: {},
  },
  ...{ collisions: 0, counters: { in: COUNTS, out: COUNTS }, notifications: { in: {}, out: { 4: 1 } } },
  ...{ capabilities: { local: [], remote: [], agreed: [] }, offeredHoldSeconds: {}, timers: {} },
  ...{ connectAttempts: 0, queuedBytes: 0, connections: 0, history: [] },
  lastNotificationOut: {
    atMs: 1000,
    monotonicMs: 1000,
    code: 4,
    subcode: 0,
    text: 'hold timer',
    dataBytes: 0,
    dataHex: '',
  },
};

describe('the hint about our own AS in AS_PATH', () => {
  const hint = (ownAsLoops: number, ownReturns: number) =>
    loopHint({
      ...{ type: 'ebgp', localAs: 64512, from: 'BGPPeer tor', allowed: 0, hasInternal: false },
      ownAsLoops: { ipv4: ownAsLoops, ipv6: 0 },
      ownReturns: { ipv4: ownReturns, ipv6: 0 },
    });

  it('counts the routes of others, and is left out when only our own come back', () => {
    assert.equal(hint(2, 2), undefined);
    assert.match(hint(3, 2) ?? '', /^1 route is refused: our own AS 64512 is in AS_PATH/);
  });
});

describe('the last error of a session', () => {
  it('is the NOTIFICATION, also when the error that it made was recorded a millisecond later', () => {
    const peer = {
      ...LOST,
      lastError: {
        atMs: 1001,
        monotonicMs: 1001,
        cause: { kind: 'hold timer expired' } as const,
        text: 'hold timer expired',
      },
    };
    const { lastError } = sessionStatus(peer, undefined, 64512);
    assert.deepEqual([lastError?.direction, lastError?.code, lastError?.subcode], ['sent', 4, 0]);
  });

  it('is the newest one also when somebody set the date back in between', () => {
    const text = 'connect: ECONNREFUSED';
    const lastError = { atMs: 1000 - 3_600_000, monotonicMs: 1900, cause: REFUSED, text };
    const status = sessionStatus({ ...LOST, lastError }, undefined, 64512);
    assert.deepEqual(
      [status.lastError?.direction, status.lastError?.text, status.lastError?.at],
      ['local', text, '1969-12-31T23:00:01.000Z'],
    );
  });

  it('is the error of ours when that came after it', () => {
    const peer = {
      ...LOST,
      lastError: { atMs: 1900, monotonicMs: 1900, cause: REFUSED, text: 'connect: ECONNREFUSED' },
    };
    const { lastError } = sessionStatus(peer, undefined, 64512);
    assert.deepEqual([lastError?.direction, lastError?.text], ['local', 'connect: ECONNREFUSED']);
  });
});

describe('routes that are kept for a neighbour that is away', () => {
  it('are told with why it is down, and what is empty is not', () => {
    const routes = {
      ...{ families: [], ownClaims: [], importPolicy: '', exportPolicy: '', isPaused: false },
      memory: { attributeOctets: 0, attributeOctetsLimit: 0, nextHops: 0, nextHopsLimit: 0 },
      malformed: { counts: { attributeDiscard: 0, treatAsWithdraw: 0, sessionReset: 0 }, last: [] },
      kept: [
        { family: 'ipv4', state: 'away', routes: 12, secondsLeft: 85 },
        { family: 'ipv6', state: 'away', routes: 0, secondsLeft: 85 },
      ],
    } as const;
    const status = sessionStatus({ ...LOST, routes }, undefined, 64512);
    assert.deepEqual(status.kept, [routes.kept[0]]);
    assert.match(status.whyDown?.next ?? '', /; its routes are kept meanwhile: 12 IPv4 for 85 s more$/);
    assert.equal('kept' in sessionStatus(LOST, undefined, 64512), false);
  });
});
