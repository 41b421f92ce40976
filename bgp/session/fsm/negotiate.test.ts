import assert from 'node:assert/strict';
import type { PeerConfig } from '../../config.ts';
import { decodeOpen, isNotificationError, type OpenMessage } from '../../message/index.ts';
import { MP_BOTH, fourByteAs, rawOpen } from '../../testing/message-bytes.ts';
import { peerConfig, speakerConfig } from '../../testing/configs.ts';
import { asSent, sessionDown } from './down.ts';
import { localOpen, NOT_RESTARTING } from './local-open.ts';
import { negotiate, type Negotiated } from './negotiate.ts';

const SPEAKER = speakerConfig(65001, '10.0.0.1');
const ENDS = { localAddress: '10.0.0.1', remoteAddress: '10.0.0.2' };
const FULL = { mode: 'full', restartSeconds: 120, longLivedSeconds: 3600 } as const;

/** From the wire, so that nothing of ours makes the other side's OPEN. */
function theirs(capabilities: string, as = 65002, hold = 90): OpenMessage {
  const bytes = rawOpen({ as, id: '10.0.0.2', hold, capabilities });
  const open = decodeOpen(bytes, 0, bytes.length);
  assert.ok(!isNotificationError(open));
  return open;
}

function agree(config: Partial<PeerConfig>, capabilities: string, as = 65002, hold = 90): Negotiated {
  const peer = peerConfig('tor', '10.0.0.2', as, config);
  const ours = localOpen(SPEAKER, peer, NOT_RESTARTING, true);
  const result = negotiate(peer, ours, theirs(capabilities, as, hold), ENDS);
  assert.ok(!('code' in result), JSON.stringify(result));
  return result;
}

