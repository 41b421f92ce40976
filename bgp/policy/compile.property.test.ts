// Any policy on any route, against a reading of the same plain data that knows no tables, no words and no numbers of
// sets: prefixes are strings of bits.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type Family, parseOctets, parsePrefixWords } from '#ip';
import { parseCommunityPattern, PathElements } from '../message/index.ts';
import { PrefixTable } from '../prefix/prefix-table.ts';
import { compilePolicy, FROM_EBGP, FROM_IBGP, FROM_LOCAL, RouteRef } from './compile.ts';
import { type AttributeQuestions, HOLDS } from './attribute-match.ts';
import {
  ACCEPT_ALL,
  type Policy,
  type PolicyMatch,
  type PolicySet,
  type PolicyTerm,
  type PrefixRule,
  REJECT_ALL,
} from './policy.ts';
import { policyDelta } from './policy-delta.ts';

/** What a route is to a policy, in words. */
interface Route {
  readonly prefix: string;
  readonly source: 'local' | 'ebgp' | 'ibgp';
  readonly communities: readonly string[];
  readonly path: readonly number[];
  /** Undefined: the route is our own. */
  readonly nextHop: string | undefined;
  /** That a policy gave it; 0: none did. */
  readonly metric: number;
  /** Undefined while nobody knows. */
  readonly links: readonly string[] | undefined;
}

const SOURCES = { local: FROM_LOCAL, ebgp: FROM_EBGP, ibgp: FROM_IBGP } as const;
/** Numbers of link sets: 0 is unknown, 1 the empty one; so many that the memory of verdicts must grow. */
const LINK_SETS: readonly (readonly string[])[] = [
  [],
  [],
  ...Array.from({ length: 60 }, (_, n) => [`eth${n % 4}`, ...(n % 3 === 0 ? [`bond0.${n % 5}`] : [])]),
];

/** Few values, so that rules and routes meet. */
const ADDRESSES = [
  '10.0.0.0',
  '10.1.0.0',
  '10.1.128.0',
  '192.168.0.0',
  'fd00::',
  'fd00:0:0:1::',
  'fd00:0:0:1:8000::',
  'fd00:0:0:1::8000:0',
  'fd00:0:0:1::1',
  'fd00:1::',
];
const LENGTHS = [0, 8, 9, 12, 16, 17, 24, 31, 32, 33, 47, 48, 64, 65, 96, 97, 112, 127, 128];
const prefix = fc
  .record({ address: fc.constantFrom(...ADDRESSES), length: fc.constantFrom(...LENGTHS) })
  .map(({ address, length }) => `${address}/${address.includes(':') ? length : Math.min(length, 32)}`);
const rule: fc.Arbitrary<PrefixRule> = fc.record(
  {
    prefix,
    operator: fc.constantFrom('equal' as const, 'in' as const, 'notEqual' as const, 'notIn' as const),
    minLength: fc.constantFrom(...LENGTHS),
    maxLength: fc.constantFrom(...LENGTHS),
  },
  { requiredKeys: ['prefix', 'operator'] },
);
const COMMUNITIES = ['65000:1', '65000:2', 'no-export', '65000:1:2', '65000:1:3', 'rt:65000:1', 'ro:65000:2'];
const ASKED = [...COMMUNITIES, '65000:*', '*:2', '65000:*:3', '*:*:2', 'rt:65000:*', 'ro:*:*'];
const asked = fc.subarray(ASKED, { maxLength: 2 });
const match: fc.Arbitrary<PolicyMatch> = fc
  .tuple(
    fc.record({
      prefixes: fc.array(rule, { maxLength: 4 }),
      source: fc.constantFrom('local' as const, 'remote' as const, 'ebgp' as const, 'ibgp' as const),
      communities: asked,
      anyCommunity: asked,
      noCommunity: asked,
      asPath: fc.record(
        {
          contains: fc.constantFrom(7, 65101, 65102),
          originatedBy: fc.constantFrom(7, 65101),
          minLength: fc.nat(3),
          maxLength: fc.nat(3),
          pattern: fc.constantFrom('^$', '^65101', '7$', '65101+ 7'),
        },
        { requiredKeys: [] },
      ),
      nextHops: fc.array(prefix, { maxLength: 3 }),
      asPathPrefix: fc.array(fc.constantFrom(65101, 7), { maxLength: 2 }),
      family: fc.constantFrom<Family>('ipv4', 'ipv6'),
      metric: fc.nat(2),
      interface: fc.constantFrom('eth1', 'eth*', 'bond0.*', 'bond0?1', '*.1', 'th1', 'eth', 'BOND*'),
    }),
    // One question, or two, of twelve: with all of them no term holds for anything.
    fc.subarray(
      [
        ...(['prefixes', 'source', 'communities', 'anyCommunity', 'noCommunity', 'asPathPrefix'] as const),
        ...(['asPath', 'nextHops', 'family', 'metric', 'interface'] as const),
      ],
      {
        maxLength: 2,
      },
    ),
  )
  .map(([all, asked]) => Object.fromEntries(asked.map((name) => [name, all[name]])));
