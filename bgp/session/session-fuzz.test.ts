// SEC-4: no input may throw out of a session. Mutated messages in random pieces, against a live session; the
// same neighbour can always come back with a good one.
import assert from 'node:assert/strict';
import { SeededRandom } from '#world';
import {
  END_OF_RIB,
  KEEPALIVE,
  MP_BOTH,
  fourByteAs,
  message,
  rawNotification,
} from '../testing/message-bytes.ts';
import { SessionBench, theirOpen } from '../testing/session-bench.ts';

const EVERYTHING = [
  MP_BOTH,
  '0200 0600 4600 090103',
  '0506 000100010002',
  '400a 8078 00010180 00020180',
  '4508 00010103 00020103',
  '4707 00010180000e10',
  '490a 04686f737404646f6d00',
  '4b0605 6869743421',
  fourByteAs(65002),
].join('');

const SEEDS: readonly Buffer[] = [
  theirOpen(),
  theirOpen({ capabilities: EVERYTHING }),
  theirOpen({ hold: 0 }),
  KEEPALIVE,
  END_OF_RIB,
  message(5, Buffer.from([0, 1, 0, 1])),
  message(5, Buffer.from([0, 1, 1, 1])),
  rawNotification(6, 2, Buffer.from('\u0005hello')),
  rawNotification(6, 9, Buffer.from([6, 9, 6, 9])),
  rawNotification(2, 4),
];

const MESSAGES = 100_000;
const SEED = Number(process.env['PODROUTE_SEED'] ?? 20261);

describe('session: hostile bytes', () => {
  it(`${MESSAGES} mutated messages: no fault of ours, nothing left behind (PODROUTE_SEED=${SEED})`, async function () {
    this.timeout(60_000);
    const random = new SeededRandom(SEED);
    const pick = (n: number) => Math.floor(random.next() * n);
    const bench = await SessionBench.withPeer();
    let sent = 0;
    while (sent < MESSAGES) {
      const peer = bench.connect();
      // Half of the connections get as far as Established first.
      if (pick(2) === 0) peer.send(theirOpen({ capabilities: EVERYTHING.replace('090103', '') }), KEEPALIVE);
      bench.network.chunkBytes = pick(3) === 0 ? 1 + pick(64) : Number.POSITIVE_INFINITY;
      for (let i = 0; i < 12 && !peer.isClosed; i++, sent++) {
        peer.send(mutate(SEEDS[pick(SEEDS.length)]!, pick));
        if (pick(3) === 0) bench.clock.settle();
      }
      peer.connection.destroy();
      bench.clock.advance(5_001);
      assert.doesNotMatch(bench.status.lastError?.text ?? '', /internal error/);
    }
    bench.network.chunkBytes = Number.POSITIVE_INFINITY;
    bench.clock.advance(60_000);
    bench.establish();
    assert.equal(bench.state, 'Established');
    await bench.sessions.stop();
    bench.clock.advance(20_000);
    assert.deepEqual(bench.recorder.wordsOfTheDead, []);
    assert.equal(bench.network.connections.length, 0);
    assert.equal(bench.clock.pending, 0);
  });
});

function mutate(seed: Buffer, pick: (n: number) => number): Buffer {
  let bytes = Buffer.from(seed);
  const times = pick(4);
  for (let i = 0; i < times && bytes.length > 0; i++) {
    const at =
      pick(5) === 0
        ? pick(bytes.length)
        : Math.min(bytes.length - 1, 16 + pick(Math.max(1, bytes.length - 16)));
    switch (pick(5)) {
      case 0:
        bytes[at] = pick(256);
        break;
      case 1:
        bytes[at] = [0, 1, 127, 128, 255][pick(5)]!;
        break;
      case 2:
        bytes = bytes.subarray(0, at);
        break;
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(pick(at + 1))]);
        break;
      default:
        // A length that fits what is there, so that the inside is looked at.
        if (bytes.length >= 19) bytes.writeUInt16BE(bytes.length, 16);
        break;
    }
  }
  if (bytes.length >= 19 && pick(2) === 0) bytes.writeUInt16BE(bytes.length, 16);
  return bytes;
}
