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

/** What comes of an OPEN of the neighbour that has nothing but both families and its AS. */
const PLAIN: Negotiated = {
  families: ['ipv4', 'ipv6'],
  fourByteAs: true,
  extendedMessages: false,
  routeRefresh: false,
  enhancedRouteRefresh: false,
  extendedNextHop: false,
  addPathReceive: { ipv4: false, ipv6: false },
  addPathSend: { ipv4: false, ipv6: false },
  holdTimeSeconds: 90,
  keepaliveTimeSeconds: 30,
  remoteAs: 65002,
  remoteRouterId: '10.0.0.2',
  localAs: 65001,
  localRouterId: '10.0.0.1',
  ...ENDS,
  takesLongLived: false,
  peerType: 'ebgp',
};
const BARE = `${MP_BOTH} ${fourByteAs(65002)}`;
const IPV4_ONLY = `01040001 0001 ${fourByteAs(65002)}`;
/** Route refresh, enhanced and not, extended messages. */
const FEATURES = '0200 4600 0600';
/** ADD-PATH: both directions for both families, and for multicast, which is not ours. */
const PATHS = '450c 00010103 00020103 00010203';
/** R and N bits, 120 s; IPv4 with F bit, IPv6 without, EVPN; long-lived of the same families: 3600, 1800, 1 s. */
const RESTART = '400e c078 00010180 00020100 00194680 4715 00010180000e10 00020100000708 00194680000001';
const RESTARTING: NonNullable<Negotiated['gracefulRestart']> = {
  isRemoteRestarting: true,
  remoteRestartSeconds: 120,
  families: [
    { family: 'ipv4', isForwardingKept: true },
    { family: 'ipv6', isForwardingKept: false },
  ],
  notification: true,
  longLived: [
    { family: 'ipv4', staleSeconds: 3600, isForwardingKept: true },
    { family: 'ipv6', staleSeconds: 1800, isForwardingKept: false },
  ],
};
const ON = { ipv4: true, ipv6: true };
const OLD = { fourByteAs: false } as const;
const LONGEST = { keepaliveTimeSeconds: 60 } as const;

