// A restart of the neighbour against a second connection from its address (FSM-7, RFC 4724 §5): who is there is asked.
import assert from 'node:assert/strict';
import { KEEPALIVE, MP_BOTH, fourByteAs, message, rawNotification } from '../testing/message-bytes.ts';
import type { ScriptPeer } from '../testing/script-peer.ts';
import { SessionBench, theirOpen } from '../testing/session-bench.ts';
import type { MemoryConnection } from '../transport/memory-connection.ts';

const GRACEFUL = { gracefulRestart: { mode: 'full', restartSeconds: 120, longLivedSeconds: 0 } } as const;
const AGREED = theirOpen({ capabilities: `${MP_BOTH} ${fourByteAs(65002)} 4006 4078 00010180` });
const RESTARTED = theirOpen({ capabilities: `${MP_BOTH} ${fourByteAs(65002)} 4006 c078 00010180` });
const LIVED_MS = 10_000;

describe('session: another connection of an established neighbour', () => {
  let bench: SessionBench;
  let old: ScriptPeer;

  beforeEach(async () => {
    bench = await SessionBench.withPeer(GRACEFUL);
    old = bench.connect();
    old.send(AGREED, KEEPALIVE);
    bench.clock.advance(LIVED_MS);
    assert.equal(bench.state, 'Established');
  });

  /** Nothing that is sent over the old connection arrives, and nobody says so. */
  function silence(): void {
    (old.connection as MemoryConnection).isForgotten = true;
  }

  function arrive(open = AGREED): ScriptPeer {
    const fresh = bench.connect();
    fresh.send(open, KEEPALIVE);
    bench.clock.settle();
    return fresh;
  }

  function assertLives(): void {
    assert.deepEqual([bench.recorder.downs.length, old.isClosed, bench.state], [0, false, 'Established']);
  }

  function assertRestarted(fresh: ScriptPeer, cause = 'peer restarted'): void {
    const [down, ...more] = bench.recorder.downs;
    assert.equal(more.length, 0);
    assert.equal(down?.reason.cause.kind, cause);
    assert.equal(down.reason.kept?.restartSeconds, 120);
    assert.equal(fresh.words, 'OPEN KEEPALIVE');
    assert.deepEqual([bench.state, bench.recorder.alive.length], ['Established', 1]);
  }

  it('FSM-7 is no restart while the old one answers, whatever its OPEN says', () => {
    for (const open of [AGREED, RESTARTED]) {
      const keepalives = old.count(4);
      const fresh = arrive(open);
      assert.equal(old.count(4), keepalives + 1, 'the old one is asked for a sign of life');
      bench.clock.advance(3_000);
      assert.match(fresh.words, /^OPEN NOTIFICATION 6\/7$/);
      assertLives();
    }
    assert.equal(bench.status.collisions, 2);
  });

  it('FSM-7 is a restart when the host of the old one does not know it any more: at once, routes may stay', () => {
    (old.connection as MemoryConnection).vanish();
    assertRestarted(arrive(), 'connection lost');
  });

  it('FSM-7 a TCP connection alone proves nothing', () => {
    silence();
    bench.connect();
    bench.clock.advance(9_000);
    assertLives();
  });

  for (const [what, open, ms] of [
    ['three seconds of silence', AGREED, 3_000],
    ['a second, when it says that it has restarted', RESTARTED, 1_000],
  ] as const) {
    it(`FSM-7 is a restart after ${what}: the old one is dropped without a word`, () => {
      silence();
      const fresh = arrive(open);
      bench.clock.advance(ms - 1);
      assertLives();
      assert.equal(fresh.words, 'OPEN');
      bench.clock.advance(1);
      assertRestarted(fresh);
      assert.equal(old.notification, undefined);
    });
  }

  it('FSM-7 an answer from before the connection came says nothing', () => {
    old.send(KEEPALIVE);
    bench.clock.advance(100);
    silence();
    const fresh = arrive();
    bench.clock.advance(3_000);
    assertRestarted(fresh);
  });

  it('FSM-7 one that was on its way before the other was established is no restart, and nobody waits for it', async () => {
    bench = await SessionBench.withPeer(GRACEFUL);
    const early = bench.connect();
    bench.clock.advance(1);
    old = bench.connect();
    old.send(AGREED, KEEPALIVE);
    bench.clock.settle();
    silence();
    early.send(RESTARTED, KEEPALIVE);
    bench.clock.settle();
    assert.match(early.words, /6\/7$/);
    assertLives();
  });

  it('a stranger at its address cannot end it, however many connections he opens and whatever he says', () => {
    const strangers: ScriptPeer[] = [];
    for (let round = 0; round < 200; round++) {
      const stranger = arrive(round % 2 === 0 ? AGREED : RESTARTED);
      strangers.push(stranger);
      if (round % 7 === 0) stranger.send(KEEPALIVE, theirOpen());
      if (round % 11 === 0) stranger.send(message(2, Buffer.alloc(4)));
      if (round % 13 === 0) stranger.send(rawNotification(6, 2));
      if (round % 17 === 0) stranger.connection.destroy();
      bench.clock.advance(round % 5 === 0 ? 0 : 41 * (round % 9));
      if (round % 20 === 0) old.send(KEEPALIVE);
      assert.ok(bench.status.connections <= 9);
    }
    bench.clock.advance(3_000);
    assertLives();
    assert.ok(strangers.every(({ words }) => !words.includes('KEEPALIVE')));
    assert.equal(bench.status.connections, 1, 'and nothing of them stays');
  });

  it('nor can he while a stall of ours makes every timer late', () => {
    const stranger = arrive(RESTARTED);
    bench.clock.stall(20_000);
    bench.clock.settle();
    assert.match(stranger.words, /6\/7$/);
    assertLives();
  });

  it('another one that comes meanwhile makes nobody wait longer', () => {
    silence();
    arrive(RESTARTED);
    bench.clock.advance(500);
    arrive();
    bench.clock.advance(499);
    assertLives();
    bench.clock.advance(1);
    assert.equal(bench.recorder.downs[0]?.reason.cause.kind, 'peer restarted');
    assert.deepEqual([bench.state, bench.recorder.alive.length], ['Established', 1]);
  });

  it('of several that wait the newest stays', () => {
    silence();
    const [first, second] = [arrive(), arrive()];
    bench.clock.advance(3_000);
    assert.equal(bench.recorder.downs[0]?.reason.cause.kind, 'peer restarted');
    assert.deepEqual([bench.state, bench.recorder.alive.length], ['Established', 1]);
    assert.ok(
      first.words.includes('6/7') !== second.words.includes('6/7'),
      `${first.words}; ${second.words}`,
    );
  });

  it('one that waits and goes away again leaves nothing behind', () => {
    silence();
    arrive().connection.destroy();
    bench.clock.advance(5_000);
    assertLives();
  });

  it('one that waits may say no more than KEEPALIVE', () => {
    for (const [said, error] of [
      [AGREED, '5/2'],
      [message(2, Buffer.alloc(4)), '5/1'],
    ] as const) {
      const fresh = bench.connect();
      fresh.send(AGREED, said);
      bench.clock.settle();
      assert.match(fresh.words, new RegExp(`${error}$`));
      assertLives();
    }
  });

  it('where TCP cannot be asked its restart bit decides', () => {
    for (const connection of bench.network.connections) connection.lifeSigns = () => undefined as never;
    assert.match(arrive().words, /6\/7$/);
    assertLives();
    assertRestarted(arrive(RESTARTED));
  });
});
