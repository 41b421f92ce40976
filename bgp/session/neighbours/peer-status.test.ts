// What is shown of a neighbour.
import assert from 'node:assert/strict';
import { MP_BOTH, fourByteAs, rawNotification } from '../../testing/message-bytes.ts';
import { peerConfig } from '../../testing/configs.ts';
import { SessionBench, THEIRS } from '../../testing/session-bench.ts';

describe('status', () => {
  it('FSM-13 shows what was agreed, counted, timed and said', async () => {
    const bench = await SessionBench.withPeer({ description: 'BGPPeer tor' });
    const peer = bench.establish({ capabilities: `${MP_BOTH} 0200 ${fourByteAs(65002)} 4b0605 6869743421` });
    bench.clock.advance(20_000);
    const up = bench.status;
    assert.equal(up.sinceSeconds, 20);
    assert.equal(up.counters.in.open, 1);
    assert.equal(up.counters.in.keepalive, 1);
    assert.equal(up.counters.out.open, 1);
    assert.ok(up.counters.in.bytes > 60 && up.counters.out.bytes > 60);
    assert.deepEqual(up.capabilities.agreed, [
      'multiprotocol ipv4 unicast',
      'multiprotocol ipv6 unicast',
      'four-octet AS',
      'route refresh',
    ]);
    assert.ok(up.capabilities.remote.includes('software hit4!'), up.capabilities.remote.join());
    assert.ok(up.timers.holdMs! > 69_000 && up.timers.holdMs! <= 70_000);
    assert.ok(up.timers.keepaliveMs! <= 10_000);
    peer.send(rawNotification(6, 2, Buffer.from('\u0004gone')));
    bench.clock.settle();
    const down = bench.status;
    assert.deepEqual(
      { ...down.lastNotificationIn, atMs: 0, monotonicMs: 0 },
      {
        atMs: 0,
        monotonicMs: 0,
        code: 6,
        subcode: 2,
        text: 'cease: administrative shutdown: "gone"',
        message: 'gone',
        dataBytes: 5,
        dataHex: '04676f6e65',
      },
    );
    assert.equal(down.flaps, 1);
    assert.deepEqual(down.losses, { [down.lastLost!.cause.kind]: 1 });
    assert.equal(down.lastLost!.cause.kind, 'notification received');
    assert.match(down.history.at(-1)!.reason, /gone/);
    assert.deepEqual(JSON.parse(JSON.stringify(down)), down, 'plain data');
  });
});

describe('what waits for the next session', () => {
  it('is told with both values until there is one, and nothing that is in force is', async () => {
    const config = peerConfig('tor', THEIRS, 65002, { passive: true, holdTimeSeconds: 90 });
    const bench = await SessionBench.withPeer(config);
    bench.establish();
    assert.deepEqual(bench.status.pending, []);
    bench.sessions.updatePeer({ ...config, holdTimeSeconds: 30, allowedLocalAs: 3 });
    assert.deepEqual(bench.status.pending, [{ name: 'holdTimeSeconds', inUse: 90, next: 30 }]);
    bench.sessions.resetPeer('tor');
    bench.establish();
    assert.deepEqual(bench.status.pending, []);
  });
});
