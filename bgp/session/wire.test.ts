// What goes over the wire, against a scripted neighbour: the rows FSM-x and HDR-x of the protocol list.
import assert from 'node:assert/strict';
import {
  END_OF_RIB,
  KEEPALIVE,
  MP_BOTH,
  fourByteAs,
  rawMessage,
  rawNotification,
} from '../testing/script-peer.ts';
import { SessionBench, THEIRS, theirOpen } from '../testing/session-bench.ts';
import { peerConfig } from '../testing/configs.ts';

const withPeer = SessionBench.withPeer.bind(SessionBench);
const REFRESH_IPV4 = rawMessage(5, Buffer.from([0, 1, 0, 1]));

describe('session: header errors (RFC 4271 §6.1)', () => {
  const UNSYNCHRONISED = Buffer.from(KEEPALIVE);
  UNSYNCHRONISED[3] = 0;
  for (const [what, bytes, expected] of [
    ['a marker that is not all ones', UNSYNCHRONISED, '1/1'],
    ['length 18', rawMessage(4, Buffer.alloc(0), 18), '1/2 0012'],
    ['length 4097 without extended messages', rawMessage(2, Buffer.alloc(4078)), '1/2 1001'],
    ['a KEEPALIVE of 20 bytes', rawMessage(4, Buffer.alloc(1)), '1/2 0014'],
    ['an UPDATE of 22 bytes', rawMessage(2, Buffer.alloc(3)), '1/2 0016'],
    ['an OPEN of 28 bytes', rawMessage(1, Buffer.alloc(9)), '1/2 001c'],
    ['type 0', rawMessage(0), '1/3 00'],
    ['type 6', rawMessage(6), '1/3 06'],
  ] as const) {
    it(`HDR-2..4 ${what}: NOTIFICATION ${expected}`, async () => {
      const bench = await withPeer();
      const peer = bench.establish();
      peer.send(bytes, END_OF_RIB);
      bench.clock.settle();
      assert.equal(peer.notification, expected);
      assert.equal(bench.state, 'Idle');
      assert.equal(bench.recorder.updates.length, 0, 'what follows the error is not read');
      assert.match(bench.status.lastNotificationOut!.text, /header error/);
    });
  }

  it('HDR-3 takes 4097 bytes when both sides sent the extended message capability', async () => {
    const bench = await withPeer();
    const peer = bench.establish({ capabilities: `${MP_BOTH} 0600 ${fourByteAs(65002)}` });
    peer.send(rawMessage(2, Buffer.alloc(4078)), rawMessage(2, Buffer.alloc(65_535 - 19)));
    bench.clock.settle();
    assert.deepEqual(
      bench.recorder.updates.map(({ length }) => length),
      [4097, 65_535],
    );
    assert.equal(bench.recorder.ups[0]!.maxMessageBytes, 65_535);
  });

  it('HDR-4 refuses ROUTE-REFRESH that was not offered', async () => {
    const bench = await withPeer();
    await refuseParameters(bench);
    const peer = bench.establish({ capabilities: undefined as never });
    peer.send(REFRESH_IPV4);
    bench.clock.settle();
    assert.equal(peer.notification, '1/3 05');
  });

  it('HDR-5 does not answer a NOTIFICATION, not even one that is too short', async () => {
    for (const bytes of [rawNotification(3, 1), rawMessage(3, Buffer.alloc(1))]) {
      const bench = await withPeer();
      const peer = bench.establish();
      peer.send(bytes);
      bench.clock.settle();
      assert.equal(peer.notification, undefined);
      assert.ok(peer.isClosed);
      assert.equal(bench.recorder.downs.length, 1);
    }
  });

  it('HDR-6 closes hard 10 s after a NOTIFICATION that cannot be flushed', async () => {
    const bench = await withPeer();
    const peer = bench.establish();
    peer.connection.pause();
    const session = bench.recorder.ups[0]!;
    while (session.write(updateOf(4000))) bench.clock.settle();
    session.fail({ code: 6, subcode: 4 });
    bench.clock.advance(9_900);
    assert.equal(bench.network.connections.length, 2);
    bench.clock.advance(200);
    peer.connection.resume();
    bench.clock.settle();
    assert.equal(bench.network.connections.length, 0);
  });

  it('HDR-7 a NOTIFICATION passes queued UPDATEs and never stands inside a message', async () => {
    for (const windowBytes of [1000, 1001, 20_000, 100_000]) {
      const bench = await withPeer();
      bench.network.windowBytes = windowBytes;
      const peer = bench.establish();
      peer.connection.pause();
      const session = bench.recorder.ups[0]!;
      let written = 0;
      while (session.write(updateOf(3000))) written++;
      for (let i = 0; i < 100; i++) session.write(updateOf(3000));
      session.fail({ code: 6, subcode: 4 });
      peer.connection.resume();
      bench.clock.advance(1000);
      assert.equal(peer.heard.at(-1)!.type, 3, 'the last message is the NOTIFICATION');
      assert.equal(peer.notification, '6/4');
      assert.ok(peer.count(2) < written, `of ${written + 100} UPDATEs ${peer.count(2)} went before it`);
      for (const { type, body } of peer.heard) if (type === 2) assert.equal(body.length, 3000 - 19);
    }
  });
});

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

  it('an UPDATE in OpenConfirm counts as KEEPALIVE and is read', async () => {
    const bench = await withPeer();
    const peer = bench.connect();
    peer.send(theirOpen(), END_OF_RIB);
    bench.clock.settle();
    assert.equal(bench.state, 'Established');
    assert.equal(bench.recorder.updates.length, 1);
  });

  for (const [state, bytes, expected] of [
    ['OpenSent', KEEPALIVE, '5/1 04'],
    ['OpenSent', END_OF_RIB, '5/1 02'],
    ['OpenSent', REFRESH_IPV4, '5/1 05'],
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

describe('session: timers', () => {
  it('FSM-1 the smaller hold time counts, and 4/0 is sent when it is over', async () => {
    const bench = await withPeer();
    const peer = bench.establish({ hold: 30 });
    bench.clock.advance(29_999);
    assert.equal(bench.state, 'Established');
    bench.clock.advance(2);
    assert.equal(peer.notification, '4/0');
    assert.equal(bench.recorder.downs[0]?.reason.cause, 'hold timer expired');
  });

  it('FSM-1 hold time 0: no KEEPALIVE and no end for a day', async () => {
    const bench = await withPeer();
    const peer = bench.establish({ hold: 0 });
    bench.clock.advance(86_400_000);
    assert.equal(bench.state, 'Established');
    assert.equal(peer.words, 'OPEN KEEPALIVE');
  });

  it('FSM-2 a KEEPALIVE every third of the hold time, less up to a quarter', async () => {
    const bench = await withPeer();
    const peer = bench.establish({ hold: 30 });
    const gaps = keepaliveGaps(
      bench,
      () => peer.count(4),
      600_000,
      () => peer.send(KEEPALIVE),
    );
    assert.ok(Math.min(...gaps) >= 7_500 && Math.max(...gaps) <= 10_000, `${gaps.join(' ')}`);
    assert.ok(Math.max(...gaps) - Math.min(...gaps) > 500, 'jitter');
  });

  it('a sent UPDATE restarts the keepalive timer', async () => {
    const bench = await withPeer();
    const peer = bench.establish({ hold: 30 });
    for (let second = 0; second < 60; second++) {
      bench.recorder.ups[0]!.write(END_OF_RIB);
      peer.send(KEEPALIVE);
      bench.clock.advance(1000);
    }
    assert.equal(peer.count(4), 1);
    assert.equal(peer.count(2), 60);
  });

  it('an UPDATE received restarts the hold timer', async () => {
    const bench = await withPeer();
    const peer = bench.establish({ hold: 30 });
    for (let i = 0; i < 10; i++) {
      bench.clock.advance(20_000);
      peer.send(END_OF_RIB);
      bench.clock.settle();
    }
    assert.equal(bench.state, 'Established');
  });

  it('an OPEN that never comes: 4/0 after 4 minutes', async () => {
    const bench = await withPeer();
    const peer = bench.connect();
    bench.clock.advance(239_000);
    assert.equal(peer.notification, undefined);
    bench.clock.advance(2_000);
    assert.equal(peer.notification, '4/0');
  });

  it('FSM-9 bytes that wait unread when the hold timer fires save the session', async () => {
    const bench = await withPeer();
    const peer = bench.establish({ hold: 30 });
    bench.network.isFrozen = true;
    peer.send(KEEPALIVE);
    bench.clock.advance(31_000);
    assert.equal(bench.state, 'Established', 'a stalled process must not blame the neighbour');
    bench.network.thaw();
    bench.clock.settle();
    bench.clock.advance(29_000);
    assert.equal(bench.state, 'Established');
    bench.clock.advance(2_000);
    assert.equal(peer.notification, '4/0');
  });

  it('FSM-10 a neighbour that takes no bytes for 8 minutes is dropped, without a NOTIFICATION', async () => {
    const bench = await withPeer();
    const peer = bench.establish({ hold: 90 });
    peer.connection.pause();
    const session = bench.recorder.ups[0]!;
    while (session.write(updateOf(4000))) bench.clock.settle();
    bench.advanceAlive(peer, 470_000);
    assert.equal(bench.state, 'Established');
    bench.advanceAlive(peer, 60_000);
    assert.equal(bench.recorder.downs[0]?.reason.cause, 'send hold timer expired');
    assert.equal(peer.notification, undefined);
  });

  it('FSM-10 one that is only slow is kept', async () => {
    const bench = await withPeer();
    bench.network.windowBytes = 8_000;
    const peer = bench.establish({ hold: 90 });
    peer.connection.pause();
    const session = bench.recorder.ups[0]!;
    while (session.write(updateOf(4000))) bench.clock.settle();
    for (let minute = 0; minute < 15; minute++) {
      peer.connection.resume();
      bench.clock.settle();
      peer.connection.pause();
      session.write(updateOf(4000));
      bench.advanceAlive(peer, 60_000);
    }
    assert.equal(bench.state, 'Established');
  });
});

describe('session: what the speaker is told', () => {
  it('route refresh by family and subtype; other families and wrong lengths', async () => {
    const bench = await withPeer({ families: ['ipv4'] });
    const peer = bench.establish();
    peer.send(
      REFRESH_IPV4,
      rawMessage(5, Buffer.from([0, 1, 1, 1])),
      rawMessage(5, Buffer.from([0, 2, 0, 1])),
      rawMessage(5, Buffer.from([0, 25, 0, 70])),
    );
    bench.clock.settle();
    assert.deepEqual(bench.recorder.refreshes, [
      { family: 'ipv4', subtype: 0 },
      { family: 'ipv4', subtype: 1 },
    ]);
    peer.send(rawMessage(5, Buffer.from([0, 1, 0])));
    bench.clock.settle();
    assert.match(peer.notification!, /^7\/1 f{32}/);
  });

  it('after fail() in the middle of a chunk nothing of it is read any more', async () => {
    const bench = await withPeer();
    const peer = bench.establish();
    bench.recorder.onUpdate = (session) => {
      session.fail({ code: 3, subcode: 1, reason: 'malformed attribute list' });
      assert.equal(bench.recorder.downs.length, 1, 'down() comes inside fail()');
      session.fail({ code: 3, subcode: 1 });
      assert.equal(session.write(END_OF_RIB), false);
    };
    peer.send(END_OF_RIB, END_OF_RIB, END_OF_RIB, rawNotification(6, 2), KEEPALIVE);
    bench.clock.settle();
    assert.equal(bench.recorder.updates.length, 1);
    assert.equal(bench.recorder.downs.length, 1);
    assert.equal(peer.words, 'OPEN KEEPALIVE NOTIFICATION 3/1');
    assert.match(bench.status.history.at(-1)!.reason, /malformed attribute list/);
  });

  it('a handler that throws loses its session and nothing else', async () => {
    const bench = await withPeer();
    const peer = bench.establish();
    bench.recorder.onUpdate = () => {
      throw new Error('a fault of ours');
    };
    peer.send(END_OF_RIB);
    bench.clock.settle();
    assert.equal(peer.notification, '6/8');
    assert.match(bench.status.lastError!.text, /a fault of ours/);
  });

  it('fail() inside established() ends the session in order', async () => {
    const bench = await withPeer();
    bench.recorder.onEstablished = (session) => session.fail({ code: 6, subcode: 6 });
    const peer = bench.establish();
    assert.equal(peer.notification, '6/6');
    assert.equal(bench.recorder.downs.length, 1);
  });

  it('over its limit a neighbour stays down for the time given, or until reset', async () => {
    for (const holdDownSeconds of [300, 'until reset'] as const) {
      const bench = await withPeer({ passive: false });
      await bench.listen();
      bench.clock.settle();
      bench.dialled[0]!.send(theirOpen(), KEEPALIVE);
      bench.clock.settle();
      bench.recorder.ups[0]!.fail({ code: 6, subcode: 1 }, { holdDownSeconds });
      bench.clock.advance(299_000);
      assert.equal(bench.dialled.length, 1);
      assert.match(bench.status.heldDown!, holdDownSeconds === 300 ? /for 300 s/ : /until reset/);
      const refused = bench.connect();
      assert.equal(refused.words, 'NOTIFICATION 6/5');
      bench.clock.advance(2_000);
      assert.equal(bench.dialled.length, holdDownSeconds === 300 ? 2 : 1);
      if (holdDownSeconds === 300) continue;
      bench.sessions.resetPeer('tor');
      bench.clock.settle();
      assert.equal(bench.dialled.length, 2);
    }
  });

  it('drained() comes once the neighbour has taken what was queued', async () => {
    const bench = await withPeer();
    const peer = bench.establish();
    peer.connection.pause();
    const session = bench.recorder.ups[0]!;
    let count = 0;
    do count++;
    while (session.write(updateOf(4000)));
    bench.clock.settle();
    assert.equal(bench.recorder.drains, 0);
    assert.ok(session.queuedBytes > 0);
    peer.connection.resume();
    bench.clock.settle();
    assert.equal(bench.recorder.drains, 1);
    assert.equal(session.queuedBytes, 0);
    assert.equal(peer.count(2), count);
  });

  it('KEEPALIVEs pass what waits for a slow reader', async () => {
    const bench = await withPeer();
    const peer = bench.establish({ hold: 30 });
    peer.connection.pause();
    const session = bench.recorder.ups[0]!;
    let count = 0;
    for (; count < 500; count++) session.write(updateOf(4000));
    bench.advanceAlive(peer, 12_000, 4_000);
    peer.connection.resume();
    bench.clock.settle();
    const first = peer.heard.findIndex(({ type }, index) => type === 4 && index > 1);
    assert.ok(first > 0 && first < count, `KEEPALIVE at ${first} of ${count}`);
    assert.equal(peer.count(2), count);
  });
});

describe('session: administration', () => {
  it('shutdown carries its text (RFC 9003) and refuses connections with 6/5', async () => {
    const bench = await withPeer();
    const peer = bench.establish();
    bench.sessions.updatePeer(
      peerConfig('tor', THEIRS, 65002, { passive: true, shutdown: { message: 'rack moves' } }),
    );
    bench.clock.settle();
    assert.equal(peer.notification, `6/2 0a${Buffer.from('rack moves').toString('hex')}`);
    assert.equal(bench.status.heldDown, 'shut down by configuration: rack moves');
    assert.equal(bench.connect().words, 'NOTIFICATION 6/5');
    bench.sessions.updatePeer(peerConfig('tor', THEIRS, 65002, { passive: true }));
    bench.establish();
    assert.equal(bench.state, 'Established');
  });

  it('removePeer says 6/3, resetPeer 6/4, stop 6/2; a graceful stop nothing', async () => {
    for (const [act, expected] of [
      [(bench: SessionBench) => bench.sessions.removePeer('tor'), '6/3'],
      [(bench: SessionBench) => bench.sessions.resetPeer('tor', 'new cable'), '6/4 096e6577206361626c65'],
      [(bench: SessionBench) => void bench.sessions.stop({ message: 'bye' }), '6/2 03627965'],
      [(bench: SessionBench) => void bench.sessions.stop({ graceful: true }), undefined],
    ] as const) {
      const bench = await withPeer();
      const peer = bench.establish();
      act(bench);
      bench.clock.advance(20_000);
      assert.equal(peer.notification, expected);
      assert.ok(peer.isClosed);
      assert.equal(bench.recorder.downs.length, 1);
      assert.equal(bench.network.connections.length, 0);
    }
  });

  it('hard reset (RFC 8538): with the N bit on both sides a shutdown is wrapped in 6/9', async () => {
    const bench = await withPeer({
      gracefulRestart: { mode: 'full', restartSeconds: 120, longLivedSeconds: 0 },
    });
    const peer = bench.establish({ capabilities: `${MP_BOTH} ${fourByteAs(65002)} 4006 4078 00010180` });
    bench.sessions.removePeer('tor');
    bench.clock.settle();
    assert.equal(peer.notification, '6/9 0603');
    assert.equal(bench.recorder.downs[0]!.reason.keepRoutes, false);
  });

  it('a new AS number or router ID resets; the same configuration does not', async () => {
    const bench = await withPeer();
    const peer = bench.establish();
    const config = { asNumber: 65001, routerId: '10.0.0.1', listen: [{ address: '10.0.0.1', port: 179 }] };
    const multipath = { ebgp: 1, ibgp: 1, relax: false };
    await bench.sessions.reconfigure({ ...config, multipath });
    bench.clock.settle();
    assert.equal(bench.state, 'Established');
    await bench.sessions.reconfigure({ ...config, routerId: '10.9.9.9', multipath });
    bench.clock.settle();
    assert.equal(peer.notification, '6/6');
  });
});

/** An UPDATE of so many bytes; its contents do not matter here. */
function updateOf(bytes: number): Buffer {
  return rawMessage(2, Buffer.alloc(bytes - 19, 1));
}

function keepaliveGaps(bench: SessionBench, count: () => number, ms: number, alive: () => void): number[] {
  const gaps: number[] = [];
  let last = 0;
  let before = count();
  for (let t = 0; t < ms; t += 50) {
    if (t % 5000 === 0) alive();
    bench.clock.advance(50);
    if (count() === before) continue;
    before = count();
    if (last > 0) gaps.push(t - last);
    last = t;
  }
  return gaps;
}

/** The neighbour answers our first OPEN with 2/4, so that the next one has no capabilities. */
async function refuseParameters(bench: SessionBench): Promise<void> {
  const peer = bench.connect();
  peer.send(rawNotification(2, 4));
  bench.clock.advance(10);
  await Promise.resolve();
}
