import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { RibLab } from '../rib/testing/rib-lab.ts';
import { PolicyCache } from './policy-cache.ts';
import type { Policy } from './policy.ts';

/** Made anew at each call, as by a plan. */
function pools(rules: number, name = 'pools'): Policy {
  const terms = Array.from({ length: rules }, (_, i) => ({
    match: { prefixes: [{ prefix: `10.${i >> 8}.${i & 255}.0/24`, operator: 'in' as const }] },
    action: { verdict: 'accept' as const },
    why: `rule ${i}`,
  }));
  return { name, terms, otherwise: 'reject' };
}

describe('policies are compiled once', () => {
  it('equal ones are one, whoever made them; other words make another', () => {
    const cache = new PolicyCache();
    const one = cache.get(pools(3));
    assert.equal(cache.get(pools(3)), one);
    assert.notEqual(cache.get(pools(4)), one);
    const renamed = cache.get(pools(3, 'others'));
    assert.notEqual(renamed, one);
    assert.equal(renamed.fingerprint, one.fingerprint, 'they decide alike: one update group');
    assert.ok(one.fingerprint.length < 64, 'of any policy, as it stands in the key of each group');
    assert.throws(
      () => cache.get({ ...pools(1), terms: [{ ...pools(1).terms[0]!, match: { communities: ['x'] } }] }),
      /pools.*'x'/,
    );
  });

  it('those that nobody uses any more are forgotten, words and all, and those in use are not', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    setFlagsFromString('--no-expose-gc');
    const cache = new PolicyCache();
    const named = (name: string): Policy => ({ name, terms: [], otherwise: 'reject' });
    const used = Array.from({ length: 40 }, (_, n) => cache.get(named(`used ${n}`)));
    const heap = async (): Promise<number> => {
      // A weak reference is strong until the end of the turn that looked at it.
      await setImmediate();
      collect();
      return process.memoryUsage().heapUsed;
    };
    const before = await heap();
    for (let n = 0; n < 400; n++) {
      cache.get(named(String(n).padEnd(100_000, 'x')));
      if (n % 50 === 0) await heap();
    }
    const grownBy = (await heap()) - before;
    assert.ok(grownBy < 20_000_000, `${Math.round(grownBy / 1e6)} MB`);
    used.forEach((policy, n) => {
      assert.equal(cache.get(named(`used ${n}`)), policy);
    });
  });

  it('a hundred neighbours with one policy of 200 rules share it, and so after a change', () => {
    const lab = new RibLab();
    const peers = Array.from({ length: 100 }, (_, n) => ({
      id: `n${n}`,
      address: `192.0.2.${n}`,
      as: 65100,
    }));
    const compiled = () =>
      new Set(peers.flatMap(({ id }) => [lab.rib.peer(id)!.importPolicy, lab.rib.peer(id)!.exportPolicy]))
        .size;
    for (const peer of peers) lab.up({ ...peer, config: { import: pools(200), export: pools(200) } });
    assert.equal(compiled(), 1);
    for (const { id } of peers) {
      const config = { ...lab.session(id).config, import: pools(201) };
      lab.rib.checkPolicies(config);
      lab.rib.neighbours.configure(config);
    }
    assert.equal(compiled(), 2);
    lab.settle();
    assert.equal(lab.rib.exports.groups[0].length, 1);
  });
});
