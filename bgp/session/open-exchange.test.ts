// From a connection to Established, and the OPENs that are refused, against a scripted neighbour (FSM-x, CAP-x).
import assert from 'node:assert/strict';
import {
  END_OF_RIB,
  KEEPALIVE,
  MP_BOTH,
  fourByteAs,
  message,
  rawNotification,
} from '../testing/message-bytes.ts';
import { SessionBench, theirOpen } from '../testing/session-bench.ts';

const withPeer = SessionBench.withPeer.bind(SessionBench);
const REFRESH_IPV4 = message(5, Buffer.from([0, 1, 0, 1]));

describe('session: the way to Established', () => {
  it('OPEN, KEEPALIVE, and nothing else, from us', async () => {
    const bench = await withPeer();
    const peer = bench.establish();
    assert.equal(peer.words, 'OPEN KEEPALIVE');
    assert.equal(bench.state, 'Established');
    assert.equal(bench.recorder.ups.length, 1);
    assert.deepEqual(bench.recorder.transitions, [
      'tor: Idle → Active (started)',
      'tor: Active → OpenSent (TCP connection is up)',
      'tor: OpenSent → OpenConfirm (OPEN received)',
      'tor: OpenConfirm → Established (KEEPALIVE received)',
    ]);
  });

  it('our OPEN, byte for byte', async () => {
    const bench = await withPeer({ holdTimeSeconds: 180, families: ['ipv4'] });
    const peer = bench.connect();
    // version, AS, hold time, identifier; one parameter: MP IPv4, refresh, extended message, AS4, enhanced refresh
    assert.equal(
      peer.heard[0]!.body.toString('hex'),
      '04fde900b40a000001' + '14' + '0212' + '010400010001' + '0200' + '0600' + '41040000fde9' + '4600',
    );
  });

  for (const [state, bytes, expected] of [
    ['OpenSent', KEEPALIVE, '5/1 04'],
    ['OpenSent', END_OF_RIB, '5/1 02'],
    ['OpenSent', REFRESH_IPV4, '5/1 05'],
    ['OpenConfirm', END_OF_RIB, '5/2 02'],
    ['OpenConfirm', REFRESH_IPV4, '5/2 05'],
    ['OpenConfirm', theirOpen(), '5/2 01'],
    ['Established', theirOpen(), '5/3 01'],
  ] as const) {
    it(`message type ${bytes[18]} in ${state}: ${expected} (RFC 6608)`, async () => {
      const bench = await withPeer();
      const peer = bench.connect();
      if (state !== 'OpenSent') peer.send(theirOpen());
      if (state === 'Established') peer.send(KEEPALIVE);
      bench.clock.settle();
      assert.equal(bench.state, state);
      peer.send(bytes);
      bench.clock.settle();
      assert.equal(peer.notification, expected);
    });
  }

  it('DelayOpen waits for the other OPEN, and sends its own when none comes', async () => {
    const bench = await withPeer({ delayOpenSeconds: 5 });
    const quick = bench.connect();
    assert.equal(quick.words, '');
    quick.send(theirOpen(), KEEPALIVE);
    bench.clock.settle();
    assert.equal(quick.words, 'OPEN KEEPALIVE');
    assert.equal(bench.state, 'Established');
    const other = await withPeer({ delayOpenSeconds: 5 });
    const slow = other.connect();
    other.clock.advance(5000);
    assert.equal(slow.words, 'OPEN');
  });
});

/** A neighbour that can do all that one may require. */
const RICH = `${MP_BOTH} 0200 ${fourByteAs(65002)} 4002 4078 0506 000100010002 4504 00010101`;
const without = (part: string): string => RICH.replace(part, '');
const RESTARTS = { mode: 'full', restartSeconds: 120, longLivedSeconds: 0 } as const;
const IPV6_ONLY = { families: ['ipv6'] } as const;

