// What a session tells the speaker above it, and what that may do in the middle of it.
import assert from 'node:assert/strict';
import { END_OF_RIB, KEEPALIVE, message, rawNotification, updateOf } from '../testing/message-bytes.ts';
import { SessionBench, theirOpen } from '../testing/session-bench.ts';

const withPeer = SessionBench.withPeer.bind(SessionBench);
const REFRESH_IPV4 = message(5, Buffer.from([0, 1, 0, 1]));

describe('session: what the speaker is told', () => {
  it('route refresh by family and subtype; other families and wrong lengths', async () => {
    const bench = await withPeer({ families: ['ipv4'] });
    const peer = bench.establish();
    peer.send(
      REFRESH_IPV4,
      message(5, Buffer.from([0, 1, 1, 1])),
      message(5, Buffer.from([0, 2, 0, 1])),
      message(5, Buffer.from([0, 25, 0, 70])),
    );
    bench.clock.settle();
    assert.deepEqual(bench.recorder.refreshes, [
      { family: 'ipv4', subtype: 0 },
      { family: 'ipv4', subtype: 1 },
    ]);
    peer.send(message(5, Buffer.from([0, 1, 0])));
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
