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

describe('session: OPEN refused (RFC 4271 §6.2)', () => {
  for (const [what, open, config, expected] of [
    ['version 5', { version: 5 }, {}, '2/1 0004'],
    ['another AS', { as: 65003, capabilities: MP_BOTH }, {}, '2/2 fdeb'],
    ['another 4-octet AS', { as: 70000 }, {}, '2/2 00011170'],
    ['AS 0 in capability 65', { as: 65002, capabilities: `${MP_BOTH} ${fourByteAs(0)}` }, {}, '2/2 fdea'],
    ['FSM-4 internal asked, external came', {}, { remoteAs: 'internal' }, '2/2 0000fdea'],
    ['FSM-4 external asked, internal came', { as: 65001 }, { remoteAs: 'external' }, '2/2 0000fde9'],
    ['FSM-3 identifier 0.0.0.0', { id: '0.0.0.0' }, {}, '2/3 00000000'],
    [
      'FSM-3 our identifier inside our AS',
      { as: 65001, id: '10.0.0.1' },
      { remoteAs: 'internal' },
      '2/3 0a000001',
    ],
    ['FSM-1 hold time 1', { hold: 1 }, {}, '2/6 0001'],
    ['FSM-1 hold time 2', { hold: 2 }, {}, '2/6 0002'],
    ['FSM-1 hold time below the floor', { hold: 20 }, { minHoldTimeSeconds: 30 }, '2/6 0014'],
    [
      'CAP-6 no family in common',
      { capabilities: '010400010001' },
      { families: ['ipv6'] },
      '2/7 010400020001',
    ],
    [
      'CAP-5 IPv4 by default is no IPv6',
      { capabilities: fourByteAs(65002) },
      { families: ['ipv6'] },
      '2/7 010400020001',
    ],
    ['CAP-7 a required capability is missing', {}, { require: ['gracefulRestart'] }, undefined],
    ['CAP-12 a role that does not fit', { capabilities: `${MP_BOTH} 090104` }, { role: 'customer' }, '2/11'],
    ['CAP-3 two roles', { capabilities: `${MP_BOTH} 090100 090103` }, { role: 'customer' }, '2/11'],
    ['CAP-12 no role in strict mode', {}, { role: 'peer', require: ['role'] }, '2/11'],
    ['CAP-1 a capability that overruns', { capabilities: '0105 00010001' }, {}, '2/0'],
  ] as const) {
    it(`${what}: ${expected ?? '2/7'}`, async () => {
      const bench = await withPeer(config);
      const peer = bench.connect();
      peer.send(theirOpen(open), KEEPALIVE);
      bench.clock.settle();
      if (expected === undefined) assert.match(peer.notification!, /^2\/7/);
      else assert.equal(peer.notification, expected);
      assert.equal(bench.recorder.ups.length, 0);
      assert.match(bench.status.history.at(-1)!.reason, /./);
      assert.notEqual(bench.status.lastError, undefined);
    });
  }

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
