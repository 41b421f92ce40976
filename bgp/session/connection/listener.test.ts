// Who may connect: listeners, unknown addresses, dynamic neighbours.
import assert from 'node:assert/strict';
import type { PeerConfig } from '../../config.ts';
import { peerConfig } from '../../testing/configs.ts';
import { KEEPALIVE, rawNotification } from '../../testing/message-bytes.ts';
import { ScriptPeer } from '../../testing/script-peer.ts';
import { OURS, SessionBench, THEIRS, theirOpen } from '../../testing/session-bench.ts';

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
