// What a policy makes of routes' attribute sets, and that it gives back what it took.
import assert from 'node:assert/strict';
import { formatAttributes } from '../../message/index.ts';
import { compilePolicy, FROM_EBGP, RouteRef } from '../../policy/compile.ts';
import type { Policy, PolicySet, PolicyTerm } from '../../policy/policy.ts';
import { PrefixTable } from '../../prefix/prefix-table.ts';
import { AppliedPolicy, IMPOSSIBLE, OWN_PREFIX, REJECTED } from './applied-policy.ts';
import { AttributeIntern } from './attribute-intern.ts';
import { AttributeReader } from './attribute-reader.ts';
import { AttributeStore } from './attribute-store.ts';
import { NextHops } from './next-hops.ts';

const policyOf = (...terms: readonly Omit<PolicyTerm, 'why'>[]) =>
  compilePolicy({
    name: 'p',
    terms: terms.map((term, i) => ({ ...term, why: `rule ${i}` })),
    otherwise: 'reject',
  } satisfies Policy);
const accept = (set?: PolicySet): Omit<PolicyTerm, 'why'> => ({
  match: {},
  action: { verdict: 'accept', ...(set && { set }) },
});
const under = (prefix: string, term: Omit<PolicyTerm, 'why'>): Omit<PolicyTerm, 'why'> => ({
  ...term,
  match: { prefixes: [{ prefix, operator: 'in' }] },
});

function scene(isExport: boolean) {
  const nextHops = new NextHops(1);
  const store = new AttributeStore(nextHops, 1);
  const intern = new AttributeIntern(store, nextHops, { asNumber: 65001, routerId: 1, clusterId: 1 }, 1);
  const table = new PrefixTable(0, 0);
  const ref = new RouteRef(table);
  /** A route of 10.N.0.0/16. */
  const route = (n: number, attribute: number): RouteRef =>
    ref.point(table, table.findOrAdd4((10 << 24) | (n << 16), 16), FROM_EBGP, attribute);
  const set = (med: number, communities: readonly string[] = []): number =>
    intern.originated({ med, communities, nextHop: -1 });
  return {
    store,
    intern,
    route,
    set,
    applied: new AppliedPolicy(intern, new AttributeReader(store, nextHops), isExport),
  };
}