describe('what two OPENs agree on', () => {
  it('CAP-8 a feature is on only when both sides offered it', () => {
    const bare = agree({}, MP_BOTH);
    assert.deepEqual(
      [
        bare.fourByteAs,
        bare.routeRefresh,
        bare.enhancedRouteRefresh,
        bare.extendedMessages,
        bare.extendedNextHop,
      ],
      [false, false, false, false, false],
    );
    const rich = agree(
      { extendedNextHop: true },
      `${MP_BOTH} 0200 4600 0600 0506 0001 0001 0002 ${fourByteAs(65002)}`,
    );
    assert.deepEqual(
      [
        rich.fourByteAs,
        rich.routeRefresh,
        rich.enhancedRouteRefresh,
        rich.extendedMessages,
        rich.extendedNextHop,
      ],
      [true, true, true, true, true],
    );
    assert.equal(agree({}, `${MP_BOTH} 0506 0001 0001 0002`).extendedNextHop, false, 'we did not offer it');
  });

  it('CAP-8 add-path by direction and family (RFC 7911 §4)', () => {
    const sends = `${MP_BOTH} 4508 00010102 00020103`;
    assert.deepEqual(agree({ addPaths: 'receive' }, sends).addPathReceive, { ipv4: true, ipv6: true });
    assert.deepEqual(agree({ addPaths: 'receive' }, sends).addPathSend, { ipv4: false, ipv6: false });
    assert.deepEqual(agree({ addPaths: 'send' }, sends).addPathSend, { ipv4: false, ipv6: true });
    assert.deepEqual(agree({ addPaths: 'both', families: ['ipv4'] }, sends).addPathReceive, {
      ipv4: true,
      ipv6: false,
    });
    assert.deepEqual(agree({}, sends).addPathReceive, { ipv4: false, ipv6: false });
  });

  it('CAP-5 families: the common ones, IPv4 when none is named, never one that is not named', () => {
    assert.deepEqual(agree({}, MP_BOTH).families, ['ipv4', 'ipv6']);
    assert.deepEqual(agree({ families: ['ipv6'] }, MP_BOTH).families, ['ipv6']);
    assert.deepEqual(agree({}, fourByteAs(65002)).families, ['ipv4']);
    assert.deepEqual(agree({}, '01040002 0001').families, ['ipv6']);
    assert.deepEqual(agree({}, `${MP_BOTH} 01040019 0041`).families, ['ipv4', 'ipv6'], 'EVPN is not ours');
  });

  it('FSM-1 hold time: the smaller one; keepalive: a third, or less when configured', () => {
    const times = (config: Partial<PeerConfig>, hold: number) => {
      const { holdTimeSeconds, keepaliveTimeSeconds } = agree(config, MP_BOTH, 65002, hold);
      return [holdTimeSeconds, keepaliveTimeSeconds];
    };
    assert.deepEqual(times({}, 30), [30, 10]);
    assert.deepEqual(times({}, 180), [90, 30]);
    assert.deepEqual(times({ keepaliveTimeSeconds: 5 }, 90), [90, 5]);
    assert.deepEqual(times({ keepaliveTimeSeconds: 60 }, 90), [90, 30]);
    assert.deepEqual(times({}, 3), [3, 1]);
    assert.deepEqual(times({}, 0), [0, 0]);
    assert.deepEqual(times({ holdTimeSeconds: 0 }, 90), [0, 0]);
  });

  it('internal and external, with a local AS of our own', () => {
    assert.equal(agree({}, MP_BOTH, 65001).peerType, 'ibgp');
    assert.equal(agree({}, MP_BOTH).peerType, 'ebgp');
    const local = agree({ localAs: 65002 }, MP_BOTH);
    assert.equal(local.peerType, 'ibgp');
    assert.equal(local.localAs, 65002);
  });

  it('CAP-12 the role pairs of RFC 9234 §4.2, and no other', () => {
    const numbers = { provider: 0, rs: 1, 'rs-client': 2, customer: 3, peer: 4 } as const;
    const good = ['provider-customer', 'customer-provider', 'rs-rs-client', 'rs-client-rs', 'peer-peer'];
    for (const ours of Object.keys(numbers) as (keyof typeof numbers)[]) {
      for (const [other, number] of Object.entries(numbers)) {
        const peer = peerConfig('tor', '10.0.0.2', 65002, { role: ours });
        const result = negotiate(
          peer,
          localOpen(SPEAKER, peer, NOT_RESTARTING, true),
          theirs(`${MP_BOTH} 09010${number}`),
          ENDS,
        );
        const isGood = good.includes(`${ours}-${other}`);
        assert.equal(!('code' in result), isGood, `${ours} with ${other}`);
        if ('code' in result) assert.match(result.reason ?? '', new RegExp(`it is ${other};.*role ${ours}`));
      }
    }
  });

  it('CAP-12 our role counts also when the neighbour says none, between ASes (RFC 9234 §4.2)', () => {
    const { role, remoteRole } = agree({ role: 'customer' }, MP_BOTH);
    assert.deepEqual({ role, remoteRole }, { role: 'customer', remoteRole: undefined });
    assert.equal(agree({ role: 'customer' }, MP_BOTH, 65001).role, undefined);
  });

  it('graceful restart: the families, the F bits, the N bit, long-lived times', () => {
    const capability = `${MP_BOTH} 400a c078 00010180 00020100 470e 00010180000e10 00020100000708`;
    assert.deepEqual(agree({ gracefulRestart: FULL }, capability).gracefulRestart, {
      isRemoteRestarting: true,
      remoteRestartSeconds: 120,
      families: [
        { family: 'ipv4', isForwardingKept: true },
        { family: 'ipv6', isForwardingKept: false },
      ],
      notification: true,
      longLived: [
        { family: 'ipv4', staleSeconds: 3600 },
        { family: 'ipv6', staleSeconds: 1800 },
      ],
    });
    assert.equal(agree({}, capability).gracefulRestart, undefined);
    assert.equal(agree({ gracefulRestart: FULL }, MP_BOTH).gracefulRestart, undefined);
  });
});

