// An import policy that changes on a session that goes on: which routes are asked about again, and what comes of it.
import assert from 'node:assert/strict';
import type { PeerConfig } from '../config.ts';
import { fakeConfig } from './testing/fake-session.ts';
import { A, configure, ebgp, follow, ibgp } from './testing/live-lab.ts';
import { RibLab } from './testing/rib-lab.ts';

describe('rib: an import policy that changes', () => {
  it('is asked again of the routes that a change of an import policy concerns, and of no other', () => {
    const lab = new RibLab();
    const prefixes = Array.from({ length: 100 }, (_, n) => `20.0.${n}.0/24`);
    /** Routes in each prefix get its preference. */
    const prefers = (preferences: Readonly<Record<string, number>>, more: Partial<PeerConfig> = {}) => {
      const terms = Object.entries(preferences).map(([prefix, localPref]) => ({
        match: { prefixes: [{ prefix, operator: 'in' as const }] },
        action: { verdict: 'accept' as const, set: { localPref } },
        why: prefix,
      }));
      const config = fakeConfig({
        ...ebgp(1),
        config: { ...more, import: { name: 'p', terms, otherwise: 'accept' } },
      });
      lab.session('e1').config = config;
      lab.rib.neighbours.configure(config);
    };
    /** How many routes the policy of now is asked about until all is done. */
    const asked = (): number => {
      const { importPolicy } = lab.rib.peer('e1')!;
      const evaluate = importPolicy.evaluate.bind(importPolicy);
      let count = 0;
      importPolicy.evaluate = (...args) => {
        count++;
        return evaluate(...args);
      };
      lab.settle();
      return count;
    };
    const preferences = () => {
      const routes = lab.routes({});
      const of = (prefix: string) => routes.find((route) => route.prefix === prefix)!.localPref;
      return [of('20.0.1.0/24'), of('20.0.64.0/24')];
    };
    lab.up(ebgp(1));
    lab.announce('e1', prefixes, { path: [65101], nextHop: '192.0.2.1' });
    lab.settle();
    prefers({ '20.0.64.0/18': 300 });
    assert.deepEqual([asked(), preferences()], [36, [100, 300]]);
    prefers({ '20.0.1.0/24': 200, '20.0.64.0/18': 300 });
    assert.deepEqual([asked(), preferences()], [1, [200, 300]]);
    // Two changes before the walk: what the first one concerned must be looked at too.
    prefers({ '20.0.64.0/18': 300 });
    prefers({ '20.0.64.0/18': 301 });
    assert.deepEqual([asked(), preferences()], [100, [100, 301]]);
    prefers({ '20.0.64.0/18': 302 }, { allowedLocalAs: 1 });
    assert.deepEqual([asked(), preferences()], [100, [100, 302]]);
  });

  it('weighs routes: the highest weight is chosen, and no neighbour is told anything of it', () => {
    const lab = new RibLab();
    const weighs = (weight: number): Partial<PeerConfig> => ({
      import: {
        name: `weight ${weight}`,
        terms: [{ match: {}, action: { verdict: 'accept', set: { weight } }, why: 'rule 1' }],
        otherwise: 'reject',
      },
    });
    lab.up(ebgp(1));
    lab.up(ebgp(2));
    const inside = lab.up(ibgp(3));
    lab.announce('e1', [A], { path: [65101], nextHop: '192.0.2.1' });
    lab.announce('e2', [A], { path: [65102, 7, 8], nextHop: '192.0.2.2' });
    lab.settle();
    const seen = () => {
      const routes = lab.routes({ view: 'all' }).map((route) => {
        const weight = route.others?.find(({ name }) => name === 'weight')?.value ?? '';
        return [route.peer, weight, route.why];
      });
      return [routes.sort(([a], [b]) => (a! < b! ? -1 : 1)), inside.held.get(A)];
    };
    const shorter = [
      [
        ['e1', '', 'best'],
        ['e2', '', 'longer AS_PATH (3 > 1) than the path from e1'],
      ],
      'nh=192.0.2.1 path=65101 lp=100',
    ];
    assert.deepEqual(seen(), shorter);
    configure(lab, ebgp(2), weighs(7));
    assert.deepEqual(seen(), [
      [
        ['e1', '', 'lower weight (0 < 7) than the path from e2'],
        ['e2', '7', 'best'],
      ],
      'nh=192.0.2.2 path=65102,7,8 lp=100',
    ]);
    const { messages } = inside;
    configure(lab, ebgp(2), weighs(65_535));
    assert.equal(lab.routes({ view: 'best' })[0]!.others?.[0]?.value, '65535');
    assert.equal(inside.messages, messages, 'the route that they have is the same');
    configure(lab, ebgp(2), weighs(0));
    assert.deepEqual(seen(), shorter);
    lab.down('e2');
    lab.settle();
    lab.rib.attributes.dropUnused(100);
    assert.equal(lab.rib.attributes.variants.count, 2, 'that of all others, and the one set last');
  });

  it('gives routes another next hop: of either family, and followed like any other', () => {
    const lab = new RibLab();
    const via = (nextHop: string): Partial<PeerConfig> => ({
      import: {
        name: nextHop,
        terms: [{ match: {}, action: { verdict: 'accept', set: { nextHop } }, why: 'rule 1' }],
        otherwise: 'reject',
      },
    });
    lab.up({ ...ebgp(1), config: via('203.0.113.7') });
    const told = follow(lab);
    lab.announce('e1', [A], { path: [65101], nextHop: '192.0.2.1' });
    lab.settle();
    assert.deepEqual(told.get(A), ['203.0.113.7']);
    lab.rib.updateNextHop('203.0.113.7', false, 0);
    lab.settle();
    assert.deepEqual(told.get(A), []);
    configure(lab, ebgp(1), via('2001:db8::7'));
    assert.deepEqual(told.get(A), ['2001:db8::7']);
    configure(lab, ebgp(1), { import: { name: 'all', terms: [], otherwise: 'accept' } });
    assert.deepEqual(told.get(A), ['192.0.2.1']);
    assert.equal(lab.rib.nextHops.count, 2, 'the last change is remembered, and no other');
    configure(lab, ebgp(1), via('peer'));
    assert.deepEqual(told.get(A), ['192.0.2.1'], 'that of the neighbour itself');
    configure(lab, ebgp(1), via('10.0.0.1'));
    assert.deepEqual(told.get(A), []);
    assert.equal(lab.routes({ view: 'all' })[0]!.why, 'next hop is our own address');
    const six = 'fd01::/64';
    lab.announce('e1', [six], { path: [65101], nextHop: 'fd00::9' });
    configure(lab, ebgp(1), via('peer'));
    const [route] = lab.routes({ view: 'all', family: 'ipv6' });
    assert.match(route!.why, /has a next hop that it cannot have/, 'an IPv4 address');
  });

  it('is asked again when a next hop becomes ours that it had replaced', () => {
    const lab = new RibLab();
    const nextHop = '203.0.113.7';
    const terms = [{ match: {}, action: { verdict: 'accept' as const, set: { nextHop } }, why: 'rule 1' }];
    lab.up({ ...ebgp(1), config: { import: { name: 'p', terms, otherwise: 'reject' } } });
    lab.announce('e1', [A], { path: [65101], nextHop: '192.0.2.77' });
    lab.settle();
    assert.equal(lab.routes({})[0]!.nextHop, nextHop);
    lab.up({ ...ebgp(2), negotiated: { localAddress: '192.0.2.77' } });
    lab.settle();
    assert.equal(lab.routes({ view: 'all' })[0]!.why, 'next hop is our own address');
  });
});