describe('a policy put to use', () => {
  it('leaves the set as it is, changes it, or rejects the route: as ours, or by a rule that it names', () => {
    const { store, route, set, applied } = scene(false);
    const a = set(1);
    const policy = policyOf(
      under('10.1.0.0/16', { match: {}, action: { verdict: 'reject' } }),
      under('10.2.0.0/16', { match: {}, action: { verdict: 'reject', isOwn: true } }),
      under('10.3.0.0/16', accept()),
      under('10.4.0.0/16', accept({ localPref: 300 })),
    );
    assert.equal(applied.apply(policy, route(1, a)), REJECTED);
    assert.equal(applied.apply(policy, route(2, a)), OWN_PREFIX);
    assert.equal(applied.apply(policy, route(3, a)), a);
    const changed = applied.apply(policy, route(4, a));
    assert.deepEqual([store.localPref[changed], store.med[changed]], [300, 1]);
    assert.equal(applied.apply(policy, route(5, a)), REJECTED);
    const why = [1, 2, 3, 4, 5].map((n) => applied.whyRejected(policy, route(n, a)));
    assert.deepEqual(why, ['rule 0', 'rule 1', undefined, undefined, 'p: no rule accepts it']);
  });

  it('makes the same change of the same set once; of another set, combination or policy another one', () => {
    const { store, intern, route, set, applied } = scene(false);
    const [a, b] = [set(1), set(2)];
    const policy = policyOf(under('10.1.0.0/16', accept({ localPref: 200 })), accept({ localPref: 300 }));
    const other = policyOf(under('10.1.0.0/16', accept({ localPref: 400 })), accept({ localPref: 500 }));
    let changes = 0;
    const change = intern.changed.bind(intern);
    intern.changed = (...args) => {
      changes++;
      return change(...args);
    };
    for (const [by, n, from, localPref, made] of [
      [policy, 1, a, 200, 1],
      [policy, 1, a, 200, 1],
      [policy, 2, a, 300, 2],
      [policy, 3, a, 300, 2],
      [policy, 1, b, 200, 3],
      [other, 3, b, 500, 4],
      [other, 1, b, 400, 5],
      [policy, 1, b, 200, 6],
    ] as const) {
      const to = applied.apply(by, route(n, from));
      assert.deepEqual([store.localPref[to], store.med[to], changes], [localPref, store.med[from], made]);
    }
  });

  it('takes communities of all kinds away and adds others, in the order of the terms', () => {
    const { store, route, set, applied } = scene(false);
    const next = (change: PolicySet): Omit<PolicyTerm, 'why'> => ({
      match: {},
      action: { verdict: 'next', set: change },
    });
    const listed = (id: number) => {
      const start = store.start(id);
      return formatAttributes(store.blob(id), start, start + store.length[id]!).flatMap(({ name, value }) =>
        name.includes('communities') ? value : [],
      );
    };
    const from = set(1, ['65000:1', '65000:2', '65001:1', 'no-export']);
    for (const [terms, after] of [
      [
        [next({ deleteCommunities: ['65000:*'] }), accept()],
        ['65001:1', 'no-export'],
      ],
      [
        [
          next({ addCommunities: ['65002:7', 'rt:65000:1'] }),
          accept({ deleteCommunities: ['65002:*', '*:1', 'no-export'] }),
        ],
        ['65000:2', 'rt:65000:1'],
      ],
      [
        [
          next({ deleteCommunities: ['*:*'] }),
          next({ addCommunities: ['65000:1'] }),
          accept({ addCommunities: ['1:2:3'] }),
        ],
        ['65000:1', '1:2:3'],
      ],
      [[accept({ deleteCommunities: ['*:*', '*:*:*', 'generic:*:*'] })], []],
    ] as const)
      assert.deepEqual(listed(applied.apply(policyOf(...terms), route(1, from))), after);
    assert.throws(
      () => policyOf(accept({ addCommunities: ['65000:*'] })),
      /'65000:\*' is not one community to add/,
    );
  });

  it('asks again of a set that has the number of one that is gone', () => {
    const { store, route, set, applied } = scene(false);
    const policy = policyOf({ match: { communities: ['65000:1'] }, action: { verdict: 'accept' } });
    for (const [communities, result] of [
      [['65000:1'], 0],
      [['65000:2'], REJECTED],
      [['65000:1', '1:1'], 0],
    ] as const) {
      const a = set(1, communities);
      assert.equal(a, 0, 'the number of the one before');
      assert.equal(applied.apply(policy, route(1, a)), result);
      store.release(a);
      store.dropUnused(1);
    }
  });

  it('holds on to the last change only', () => {
    const { store, route, set, applied } = scene(false);
    const policy = policyOf(accept({ localPref: 200 }));
    const [a, b] = [set(1), set(2)];
    const changedA = applied.apply(policy, route(1, a));
    assert.deepEqual([store.references[a], store.references[changedA]], [2, 1]);
    const changedB = applied.apply(policy, route(1, b));
    const held = [a, changedA, b, changedB].map((id) => store.references[id]);
    assert.deepEqual(held, [1, 0, 2, 1]);
  });

  it('says of what it sets that no message holds it, each time, and goes on with the next one', () => {
    const { store, route, set, applied } = scene(false);
    const communities = Array.from({ length: 16_300 }, (_, n) => `${1 + (n >> 8)}:${n & 255}`);
    const addCommunities = Array.from({ length: 200 }, (_, n) => `60000:${n}`);
    const [a, full] = [set(1), set(2, communities)];
    const policy = policyOf(accept({ addCommunities }));
    for (let i = 0; i < 2; i++) assert.equal(applied.apply(policy, route(1, full)), IMPOSSIBLE);
    const changed = applied.apply(policy, route(1, a));
    assert.ok(changed >= 0);
    assert.deepEqual([store.references[full], store.references[changed]], [1, 1]);
  });

  it('remembers of an export that MED was set on purpose, and adds no OTC', () => {
    const policy = policyOf(accept({ med: 7 }));
    for (const isExport of [true, false]) {
      const { store, route, set, applied } = scene(isExport);
      const a = set(1);
      const changed = applied.apply(policy, route(1, a));
      assert.deepEqual([store.med[changed], store.isMedSet(changed)], [7, isExport]);
      assert.equal(store.present[changed], store.present[a], 'the same attributes');
    }
  });
});
