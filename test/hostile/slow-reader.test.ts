// A neighbour that does not read while a full table is sent to it: it costs bounded memory, delays nobody, and is
// dropped when its send hold timer says so (RFC 9687).
import { waitUntil } from '#world';
import assert from 'node:assert/strict';
import { KEEPALIVE, open } from '../testing/messages.ts';
import { assertBounded, report } from './testing/figures.ts';
import { assertInTime, Innocents } from './testing/innocents.ts';
import { asOf, neighbourConfig, SpeakerUnderFire } from './testing/speaker-under-fire.ts';

const SLOW = 4;
/** Five to an attribute set: 3.4 MB of UPDATEs, about what the kernel's buffers take of a loopback connection. */
const TABLE = 200_000;

/** Establishes a session, says KEEPALIVE, and never reads a byte. */
async function mute(speaker: SpeakerUnderFire, host: number): Promise<Disposable> {
  const socket = await speaker.dial(host);
  socket.on('error', () => {});
  socket.write(open({ asNumber: asOf(host), holdTimeSeconds: 90, routerId: `10.0.0.${host}` }));
  const timer = setInterval(() => socket.write(KEEPALIVE), 40);
  socket.once('close', () => clearInterval(timer));
  await speaker.until(`n${host}`, 'Established');
  return { [Symbol.dispose]: () => socket.destroy() };
}

describe('BGP with a neighbour that does not read', function () {
  this.timeout(30_000);
  const peers = [2, 3, SLOW].map((host) => neighbourConfig(host));

  it('memory is bounded while the table changes, and the others are served at full speed', async () => {
    await using speaker = await SpeakerUnderFire.start(peers);
    using _slow = await mute(speaker, SLOW);
    await speaker.order({ do: 'originate', count: TABLE, perSet: 5 });
    using innocents = await Innocents.start(speaker, 90);
    await innocents.live(500);
    const before = await speaker.figures('measure');
    // The whole table changes three times more.
    const changes = (async () => {
      for (let round = 1; round <= 3; round++)
        await speaker.order({ do: 'originate', count: TABLE, perSet: 5 + round });
    })();
    const seen = await innocents.live(1500);
    await changes;
    const after = await speaker.figures();
    const queued = (await speaker.status(`n${SLOW}`))!.queuedBytes;
    report(
      `${TABLE} routes, changed 3 times, ${queued >> 10} KiB queued for the mute one`,
      before,
      after,
      seen,
    );
    assert.equal((await speaker.status(`n${SLOW}`))!.state, 'Established');
    assert.ok(queued > 0 && queued < 1 << 20, `${queued} bytes queued`);
    assertInTime(seen);
    assertBounded(before, after);
  });

  it('it is dropped when it has taken nothing for 8 minutes, and nobody else is', async () => {
    // 240 times as fast: 8 minutes are 2 seconds, and 90 seconds of hold time 375 ms.
    await using speaker = await SpeakerUnderFire.start(peers, { clockSpeed: 240 });
    using reader = await speaker.neighbour(2);
    reader.keepAlive(40);
    using _slow = await mute(speaker, SLOW);
    // It blocks while routes are still being originated, once the kernel's buffers are full: its clock begins there.
    const blocked = waitUntil(
      'bytes that wait',
      10_000,
      async () => (await speaker.status(`n${SLOW}`))!.queuedBytes > 0,
    ).then(() => performance.now());
    const dropped = waitUntil(
      'the end of the mute one',
      20_000,
      async () => (await speaker.status(`n${SLOW}`))!.flaps === 1,
    ).then(() => performance.now());
    for (const perSet of [5, 6, 7]) await speaker.order({ do: 'originate', count: TABLE, perSet });
    const seconds = (((await dropped) - (await blocked)) * 240) / 1000;
    const { lastError } = (await speaker.status(`n${SLOW}`))!;
    console.log(`        dropped after ${seconds.toFixed(0)} s of its time: ${lastError?.text}`);
    assert.match(lastError?.text ?? '', /send hold timer expired \(8\/0\)/);
    assert.ok(seconds > 430 && seconds < 900, `after ${seconds} s`);
    assert.equal((await speaker.status('n2'))!.state, 'Established');
  });
});
