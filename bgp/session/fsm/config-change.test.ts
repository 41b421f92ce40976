// What a changed configuration does to a running session.
import assert from 'node:assert/strict';
import type { PeerConfig, PeerRemote } from '../../config.ts';
import type { Policy } from '../../policy/policy.ts';
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
    ['soft', { maxPrefixes: { limit: 10_000, warnPercent: 80, restartSeconds: 60 } }],
    ['nothing', { maxPrefixes: { limit: 10_000, warnPercent: 80, restartSeconds: undefined as never } }],
    ['nothing', { nextHopSelf: {} }],
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
      assert.equal(configChange({ ...before, ...change }, before).kind, kind, 'and back');
      if ('shutdown' in change) return;
      const bench = await SessionBench.withPeer();
      const peer = bench.establish();
      bench.sessions.updatePeer({ ...before, ...change });
      bench.clock.settle();
      assert.equal(bench.recorder.downs.length, kind === 'reset' ? 1 : 0);
      assert.equal(peer.notification, kind === 'reset' ? '6/6' : undefined);
    });
  }

  it('reads the long policies that neighbours share once for all of them', () => {
    let read = 0;
    const policy = (): Policy => ({
      name: 'shared',
      otherwise: 'reject',
      get terms() {
        read++;
        return [];
      },
    });
    const [was, is] = [policy(), policy()];
    const changes = Array.from({ length: 100 }, (_, n) =>
      configChange({ ...before, import: was, id: `${n}` }, { ...before, import: is, id: `${n}` }),
    );
    assert.ok(changes.every(({ fields }) => fields.length === 0));
    assert.ok(read <= 4, `${read} times`);
  });

  it('another neighbour is another session, another port or limit of a range is for the next one', () => {
    const there = { kind: 'address', address: 'fe80::2', device: 'eth0', port: 179 } as const;
    const range = { kind: 'range', prefix: '10.0.0.0/24', maxPeers: 9 } as const;
    const effect = (old: PeerRemote, now: PeerRemote) =>
      configChange({ ...before, remote: old }, { ...before, remote: now }).kind;
    for (const [kind, old, now] of [
      ['nothing', there, { ...there }],
      ['later', there, { ...there, port: 1179 }],
      ['reset', there, { ...there, address: 'fe80::3' }],
      ['reset', there, { ...there, device: 'eth1' }],
      ['reset', there, { kind: 'address', address: 'fe80::2', port: 179 }],
      ['later', range, { ...range, maxPeers: 10 }],
      ['reset', range, { ...range, prefix: '10.0.0.0/25' }],
      ['reset', range, there],
    ] as const) {
      assert.deepEqual([effect(old, now), effect(now, old)], [kind, kind], JSON.stringify(now));
    }
  });

  it('the reason names each field that asks for it with its old and new value', () => {
    const change = configChange(before, { ...before, remoteAs: 65003, localAs: 65005, description: 'x' });
    assert.equal(
      change.reason,
      'remoteAs changed from 65002 to 65003, localAs changed from nothing to 65005',
    );
    assert.deepEqual(change.fields, [
      { name: 'description', effect: 'nothing' },
      { name: 'remoteAs', effect: 'reset' },
      { name: 'localAs', effect: 'reset' },
    ]);
    const reason = (after: Partial<PeerConfig>) => configChange(before, { ...before, ...after }).reason;
    assert.equal(reason({ nextHop: 'self' }), 'nextHop changed from auto to self');
    assert.equal(reason({ families: ['ipv4'] }), 'families changed from ["ipv4","ipv6"] to ["ipv4"]');
  });

  it('the reason shows no key, and no policy with its hundreds of rules', () => {
    const none = { name: 'none', terms: [], otherwise: 'reject' } as const;
    const reason = (after: Partial<PeerConfig>) => configChange(before, { ...before, ...after }).reason;
    assert.equal(reason({ md5Key: 'secret' }), 'md5Key changed');
    assert.equal(reason({ import: none, export: none }), 'import policy changed, export policy changed');
  });

  it('a policy is another one by any of its rules, not by being written anew', () => {
    const term = (prefix: string) =>
      ({
        match: { prefixes: [{ prefix, operator: 'in' }] },
        action: { verdict: 'accept' },
        why: 'w',
      }) as const;
    const policy = (...prefixes: string[]): Policy => ({
      name: 'p',
      terms: prefixes.map(term),
      otherwise: 'reject',
    });
    const kind = (a: Policy, b: Policy) =>
      configChange({ ...before, import: a }, { ...before, import: b }).kind;
    const both = policy('10.0.0.0/8', '10.1.0.0/16');
    assert.equal(kind(both, policy('10.0.0.0/8', '10.1.0.0/16')), 'nothing');
    for (const other of [
      policy('10.0.0.0/8'),
      policy('10.1.0.0/16', '10.0.0.0/8'),
      policy('10.0.0.0/8', '10.2.0.0/16'),
      { ...both, otherwise: 'accept' } as const,
    ]) {
      assert.deepEqual([kind(both, other), kind(other, both)], ['soft', 'soft'], JSON.stringify(other));
    }
  });
});
