// How a session ended: every event, every cause, every Cease.
import assert from 'node:assert/strict';
import { notification, unwrapHardReset } from '../../message/index.ts';
import { CAUSES, type CauseKind, type DownCause } from './cause.ts';
import { asSent, causeOf, cease, type Dialogue, sessionDown, sessionEnd } from './down.ts';
import type { FsmEvent, SessionState } from './fsm-types.ts';
import type { Negotiated, NegotiatedGracefulRestart } from './negotiate.ts';

const LOST: DownCause = { kind: 'connection lost', problem: 'reset' };
const PLAIN = [
  'manualStart',
  'connectRetryExpired',
  'keepaliveExpired',
  'delayOpenExpired',
  'idleHoldExpired',
  'tcpConnected',
  'keepaliveReceived',
  'updateReceived',
  'routeRefreshReceived',
] as const;

/** Only what matters at the end. */
function agreed(restart?: Partial<NegotiatedGracefulRestart>): Negotiated {
  const gracefulRestart = {
    isRemoteRestarting: false,
    remoteRestartSeconds: 120,
    families: [{ family: 'ipv4', isForwardingKept: true }],
    notification: true,
    longLived: [],
    ...restart,
  };
  return (restart === undefined ? {} : { gracefulRestart }) as Negotiated;
}

describe('the cause of an end', () => {
  it('is the event’s own, or what it stands for', () => {
    const received: DownCause = { kind: 'notification received', code: 6, subcode: 4, text: 'cease' };
    const limit: DownCause = { kind: 'prefix limit', family: 'ipv4', count: 2, limit: 1 };
    const error = { code: 3, subcode: 1 };
    const rows: readonly (readonly [FsmEvent, DownCause])[] = [
      [{ type: 'holdExpired' }, { kind: 'hold timer expired' }],
      [{ type: 'sendHoldExpired' }, { kind: 'send hold timer expired' }],
      [{ type: 'collisionLost' }, { kind: 'collision lost' }],
      [{ type: 'tcpFailed', cause: LOST }, LOST],
      [{ type: 'notificationReceived', cause: received }, received],
      [{ type: 'versionNotificationReceived', cause: received }, received],
      [{ type: 'manualStop', cause: { kind: 'forgotten' } }, { kind: 'forgotten' }],
      [{ type: 'automaticStop', cause: limit, error }, limit],
      [
        { type: 'headerInvalid', error },
        { kind: 'notification sent', ...error },
      ],
      [
        { type: 'openInvalid', error: { ...error, reason: 'AS 7' } },
        { kind: 'notification sent', ...error, why: 'AS 7' },
      ],
      [
        { type: 'updateInvalid', error },
        { kind: 'notification sent', ...error },
      ],
      [{ type: 'updateInvalid', error: { ...error, reason: 'too many' }, cause: limit }, limit],
      [
        { type: 'automaticStart', idleHoldMs: 1 },
        { kind: 'fsm error', event: 'automaticStart' },
      ],
      [
        { type: 'openReceived', holdMs: 1, keepaliveMs: 1 },
        { kind: 'fsm error', event: 'openReceived' },
      ],
      ...PLAIN.map((type) => [{ type }, { kind: 'fsm error', event: type }] as const),
    ];
    for (const [event, cause] of rows) assert.deepEqual(causeOf(event), cause, event.type);
  });

  it('lets routes stay when TCP went or came anew; with the N bit on errors too; never when told to go', () => {
    const stay: readonly CauseKind[] = ['connection lost', 'peer restarted', 'BFD restart'];
    const stayWithN: readonly CauseKind[] = [
      'hold timer expired',
      'send hold timer expired',
      'notification received',
      'notification unreadable',
      'notification sent',
      'fsm error',
      'collision lost',
    ];
    const keeps = (kind: CauseKind, negotiated: Negotiated, sent?: { code: number; subcode: number }) => {
      const cause = { kind } as DownCause;
      const down = sessionDown({ type: 'automaticStop', cause }, sent, negotiated);
      assert.equal(down.cause, cause);
      return down.kept !== undefined;
    };
    for (const kind of Object.keys(CAUSES) as CauseKind[]) {
      const always = stay.includes(kind);
      const withN = always || stayWithN.includes(kind);
      assert.equal(keeps(kind, agreed({})), withN, kind);
      assert.equal(keeps(kind, agreed({ notification: false })), always, kind);
      assert.equal(keeps(kind, agreed({ families: [] })), false, `${kind}, no family is kept`);
      assert.equal(keeps(kind, agreed()), false, `${kind}, not agreed`);
      // RFC 8538 section 4: a hard reset ends forwarding, and nothing else that is called 9 or 6.
      assert.equal(keeps(kind, agreed({}), { code: 6, subcode: 9 }), always, `${kind}, hard reset`);
      assert.equal(keeps(kind, agreed({}), { code: 6, subcode: 4 }), withN, kind);
      assert.equal(keeps(kind, agreed({}), { code: 3, subcode: 9 }), withN, kind);
    }
  });

  it('keeps for their long-lived time, at once, families without a restart time (RFC 9494 §4.2)', () => {
    const long = (staleSeconds: number) =>
      (['ipv4', 'ipv6'] as const).map((family) => ({ family, staleSeconds, isForwardingKept: false }));
    const kept = (restart: Partial<NegotiatedGracefulRestart>) =>
      sessionDown({ type: 'tcpFailed', cause: LOST }, undefined, agreed(restart)).kept;
    const ipv4 = { family: 'ipv4', longLivedSeconds: 60 };
    const ipv6 = { family: 'ipv6', longLivedSeconds: 60, isLongLivedOnly: true };
    assert.deepEqual(kept({ longLived: long(60) }), { restartSeconds: 120, families: [ipv4, ipv6] });
    assert.deepEqual(kept({ longLived: long(0) })?.families, [{ ...ipv4, longLivedSeconds: 0 }]);
    assert.deepEqual(kept({ families: [], longLived: long(60) })?.families, [
      { ...ipv4, isLongLivedOnly: true },
      ipv6,
    ]);
    assert.equal(kept({ families: [], longLived: long(0) }), undefined);
  });

  it('comes with what the routes need only from an established session', () => {
    const event: FsmEvent = { type: 'tcpFailed', cause: LOST };
    const dialogue: Dialogue = {
      negotiated: agreed({}),
      notification: undefined,
      failOptions: undefined,
      hasReceivedOpen: true,
    };
    const end = (from: SessionState, change: Partial<Dialogue> = {}) =>
      sessionEnd(event, from, 70, { ...dialogue, ...change });
    const plain = { event, cause: LOST, hasReceivedOpen: true, establishedMs: 70 };
    const kept = { restartSeconds: 120, families: [{ family: 'ipv4', longLivedSeconds: 0 }] };
    const down = { cause: LOST, kept };
    assert.deepEqual(end('Established'), { ...plain, from: 'Established', down });
    for (const from of ['Connect', 'Active', 'OpenSent', 'OpenConfirm'] as const)
      assert.deepEqual(end(from), { ...plain, from });
    assert.deepEqual(end('Established', { negotiated: undefined }), { ...plain, from: 'Established' });
    const failOptions = { holdDownSeconds: 7 };
    assert.deepEqual(end('OpenSent', { failOptions, hasReceivedOpen: false }), {
      ...plain,
      from: 'OpenSent',
      hasReceivedOpen: false,
      failOptions,
    });
  });
});

