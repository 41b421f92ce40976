// Who may connect, how fast we come back, and what a changed configuration does.
import assert from 'node:assert/strict';
import type { PeerConfig } from '../config.ts';
import { KEEPALIVE, MP_BOTH, ScriptPeer, fourByteAs, rawNotification } from '../testing/script-peer.ts';
import { OURS, SessionBench, THEIRS, theirOpen } from '../testing/session-bench.ts';
import { peerConfig } from '../testing/configs.ts';
import { arrives } from '../transport/memory.ts';
import { restAfter } from './backoff.ts';
import { configChange } from './config-change.ts';

describe('listener', () => {
  it('FSM-11 an unknown address is closed without OPEN', async () => {
    const bench = await SessionBench.withPeer();
    const stranger = bench.connect('10.0.0.3');
    bench.clock.settle();
    assert.equal(stranger.words, '');
    assert.ok(stranger.isClosed);
    assert.equal(bench.sessions.unknownRefused, 1);
  });

  it('FSM-11 a flood of connections leaves no socket, timer or memory behind', async () => {
    const bench = await SessionBench.withPeer();
    const idle = bench.clock.pending;
    for (let second = 0; second < 10; second++) {
      for (let i = 0; i < 300; i++) {
        const peer = bench.connect(i % 3 === 0 ? '10.0.0.3' : THEIRS);
        if (i % 3 === 1) peer.send(theirOpen(), KEEPALIVE);
        peer.connection.destroy();
      }
      bench.clock.advance(1000);
    }
    bench.clock.advance(300_000);
    assert.equal(bench.network.connections.length, 0);
    assert.ok(bench.clock.pending <= idle + 1);
    assert.ok(bench.status.history.length <= 32);
    const peer = bench.establish();
    assert.equal(bench.state, 'Established', peer.words);
  });

  it('a neighbour with a local address is taken only there', async () => {
    const bench = new SessionBench({ listen: [{ address: '0.0.0.0', port: 179 }] });
    bench.sessions.addPeer(peerConfig('tor', THEIRS, 65002, { passive: true, localAddress: '10.7.7.7' }));
    await bench.sessions.start();
    const peer = bench.connect();
    bench.clock.settle();
    assert.equal(peer.words, '');
    assert.match(bench.status.lastError!.text, /came to 10\.0\.0\.1, not to 10\.7\.7\.7/);
  });

  it('link-local neighbours are told apart by their link', async () => {
    const bench = new SessionBench({ listen: [{ address: 'fe80::1', port: 179 }] });
    const remote = (device: string) => ({ kind: 'address', address: 'fe80::2', port: 179, device }) as const;
    bench.sessions.addPeer(peerConfig('left', 'fe80::2', 65002, { passive: true, remote: remote('eth0') }));
    bench.sessions.addPeer(peerConfig('right', 'fe80::2', 65002, { passive: true, remote: remote('eth1') }));
    await bench.sessions.start();
    bench.remote.dial(
      {
        remoteAddress: 'fe80::1',
        remotePort: 179,
        localAddress: 'fe80::2',
        device: 'eth1',
        ttl: { kind: 'direct' },
      },
      (result) => {
        assert.ok(!('error' in result));
        new ScriptPeer(result).send(theirOpen(), KEEPALIVE);
      },
    );
    bench.clock.settle();
    assert.equal(bench.sessions.session('left'), undefined);
    assert.equal(bench.sessions.session('right')?.negotiated.device, 'eth1');
  });

  it('two neighbours at one address, or with one id, are a configuration error that names both', async () => {
    const bench = await SessionBench.withPeer();
    assert.throws(
      () => bench.sessions.addPeer(peerConfig('other', THEIRS, 65002)),
      /peer other: 10\.0\.0\.2 .* peer tor/,
    );
    assert.throws(
      () => bench.sessions.addPeer(peerConfig('tor', '10.0.0.9', 65002)),
      /peer tor: there is already one/,
    );
    assert.throws(
      () =>
        bench.sessions.addPeer(
          peerConfig('r', '', 65002, { remote: { kind: 'range', prefix: '10.0/8', maxPeers: 1 } }),
        ),
      /'10\.0\/8' is not a prefix/,
    );
  });

  it('reports an address that cannot be bound, and keeps nothing open', async () => {
    const bench = new SessionBench({
      listen: [
        { address: OURS, port: 179 },
        { address: OURS, port: 179 },
      ],
    });
    await bench.host.listen({ address: OURS, port: 1790 }, () => {});
    const other = new SessionBench({ listen: [] });
    await other.sessions.start();
    assert.deepEqual(other.sessions.listening, []);
    await bench.sessions.start();
    assert.deepEqual(bench.sessions.listening, [{ address: OURS, port: 179 }]);
    await assert.rejects(
      bench.sessions.reconfigure({
        asNumber: 65001,
        routerId: OURS,
        listen: [{ address: OURS, port: 1790 }],
        multipath: { ebgp: 1, ibgp: 1, relax: false },
      }),
      /10\.0\.0\.1 port 1790: EADDRINUSE/,
    );
  });
});