const set: fc.Arbitrary<PolicySet> = fc.record({ localPref: fc.integer({ min: 0, max: 3 }) });
const action: fc.Arbitrary<PolicyTerm['action']> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ verdict: fc.constant('next' as const), set }) },
  { weight: 1, arbitrary: fc.constant({ verdict: 'next' as const }) },
  { weight: 2, arbitrary: fc.record({ verdict: fc.constant('accept' as const), set }) },
  { weight: 2, arbitrary: fc.constant({ verdict: 'accept' as const }) },
  { weight: 2, arbitrary: fc.constant({ verdict: 'reject' as const }) },
  { weight: 1, arbitrary: fc.constant({ verdict: 'reject' as const, isOwn: true as const }) },
);
const policy: fc.Arbitrary<Policy> = fc
  .record({
    // Before those that decide now and then many that only change: sets of terms have more words than one.
    before: fc.constantFrom(0, 0, 30, 66).chain((n) => fc.array(match, { minLength: n, maxLength: n })),
    terms: fc.array(fc.record({ match, action }), { maxLength: 5 }),
    otherwise: fc.constantFrom('accept' as const, 'reject' as const),
  })
  .map(({ before, terms, otherwise }) => ({
    name: 'p',
    terms: [
      ...before.map((asked, n) => ({
        match: asked,
        action: { verdict: 'next' as const, ...(n % 9 === 0 && { set: { med: n } }) },
      })),
      ...terms,
    ].map((term, i) => ({ ...term, why: `rule ${i}` })),
    otherwise,
  }));
const route: fc.Arbitrary<Route & { readonly linkSet: number }> = fc
  .record({
    prefix,
    source: fc.constantFrom('local' as const, 'ebgp' as const, 'ibgp' as const),
    communities: fc.subarray(COMMUNITIES),
    path: fc.constantFrom([], [65101], [65101, 7], [7, 65101], [65101, 65101, 7]),
    nextHop: fc.constantFrom(undefined, '10.1.0.1', '192.168.0.1', 'fd00:0:0:1::1'),
    metric: fc.nat(2),
    linkSet: fc.nat(LINK_SETS.length - 1),
  })
  .map((r) => ({ ...r, links: r.linkSet === 0 ? undefined : LINK_SETS[r.linkSet]! }));

interface Outcome {
  readonly sets: readonly PolicySet[] | undefined;
  readonly why: string | undefined;
  readonly isOwn: boolean;
}

const bitsOf = (address: string): string =>
  [...parseOctets(address)!].map((octet) => octet.toString(2).padStart(8, '0')).join('');

function ruleHolds({ prefix: of, operator, minLength, maxLength }: PrefixRule, route: string): boolean {
  const [address = '', length = ''] = of.split('/');
  const [routeAddress = '', routeLength = ''] = route.split('/');
  // Rules of the other family never match.
  if (address.includes(':') !== routeAddress.includes(':')) return false;
  const own = bitsOf(address).slice(0, Number(length));
  const asked = bitsOf(routeAddress).slice(0, Number(routeLength));
  const isEqual = own === asked;
  const isIn =
    asked.startsWith(own) && asked.length >= (minLength ?? 0) && asked.length <= (maxLength ?? 128);
  return { equal: isEqual, in: isIn, notEqual: !isEqual, notIn: !isIn }[operator];
}

/** '*' stands for any characters. */
function nameFits(pattern: string, name: string): boolean {
  if (pattern === '') return name === '';
  if (pattern.startsWith('*'))
    return Array.from({ length: name.length + 1 }, (_, n) => n).some((n) =>
      nameFits(pattern.slice(1), name.slice(n)),
    );
  return name.startsWith(pattern[0]!) && nameFits(pattern.slice(1), name.slice(1));
}

