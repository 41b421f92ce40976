// Connection collision (FSM-5, FSM-6, FSM-7): scripted neighbours in both orders, and two real speakers.
import assert from 'node:assert/strict';
import { SeededRandom } from '#world';
import { FakeClock } from '#world/testing';
import type { PeerConfig } from '../../config.ts';
import { KEEPALIVE, rawNotification } from '../../testing/message-bytes.ts';
import { type ScriptPeer } from '../../testing/script-peer.ts';
import { SessionBench, OURS, THEIRS, theirOpen } from '../../testing/session-bench.ts';
import { loserOf } from './collision.ts';
import { peerConfig, speakerConfig } from '../../testing/configs.ts';
import { SessionRecorder } from '../../testing/session-recorder.ts';
import { MemoryNetwork } from '../../transport/memory-network.ts';
import { Peers } from '../neighbours/peers.ts';

describe('collision rule (RFC 4271 §6.8, RFC 6286 §2.3)', () => {
  const ids = { localRouterId: 5, remoteRouterId: 9, localAs: 65001, remoteAs: 65002 };
  const ours = { isIncoming: false };
  const theirs = { isIncoming: true };
  for (const [what, change, keptIncoming] of [
    ['the remote identifier is higher', {}, true],
    ['the local identifier is higher', { localRouterId: 10 }, false],
    ['identifiers compare unsigned', { localRouterId: 0x7fffffff, remoteRouterId: 0x80000000 }, true],
    ['equal identifiers: the remote AS is higher', { localRouterId: 9 }, true],
    ['equal identifiers: the local AS is higher', { localRouterId: 9, localAs: 65003 }, false],
    ['the local identifier is higher, the remote AS too', { localRouterId: 10, remoteAs: 65009 }, false],
  ] as const) {
    it(`${what}: ${keptIncoming ? 'theirs' : 'ours'} is kept, in both orders`, () => {
      assert.equal(loserOf(ours, theirs, { ...ids, ...change }), keptIncoming ? 'existing' : 'fresh');
      assert.equal(loserOf(theirs, ours, { ...ids, ...change }), keptIncoming ? 'fresh' : 'existing');
    });
  }

  it('of two that the neighbour opened the newer is kept', () => {
    assert.equal(loserOf(theirs, theirs, { ...ids, localRouterId: 10 }), 'existing');
  });
});

describe('session: collision with a scripted neighbour', () => {
  /** Our connection and theirs, both in OpenSent. */
  async function both(
    remoteId: string,
  ): Promise<{ bench: SessionBench; ours: ScriptPeer; theirs: ScriptPeer; id: string }> {
    const bench = await SessionBench.withPeer({ passive: false });
    await bench.listen();
    bench.clock.settle();
    const theirs = bench.connect();
    return { bench, ours: bench.dialled[0]!, theirs, id: remoteId };
  }

  for (const [remoteId, winner] of [
    ['10.0.0.9', 'theirs'],
    ['9.0.0.9', 'ours'],
    ['10.0.0.1', 'theirs'],
  ] as const) {
    for (const first of ['ours', 'theirs'] as const) {
      it(`identifier ${remoteId}, OPEN first on ${first}: ${winner} lives, the other gets 6/7`, async () => {
        const setup = await both(remoteId);
        const { bench, id } = setup;
        const second = first === 'ours' ? 'theirs' : 'ours';
        setup[first].send(theirOpen({ id }));
        bench.clock.settle();
        setup[second].send(theirOpen({ id }));
        bench.clock.settle();
        const loser = winner === 'ours' ? 'theirs' : 'ours';
        assert.match(setup[loser].words, /NOTIFICATION 6\/7$/);
        assert.ok(setup[loser].isClosed);
        setup[winner].send(KEEPALIVE);
        bench.clock.settle();
        assert.equal(setup[winner].words, 'OPEN KEEPALIVE');
        assert.equal(bench.state, 'Established');
        bench.advanceAlive(setup[winner], 300_000);
        assert.equal(bench.dialled.length, 1, 'nothing is dialled while established');
        assert.equal(bench.network.connections.length, 2);
      });
    }
  }

  it('is no error and no failure when the neighbour is the one that ends its loser with 6/7', async () => {
    const { bench, ours, theirs } = await both('10.0.0.9');
    theirs.send(theirOpen({ id: '10.0.0.9' }));
    bench.clock.settle();
    ours.send(rawNotification(6, 7));
    bench.clock.settle();
    theirs.send(KEEPALIVE);
    bench.clock.settle();
    assert.equal(bench.state, 'Established');
    assert.equal(bench.status.lastError, undefined);
    assert.equal(bench.status.collisions, 1);
    assert.match(bench.status.lastNotificationIn!.text, /collision/, 'it is shown where NOTIFICATIONs are');
  });

  it('is an error all the same where there is no other connection', async () => {
    const bench = await SessionBench.withPeer({ passive: false });
    await bench.listen();
    bench.clock.settle();
    bench.dialled[0]!.send(rawNotification(6, 7));
    bench.clock.settle();
    assert.match(bench.status.lastError!.text, /collision/);
    assert.equal(bench.status.collisions, 0);
  });

  it('Established wins over any identifier', async () => {
    const { bench, ours, theirs } = await both('10.0.0.9');
    ours.send(theirOpen({ id: '10.0.0.9' }), KEEPALIVE);
    bench.clock.settle();
    theirs.send(theirOpen({ id: '10.0.0.9' }));
    bench.clock.settle();
    assert.match(theirs.words, /NOTIFICATION 6\/7$/);
    assert.equal(bench.state, 'Established');
  });

  it('FSM-5 what is still in Connect is stopped silently', async () => {
    const bench = await SessionBench.withPeer({ passive: false });
    const peer = bench.establish();
    assert.equal(bench.state, 'Established');
    await bench.listen();
    bench.advanceAlive(peer, 120_000);
    assert.equal(bench.dialled.length, 0);
    assert.equal(bench.status.connections, 1);
  });

  it('FSM-6 several connections in OpenSent are tolerated, and bounded', async () => {
    const bench = await SessionBench.withPeer();
    const peers = Array.from({ length: 12 }, () => bench.connect());
    bench.clock.settle();
    assert.equal(bench.status.connections, 8);
    assert.ok(
      peers.slice(0, 4).every(({ isClosed }) => isClosed),
      'the oldest gave way',
    );
    peers[6]!.send(theirOpen(), KEEPALIVE);
    bench.clock.settle();
    assert.equal(bench.state, 'Established');
  });

  it('FSM-7 without graceful restart the old session survives a new connection', async () => {
    const bench = await SessionBench.withPeer();
    const old = bench.establish();
    const fresh = bench.connect();
    const keepalives = old.count(4);
    fresh.send(theirOpen(), KEEPALIVE);
    bench.clock.settle();
    assert.match(fresh.words, /NOTIFICATION 6\/7$/);
    assert.equal(bench.recorder.downs.length, 0);
    assert.equal(old.count(4), keepalives + 1, 'the old one is asked for a sign of life');
  });
});