describe('dynamic neighbours', () => {
  async function withRange(maxPeers: number, more: Partial<PeerConfig> = {}): Promise<SessionBench> {
    const bench = new SessionBench();
    bench.sessions.addPeer(
      peerConfig('fleet', '', 'external', {
        remote: { kind: 'range', prefix: '10.0.0.0/16', maxPeers },
        ...more,
      }),
    );
    bench.sessions.addPeer(
      peerConfig('rack', '', 'external', { remote: { kind: 'range', prefix: '10.0.1.0/24', maxPeers: 5 } }),
    );
    await bench.sessions.start();
    return bench;
  }

  it('are accepted from a range, the longest one, with an id of their own', async () => {
    const bench = await withRange(10);
    bench.establish();
    bench.establish({ id: '10.0.1.7', as: 65003 }, '10.0.1.7');
    assert.deepEqual(
      bench.recorder.ups.map(({ peerId }) => peerId),
      ['fleet/10.0.0.2', 'rack/10.0.1.7'],
    );
    const [fleet] = bench.sessions.status();
    assert.deepEqual(fleet?.dynamicPeers, { current: 1, max: 10, refused: 0 });
    assert.equal(bench.sessions.session('rack/10.0.1.7')?.negotiated.remoteAs, 65003);
  });

  it('an exact neighbour goes before any range', async () => {
    const bench = await withRange(10);
    bench.sessions.addPeer(peerConfig('tor', THEIRS, 65002, { passive: true }));
    bench.establish();
    assert.equal(bench.recorder.ups[0]!.peerId, 'tor');
  });

  it('over the limit are refused; the place of one that has gone is given away', async () => {
    const bench = await withRange(1);
    const first = bench.establish();
    const second = bench.connect('10.0.0.3');
    bench.clock.settle();
    assert.ok(second.isClosed);
    assert.equal(bench.sessions.status()[0]?.dynamicPeers?.refused, 1);
    first.connection.destroy();
    bench.clock.settle();
    bench.establish({ id: '10.0.0.3' }, '10.0.0.3');
    assert.equal(bench.recorder.alive[0]?.peerId, 'fleet/10.0.0.3');
  });

  it('are forgotten five minutes after their last connection, and go with their range', async () => {
    const bench = await withRange(10);
    const first = bench.establish();
    first.send(rawNotification(6, 2));
    bench.clock.advance(200_000);
    assert.equal(bench.sessions.status().length, 3);
    bench.clock.advance(200_000);
    assert.equal(bench.sessions.status().length, 2);
    const again = bench.establish();
    bench.sessions.removePeer('fleet');
    bench.clock.settle();
    assert.equal(again.notification, '6/3');
    assert.equal(bench.sessions.status().length, 1);
    bench.clock.advance(600_000);
    assert.equal(bench.clock.pending, 0);
  });
});