/** '*' stands for a number. */
function isTaggedWith(of: Route, text: string): boolean {
  const wanted = text.split(':');
  return of.communities.some((community) => {
    const parts =
      community === 'no-export' && wanted.length === 2 ? ['65535', '65281'] : community.split(':');
    return parts.length === wanted.length && wanted.every((part, i) => part === '*' || part === parts[i]);
  });
}

const PATTERNS: Readonly<Record<string, (path: readonly number[]) => boolean>> = {
  '^$': (path) => path.length === 0,
  '^65101': ([first]) => first === 65101,
  '7$': (path) => path.at(-1) === 7,
  '65101+ 7': (path) => path.some((as, i) => as === 65101 && path[i + 1] === 7),
};

function isPathOf(path: readonly number[], asked: PolicyMatch['asPath'] = {}): boolean {
  const { contains, originatedBy, minLength = 0, maxLength = 9, pattern } = asked;
  return (
    (contains === undefined || path.includes(contains)) &&
    (originatedBy === undefined || path.at(-1) === originatedBy) &&
    path.length >= minLength &&
    path.length <= maxLength &&
    (pattern === undefined || PATTERNS[pattern]!(path))
  );
}

function isVia(nextHop: string | undefined, prefixes: readonly string[]): boolean {
  if (nextHop === undefined) return false;
  const host = `${nextHop}/${nextHop.includes(':') ? 128 : 32}`;
  return prefixes.some((prefix) => ruleHolds({ prefix, operator: 'in' }, host));
}

function holds({ match: asked, action: { verdict } }: Omit<PolicyTerm, 'why'>, of: Route): boolean {
  const { source, links } = of;
  const isSource =
    asked.source === undefined ||
    asked.source === source ||
    (asked.source === 'remote' && source !== 'local');
  const isFamily = asked.family === undefined || asked.family === (of.prefix.includes(':') ? 'ipv6' : 'ipv4');
  const isPrefix = asked.prefixes?.some((one) => ruleHolds(one, of.prefix)) ?? true;
  const isTagged =
    (asked.communities?.every((one) => isTaggedWith(of, one)) ?? true) &&
    (asked.anyCommunity?.some((one) => isTaggedWith(of, one)) ?? true) &&
    !asked.noCommunity?.some((one) => isTaggedWith(of, one));
  const isPath =
    (asked.asPathPrefix?.every((as, i) => of.path[i] === as) ?? true) && isPathOf(of.path, asked.asPath);
  const isHop = asked.nextHops === undefined || isVia(of.nextHop, asked.nextHops);
  const isMetric = asked.metric === undefined || asked.metric === of.metric;
  const pattern = asked.interface;
  const isLink =
    pattern === undefined || (links?.some((name) => nameFits(pattern, name)) ?? verdict === 'reject');
  return isSource && isFamily && isPrefix && isTagged && isPath && isHop && isMetric && isLink;
}

function expected({ terms, otherwise }: Policy, of: Route): Outcome {
  const sets: PolicySet[] = [];
  for (const term of terms) {
    if (!holds(term, of)) continue;
    const { verdict, set: change, isOwn = false } = term.action;
    if (verdict === 'reject') return { sets: undefined, why: term.why, isOwn };
    if (change !== undefined) sets.push(change);
    if (verdict === 'accept') return { sets, why: undefined, isOwn: false };
  }
  if (otherwise === 'accept') return { sets, why: undefined, isOwn: false };
  return { sets: undefined, why: 'p: no rule accepts it', isOwn: false };
}

/** The attribute set's id is the number of the route. */
function questionsOf(routes: readonly (Route & { readonly linkSet: number })[]): AttributeQuestions {
  const texts = new Map(ASKED.map((text) => [JSON.stringify(parseCommunityPattern(text)), text]));
  const elements = new PathElements();
  return {
    carriesCommunity: (id, pattern) => isTaggedWith(routes[id]!, texts.get(JSON.stringify(pattern))!),
    pathStartsWith: (id, numbers) => numbers.every((as, i) => routes[id]!.path[i] === as),
    path(id) {
      const { path } = routes[id]!;
      const value = new DataView(new ArrayBuffer(2 + path.length * 4));
      value.setUint8(0, 2);
      value.setUint8(1, path.length);
      path.forEach((as, i) => value.setUint32(2 + i * 4, as));
      elements.read(new Uint8Array(value.buffer), 0, path.length === 0 ? 0 : value.byteLength);
      return elements;
    },
    nextHop: (id) => (routes[id]!.nextHop === undefined ? undefined : parseOctets(routes[id]!.nextHop)),
    generationOf: () => 0,
    metricOf: (id) => routes[id]!.metric,
    linksOf: (id) => routes[id]!.linkSet,
    linkNames: (links) => LINK_SETS[links]!,
  };
}

