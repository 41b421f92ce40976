import assert from 'node:assert/strict';
import { parsePrefixWords } from '#ip';
import { PathElements } from '../message/index.ts';
import { PrefixTable } from '../prefix/prefix-table.ts';
import { type CompiledPolicy, compilePolicy, FROM_EBGP, FROM_IBGP, FROM_LOCAL, RouteRef } from './compile.ts';
import type { AttributeQuestions } from './attribute-match.ts';
import { ACCEPT_ALL, type Policy, type PolicyTerm, REJECT_ALL } from './policy.ts';

const path = new PathElements();
const questions: AttributeQuestions = {
  // Of one route: a standard community, a well-known one, a large one.
  carriesCommunity: (_id, { words: [a, b, c] }) =>
    b === undefined ? a === 65000 * 65536 + 1 || a === 0xffffff01 : a === 65000 && b === 1 && c === 2,
  generationOf: () => 0,
  metricOf: (id) => id,
  linksOf: () => 2,
  linkNames: () => ['eth0'],
  pathStartsWith: (_id, wanted) => wanted.every((as, i) => as === [65101, 7][i]),
  path: () => path,
  nextHop: () => undefined,
};

function evaluate(policy: CompiledPolicy, prefix: string, source = FROM_EBGP): number {
  const p = parsePrefixWords(prefix)!;
  const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = p.words;
  const table = new PrefixTable(p.family, 0);
  const id = p.family === 0 ? table.findOrAdd4(w0, p.length) : table.findOrAdd6(w0, w1, w2, w3, p.length);
  return policy.evaluate(new RouteRef(table).point(table, id, source, 0), questions);
}

const term = (
  match: PolicyTerm['match'],
  verdict: 'accept' | 'reject' | 'next',
  set?: object,
): PolicyTerm => ({
  match,
  action: { verdict, ...(set && { set }) },
  why: `${verdict} rule`,
});
const policy = (terms: PolicyTerm[], otherwise: Policy['otherwise'] = 'reject'): CompiledPolicy =>
  compilePolicy({ name: 'p', terms, otherwise });

