// Who may connect: listeners, unknown addresses, dynamic neighbours.
import assert from 'node:assert/strict';
import type { PeerConfig } from '../../config.ts';
import { peerConfig, speakerConfig } from '../../testing/configs.ts';
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
    assert.equal(bench.sessions.statusOf('left')?.negotiated, undefined);
    assert.equal(bench.sessions.statusOf('right')?.negotiated?.device, 'eth1');
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

  it('a port that another program holds is tried again alone: neighbours are dialled meanwhile', async () => {
    const bench = new SessionBench({
      listen: [
        { address: OURS, port: 179 },
        { address: OURS, port: 1790 },
      ],
    });
    const squatter = await bench.host.listen({ address: OURS, port: 179 }, () => {});
    bench.sessions.addPeer(peerConfig('tor', THEIRS, 65002));
    await bench.listen();
    await assert.rejects(bench.sessions.start(), /10\.0\.0\.1 port 179: EADDRINUSE/);
    assert.deepEqual(bench.sessions.listening, [{ address: OURS, port: 1790 }]);
    bench.clock.advance(1000);
    bench.dialled[0]!.send(theirOpen(), KEEPALIVE);
    bench.clock.settle();
    assert.equal(bench.state, 'Established');
    squatter.close();
    await bench.sessions.start();
    assert.equal(bench.sessions.listening.length, 2);
    assert.equal(bench.state, 'Established');
  });

  it('no addresses: nothing listens; one that is there twice: one socket', async () => {
    const none = new SessionBench({ listen: [] });
    await none.sessions.start();
    assert.deepEqual(none.sessions.listening, []);
    const one = { address: OURS, port: 179 };
    const twice = new SessionBench({ listen: [one, one] });
    await twice.sessions.start();
    assert.deepEqual(twice.sessions.listening, [one]);
  });

  it('stop() while start() waits for the sockets leaves none, and starts nobody', async () => {
    const bench = new SessionBench();
    bench.sessions.addPeer(peerConfig('tor', THEIRS, 65002));
    const started = bench.sessions.start();
    await bench.sessions.stop();
    await started;
    bench.clock.advance(10_000);
    assert.deepEqual(bench.sessions.listening, []);
    assert.equal(bench.state, 'Idle');
    await bench.host.listen({ address: OURS, port: 179 }, () => {});
  });
});