describe('what two OPENs agree on', () => {
  for (const [what, config, open, agreed] of [
    ['both families and AS numbers of four octets', {}, {}, {}],
    // Families (CAP-5).
    ['IPv4, when the neighbour names no family', {}, { has: fourByteAs(65002) }, { families: ['ipv4'] }],
    ['what it names and not IPv4 as well', {}, { has: '01040002 0001' }, { families: ['ipv6'], ...OLD }],
    ['IPv6, when we want no other', { families: ['ipv6'] }, {}, { families: ['ipv6'] }],
    ['no EVPN', {}, { has: `${BARE} 01040019 0046` }, {}],
    // Features are on only when both sides offer them (CAP-8).
    [
      'refresh and long messages',
      {},
      { has: `${BARE} ${FEATURES}` },
      { routeRefresh: true, enhancedRouteRefresh: true, extendedMessages: true },
    ],
    ['AS numbers of two octets', {}, { has: MP_BOTH }, OLD],
    [
      'IPv6 next hops of IPv4 routes (RFC 8950)',
      { extendedNextHop: true },
      { has: `${BARE} 0506 0001 0001 0002` },
      { extendedNextHop: true },
    ],
    ['no such next hops when we offer none', {}, { has: `${BARE} 0506 0001 0001 0002` }, {}],
    ['no such next hops when it offers none', { extendedNextHop: true }, {}, {}],
    [
      'no such next hops when it offers IPv4 ones, or those of other routes',
      { extendedNextHop: true },
      { has: `${BARE} 0512 000100010001 000200010002 000100800002` },
      {},
    ],
    // ADD-PATH by direction and family (RFC 7911 §4).
    [
      'many paths to us',
      { addPaths: 'receive' },
      { has: `${BARE} 4508 00010102 00020103` },
      { addPathReceive: ON },
    ],
    [
      'many paths to those who take them',
      { addPaths: 'send' },
      { has: `${BARE} 4508 00010102 00020103` },
      { addPathSend: { ipv4: false, ipv6: true } },
    ],
    [
      'many paths of the common family',
      { addPaths: 'both' },
      { has: `${IPV4_ONLY} ${PATHS}` },
      {
        families: ['ipv4'],
        addPathReceive: { ipv4: true, ipv6: false },
        addPathSend: { ipv4: true, ipv6: false },
      },
    ],
    [
      'as many paths as they want, by family; 0 says nothing, and the first of a family counts',
      { addPaths: 'send' },
      { has: `${BARE} 4508 00010102 00020103 4c14 0001010000 0002010004 0002010009 0001800007` },
      { addPathSend: { ipv4: false, ipv6: true }, pathsLimit: { ipv6: 4 } },
    ],
    ['one path when we want no more', {}, { has: `${BARE} ${PATHS}` }, {}],
    ['one path when many are of multicast', { addPaths: 'both' }, { has: `${BARE} 4504 00010203` }, {}],
    // Times (FSM-1, FSM-2).
    ['the shorter hold time: theirs', {}, { hold: 30 }, { holdTimeSeconds: 30, keepaliveTimeSeconds: 10 }],
    ['the shorter hold time: ours', {}, { hold: 180 }, {}],
    ['KEEPALIVEs once a second at most', {}, { hold: 3 }, { holdTimeSeconds: 3, keepaliveTimeSeconds: 1 }],
    [
      'KEEPALIVEs once a second, not more often when asked to',
      { keepaliveTimeSeconds: 0.5 },
      {},
      { keepaliveTimeSeconds: 1 },
    ],
    ['KEEPALIVEs as configured', { keepaliveTimeSeconds: 5 }, {}, { keepaliveTimeSeconds: 5 }],
    ['KEEPALIVEs three times in the hold time, at least', LONGEST, {}, {}],
    ['no KEEPALIVEs: theirs is 0', LONGEST, { hold: 0 }, { holdTimeSeconds: 0, keepaliveTimeSeconds: 0 }],
    ['no KEEPALIVEs: ours is 0', { holdTimeSeconds: 0 }, {}, { holdTimeSeconds: 0, keepaliveTimeSeconds: 0 }],
    [
      'hold time 0, whatever the least one is',
      { minHoldTimeSeconds: 30 },
      { hold: 0 },
      { holdTimeSeconds: 0, keepaliveTimeSeconds: 0 },
    ],
    [
      'the least hold time that we take',
      { minHoldTimeSeconds: 30 },
      { hold: 30 },
      { holdTimeSeconds: 30, keepaliveTimeSeconds: 10 },
    ],
    // Internal and external.
    ['internal', { remoteAs: 65001 }, { as: 65001 }, { peerType: 'ibgp', remoteAs: 65001 }],
    [
      'internal, whatever our AS is',
      { remoteAs: 'internal' },
      { as: 65001 },
      { peerType: 'ibgp', remoteAs: 65001 },
    ],
    ['external, whatever its AS is', { remoteAs: 'external' }, {}, {}],
    ['internal with a local AS', { localAs: 65002 }, {}, { peerType: 'ibgp', localAs: 65002 }],
    // Roles (CAP-12): ours counts also when the neighbour says none, between ASes (RFC 9234 §4.2).
    ['our role', { role: 'customer' }, {}, { role: 'customer' }],
    [
      'our role, something else being required',
      { role: 'peer', require: ['fourByteAs'] },
      {},
      { role: 'peer' },
    ],
    [
      'both roles',
      { role: 'customer' },
      { has: `${BARE} 090100` },
      { role: 'customer', remoteRole: 'provider' },
    ],
    ['its role alone', {}, { has: `${BARE} 090103` }, { remoteRole: 'customer' }],
    [
      'no role inside an AS',
      { role: 'customer', remoteAs: 65001 },
      { as: 65001 },
      { peerType: 'ibgp', remoteAs: 65001 },
    ],
    // Graceful restart: the common families, F and N bits, long-lived times (RFC 4724, RFC 8538, RFC 9494).
    [
      'restarts',
      { gracefulRestart: FULL },
      { has: `${BARE} ${RESTART}` },
      { takesLongLived: true, gracefulRestart: RESTARTING },
    ],
    [
      'restarts of the common family',
      { gracefulRestart: FULL },
      { has: `${IPV4_ONLY} ${RESTART}` },
      {
        families: ['ipv4'],
        takesLongLived: true,
        gracefulRestart: {
          ...RESTARTING,
          families: [{ family: 'ipv4', isForwardingKept: true }],
          longLived: [{ family: 'ipv4', staleSeconds: 3600, isForwardingKept: true }],
        },
      },
    ],
    [
      'restarts without N bit and long-lived times',
      { gracefulRestart: FULL },
      { has: `${BARE} 4002 0005` },
      {
        gracefulRestart: {
          isRemoteRestarting: false,
          remoteRestartSeconds: 5,
          families: [],
          notification: false,
          longLived: [],
        },
      },
    ],
    [
      'no long-lived times when we have none',
      { gracefulRestart: { ...FULL, longLivedSeconds: 0 } },
      { has: `${BARE} ${RESTART}` },
      { takesLongLived: true, gracefulRestart: { ...RESTARTING, longLived: [] } },
    ],
    [
      'long-lived times no longer than ours',
      { gracefulRestart: { ...FULL, longLivedSeconds: 600 } },
      { has: `${BARE} ${RESTART}` },
      {
        takesLongLived: true,
        gracefulRestart: {
          ...RESTARTING,
          longLived: RESTARTING.longLived.map((one) => ({ ...one, staleSeconds: 600 })),
        },
      },
    ],
    ['no restarts when we offer none', {}, { has: `${BARE} ${RESTART}` }, { takesLongLived: true }],
    [
      'no long-lived times without restarts',
      { gracefulRestart: FULL },
      { has: `${BARE} 4707 00010180000e10` },
      {},
    ],
    ['no restarts when it offers none', { gracefulRestart: FULL }, {}, {}],
  ] as const) {
    it(what, () => {
      const as = 'as' in open ? open.as : 65002;
      const has = 'has' in open ? open.has : `${MP_BOTH} ${fourByteAs(as)}`;
      const hold = 'hold' in open ? open.hold : 90;
      const peer = peerConfig('tor', '10.0.0.2', 65002, config);
      const ours = localOpen(SPEAKER, peer, NOT_RESTARTING, true);
      assert.deepEqual(negotiate(peer, ours, theirs(has, as, hold), ENDS), { ...PLAIN, ...agreed });
    });
  }

  it('CAP-10 nothing but IPv4 when we said nothing of what we can', () => {
    const peer = peerConfig('tor', '10.0.0.2', 65002, { extendedNextHop: true, addPaths: 'both' });
    const ours = localOpen(SPEAKER, peer, NOT_RESTARTING, false);
    const all = `${BARE} ${FEATURES} ${PATHS} ${RESTART} 0506 0001 0001 0002`;
    assert.deepEqual(negotiate(peer, ours, theirs(all), ENDS), {
      ...PLAIN,
      families: ['ipv4'],
      fourByteAs: false,
      takesLongLived: true,
    });
  });

  it('NOTIFICATIONs keep routes only when both sides say so (RFC 8538 §2)', () => {
    const peer = peerConfig('tor', '10.0.0.2', 65002, { gracefulRestart: FULL });
    const { capabilities, ...ours } = localOpen(SPEAKER, peer, NOT_RESTARTING, true);
    const restart = { ...capabilities!.gracefulRestart!, notification: false };
    const without = { ...ours, capabilities: { ...capabilities!, gracefulRestart: restart } };
    const result = negotiate(peer, without, theirs(`${BARE} ${RESTART}`), ENDS);
    const gracefulRestart = { ...RESTARTING, notification: false };
    assert.deepEqual(result, { ...PLAIN, takesLongLived: true, gracefulRestart });
  });

  it('and between whom', () => {
    const peer = peerConfig('tor', 'fe80::2', 65002);
    const ours = localOpen(SPEAKER, peer, NOT_RESTARTING, true);
    const ends = {
      localAddress: 'fe80::1',
      remoteAddress: 'fe80::2',
      device: 'eth0',
      sharedLink: { device: 'eth0', network: '10.0.0.0/31', ipv4: '10.0.0.0' },
    };
    assert.deepEqual(negotiate(peer, ours, theirs(BARE), ends), { ...PLAIN, ...ends });
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
      const keeps = (negotiated: Negotiated) =>
        sessionDown(event, notification, negotiated).kept !== undefined;
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