describe('session: OPEN refused (RFC 4271 §6.2, RFC 5492 §3, RFC 6793 §4.1, RFC 9234 §4.2)', () => {
  for (const [what, open, config, notification, cause] of [
    ['version 5', { version: 5 }, {}, '2/1 0004', /version .*wants 4/],
    ['another AS', { as: 65003, capabilities: MP_BOTH }, {}, '2/2 fdeb', /in AS 65003, expected AS 65002$/],
    ['another 4-octet AS', { as: 4_200_000_001 }, {}, '2/2 fa56ea01', /AS 4200000001, expected AS 65002$/],
    [
      'AS 0 in capability 65',
      { capabilities: `${MP_BOTH} ${fourByteAs(0)}` },
      {},
      '2/2 fdea',
      /bad peer AS.*65002/,
    ],
    [
      'FSM-4 internal asked, external came',
      {},
      { remoteAs: 'internal' },
      '2/2 0000fdea',
      /AS 65002, expected our own AS 65001$/,
    ],
    [
      'FSM-4 external asked, internal came',
      { as: 65001 },
      { remoteAs: 'external' },
      '2/2 0000fde9',
      /AS 65001, expected another AS than ours \(65001\)/,
    ],
    ['FSM-3 identifier 0.0.0.0', { id: '0.0.0.0' }, {}, '2/3 00000000', /identifier/],
    [
      'FSM-3 our identifier inside our AS',
      { as: 65001, id: '10.0.0.1' },
      { remoteAs: 'internal' },
      '2/3 0a000001',
      /our own router ID 10\.0\.0\.1;/,
    ],
    ['FSM-1 hold time 1', { hold: 1 }, {}, '2/6 0001', /hold time/],
    ['FSM-1 hold time 2', { hold: 2 }, {}, '2/6 0002', /hold time/],
    [
      'FSM-1 hold time below the floor',
      { hold: 299 },
      { minHoldTimeSeconds: 300 },
      '2/6 012b',
      /hold time of 299 s is below minHoldTimeSeconds 300/,
    ],
    [
      'CAP-6 no family in common',
      { capabilities: '010400010001' },
      IPV6_ONLY,
      '2/7 010400020001',
      /ours ipv6, the neighbour's ipv4$/,
    ],
    [
      'CAP-6 only families that we do not know',
      { capabilities: '010400190046' },
      {},
      '2/7 010400010001010400020001',
      /ours ipv4 and ipv6, the neighbour's none/,
    ],
    [
      'CAP-5 IPv4 by default is no IPv6',
      { capabilities: fourByteAs(65002) },
      IPV6_ONLY,
      '2/7 010400020001',
      /ours ipv6, the neighbour's ipv4$/,
    ],
    [
      'CAP-7 no graceful restart',
      { capabilities: without('4002 4078') },
      { require: ['gracefulRestart'], gracefulRestart: RESTARTS },
      '2/7 400a40780001010000020100',
      /lacks graceful restart, which is required/,
    ],
    [
      'CAP-7 no four-octet AS',
      { capabilities: without(fourByteAs(65002)) },
      { require: ['fourByteAs'] },
      '2/7 41040000fde9',
      /lacks four-octet AS/,
    ],
    [
      'CAP-7 no route refresh',
      { capabilities: without('0200') },
      { require: ['routeRefresh'] },
      '2/7 0200',
      /lacks route refresh/,
    ],
    [
      'CAP-7 no extended next hop',
      { capabilities: without('0506 000100010002') },
      { require: ['extendedNextHop'], extendedNextHop: true },
      '2/7 0506000100010002',
      /lacks extended next hop/,
    ],
    [
      'CAP-7 extended next hop for VPN routes only (RFC 8950)',
      { capabilities: RICH.replace('000100010002', '000100800002') },
      { require: ['extendedNextHop'], extendedNextHop: true },
      '2/7 0506000100010002',
      /lacks extended next hop/,
    ],
    [
      'CAP-7 no add-path, the second of two that are required',
      { capabilities: without('4504 00010101') },
      { require: ['routeRefresh', 'addPaths'], addPaths: 'send' },
      '2/7 45080001010200020102',
      /lacks add-path/,
    ],
    [
      'CAP-12 a role that does not fit',
      { capabilities: `${MP_BOTH} 090104` },
      { role: 'customer' },
      '2/11',
      /it is peer; our role customer goes only with provider$/,
    ],
    [
      'CAP-12 a role that nobody knows',
      { capabilities: `${MP_BOTH} 090107` },
      { role: 'customer' },
      '2/11',
      /it is role 7;/,
    ],
    ['CAP-3 two roles', { capabilities: `${MP_BOTH} 090100 090103` }, { role: 'customer' }, '2/11', /role/],
    [
      'CAP-12 no role in strict mode',
      {},
      { role: 'peer', require: ['routeRefresh', 'role'] },
      '2/11',
      /sends no role, and one is required/,
    ],
    ['CAP-1 a capability that overruns', { capabilities: '0105 00010001' }, {}, '2/0', /OPEN/],
    // Of several reasons the first one in the order of RFC 4271 §6.2 is told.
    [
      'AS and hold time',
      { as: 65001, hold: 20 },
      { remoteAs: 'external', minHoldTimeSeconds: 30 },
      '2/2 0000fde9',
      /AS/,
    ],
    [
      'hold time and identifier',
      { as: 65001, hold: 20, id: '10.0.0.1' },
      { remoteAs: 'internal', minHoldTimeSeconds: 30 },
      '2/6 0014',
      /hold/,
    ],
    [
      'role and capability',
      { capabilities: `${MP_BOTH} 090104` },
      { role: 'rs', require: ['routeRefresh'] },
      '2/11',
      /role/,
    ],
    [
      'capability and family',
      { capabilities: '010400190046' },
      { require: ['routeRefresh'] },
      '2/7 0200',
      /refresh/,
    ],
  ] as const) {
    it(`${what}: ${notification}`, async () => {
      const bench = await withPeer(config);
      const peer = bench.connect();
      peer.send(theirOpen(open), KEEPALIVE);
      bench.clock.settle();
      assert.equal(peer.notification, notification);
      assert.equal(bench.recorder.ups.length, 0);
      assert.match(bench.status.lastError!.text, cause);
      assert.match(bench.status.history.at(-1)!.reason, cause);
    });
  }

  it('CAP-7 a neighbour that has all that is required is taken', async () => {
    const bench = await withPeer({
      require: ['fourByteAs', 'routeRefresh', 'gracefulRestart', 'extendedNextHop', 'addPaths', 'role'],
      ...{ gracefulRestart: RESTARTS, extendedNextHop: true, addPaths: 'both', role: 'provider' },
    });
    bench.establish({ capabilities: `${RICH} 090103` });
    assert.equal(bench.state, 'Established');
  });

  it('FSM-3 an external neighbour may have our identifier', async () => {
    const bench = await withPeer();
    bench.establish({ id: '10.0.0.1' });
    assert.equal(bench.state, 'Established');
  });

  it('FSM-4 AS_TRANS in the short field goes with the real AS in capability 65', async () => {
    const bench = await withPeer({ remoteAs: 4_200_000_001 });
    bench.establish({ as: 4_200_000_001 });
    assert.equal(bench.recorder.ups[0]?.negotiated.remoteAs, 4_200_000_001);
  });

  it('CAP-10 a neighbour that refuses optional parameters is tried once without any', async () => {
    const bench = await withPeer({ passive: false });
    await bench.listen();
    bench.clock.advance(10_000);
    bench.dialled[0]!.send(rawNotification(2, 4));
    bench.clock.settle();
    bench.clock.advance(10);
    const second = bench.dialled[1]!;
    assert.equal(second.heard[0]!.body.length, 10, 'an OPEN without parameters');
    second.send(theirOpen({ capabilities: undefined as never }), KEEPALIVE);
    bench.clock.settle();
    assert.equal(bench.state, 'Established');
    assert.equal(bench.recorder.ups[0]!.negotiated.fourByteAs, false);
    assert.deepEqual(bench.recorder.ups[0]!.negotiated.families, ['ipv4']);
  });
});
