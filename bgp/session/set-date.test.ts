// Somebody sets the date, by an hour in either direction, while a session is up: timers go by the clock that only runs on.
import assert from 'node:assert/strict';
import { SessionBench } from '../testing/session-bench.ts';

const HOUR_MS = 3_600_000;

describe('a session while the date is set', () => {
  for (const byMs of [HOUR_MS, -HOUR_MS]) {
    it(`stays up, and is down as soon as its hold time is over: by ${byMs / HOUR_MS} h`, async () => {
      const bench = await SessionBench.withPeer();
      const peer = bench.establish();
      bench.advanceAlive(peer, 60_000);
      bench.clock.dateSetByMs += byMs;
      bench.advanceAlive(peer, 600_000);
      const { state, flaps, sinceSeconds, timers } = bench.status;
      assert.deepEqual([state, flaps, sinceSeconds], ['Established', 0, 660]);
      const left = timers.holdMs!;
      assert.ok(left > 0 && left <= 90_000, `${left} ms`);
      // The date goes back while nothing is heard.
      bench.clock.dateSetByMs -= byMs;
      bench.clock.advance(left - 1);
      assert.equal(bench.state, 'Established');
      bench.clock.advance(1);
      assert.equal(bench.status.lastLost?.cause.kind, 'hold timer expired');
    });
  }
});
