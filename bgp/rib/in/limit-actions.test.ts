// Over a prefix limit that ends no session (maxPrefixes.action): said and used, or kept aside until there is a place.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { REJECT_ALL } from '../../policy/policy.ts';
import { peerRoutes } from '../../speaker-status.ts';
import { fakeConfig, type FakePeerOptions } from '../testing/fake-session.ts';
import { END_OF_RIB, FULL, giver as restarting, HEIR, kept } from '../testing/restart-lab.ts';
import { RibLab } from '../testing/rib-lab.ts';
import { mostRoutes } from './memory-limits.ts';

type Action = 'warn' | 'drop' | undefined;

/** RFC 4724 section 4.2, as retention.ts has it. */
const LONGEST_RETURN_MS = 360_000;

const NO_LLGR = 0xffff0007;
const ROUTE = { path: [65001], nextHop: '192.0.2.1' };
const TAKER = { id: 'taker', address: '192.0.2.9', as: 65009 };
const net = (n: number): string => `20.${n >> 8}.${n & 255}.0/24`;
const nets = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, i) => net(from + i));

function giver(limit: number, action: Action, more: FakePeerOptions['config'] = {}): FakePeerOptions {
  const maxPrefixes = { limit, warnPercent: 100, ...(action && { action }) };
  return { id: 'a', address: '192.0.2.1', as: 65001, config: { maxPrefixes, ...more } };
}

function lab(limit: number, action: Action, grain?: number): RibLab {
  const one = new RibLab(undefined, grain);
  one.up(giver(limit, action));
  one.up(TAKER);
  return one;
}

function change(one: RibLab, limit: number, action: Action, more: FakePeerOptions['config'] = {}): void {
  const config = fakeConfig(giver(limit, action, more));
  one.session('a').config = config;
  one.rib.neighbours.configure(config);
  one.settle();
}

function give(one: RibLab, prefixes: readonly string[], med?: number): void {
  one.announce('a', prefixes, { ...ROUTE, ...(med === undefined ? {} : { med }) });
  one.settle();
}

function take(one: RibLab, prefixes: readonly string[]): void {
  one.withdraw('a', prefixes);
  one.settle();
}

const used = (one: RibLab): string[] => [...one.session('taker').held.keys()].sort();
const counts = (one: RibLab): { received: number; filtered: number; dropped: number } => {
  const { received, filtered, dropped } = peerRoutes(one.rib, 'a')!.families[0]!;
  return { received, filtered, dropped };
};

describe('a prefix limit that warns', () => {
  it('leaves the session and all its routes, and says so once', () => {
    const one = lab(3, 'warn');
    give(one, nets(0, 5));
    give(one, nets(5, 8));
    assert.deepEqual(used(one), nets(0, 8));
    assert.deepEqual(one.events, ['over limit a 0']);
    assert.deepEqual(counts(one), { received: 8, filtered: 0, dropped: 0 });
  });

  it('ends the session when it closes from now on', () => {
    const one = lab(3, 'warn');
    give(one, nets(0, 5));
    change(one, 3, undefined);
    assert.deepEqual(one.events, ['over limit a 0', 'over limit a 0']);
    assert.equal(one.session('a'), undefined);
    assert.deepEqual(used(one), []);
  });
});