describe('policy', () => {
  it('says which policies accept without looking', () => {
    assert.equal(compilePolicy(ACCEPT_ALL).acceptsAll, true);
    assert.equal(compilePolicy(REJECT_ALL).acceptsAll, false);
    assert.equal(policy([term({}, 'accept')]).acceptsAll, false);
  });

  it('asks for the metric that a policy gave the route', () => {
    // The set asked about is 0, and so is its metric.
    assert.equal(evaluate(policy([term({ metric: 0 }, 'accept')]), '10.0.0.0/8'), 0);
    assert.ok(evaluate(policy([term({ metric: 500 }, 'accept')]), '10.0.0.0/8') < 0);
  });

  it('has one fingerprint for all that decide alike, whatever they are called', () => {
    const of = (terms: PolicyTerm[], otherwise: Policy['otherwise'] = 'reject') =>
      policy(terms, otherwise).fingerprint;
    const one = term({ source: 'ebgp' }, 'reject');
    const { action } = one;
    assert.equal(of([{ ...one, why: 'in other words' }]), of([one]));
    const others = [
      of([]),
      of([one, one]),
      of([one], 'accept'),
      of([term({ source: 'ibgp' }, 'reject')]),
      of([term({ source: 'ebgp' }, 'next')]),
      of([term({ source: 'ebgp' }, 'next', { med: 1 })]),
      of([term({ source: 'ebgp' }, 'next', { med: 2 })]),
      of([{ ...one, action: { ...action, isOwn: true } }]),
    ];
    assert.equal(new Set([of([one]), ...others]).size, 1 + others.length);
  });

  it('takes the first term that decides, and names the one that rejected', () => {
    const p = policy([
      term({ prefixes: [{ prefix: '10.0.0.0/8', operator: 'in', minLength: 24 }] }, 'reject'),
      term({ prefixes: [{ prefix: '10.0.0.0/8', operator: 'in' }] }, 'accept'),
    ]);
    assert.equal(evaluate(p, '10.1.0.0/16'), 0);
    assert.equal(p.whyRejected(evaluate(p, '10.1.1.0/24')), 'reject rule');
    assert.equal(p.whyRejected(evaluate(p, '192.0.2.0/24')), 'p: no rule accepts it');
  });

  it('matches prefixes by operator and length', () => {
    const cases: [string, 'equal' | 'in' | 'notEqual' | 'notIn', object, string, boolean][] = [
      ['10.0.0.0/8', 'equal', {}, '10.0.0.0/8', true],
      ['10.0.0.0/8', 'equal', {}, '10.0.0.0/9', false],
      ['10.0.0.0/8', 'in', {}, '10.255.0.0/16', true],
      ['10.0.0.0/8', 'in', {}, '11.0.0.0/16', false],
      ['10.0.0.0/8', 'in', { maxLength: 16 }, '10.1.1.0/24', false],
      ['10.0.0.0/8', 'notEqual', {}, '10.0.0.0/8', false],
      ['10.0.0.0/8', 'notEqual', {}, '10.0.0.0/16', true],
      ['10.0.0.0/8', 'notIn', {}, '10.1.0.0/16', false],
      ['10.0.0.0/8', 'notIn', { minLength: 24 }, '10.1.0.0/16', true],
      ['0.0.0.0/0', 'equal', {}, '0.0.0.0/0', true],
      ['fd00::/8', 'in', { minLength: 64 }, 'fd12:3456::/64', true],
      ['fd00::/8', 'in', { minLength: 64 }, 'fd12:3456::/48', false],
      ['fd00::/8', 'in', {}, '10.0.0.0/8', false],
    ];
    for (const [prefix, operator, lengths, route, matches] of cases) {
      const p = policy([term({ prefixes: [{ prefix, operator, ...lengths }] }, 'accept')]);
      assert.equal(evaluate(p, route) >= 0, matches, `${route} ${operator} ${prefix}`);
    }
  });

  it('matches source, family, communities and the path’s beginning, all of them', () => {
    const matching = policy([
      term(
        { source: 'remote', family: 'ipv4', communities: ['65000:1', '65000:1:2'], asPathPrefix: [65101] },
        'accept',
      ),
    ]);
    assert.equal(evaluate(matching, '10.0.0.0/8'), 0);
    assert.ok(evaluate(matching, 'fd00::/8') < 0);
    assert.ok(evaluate(matching, '10.0.0.0/8', FROM_LOCAL) < 0);
    assert.equal(evaluate(policy([term({ communities: ['no-export'] }, 'accept')]), '10.0.0.0/8'), 0);
    assert.ok(evaluate(policy([term({ communities: ['65000:9'] }, 'accept')]), '10.0.0.0/8') < 0);
    assert.ok(evaluate(policy([term({ asPathPrefix: [7] }, 'accept')]), '10.0.0.0/8') < 0);
    assert.ok(evaluate(policy([term({ source: 'ebgp' }, 'accept')]), '10.0.0.0/8', FROM_IBGP) < 0);
  });

  it('adds up what terms set on the way, one combination for equal ways', () => {
    const p = policy(
      [
        term({ source: 'ebgp' }, 'next', { localPref: 200 }),
        term({ prefixes: [{ prefix: '10.0.0.0/8', operator: 'in' }] }, 'accept', { med: 5 }),
      ],
      'accept',
    );
    const both = evaluate(p, '10.1.0.0/16');
    assert.deepEqual(p.sets(both), [{ localPref: 200 }, { med: 5 }]);
    assert.equal(evaluate(p, '10.2.0.0/16'), both);
    assert.deepEqual(p.sets(evaluate(p, '192.0.2.0/24')), [{ localPref: 200 }]);
    assert.equal(evaluate(p, '192.0.2.0/24', FROM_IBGP), 0);
  });

  it('forgets combinations when a neighbour makes too many of them, and goes on', () => {
    const communities = Array.from({ length: 12 }, (_, i) => `65000:${i}`);
    const marks = communities.map((one, i) => term({ communities: [one] }, 'next', { med: i }));
    const all = policy([...marks, term({}, 'accept')]);
    const table = new PrefixTable(0, 0);
    const ref = new RouteRef(table);
    const prefix = table.findOrAdd4(0, 0);
    /** The set's id has a bit for each community that it carries. */
    const asked = {
      ...questions,
      carriesCommunity: (id: number, { words }: { words: readonly number[] }) =>
        ((id >> (words[0]! & 31)) & 1) === 1,
    };
    const seen = new Set<number>();
    let first = 0;
    for (let id = 1; id < 4096; id++) {
      const result = all.evaluate(ref.point(table, prefix, FROM_EBGP, id), asked);
      if (id === 1) first = result;
      assert.ok(!seen.has(result));
      seen.add(result);
      assert.deepEqual(
        all.sets(result).map(({ med }) => med),
        communities.flatMap((_, i) => (((id >> i) & 1) === 1 ? [i] : [])),
      );
    }
    assert.deepEqual(all.sets(first), []);
  });

  it('names policy and value of what cannot be compiled', () => {
    const wrong = (match: PolicyTerm['match'], message: RegExp): void => {
      assert.throws(() => policy([term(match, 'accept')]), message);
    };
    wrong(
      { prefixes: [{ prefix: '10.0.0.0', operator: 'in' }] },
      /policy 'p': .*'10\.0\.0\.0' is not a prefix/,
    );
    wrong({ communities: ['65000'] }, /policy 'p': '65000' is not a community/);
  });
});