describe('back-off', () => {
  it('FSM-8 doubles from 1 s to 60 s, and a stable session makes it forgotten', () => {
    const holds: number[] = [];
    let failures = 0;
    for (let i = 0; i < 9; i++) {
      const rest = restAfter(failures, { kind: 'session', establishedMs: 0 }, 5000);
      holds.push(rest.holdMs / 1000);
      ({ failures } = rest);
    }
    assert.deepEqual(holds, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    assert.equal(restAfter(9, { kind: 'session', establishedMs: 60_000 }, 5000).holdMs, 1000);
    assert.equal(restAfter(9, { kind: 'session', establishedMs: 59_000 }, 5000).holdMs, 60_000);
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
    bench.clock.advance(5_001);
    bench.establish();
    assert.equal(bench.state, 'Established');
  });
});

describe('link, TTL and keys', () => {
  it('a single-hop session ends at once when its link goes down, and only then', async () => {
    const bench = await SessionBench.withPeer({
      ttl: { kind: 'direct' },
      remote: { kind: 'address', address: THEIRS, port: 179, device: 'eth0' },
    });
    const peer = bench.establish();
    bench.host.linkDown('eth1');
    assert.equal(bench.state, 'Established');
    bench.host.linkDown('eth0');
    assert.equal(bench.recorder.downs[0]?.reason.cause, 'link down');
    assert.equal(bench.recorder.downs[0]?.reason.keepRoutes, false);
    assert.equal(peer.notification, undefined);
    assert.equal(bench.host.linkWatchers, 0);
  });

  it('a multihop session does not watch the link', async () => {
    const bench = await SessionBench.withPeer({
      remote: { kind: 'address', address: THEIRS, port: 179, device: 'eth0' },
    });
    bench.establish();
    assert.equal(bench.host.linkWatchers, 0);
  });

  it('SEC-1 only the right key comes through, and a key changed on both sides keeps the session', async () => {
    const bench = await SessionBench.withPeer({ md5Key: 'first' });
    const dial = (md5Key?: string): ScriptPeer | undefined => {
      let peer: ScriptPeer | undefined;
      bench.remote.dial(
        {
          remoteAddress: OURS,
          remotePort: 179,
          localAddress: THEIRS,
          ttl: { kind: 'direct' },
          connectTimeoutMs: 1000,
          ...(md5Key === undefined ? {} : { md5Key }),
        },
        (result) => {
          if (!('error' in result)) peer = new ScriptPeer(result);
        },
      );
      bench.clock.advance(2000);
      return peer;
    };
    assert.equal(dial(), undefined);
    assert.equal(dial('wrong'), undefined);
    const peer = dial('first')!;
    peer.send(theirOpen(), KEEPALIVE);
    bench.clock.settle();
    const change = bench.sessions.updatePeer(
      peerConfig('tor', THEIRS, 65002, { passive: true, md5Key: 'second' }),
    );
    assert.equal(change.kind, 'live');
    assert.doesNotMatch(change.reason, /first|second/);
    bench.clock.settle();
    assert.equal(bench.recorder.downs.length, 0);
    assert.equal(dial('first'), undefined);
    assert.notEqual(dial('second'), undefined);
  });

  it('what the transport cannot do holds the neighbour down, visibly, and never goes on without', async () => {
    for (const more of [
      { md5Key: 'k' },
      { ttl: { kind: 'gtsm', hops: 1 } },
      { ttl: { kind: 'direct' } },
    ] as const) {
      const bench = new SessionBench();
      bench.host.hasSocketOptions = false;
      await bench.listen();
      await bench.sessions.start();
      bench.sessions.addPeer(peerConfig('tor', THEIRS, 65002, more));
      bench.clock.advance(10_000);
      assert.equal(bench.dialled.length, 0);
      const peer = bench.connect();
      bench.clock.settle();
      assert.ok(!peer.words.includes('OPEN'));
      assert.match(bench.status.lastError!.text, /needs socket options/);
    }
  });

  it('TTL rules reach as far as they should (RFC 5082)', () => {
    assert.ok(arrives({ kind: 'direct' }, 0) && !arrives({ kind: 'direct' }, 1));
    assert.ok(arrives({ kind: 'gtsm', hops: 1 }, 0) && !arrives({ kind: 'gtsm', hops: 1 }, 1));
    assert.ok(arrives({ kind: 'gtsm', hops: 3 }, 2) && !arrives({ kind: 'gtsm', hops: 3 }, 3));
  });
});

describe('changed configuration (OPS-3)', () => {
  const before = peerConfig('tor', THEIRS, 65002, { passive: true });

  for (const [kind, change] of [
    ['nothing', {}],
    ['nothing', { description: 'the left one' }],
    ['nothing', { families: ['ipv6', 'ipv4'] }],
    ['later', { holdTimeSeconds: 30 }],
    ['later', { gracefulRestart: { mode: 'full', restartSeconds: 60, longLivedSeconds: 0 } }],
    ['later', { remote: { kind: 'address', address: THEIRS, port: 1179 } }],
    ['live', { md5Key: 'k' }],
    ['live', { ttl: { kind: 'direct' } }],
    ['live', { shutdown: { message: '' } }],
    ['soft', { import: { name: 'none', terms: [], otherwise: 'reject' } }],
    ['soft', { maxPrefixes: { limit: 1, warnPercent: 80 } }],
    ['soft', { routeReflectorClient: true }],
    ['reset', { remoteAs: 65003 }],
    ['reset', { localAs: 65005 }],
    ['reset', { families: ['ipv4'] }],
    ['reset', { addPaths: 'both' }],
    ['reset', { extendedNextHop: true }],
    ['reset', { remote: { kind: 'address', address: '10.0.0.9', port: 179 } }],
  ] as const) {
    it(`${kind}: ${JSON.stringify(change)}`, async () => {
      assert.equal(configChange(before, { ...before, ...change }).kind, kind);
      if ('shutdown' in change) return;
      const bench = await SessionBench.withPeer();
      const peer = bench.establish();
      bench.sessions.updatePeer({ ...before, ...change });
      bench.clock.settle();
      assert.equal(bench.recorder.downs.length, kind === 'reset' ? 1 : 0);
      assert.equal(peer.notification, kind === 'reset' ? '6/6' : undefined);
    });
  }

  it('the reason names field, old and new value', () => {
    const change = configChange(before, { ...before, remoteAs: 65003, description: 'x' });
    assert.equal(change.reason, 'remoteAs changed from 65002 to 65003');
    assert.deepEqual(change.fields, [
      { name: 'description', effect: 'nothing' },
      { name: 'remoteAs', effect: 'reset' },
    ]);
  });
});

describe('status', () => {
  it('FSM-13 shows what was agreed, counted, timed and said', async () => {
    const bench = await SessionBench.withPeer({ description: 'BGPPeer tor' });
    const peer = bench.establish({ capabilities: `${MP_BOTH} 0200 ${fourByteAs(65002)} 4b0605 6869743421` });
    bench.clock.advance(20_000);
    const up = bench.status;
    assert.equal(up.uptimeSeconds, 20);
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
      { ...down.lastNotificationIn, atMs: 0 },
      {
        atMs: 0,
        code: 6,
        subcode: 2,
        text: 'cease: administrative shutdown: "gone"',
        message: 'gone',
        dataBytes: 5,
        dataHex: '04676f6e65',
      },
    );
    assert.equal(down.flaps, 1);
    assert.match(down.history.at(-1)!.reason, /gone/);
    assert.deepEqual(JSON.parse(JSON.stringify(down)), down, 'plain data');
  });
});