describe('a prefix limit that drops', () => {
  it('uses as many routes as it allows, and says why it does not use the others', () => {
    const one = lab(3, 'drop');
    give(one, nets(0, 5));
    assert.deepEqual(used(one), nets(0, 3));
    assert.deepEqual(counts(one), { received: 5, filtered: 2, dropped: 2 });
    assert.deepEqual(one.events, ['over limit a 0']);
    const [route] = one.routes({ view: 'received', peer: 'a', prefix: net(4) });
    assert.equal(route?.usable, false);
    assert.equal(route?.why, 'over the prefix limit (3), which drops it until another route goes');
  });

  it('gives a place that becomes free to one that waits', () => {
    const one = lab(3, 'drop');
    give(one, nets(0, 5));
    take(one, [net(0)]);
    assert.equal(used(one).length, 3);
    assert.deepEqual(counts(one), { received: 4, filtered: 1, dropped: 1 });
    take(one, nets(1, 3));
    assert.deepEqual(used(one), nets(3, 5));
    assert.deepEqual(counts(one), { received: 2, filtered: 0, dropped: 0 });
    take(one, nets(3, 5));
    assert.equal(one.rib.slots.paths[one.rib.peer('a')!.slot], 0);
  });

  it('leaves who has a place in it, whatever of it changes', () => {
    const one = lab(3, 'drop');
    give(one, nets(0, 5));
    give(one, nets(0, 5).reverse(), 7);
    assert.deepEqual(used(one), nets(0, 3));
    assert.deepEqual(counts(one), { received: 5, filtered: 2, dropped: 2 });
    assert.equal(one.routes({ view: 'received', peer: 'a', prefix: net(4) })[0]!.med, 7, 'as it is now');
  });

  it('counts what policy refuses, and does not ask policy about what waits', () => {
    const one = lab(3, 'drop');
    change(one, 3, 'drop', { import: REJECT_ALL });
    give(one, nets(0, 5));
    assert.deepEqual(counts(one), { received: 5, filtered: 5, dropped: 2 });
    change(one, 3, 'drop');
    assert.deepEqual(used(one), nets(0, 3));
    assert.deepEqual(counts(one), { received: 5, filtered: 2, dropped: 2 });
  });

  it('changes live: a higher one, a lower one, and each action after each other', () => {
    const one = lab(3, 'drop');
    give(one, nets(0, 6));
    change(one, 5, 'drop');
    assert.equal(used(one).length, 5);
    change(one, 2, 'drop');
    assert.equal(used(one).length, 2);
    assert.deepEqual(counts(one), { received: 6, filtered: 4, dropped: 4 });
    change(one, 2, 'warn');
    assert.deepEqual(used(one), nets(0, 6));
    assert.deepEqual(counts(one), { received: 6, filtered: 0, dropped: 0 });
    change(one, 4, 'drop');
    assert.equal(used(one).length, 4);
    change(one, 6, undefined);
    assert.deepEqual(used(one), nets(0, 6), 'not over it: the session stays');
    assert.notEqual(one.session('a'), undefined);
  });

  for (const how of ['with its End-of-RIB', 'when that does not come'])
    it(`fills places that stale routes leave ${how} (RFC 4724)`, () => {
      const one = lab(3, 'drop');
      give(one, nets(0, 3));
      one.down('a', kept(120));
      one.settle();
      one.up({ ...giver(3, 'drop'), negotiated: restarting().negotiated ?? {} });
      give(one, nets(2, 6));
      assert.deepEqual(used(one), nets(0, 3), 'what it had before its restart has the places');
      if (how === 'with its End-of-RIB') one.feed('a', END_OF_RIB);
      else one.clock.advance(LONGEST_RETURN_MS);
      one.settle();
      assert.equal(used(one).length, 3);
      assert.ok(used(one).every((prefix) => nets(2, 6).includes(prefix)));
      assert.deepEqual(counts(one), { received: 4, filtered: 1, dropped: 1 });
    });

  const keepNone = {
    name: 'net(3) is not kept',
    terms: [
      {
        match: { prefixes: [{ prefix: net(3), operator: 'equal' as const }] },
        action: { verdict: 'accept' as const, set: { addCommunities: ['no-llgr'] } },
        why: 'rule 1',
      },
    ],
    otherwise: 'accept' as const,
  };
  for (const grain of [undefined, 1])
    it(`fills places of routes that must not be kept long while it is away (RFC 9494)${grain === undefined ? '' : ', step by step'}`, () => {
      const one = lab(3, 'drop', grain);
      one.up(HEIR);
      change(one, 3, 'drop', { import: keepNone });
      one.announce('a', nets(0, 2), { ...ROUTE, communities: [NO_LLGR] });
      give(one, [net(2), net(3)]);
      one.announce('a', [net(4)], { ...ROUTE, communities: [NO_LLGR] });
      give(one, nets(5, 8));
      assert.deepEqual(used(one), nets(0, 3));
      one.down('a', kept(30, 3600));
      one.settle();
      assert.deepEqual(used(one), nets(0, 3), 'over its restart all have the places that they had');
      one.clock.advance(31_000);
      one.settle();
      const has = [...one.session('heir').held];
      assert.equal(has.length, 3, 'by now others have them');
      for (const [prefix, text] of has) {
        assert.ok([net(2), ...nets(5, 8)].includes(prefix), prefix);
        assert.match(text, /comm=llgr-stale/);
      }
      assert.deepEqual(used(one), [], 'taker does not know what long-lived is');
      const { received, overLimit } = one.rib.peer('a')!;
      assert.deepEqual([received[0], overLimit[0]], [4, 1]);
    });

  it('fills the place of a route that a changed policy keeps no longer', () => {
    const one = lab(4, 'drop');
    one.up(HEIR);
    give(one, nets(0, 4));
    change(one, 3, 'drop');
    assert.deepEqual(used(one), nets(1, 4));
    one.down('a', kept(30, 3600));
    one.clock.advance(31_000);
    one.settle();
    one.rib.neighbours.configure(fakeConfig(giver(3, 'drop', { import: keepNone, gracefulRestart: FULL })));
    one.settle();
    assert.deepEqual([...one.session('heir').held.keys()].sort(), nets(0, 3));
  });

  it('of either kind ends the session when it has to keep far more', () => {
    const { config } = giver(150_000, 'drop');
    assert.equal(mostRoutes({ ...fakeConfig(giver(3, 'warn')) }), 100_003);
    assert.equal(mostRoutes({ ...fakeConfig(giver(3, 'warn')), ...config }), 300_000);
    for (const action of ['warn', 'drop'] as const) {
      const one = lab(3, action);
      for (let n = 0; n < 101; n++)
        one.announce(
          'a',
          Array.from({ length: 1000 }, (_, i) => `30.${n}.${i >> 2}.${(i & 3) << 6}/26`),
          ROUTE,
        );
      assert.deepEqual(one.events, ['over limit a 0', 'over 100003 routes a']);
    }
  });

  it('has as many in use as it allows, or all, after whatever changes', () => {
    const number = fc.nat({ max: 11 });
    const step = fc.oneof(
      fc.record({ kind: fc.constant('give' as const), n: number, med: fc.nat({ max: 1 }) }),
      fc.record({ kind: fc.constant('take' as const), n: number }),
      fc.record({ kind: fc.constant('limit' as const), n: fc.integer({ min: 1, max: 8 }) }),
      fc.record({ kind: fc.constant('turn' as const), n: number }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const one = lab(4, 'drop', 3);
        let limit = 4;
        const has = new Set<string>();
        for (const { n, ...what } of steps) {
          if (what.kind === 'turn') one.turn();
          else if (what.kind === 'give') {
            has.add(net(n));
            one.announce('a', [net(n)], { ...ROUTE, med: what.med });
          } else if (what.kind === 'take') {
            has.delete(net(n));
            one.withdraw('a', [net(n)]);
          } else {
            limit = n;
            const config = fakeConfig(giver(limit, 'drop'));
            one.session('a').config = config;
            one.rib.neighbours.configure(config);
          }
        }
        one.settle();
        const most = Math.min(limit, has.size);
        assert.equal(used(one).length, most);
        assert.ok(used(one).every((prefix) => has.has(prefix)));
        assert.deepEqual(counts(one), {
          received: has.size,
          filtered: has.size - most,
          dropped: has.size - most,
        });
      }),
      { numRuns: 200 },
    );
  });
});