describe('session: two speakers', () => {
  interface Pair {
    readonly clock: FakeClock;
    readonly network: MemoryNetwork;
    readonly a: Peers;
    readonly b: Peers;
    readonly ra: SessionRecorder;
    readonly rb: SessionRecorder;
  }

  async function pair(
    idA: string,
    idB: string,
    asB = 65002,
    latencyMs = 1,
    chunkBytes = Infinity,
    more: Partial<PeerConfig> = {},
  ): Promise<Pair> {
    const clock = new FakeClock();
    const network = new MemoryNetwork(clock);
    network.latencyMs = latencyMs;
    network.chunkBytes = chunkBytes;
    const [ra, rb] = [new SessionRecorder(), new SessionRecorder()];
    const io = (seed: number, address: string) => ({
      clock,
      random: new SeededRandom(seed),
      transport: network.host(address),
    });
    const a = new Peers(speakerConfig(65001, idA, OURS), io(1, OURS), ra);
    const b = new Peers(speakerConfig(asB, idB, THEIRS), io(2, THEIRS), rb);
    a.addPeer(peerConfig('b', THEIRS, asB, more));
    b.addPeer(peerConfig('a', OURS, 65001, more));
    await a.start();
    await b.start();
    return { clock, network, a, b, ra, rb };
  }

  function assertOneSession({ network, ra, rb }: Pair, what: string): void {
    assert.equal(ra.alive.length, 1, what);
    assert.equal(rb.alive.length, 1, what);
    assert.equal(network.connections.length, 2, what);
  }

  it('that dial each other at once agree on one connection, whatever their identifiers and the delay', async () => {
    for (const [idA, idB] of [
      ['1.1.1.1', '2.2.2.2'],
      ['2.2.2.2', '1.1.1.1'],
      ['1.1.1.1', '1.1.1.1'],
    ] as const) {
      for (const latencyMs of [0, 1, 7, 100]) {
        const both = await pair(idA, idB, 65002, latencyMs);
        both.clock.advance(3_000);
        assertOneSession(both, `${idA} ${idB} ${latencyMs} ms`);
        assert.equal(both.ra.downs.length + both.rb.downs.length, 0);
        both.clock.advance(600_000);
        assertOneSession(both, 'ten minutes later');
      }
    }
  });

  it('the same with graceful restart on both sides: nothing is taken for a restart', async () => {
    for (const mode of ['helper', 'full'] as const) {
      for (const [idA, idB] of [
        ['1.1.1.1', '2.2.2.2'],
        ['2.2.2.2', '1.1.1.1'],
      ] as const) {
        for (const latencyMs of [0, 1, 7, 100]) {
          const gracefulRestart = { mode, restartSeconds: 120, longLivedSeconds: 0 };
          const both = await pair(idA, idB, 65002, latencyMs, Infinity, { gracefulRestart });
          both.clock.advance(3_000);
          assertOneSession(both, `${mode} ${idA} ${idB} ${latencyMs} ms`);
          assert.equal(both.ra.downs.length + both.rb.downs.length, 0, `${mode} ${latencyMs} ms`);
        }
      }
    }
  });

  it('agree at every size of chunk', async () => {
    for (const chunkBytes of [1, 2, 3, 5, 18, 19, 20, 28, 29, 30, 47, 48, 64]) {
      const both = await pair('1.1.1.1', '2.2.2.2', 65002, 1, chunkBytes);
      both.clock.advance(3_000);
      assertOneSession(both, `${chunkBytes} bytes`);
    }
  });

  it('come back after any cut, and leave nothing behind', async () => {
    const both = await pair('1.1.1.1', '2.2.2.2');
    both.clock.advance(3_000);
    for (let round = 0; round < 20; round++) {
      both.network.connections[round % 2]!.cut();
      both.clock.advance(61_000);
      assertOneSession(both, `round ${round}`);
    }
    assert.equal(both.ra.downs.length, 20);
    await both.a.stop();
    await both.b.stop();
    both.clock.advance(60_000);
    assert.equal(both.network.connections.length, 0);
    assert.equal(both.clock.pending, 0);
  });
});
