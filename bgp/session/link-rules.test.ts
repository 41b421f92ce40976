// The ends of a session that are not BGP: its link, TTL rules and keys.
import assert from 'node:assert/strict';
import type { Connection, Transport, TtlRule } from '../io.ts';
import { sharedLinkOf } from './link-rules.ts';
import { peerConfig } from '../testing/configs.ts';
import { KEEPALIVE } from '../testing/message-bytes.ts';
import { ScriptPeer } from '../testing/script-peer.ts';
import { OURS, SessionBench, THEIRS, theirOpen } from '../testing/session-bench.ts';
import { arrives } from '../transport/memory-network.ts';

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
    assert.equal(bench.recorder.downs[0]?.reason.cause.kind, 'link down');
    assert.equal(bench.recorder.downs[0]?.reason.kept, undefined);
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

  it('SEC-1 a password that comes while a connection is under way is asked of that one too', async () => {
    const bench = await SessionBench.withPeer({ passive: false });
    await bench.listen();
    bench.network.latencyMs = 1000;
    bench.sessions.resetPeer('tor');
    bench.clock.advance(500);
    bench.sessions.updatePeer(peerConfig('tor', THEIRS, 65002, { md5Key: 'secret' }));
    bench.clock.advance(1000);
    assert.equal(bench.dialled.length, 1, 'it came about without');
    bench.clock.advance(60_000);
    assert.equal(bench.dialled[0]!.words, '');
    assert.ok(bench.dialled[0]!.isClosed);
    bench.remote.listenerFor(THEIRS, 179)!.keys.set(`${OURS}/32`, 'secret');
    bench.clock.advance(60_000);
    assert.match(bench.dialled.at(-1)!.words, /^OPEN/);
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

  it('the link is shared with a neighbour one hop away, or on-link, and with no other', () => {
    const config = (ttl: TtlRule) => peerConfig('tor', THEIRS, 65001, { ttl });
    const origin = { id: 'tor', address: THEIRS, port: 179, device: undefined, dynamicOf: undefined };
    const shared = (ttl: TtlRule, network: string) => {
      const transport = { linkOf: () => ({ device: 'eth0', network }) } as Partial<Transport> as Transport;
      const connection = { localAddress: OURS, remoteAddress: THEIRS } as Connection;
      return sharedLinkOf(config(ttl), origin, transport, connection) !== undefined;
    };
    const far: TtlRule = { kind: 'multihop', hops: 255 };
    assert.equal(shared({ kind: 'direct' }, '203.0.113.0/31'), true);
    assert.equal(shared({ kind: 'gtsm', hops: 1 }, '203.0.113.0/31'), true);
    assert.equal(shared({ kind: 'gtsm', hops: 2 }, '203.0.113.0/31'), false);
    assert.equal(shared(far, '203.0.113.0/31'), false);
    assert.equal(shared(far, `${THEIRS}/32`), true);
  });
});