describe('the OPEN that we send', () => {
  it('CAP-11 follows the restart state of each connection', () => {
    const peer = peerConfig('tor', '10.0.0.2', 65002, { gracefulRestart: FULL });
    const restarting = localOpen(SPEAKER, peer, { isRestarting: true, forwardingKept: ['ipv4'] }, true);
    assert.deepEqual(restarting.capabilities?.gracefulRestart, {
      restarting: true,
      notification: true,
      timeSeconds: 120,
      families: [
        { afi: 1, safi: 1, forwarding: true },
        { afi: 2, safi: 1, forwarding: false },
      ],
    });
    assert.equal(
      localOpen(SPEAKER, peer, NOT_RESTARTING, true).capabilities?.gracefulRestart?.restarting,
      false,
    );
  });

  it('a helper lists no families; disabled sends nothing', () => {
    const open = (mode: 'helper' | 'disabled') =>
      localOpen(
        SPEAKER,
        peerConfig('tor', '10.0.0.2', 65002, { gracefulRestart: { ...FULL, mode } }),
        { isRestarting: true, forwardingKept: ['ipv4'] },
        true,
      ).capabilities?.gracefulRestart;
    assert.deepEqual(open('helper')?.families, []);
    assert.equal(open('helper')?.restarting, false);
    assert.equal(open('disabled'), undefined);
  });
});

describe('whether routes may stay when a session ends (RFC 4724, RFC 8538)', () => {
  const plain = agree({ gracefulRestart: FULL }, `${MP_BOTH} 4006 0078 00010180`);
  const withN = agree({ gracefulRestart: FULL }, `${MP_BOTH} 4006 4078 00010180`);
  const without = agree({ gracefulRestart: FULL }, MP_BOTH);
  const helper = agree({ gracefulRestart: FULL }, `${MP_BOTH} 4002 4078`);
  const cease = { code: 6, subcode: 4 };
  const hard = { code: 6, subcode: 9 };
  for (const [what, event, notification, expected] of [
    [
      'the connection is lost',
      { type: 'tcpFailed', cause: { kind: 'connection lost', problem: 'reset', text: 'reset' } },
      undefined,
      [true, true],
    ],
    ['the hold timer expires', { type: 'holdExpired' }, { code: 4, subcode: 0 }, [false, true]],
    ['the neighbour takes no bytes', { type: 'sendHoldExpired' }, undefined, [false, true]],
    [
      'a NOTIFICATION comes',
      { type: 'notificationReceived', cause: { kind: 'notification received', text: '', ...cease } },
      cease,
      [false, true],
    ],
    [
      'a hard reset comes',
      { type: 'notificationReceived', cause: { kind: 'notification received', text: '', ...hard } },
      hard,
      [false, false],
    ],
    [
      'we find an error',
      { type: 'updateInvalid', error: { code: 3, subcode: 1 } },
      { code: 3, subcode: 1 },
      [false, true],
    ],
    [
      'the link goes down',
      { type: 'automaticStop', cause: { kind: 'link down', device: 'eth0' } },
      undefined,
      [false, false],
    ],
    ['it is stopped', { type: 'manualStop', cause: { kind: 'reset', text: '' } }, undefined, [false, false]],
  ] as const) {
    it(`${what}: ${expected[0] ? 'yes' : 'no'}, with the N bit ${expected[1] ? 'yes' : 'no'}`, () => {
      const keeps = (negotiated: Negotiated) => sessionDown(event, notification, negotiated).keepRoutes;
      assert.deepEqual([keeps(plain), keeps(withN)], expected);
      assert.deepEqual([keeps(without), keeps(helper)], [false, false]);
    });
  }

  it('what shall end forwarding is sent as a hard reset, the rest as it is', () => {
    assert.deepEqual(asSent({ code: 6, subcode: 1, data: Uint8Array.of(7) }, withN), {
      code: 6,
      subcode: 9,
      data: Uint8Array.of(6, 1, 7),
    });
    assert.deepEqual(asSent(cease, withN), cease);
    assert.deepEqual(asSent({ code: 6, subcode: 1 }, plain), { code: 6, subcode: 1 });
  });
});
