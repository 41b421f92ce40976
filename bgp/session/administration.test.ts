// What an administrator orders, and what the neighbour hears of it.
import assert from 'node:assert/strict';
import { peerConfig } from '../testing/configs.ts';
import { KEEPALIVE, MP_BOTH, fourByteAs, rawNotification } from '../testing/message-bytes.ts';
import { ScriptPeer } from '../testing/script-peer.ts';
import { SessionBench, THEIRS, theirOpen } from '../testing/session-bench.ts';

const withPeer = SessionBench.withPeer.bind(SessionBench);

const FULL = { gracefulRestart: { mode: 'full', restartSeconds: 120, longLivedSeconds: 0 } } as const;
const HELPER = { gracefulRestart: { ...FULL.gracefulRestart, mode: 'helper' } } as const;
const RESTARTS = `${MP_BOTH} ${fourByteAs(65002)} 4006 4078 00010180`;

describe('a neighbour with another address', () => {
  it('that is taken: the neighbour stays as it is, and its session too', async () => {
    const bench = await SessionBench.withPeer();
    bench.sessions.addPeer(peerConfig('other', '10.0.0.3', 65003, { passive: true }));
    bench.establish();
    assert.throws(
      () => bench.sessions.updatePeer(peerConfig('tor', '10.0.0.3', 65002, { passive: true })),
      /peer tor: 10\.0\.0\.3 is already the neighbour of peer other/,
    );
    assert.equal(bench.state, 'Established');
    const range = { kind: 'range', prefix: '10.0.1.0/24', maxPeers: 5 } as const;
    bench.sessions.addPeer(peerConfig('rack', '', 65002, { remote: range }));
    bench.sessions.addPeer(peerConfig('fleet', '', 65002, { remote: { ...range, prefix: '10.0.2.0/24' } }));
    assert.throws(
      () => bench.sessions.updatePeer(peerConfig('fleet', '', 65002, { remote: range })),
      /peer fleet: range 10\.0\.1\.0\/24 is already that of peer rack/,
    );
    assert.equal(bench.sessions.status().length, 4);
    bench.sessions.updatePeer(peerConfig('tor', '10.0.1.7', 65002, { passive: true }));
    assert.equal(bench.status.remote, '10.0.1.7');
  });
});

describe('a neighbour that opens the session itself', () => {
  it('is not dialled any more, whatever the dialler was at', async () => {
    for (const isAnswering of [true, false]) {
      const bench = await SessionBench.withPeer({ passive: false });
      // No answer: the dialler waits in Connect. Else it is refused, and rests.
      if (!isAnswering) bench.network.paths = { routersTo: (from) => (from === bench.host ? undefined : 0) };
      bench.clock.advance(1000);
      bench.network.paths = undefined;
      const peer = bench.establish();
      assert.equal(bench.state, 'Established');
      const { connectAttempts } = bench.status;
      await bench.listen();
      bench.advanceAlive(peer, 300_000);
      assert.equal(bench.dialled.length, 0);
      assert.equal(bench.status.connectAttempts, connectAttempts);
      assert.equal(bench.status.connections, 1);
      assert.equal(bench.status.collisions, 0);
    }
  });
});