describe('MD5 keys of the listener (SEC-1)', () => {
  const one = { address: OURS, port: 179 };
  const remote = (device: string) => ({ kind: 'address', address: 'fe80::2', port: 179, device }) as const;

  /** What becomes of a connection from there. */
  function dial(bench: SessionBench, md5Key?: string, from = THEIRS, to = OURS): ScriptPeer | undefined {
    let peer: ScriptPeer | undefined;
    const ends = { remoteAddress: to, remotePort: 179, localAddress: from, ttl: { kind: 'direct' } as const };
    bench.remote.dial(
      { ...ends, connectTimeoutMs: 1000, ...(md5Key === undefined ? {} : { md5Key }) },
      (result) => {
        if (!('error' in result)) peer = new ScriptPeer(result);
      },
    );
    bench.clock.advance(2000);
    return peer;
  }

  it('are there before the socket listens, at the start and when the port changes', async () => {
    const bench = new SessionBench();
    const seen: string[] = [];
    const { host } = bench;
    const listen = host.listen.bind(host);
    host.listen = (options, accept, prepare) => {
      const keys: string[] = [];
      prepare?.({ setMd5Key: (prefix, key) => keys.push(`${prefix} ${key}`) });
      seen.push(`${options.port}: ${keys.join()}`);
      return listen(options, accept, prepare);
    };
    bench.sessions.addPeer(peerConfig('tor', THEIRS, 65002, { md5Key: 'secret' }));
    await bench.sessions.start();
    await bench.sessions.reconfigure({ ...speakerConfig(65001, OURS), listen: [{ ...one, port: 1790 }] });
    assert.deepEqual(seen, ['179: 10.0.0.2/32 secret', '1790: 10.0.0.2/32 secret']);
  });

  it('a connection without a signature is refused, also one that came before the key was set', async () => {
    const bench = await SessionBench.withPeer({ md5Key: 'secret' });
    const accept = bench.host.listenerFor(OURS, 179)!;
    accept.keys.clear();
    const peer = dial(bench)!;
    assert.equal(peer.words, '');
    assert.ok(peer.isClosed);
    assert.match(bench.status.lastError!.text, /without a signature/);
    assert.equal(bench.state, 'Active');
  });

  it('a removed neighbour’s key goes with it, and only its own', async () => {
    const bench = await SessionBench.withPeer({ md5Key: 'secret' });
    bench.sessions.addPeer(peerConfig('other', '10.0.0.3', 65003, { passive: true, md5Key: 'secret' }));
    assert.equal(dial(bench), undefined);
    bench.sessions.removePeer('tor');
    assert.notEqual(dial(bench), undefined, 'the stranger reaches the socket, to be refused');
    assert.equal(dial(bench, undefined, '10.0.0.3'), undefined);
    assert.notEqual(dial(bench, 'secret', '10.0.0.3'), undefined);
  });

  it('neighbours on two links with one address: removing one leaves the other its key', async () => {
    const bench = new SessionBench({ listen: [{ address: 'fe80::1', port: 179 }] });
    for (const [id, device] of [
      ['left', 'eth0'],
      ['right', 'eth1'],
    ] as const) {
      bench.sessions.addPeer(
        peerConfig(id, '', 65002, { passive: true, md5Key: 'secret', remote: remote(device) }),
      );
    }
    await bench.sessions.start();
    bench.sessions.removePeer('left');
    assert.equal(dial(bench, undefined, 'fe80::2', 'fe80::1'), undefined);
    assert.notEqual(dial(bench, 'secret', 'fe80::2', 'fe80::1'), undefined);
  });

  it('of two passwords for one address the first is on the socket; who only waits is held down with the reason', async () => {
    const bench = new SessionBench({ listen: [{ address: 'fe80::1', port: 179 }] });
    for (const [id, device, passive] of [
      ['left', 'eth0', true],
      ['right', 'eth1', true],
      ['dials', 'eth2', false],
    ] as const) {
      bench.sessions.addPeer(peerConfig(id, '', 65002, { passive, md5Key: id, remote: remote(device) }));
    }
    await bench.sessions.start();
    const held = () => bench.sessions.status().map(({ id, heldDownBy }) => [id, heldDownBy?.cause.kind]);
    assert.deepEqual(held(), [
      ['left', undefined],
      ['right', 'key refused'],
      ['dials', undefined],
    ]);
    bench.sessions.removePeer('left');
    assert.equal(held()[0]![1], undefined, 'its turn has come');
    assert.notEqual(dial(bench, 'right', 'fe80::2', 'fe80::1'), undefined);
  });

  it('one that is refused holds down its neighbour alone; with room it starts by itself', async () => {
    const bench = new SessionBench();
    bench.host.maxListenKeys = 1;
    bench.sessions.addPeer(peerConfig('first', '10.0.0.3', 65003, { passive: true, md5Key: 'a' }));
    bench.sessions.addPeer(peerConfig('tor', THEIRS, 65002, { passive: true, md5Key: 'b' }));
    bench.sessions.addPeer(peerConfig('open', '10.0.1.7', 65004, { passive: true }));
    await bench.sessions.start();
    assert.deepEqual(bench.sessions.listening, [one]);
    assert.deepEqual(
      bench.sessions.status().map(({ id, state, heldDownBy }) => {
        const cause = heldDownBy?.cause;
        return [id, state, cause?.kind === 'key refused' && cause.problem];
      }),
      [
        ['first', 'Active', false],
        ['tor', 'Idle', 'no memory'],
        ['open', 'Active', false],
      ],
    );
    bench.sessions.resetPeer('tor');
    assert.equal(bench.status.heldDownBy?.cause.kind, 'key refused', 'nobody talks it into a start');
    bench.host.maxListenKeys = 2;
    bench.clock.advance(31_000);
    assert.equal(bench.state, 'Active', 'an operator made room');
    bench.sessions.removePeer('tor');
    bench.host.maxListenKeys = 1;
    bench.sessions.addPeer(peerConfig('tor', THEIRS, 65002, { passive: true, md5Key: 'b' }));
    const peer = dial(bench)!;
    assert.ok(!peer.words.includes('OPEN'));
    bench.sessions.removePeer('first');
    assert.equal(bench.state, 'Active');
    assert.notEqual(dial(bench, 'b'), undefined);
  });

  it('one that no kernel takes is known without asking, for a range too', async () => {
    const bench = await SessionBench.withPeer({ md5Key: 'ä'.repeat(41) });
    assert.match(bench.status.heldDown!, /82 octets.*80 at most/);
    bench.sessions.updatePeer(peerConfig('tor', THEIRS, 65002, { passive: true, md5Key: 'ä'.repeat(40) }));
    assert.equal(bench.status.heldDown, undefined);
    bench.sessions.addPeer(
      peerConfig('fleet', '', 65002, {
        remote: { kind: 'range', prefix: '10.0.1.0/24', maxPeers: 9 },
        md5Key: 'x'.repeat(81),
      }),
    );
    const off = { passive: true, md5Key: 'x'.repeat(81), shutdown: { message: 'moving' } };
    bench.sessions.addPeer(peerConfig('off', '10.0.0.3', 65002, off));
    const causeOf = (name: string) =>
      bench.sessions.status().find(({ id }) => id === name)!.heldDownBy?.cause.kind;
    assert.equal(causeOf('off'), 'shut down', 'as somebody wants it');
    bench.sessions.updatePeer(peerConfig('off', '10.0.0.3', 65002, { ...off, md5Key: 'short' }));
    assert.equal(causeOf('off'), 'shut down');
    const range = bench.sessions.status().find(({ id }) => id === 'fleet')!;
    assert.equal(range.heldDownBy?.cause.kind, 'key refused');
    const peer = dial(bench, undefined, '10.0.1.7')!;
    assert.ok(peer.isClosed);
    assert.equal(bench.sessions.statusOf('fleet/10.0.1.7'), undefined);
  });

  it('a mesh of a thousand nodes needs one, whatever joins and leaves', async () => {
    const bench = new SessionBench();
    bench.host.maxListenKeys = 64;
    await bench.sessions.start();
    const add = (i: number) =>
      bench.sessions.addPeer(
        peerConfig(`n${i}`, `10.1.${i >> 8}.${i & 255}`, 65001, { passive: true, md5Key: 'mesh' }),
      );
    for (let i = 0; i < 1000; i++) add(i);
    const keys = () => [...bench.host.listenerFor(OURS, 179)!.keys.keys()];
    assert.deepEqual(keys(), ['10.1.0.0/22']);
    bench.sessions.addPeer(peerConfig('open', '10.1.3.250', 65002, { passive: true }));
    assert.ok(keys().length > 1 && keys().length < 20, keys().join());
    assert.ok(bench.sessions.status().every(({ heldDown }) => heldDown === undefined));
    for (let i = 0; i < 999; i++) bench.sessions.removePeer(`n${i}`);
    assert.deepEqual(keys(), ['10.1.3.231/32']);
  });

  it('a password that all change together is one call for the socket, whoever is told first', async () => {
    const bench = new SessionBench();
    await bench.sessions.start();
    const node = (i: number, md5Key: string) =>
      peerConfig(`n${i}`, `10.1.${i & 3}.${i >> 2}`, 65001, { passive: true, md5Key });
    const all = Array.from({ length: 1000 }, (_, i) => i);
    bench.sessions.together(() => {
      for (const i of all) bench.sessions.addPeer(node(i, 'old'));
    });
    const { keys } = bench.host.listenerFor(OURS, 179)!;
    assert.deepEqual([...keys], [['10.1.0.0/22', 'old']]);
    bench.sessions.together(() => {
      for (const i of all) bench.sessions.updatePeer(node(i, 'new'));
      assert.throws(() => bench.sessions.addPeer(node(0, 'new')), /already one/);
    });
    assert.deepEqual([...keys], [['10.1.0.0/22', 'new']]);
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
    assert.equal(bench.sessions.statusOf('rack/10.0.1.7')?.negotiated?.remoteAs, 65003);
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
    bench.establish().send(rawNotification(6, 2));
    bench.clock.advance(200_000);
    const again = bench.establish({ hold: 0 });
    bench.clock.advance(200_000);
    assert.equal(bench.sessions.status().length, 3, 'it is back');
    bench.sessions.removePeer('fleet');
    bench.clock.settle();
    assert.equal(again.notification, '6/3');
    assert.equal(bench.sessions.status().length, 1);
    bench.clock.advance(600_000);
    assert.equal(bench.clock.pending, 0);
  });
});
