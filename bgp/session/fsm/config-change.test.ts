// What a changed configuration does to a running session.
import assert from 'node:assert/strict';
import { peerConfig } from '../../testing/configs.ts';
import { SessionBench, THEIRS } from '../../testing/session-bench.ts';
import { configChange } from './config-change.ts';

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