describe('a NOTIFICATION of ours', () => {
  it('is a hard reset when it shall end forwarding and the neighbour would go on (RFC 8538 §3)', () => {
    const ending = [1, 2, 3, 10];
    for (let code = 0; code < 8; code++) {
      for (let subcode = 0; subcode < 12; subcode++) {
        const error = notification(code, subcode, Uint8Array.of(9, 8));
        const sent = asSent(error, agreed({}));
        if (code === 6 && ending.includes(subcode)) {
          assert.deepEqual(unwrapHardReset({ ...sent, data: sent.data! }), error);
          assert.ok(!('reason' in sent));
        } else assert.equal(sent, error, `${code}/${subcode}`);
        assert.equal(asSent(error, agreed({ notification: false })), error);
        assert.equal(asSent(error, agreed()), error);
        assert.equal(asSent(error, undefined), error);
      }
    }
    const bare = asSent({ code: 6, subcode: 2, reason: 'by hand' }, agreed({}));
    assert.deepEqual(bare, { code: 6, subcode: 9, data: Uint8Array.of(6, 2), reason: 'by hand' });
  });

  it('carries an operator’s text, and no data without one (RFC 9003)', () => {
    assert.deepEqual(cease(2, 'bye'), { code: 6, subcode: 2, data: Uint8Array.of(3, 0x62, 0x79, 0x65) });
    assert.deepEqual(cease(3), { code: 6, subcode: 3, data: new Uint8Array(0) });
  });
});
