// An import policy that changes on a session that goes on: which routes are asked about again, and what comes of it.
import assert from 'node:assert/strict';
import type { PeerConfig } from '../config.ts';
import { fakeConfig } from './testing/fake-session.ts';
import { A, configure, ebgp, follow } from './testing/live-lab.ts';
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
  });
});