describe('of two connections one is enough', () => {
  it('the dialler gives up as soon as the OPENs of the other have met', async () => {
    const bench = await withPeer({ passive: false });
    bench.network.paths = { routersTo: (from) => (from === bench.host ? undefined : 0) };
    bench.clock.advance(1000);
    bench.network.paths = undefined;
    bench.connect().send(theirOpen());
    bench.clock.settle();
    assert.equal(bench.state, 'OpenConfirm');
    assert.equal(bench.status.timers.connectRetryMs, undefined);
    await bench.listen();
    bench.clock.advance(60_000);
    assert.equal(bench.dialled.length, 0);
  });

  it('one that we dialled and on which nothing came is told 6/7 when the other is established', async () => {
    const bench = await withPeer({ passive: false });
    await bench.listen();
    bench.clock.advance(1000);
    assert.equal(bench.dialled[0]!.words, 'OPEN');
    bench.establish();
    bench.clock.settle();
    assert.equal(bench.state, 'Established');
    assert.equal(bench.dialled[0]!.notification, '6/7');
    assert.ok(bench.dialled[0]!.isClosed);
    assert.equal(bench.status.connections, 1);
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

  it('removePeer says 6/3, resetPeer 6/4, stop 6/2; a graceful stop nothing to who keeps our routes over it', async () => {
    for (const [act, expected, restart = {}] of [
      [(bench: SessionBench) => bench.sessions.removePeer('tor'), '6/3'],
      [(bench: SessionBench) => bench.sessions.resetPeer('tor', 'new cable'), '6/4 096e6577206361626c65'],
      [(bench: SessionBench) => void bench.sessions.stop({ message: 'bye' }), '6/2 03627965'],
      [(bench: SessionBench) => void bench.sessions.stop({ graceful: true }), '6/2'],
      [(bench: SessionBench) => void bench.sessions.stop({ graceful: true }), undefined, FULL],
      [(bench: SessionBench) => void bench.sessions.stop({ graceful: true }), '6/9 0602', HELPER],
    ] as const) {
      const bench = await withPeer(restart);
      const peer = bench.establish({ capabilities: RESTARTS });
      act(bench);
      bench.clock.advance(20_000);
      assert.equal(peer.notification, expected);
      assert.ok(peer.isClosed);
      assert.equal(bench.recorder.downs.length, 1);
      assert.equal(bench.network.connections.length, 0);
    }
  });

  it('a graceful stop goes by what the session was opened with', async () => {
    for (const [opened, next, expected] of [
      [HELPER, FULL, '6/9 0602'],
      [FULL, HELPER, undefined],
    ] as const) {
      const bench = await withPeer(opened);
      const peer = bench.establish({ capabilities: RESTARTS });
      bench.sessions.updatePeer(peerConfig('tor', THEIRS, 65002, { passive: true, ...next }));
      void bench.sessions.stop({ graceful: true });
      bench.clock.advance(20_000);
      assert.equal(peer.notification, expected);
    }
  });

  it('hard reset (RFC 8538): with the N bit on both sides a shutdown is wrapped in 6/9', async () => {
    const bench = await withPeer(FULL);
    const peer = bench.establish({ capabilities: RESTARTS });
    bench.sessions.removePeer('tor');
    bench.clock.settle();
    assert.equal(peer.notification, '6/9 0603');
    assert.equal(bench.recorder.downs[0]!.reason.kept, undefined);
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

describe('what was wrong before its configuration changed', () => {
  it('is forgotten where the next OPEN is another, and stays where it is the same', async () => {
    const bench = await withPeer();
    bench.connect().send(rawNotification(2, 2));
    bench.clock.settle();
    const said = 'notification received';
    assert.equal(bench.status.lastError?.cause.kind, said);
    const change = (more: object) =>
      bench.sessions.updatePeer(peerConfig('tor', THEIRS, 65002, { passive: true, ...more }));
    change({ holdTimeSeconds: 30 });
    assert.equal(bench.status.lastError?.cause.kind, said);
    change({ holdTimeSeconds: 30, localAs: 65077 });
    assert.equal(bench.status.lastError, undefined);
  });
});

describe('several neighbours on one address', () => {
  const at = (id: string, port: number, more = {}) =>
    peerConfig(id, THEIRS, 65002, { remote: { kind: 'address', address: THEIRS, port }, ...more });

  it('are told apart by the port that is dialled, and each has its session', async () => {
    const bench = new SessionBench();
    const dialled = new Map<number, ScriptPeer>();
    for (const port of [1179, 1180]) {
      await bench.remote.listen({ address: THEIRS, port }, (connection) => {
        dialled.set(port, new ScriptPeer(connection));
      });
      bench.sessions.addPeer(at(`p${port}`, port));
    }
    await bench.sessions.start();
    bench.clock.advance(10_000);
    for (const [port, peer] of dialled) {
      peer.send(theirOpen({ id: `10.0.0.${port - 1100}` }), KEEPALIVE);
      bench.clock.settle();
    }
    assert.deepEqual(
      bench.sessions.status().map(({ id, state }) => [id, state]),
      [
        ['p1179', 'Established'],
        ['p1180', 'Established'],
      ],
    );
    assert.throws(() => bench.sessions.addPeer(at('again', 1180)), /is already the neighbour of peer p1180/);
  });

  it('a call of theirs is for the one that waits for it, else for the one on port 179, else for nobody', async () => {
    for (const [peers, taker] of [
      [[at('a', 1179), at('b', 1180, { passive: true }), at('c', 179)], 'b'],
      [[at('a', 1179), at('c', 179)], 'c'],
      [[at('a', 1179), at('b', 1180)], undefined],
    ] as const) {
      const bench = new SessionBench();
      for (const peer of peers) bench.sessions.addPeer(peer);
      await bench.sessions.start();
      bench.establish();
      const established = bench.sessions.status().filter(({ state }) => state === 'Established');
      assert.deepEqual(
        established.map(({ id }) => id),
        taker === undefined ? [] : [taker],
      );
      assert.equal(bench.sessions.unknownRefused, taker === undefined ? 1 : 0);
    }
  });
});
