// Neighbours that send as fast as TCP takes it: the others must not notice, and memory must not grow.
import assert from 'node:assert/strict';
import { type Attack, flood } from './testing/attack.ts';
import { assertBounded, report } from './testing/figures.ts';
import { assertInTime, Innocents } from './testing/innocents.ts';
import { neighbourConfig, SpeakerUnderFire } from './testing/speaker-under-fire.ts';

const FLOOD_MS = 1100;
const MIB = 1024 * 1024;

describe('BGP under a flood', function () {
  this.timeout(30_000);
  const floods: readonly (readonly [Attack['kind'], number])[] = [
    ['keepalive', 8],
    ['refresh', 2],
    ['update', 2],
    ['bulk', 2],
    ['attributes', 2],
    ['malformed', 2],
  ];
  for (const [kind, count] of floods) {
    it(`of ${kind} from ${count}: other neighbours are served in time, memory is bounded`, async () => {
      const hosts = Array.from({ length: count }, (_, i) => 10 + i);
      await using speaker = await SpeakerUnderFire.start(
        [2, 3, ...hosts].map((host) => neighbourConfig(host)),
      );
      using innocents = await Innocents.start(speaker);
      await innocents.live(200);
      const floods = await Promise.all(hosts.map((host) => flood(speaker, host, kind)));
      await innocents.live(200);
      const before = await speaker.figures('measure');
      const seen = await innocents.live(FLOOD_MS);
      const after = await speaker.figures();
      const sent = await Promise.all(floods.map((one) => one.stop()));
      const messages = sent.reduce((sum, one) => sum + one.sent, 0);
      const bytes = sent.reduce((sum, one) => sum + one.bytes, 0);
      report(`${messages} messages, ${Math.round(bytes / MIB)} MiB of ${kind}`, before, after, seen);
      assert.ok(
        floods.every((one) => !one.isClosed),
        'it is no reason to end a session',
      );
      assert.ok(bytes > 5 * MIB, 'that was no flood');
      assertInTime(seen);
      assertBounded(before, after);
      assert.ok(after.ribBytes < 150 * MIB, `the RIB holds ${after.ribBytes} bytes`);
    });
  }
});
