// What a neighbour may not send: header errors, and a NOTIFICATION in answer that passes everything else (HDR-x).
import assert from 'node:assert/strict';
import {
  END_OF_RIB,
  KEEPALIVE,
  MP_BOTH,
  fourByteAs,
  message,
  rawNotification,
  updateOf,
} from '../testing/message-bytes.ts';
import { SessionBench } from '../testing/session-bench.ts';

const withPeer = SessionBench.withPeer.bind(SessionBench);
const REFRESH_IPV4 = message(5, Buffer.from([0, 1, 0, 1]));

describe('session: header errors (RFC 4271 §6.1)', () => {
  const UNSYNCHRONISED = Buffer.from(KEEPALIVE);
  UNSYNCHRONISED[3] = 0;
  for (const [what, bytes, expected] of [
    ['a marker that is not all ones', UNSYNCHRONISED, '1/1'],
    ['length 18', message(4, Buffer.alloc(0), 18), '1/2 0012'],
    ['length 4097 without extended messages', message(2, Buffer.alloc(4078)), '1/2 1001'],
    ['a KEEPALIVE of 20 bytes', message(4, Buffer.alloc(1)), '1/2 0014'],
    ['an UPDATE of 22 bytes', message(2, Buffer.alloc(3)), '1/2 0016'],
    ['an OPEN of 28 bytes', message(1, Buffer.alloc(9)), '1/2 001c'],
    ['type 0', message(0), '1/3 00'],
    ['type 6', message(6), '1/3 06'],
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
    peer.send(message(2, Buffer.alloc(4078)), message(2, Buffer.alloc(65_535 - 19)));
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
    for (const bytes of [rawNotification(3, 1), message(3, Buffer.alloc(1))]) {
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

/** The neighbour answers our first OPEN with 2/4, so that the next one has no capabilities. */
async function refuseParameters(bench: SessionBench): Promise<void> {
  const peer = bench.connect();
  peer.send(rawNotification(2, 4));
  bench.clock.advance(10);
  await Promise.resolve();
}
