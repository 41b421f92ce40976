// Hold, keepalive and send hold timers over the wire, against a scripted neighbour (FSM-x).
import assert from 'node:assert/strict';
import { END_OF_RIB, KEEPALIVE, updateOf } from '../../testing/message-bytes.ts';
import { SessionBench } from '../../testing/session-bench.ts';

const withPeer = SessionBench.withPeer.bind(SessionBench);

describe('session: timers', () => {
  it('FSM-1 the smaller hold time counts, and 4/0 is sent when it is over', async () => {
    const bench = await withPeer();
    const peer = bench.establish({ hold: 30 });
    bench.clock.advance(29_999);
    assert.equal(bench.state, 'Established');
    bench.clock.advance(2);
    assert.equal(peer.notification, '4/0');
    assert.equal(bench.recorder.downs[0]?.reason.cause.kind, 'hold timer expired');
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

  it('FSM-9 half a message that was read late gives time for its other half', async () => {
    const bench = await withPeer();
    const peer = bench.establish({ hold: 30 });
    bench.network.isFrozen = true;
    peer.send(KEEPALIVE.subarray(0, 10));
    bench.clock.advance(30_100);
    bench.network.thaw();
    bench.clock.advance(8_000);
    peer.send(KEEPALIVE.subarray(10));
    bench.clock.advance(29_000);
    assert.equal(bench.state, 'Established');
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
    assert.equal(bench.recorder.downs[0]?.reason.cause.kind, 'send hold timer expired');
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