describe('any policy on any route', () => {
  it('decides, sets and says as a reader of its words would', () => {
    fc.assert(
      fc.property(policy, fc.array(route, { minLength: 1, maxLength: 30 }), (words, routes) => {
        const compiled = compilePolicy(words);
        const questions = questionsOf(routes);
        const tables = [new PrefixTable(0, 0), new PrefixTable(1, 0)] as const;
        const ref = new RouteRef(tables[0]);
        const numbers = new Map<number, string>();
        const asks = words.terms.some(({ match: { interface: name } }) => name !== undefined);
        assert.equal(compiled.asksLinks, asks);
        assert.equal(compiled.acceptsAll, words.terms.length === 0 && words.otherwise === 'accept');
        routes.forEach((of, id) => {
          const { family, words: w, length } = parsePrefixWords(of.prefix)!;
          const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = w;
          const table = tables[family];
          const prefixId =
            family === 0 ? table.findOrAdd4(w0, length) : table.findOrAdd6(w0, w1, w2, w3, length);
          const result = compiled.evaluate(ref.point(table, prefixId, SOURCES[of.source], id), questions);
          const found: Outcome = {
            sets: result < 0 ? undefined : compiled.sets(result),
            why: result < 0 ? compiled.whyRejected(result) : undefined,
            isOwn: result < 0 && compiled.isOwn(result),
          };
          const what = () => `${JSON.stringify(of)} by ${JSON.stringify(words)}`;
          assert.deepEqual(found, expected(words, of), what());
          assert.equal(compiled.evaluate(ref, questions), result, 'the same way has the same number');
          const steps = compiled.trace(ref, questions);
          const looked =
            words.terms.findIndex((term) => term.action.verdict !== 'next' && holds(term, of)) + 1;
          assert.deepEqual(
            steps.map(({ term, fault }) => [term, fault === HOLDS]),
            words.terms.slice(0, looked || undefined).map((term) => [term, holds(term, of)]),
            what(),
          );
          if (result < 0) return;
          // Two ways that set nothing are one number, and that is 0: nothing is to be changed.
          if (found.sets!.length === 0) assert.equal(result, 0);
          const sets = JSON.stringify(found.sets);
          assert.equal(numbers.get(result) ?? sets, sets);
          numbers.set(result, sets);
        });
      }),
      { numRuns: 300 },
    );
  });

  /** Terms for some prefixes only. */
  const narrow: fc.Arbitrary<Pick<Policy, 'terms'>> = fc.record({
    terms: fc.array(
      fc.record({
        match: fc.record({ prefixes: fc.array(rule, { maxLength: 2 }) }),
        action,
        why: fc.constant('changed'),
      }),
      { maxLength: 2 },
    ),
  });

  it('is decided as before a change unless the change concerns it', () => {
    let spared = 0;
    fc.assert(
      fc.property(
        fc.tuple(policy, narrow, narrow, policy),
        fc.array(route, { minLength: 1, maxLength: 30 }),
        ([first, old, now, last], routes) => {
          const of = (middle: Pick<Policy, 'terms'>): Policy => ({
            ...last,
            terms: [...first.terms, ...middle.terms, ...last.terms],
          });
          const [before, after] = [of(old), of(now)];
          const delta = policyDelta(before, after)!;
          const tables = [new PrefixTable(0, 0), new PrefixTable(1, 0)] as const;
          for (const one of routes) {
            const { family, words: w, length } = parsePrefixWords(one.prefix)!;
            const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = w;
            const table = tables[family];
            const id = family === 0 ? table.findOrAdd4(w0, length) : table.findOrAdd6(w0, w1, w2, w3, length);
            if (delta.concerns(table, id, SOURCES[one.source])) continue;
            spared++;
            const [was, is] = [expected(before, one), expected(after, one)];
            assert.deepEqual([is.sets, is.isOwn], [was.sets, was.isOwn]);
          }
        },
      ),
      { numRuns: 300 },
    );
    assert.ok(spared > 500, `${spared}`);
    assert.equal(policyDelta(ACCEPT_ALL, REJECT_ALL), undefined);
  });
});
