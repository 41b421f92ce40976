// How fast we come back after a failure.
import assert from 'node:assert/strict';
import { fourByteAs, KEEPALIVE, MP_BOTH, rawNotification } from '../../testing/message-bytes.ts';
import { SessionBench, THEIRS, theirOpen } from '../../testing/session-bench.ts';
import { type EndedSession, NO_FAILURES, NO_REST, restAfter, restAfterEnd, SHORT_REST } from './backoff.ts';

const NINE = { sessions: 9, all: 9 };

describe('back-off', () => {
  it('FSM-8 doubles from 1 s to 60 s, and a stable session makes it forgotten', () => {
    const holds: number[] = [];
    let failures = NO_FAILURES;
    for (let i = 0; i < 9; i++) {
      const rest = restAfter(failures, { kind: 'session', establishedMs: 0 }, 5000);
      holds.push(rest.holdMs / 1000);
      ({ failures } = rest);
    }
    assert.deepEqual(holds, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    assert.equal(restAfter(NINE, { kind: 'session', establishedMs: 60_000 }, 5000).holdMs, 1000);
    assert.equal(restAfter(NINE, { kind: 'session', establishedMs: 59_000 }, 5000).holdMs, 60_000);
  });

  it('a neighbour that does not answer is tried at least every connect retry time', async () => {
    const bench = await SessionBench.withPeer({ passive: false });
    bench.clock.advance(60_000);
    const { connectAttempts, lastError } = bench.status;
    assert.ok(connectAttempts >= 12 && connectAttempts <= 20, `${connectAttempts}`);
    assert.match(lastError!.text, /10\.0\.0\.2 port 179: refused/);
    assert.ok(bench.status.nextAttemptInMs !== undefined && bench.status.nextAttemptInMs <= 5000);
    await bench.listen();
    bench.clock.advance(5_000);
    assert.equal(bench.dialled.length, 1);
  });

  it('a neighbour that is silent is told from one that has not been tried yet', async () => {
    const bench = await SessionBench.withPeer({ passive: false, md5Key: 'ours' });
    await bench.listen();
    bench.clock.advance(20_000);
    assert.equal(bench.state, 'Connect');
    assert.equal(bench.status.lastError?.text, `connect to ${THEIRS} port 179: no answer`);
  });

  it('FSM-8 one that refuses us is tried less and less, and a reset tries at once', async () => {
    const bench = await SessionBench.withPeer({ passive: false });
    await bench.listen();
    for (let second = 0; second < 600; second++) {
      bench.clock.advance(1000);
      for (const peer of bench.dialled)
        if (!peer.isClosed && peer.notification === undefined) peer.send(rawNotification(2, 2));
    }
    const tries = bench.dialled.length;
    assert.ok(tries >= 12 && tries <= 20, `${tries} in ten minutes`);
    bench.sessions.resetPeer('tor');
    bench.clock.settle();
    assert.equal(bench.dialled.length, tries + 1);
  });

  it('tries that found nobody are no failures of the session that comes then', () => {
    let failures = NO_FAILURES;
    for (let i = 0; i < 9; i++)
      ({ failures } = restAfter(failures, { kind: 'connect', establishedMs: 0 }, 5000));
    const rest = restAfter(failures, { kind: 'session', establishedMs: 2000 }, 5000);
    assert.deepEqual([rest.holdMs, rest.refuseMs], [1000, 0]);
  });

  it('after three failures in a row the neighbour is not let in either, for 5 s at most', async () => {
    const bench = await SessionBench.withPeer();
    for (let i = 0; i < 8; i++) {
      bench.clock.advance(i < 3 ? 0 : 5_001);
      bench.connect().send(theirOpen({ as: 65009, capabilities: MP_BOTH }));
      bench.clock.settle();
    }
    assert.equal(bench.status.counters.in.open, 8);
    const refused = bench.connect();
    bench.clock.settle();
    assert.equal(refused.words, '');
    assert.match(bench.status.lastError!.text, /AS/, 'the reason is still the first one');
    bench.clock.advance(5_001);
    bench.establish();
    assert.equal(bench.state, 'Established');
  });
});

describe('a neighbour that agreed on graceful restart', () => {
  it('and comes and goes without end is let in as seldom as any other, and before its routes are gone', async () => {
    for (const [restartTime, most] of [
      ['4078', 20],
      ['4004', 35],
    ] as const) {
      const restartSeconds = Number.parseInt(restartTime.slice(1), 16);
      const bench = await SessionBench.withPeer({
        gracefulRestart: { mode: 'full', restartSeconds: 120, longLivedSeconds: 0 },
      });
      let longestAwayMs = 0;
      let goneAt = bench.clock.now();
      for (let ms = 0; ms < 60_000; ms += 100) {
        bench.clock.advance(100);
        const peer = bench.connect();
        const capabilities = `${MP_BOTH} ${fourByteAs(65002)} 4006 ${restartTime} 00010180`;
        peer.send(theirOpen({ capabilities }), KEEPALIVE);
        bench.clock.settle();
        if (bench.state !== 'Established') continue;
        longestAwayMs = Math.max(longestAwayMs, bench.clock.now() - goneAt);
        peer.connection.destroy();
        bench.clock.settle();
        goneAt = bench.clock.now();
      }
      const sessions = bench.recorder.downs.length;
      assert.ok(sessions >= 10 && sessions <= most, `${sessions} in a minute`);
      assert.ok(longestAwayMs < restartSeconds * 1000, `${longestAwayMs} ms`);
    }
  });
});

describe('the rest after an end', () => {
  const LOST: EndedSession = {
    event: { type: 'holdExpired' },
    from: 'Established',
    cause: { kind: 'hold timer expired' },
    hasReceivedOpen: true,
    establishedMs: 0,
    isIncoming: false,
    hasOthers: false,
    isRetriedWithoutCapabilities: false,
  };
  const kept = (restartSeconds: number) => ({
    cause: { kind: 'connection lost', problem: 'closed' } as const,
    kept: { restartSeconds, families: [{ family: 'ipv4', longLivedSeconds: 0 } as const] },
  });
  const TWO = { sessions: 2, all: 2 };
  const STRANGER = { isIncoming: true, hasReceivedOpen: false, from: 'OpenSent' } as const;
  const VERSION = {
    type: 'versionNotificationReceived',
    cause: { kind: 'notification received', code: 2, subcode: 4, text: '' },
  } as const;
  const refused = { failures: { sessions: 3, all: 3 }, holdMs: 4000, refuseMs: 4000 };
  const unanswered = { failures: { sessions: 2, all: 3 }, holdMs: 3000, refuseMs: 0 };
  for (const [what, change, rest] of [
    ['a failure', {}, refused],
    ['a failure of one whose routes are kept for two minutes', { down: kept(120) }, refused],
    [
      'a failure of one whose routes are kept for three seconds: it is let in before',
      { down: kept(3) },
      { ...refused, refuseMs: 1500 },
    ],
    [
      'a failure after a minute',
      { establishedMs: 60_000 },
      { failures: { sessions: 1, all: 1 }, holdMs: 1000, refuseMs: 0 },
    ],
    ['a failure before that', { establishedMs: 59_999 }, refused],
    [
      'a collision lost to another connection',
      { event: { type: 'collisionLost' }, cause: { kind: 'collision lost' }, hasOthers: true },
      undefined,
    ],
    [
      'a collision lost to one that has gone',
      { event: { type: 'collisionLost' }, cause: { kind: 'collision lost' } },
      SHORT_REST,
    ],
    ['a stop by hand', { event: { type: 'manualStop', cause: { kind: 'forgotten' } } }, undefined],
    ['a restart of the neighbour', { cause: { kind: 'peer restarted' } }, undefined],
    ['a caller that said nothing', STRANGER, undefined],
    ['a caller that said its OPEN', { ...STRANGER, hasReceivedOpen: true }, refused],
    ['a caller that was established', { ...STRANGER, from: 'Established' }, refused],
    ['silence after our call', { ...STRANGER, isIncoming: false }, refused],
    ['a refused parameter', { event: VERSION }, SHORT_REST],
    [
      'a refused parameter, to be tried without',
      { event: VERSION, isRetriedWithoutCapabilities: true },
      { failures: TWO, holdMs: 0, refuseMs: 0 },
    ],
    ['no answer', { from: 'Connect' }, unanswered],
    ['no answer, listening', { from: 'Active' }, unanswered],
    ['a link that went down', { cause: { kind: 'link down', device: 'eth0' } }, unanswered],
  ] as const) {
    it(`of ${what}`, () => {
      assert.deepEqual(restAfterEnd({ ...LOST, ...change }, TWO, 3000), rest);
    });
  }

  it('is a second, or none, when it is nobody’s failure', () => {
    assert.deepEqual(NO_REST, { failures: NO_FAILURES, holdMs: 0, refuseMs: 0 });
    assert.deepEqual(SHORT_REST, { failures: NO_FAILURES, holdMs: 1000, refuseMs: 0 });
  });

  it('refuses calls from the third failure in a row on, for 5 s at most', () => {
    const refuses = Array.from(
      { length: 5 },
      (_, n) => restAfterEnd(LOST, { sessions: n, all: n }, 3000)?.refuseMs,
    );
    assert.deepEqual(refuses, [0, 0, 4000, 5000, 5000]);
  });
});
