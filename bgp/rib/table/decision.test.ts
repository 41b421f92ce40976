import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { DecisionRules } from './decision-steps.ts';
import { RibLab } from '../testing/rib-lab.ts';
import type { WireAttributes } from '../../testing/message-bytes.ts';

const PREFIX = '10.0.0.0/8';

interface Candidate {
  readonly peer: string;
  readonly a: WireAttributes;
}

const PEERS = [
  { id: 'e1', address: '192.0.2.1', as: 65101 },
  { id: 'e2', address: '192.0.2.2', as: 65102 },
  { id: 'e3', address: '192.0.2.3', as: 65101 },
  { id: 'e4', address: '192.0.2.4', as: 65102 },
  { id: 'i1', address: '198.51.100.1', as: 65000 },
  { id: 'i2', address: '198.51.100.2', as: 65000 },
];

/** Announces in the given order and returns the chosen peer and the words for each path. */
function decide(
  candidates: readonly Candidate[],
  prepare?: (lab: RibLab) => void,
  rules: Partial<DecisionRules> = {},
): { best: string; why: Map<string, string> } {
  const lab = new RibLab({ ebgp: 1, ibgp: 1, relax: false, ...rules });
  for (const p of PEERS) lab.up(p);
  for (const c of candidates) {
    lab.announce(c.peer, [PREFIX], c.a);
    lab.settle();
  }
  prepare?.(lab);
  lab.settle();
  const routes = lab.routes({ view: 'all' });
  return {
    best: routes.find((r) => r.best)!.peer,
    why: new Map(routes.map((r) => [r.peer, r.why])),
  };
}

const base: WireAttributes = { path: [65101, 7], nextHop: '203.0.113.1' };
const other: WireAttributes = { path: [65102, 7], nextHop: '203.0.113.2' };

// Each row: two paths that differ first in one step (RFC 4271 §9.1.2.2), the better one first, and the loser's words.
const STEPS: readonly [string, Candidate, Candidate, RegExp][] = [
  [
    'higher LOCAL_PREF',
    { peer: 'i2', a: { ...base, path: [1, 2, 3], localPref: 200 } },
    { peer: 'i1', a: { ...base, localPref: 100 } },
    /^lower LOCAL_PREF \(100 < 200\) than the path from i2$/,
  ],
  [
    'shorter AS_PATH',
    { peer: 'e4', a: { ...other, path: [65102], origin: 2 } },
    { peer: 'e1', a: base },
    /^longer AS_PATH \(2 > 1\) than the path from e4$/,
  ],
  [
    'lower ORIGIN',
    { peer: 'e4', a: { ...other, origin: 0, med: 9 } },
    { peer: 'e1', a: { ...base, origin: 2 } },
    /^worse ORIGIN \(INCOMPLETE > IGP\) than the path from e4$/,
  ],
  [
    'lower MED of the same neighbouring AS',
    { peer: 'e3', a: { ...base, med: 5 } },
    { peer: 'e1', a: { ...base, med: 10 } },
    /^higher MED \(10 > 5\) than the path from e3$/,
  ],
  [
    'missing MED counts as 0',
    { peer: 'e3', a: base },
    { peer: 'e1', a: { ...base, med: 1 } },
    /^higher MED \(1 > 0\)/,
  ],
  [
    'eBGP over iBGP',
    { peer: 'e2', a: other },
    { peer: 'i1', a: { ...base, localPref: 100 } },
    /^iBGP, worse than the path from e2$/,
  ],
  [
    'lower router ID',
    { peer: 'e1', a: base },
    { peer: 'e2', a: other },
    /^higher router ID \(192\.0\.2\.2 > 192\.0\.2\.1\) than the path from e1$/,
  ],
  [
    'ORIGINATOR_ID instead of the router ID',
    { peer: 'i2', a: { ...base, originator: '1.1.1.1', clusterList: ['9.9.9.9'] } },
    { peer: 'i1', a: base },
    /^higher router ID \(198\.51\.100\.1 > 1\.1\.1\.1\)/,
  ],
  [
    'shorter CLUSTER_LIST',
    { peer: 'i2', a: { ...base, originator: '1.1.1.1', clusterList: ['9.9.9.9'] } },
    { peer: 'i1', a: { ...base, originator: '1.1.1.1', clusterList: ['9.9.9.9', '8.8.8.8'] } },
    /^longer CLUSTER_LIST \(2 > 1\)/,
  ],
  [
    'lower peer address',
    { peer: 'i1', a: { ...base, originator: '1.1.1.1', clusterList: ['9.9.9.9'] } },
    { peer: 'i2', a: { ...base, originator: '1.1.1.1', clusterList: ['9.9.9.8'] } },
    /^higher peer address/,
  ],
];

describe('decision process', () => {
  for (const [name, winner, loser, words] of STEPS) {
    it(`prefers the ${name}, in both orders (BP-1)`, () => {
      for (const order of [
        [winner, loser],
        [loser, winner],
      ]) {
        const { best, why } = decide(order);
        assert.equal(best, winner.peer);
        assert.match(why.get(winner.peer)!, /^best$/);
        assert.match(why.get(loser.peer)!, words);
      }
    });
  }

  it('does not compare MED between neighbouring ASes', () => {
    const low = { peer: 'e2', a: { ...other, med: 1 } };
    const high = { peer: 'e1', a: { ...base, med: 100 } };
    assert.equal(decide([low, high]).best, 'e1');
    assert.equal(decide([high, low]).best, 'e1');
  });

  it('compares MED between all neighbouring ASes where that is asked for', () => {
    const low = { peer: 'e2', a: { ...other, med: 1 } };
    const high = { peer: 'e1', a: { ...base, med: 100 } };
    for (const order of [
      [low, high],
      [high, low],
    ]) {
      const { best, why } = decide(order, undefined, { alwaysCompareMed: true });
      assert.equal(best, 'e2');
      assert.match(why.get('e1')!, /^higher MED \(100 > 1\) than the path from e2$/);
    }
  });

  it('takes missing MED for the highest where that is asked for, and says so', () => {
    const missing = { peer: 'e1', a: base };
    const given = { peer: 'e3', a: { ...base, med: 4_000_000_000 } };
    assert.equal(decide([missing, given]).best, 'e1');
    const { best, why } = decide([missing, given], undefined, { missingMedAsWorst: true });
    assert.equal(best, 'e3');
    assert.match(
      why.get('e1')!,
      /^higher MED \(missing, counts as 4294967295 > 4000000000\) than the path from e3$/,
    );
    const zero = { peer: 'e3', a: { ...base, med: 0 } };
    assert.equal(
      decide([missing, zero], undefined, { missingMedAsWorst: true }).best,
      'e3',
      '0 is not missing',
    );
  });

  it('prefers the nearer next hop before the router ID', () => {
    const { best, why } = decide(
      [
        { peer: 'i1', a: { ...base, nextHop: '203.0.113.1' } },
        { peer: 'i2', a: { ...base, nextHop: '203.0.113.2' } },
      ],
      (lab) => {
        lab.rib.updateNextHop('203.0.113.1', true, 20);
        lab.rib.updateNextHop('203.0.113.2', true, 10);
      },
    );
    assert.equal(best, 'i2');
    assert.match(why.get('i1')!, /^farther next hop \(metric 20 > 10\)/);
  });

  it('prefers a route that starts here', () => {
    const { best, why } = decide([{ peer: 'e1', a: { ...base, path: [] } }], (lab) => {
      lab.rib.originated.originate([{ prefix: PREFIX, why: 'x' }]);
      lab.rib.wake();
    });
    assert.equal(best, 'local');
    assert.match(why.get('e1')!, /not originated here: worse than our own route/);
  });

  it('prefers a route that starts here, whatever LOCAL_PREF a neighbour gives its own', () => {
    const { best, why } = decide([{ peer: 'i1', a: { ...base, path: [], localPref: 4_000_000 } }], (lab) => {
      lab.rib.originated.originate([{ prefix: PREFIX, why: 'x' }]);
      lab.rib.wake();
    });
    assert.equal(best, 'local');
    assert.match(why.get('i1')!, /not originated here: worse than our own route/);
  });

  it('says when a path lost inside its own AS only (deterministic MED, BP-3)', () => {
    // Alone against the best, e1 would win by its router ID; but e3 of the same AS has the lower MED.
    const { best, why } = decide([
      { peer: 'e1', a: { ...base, med: 10 } },
      { peer: 'e2', a: other },
      { peer: 'e3', a: { ...base, med: 0 } },
    ]);
    assert.equal(best, 'e2');
    assert.match(why.get('e1')!, /higher MED \(10 > 0\) than the path from e3/);
    assert.match(why.get('e3')!, /higher router ID/);
  });

  it('comes to the same result in whatever order paths arrive (BP-2)', () => {
    const attributes = fc.record(
      {
        path: fc.constantFrom([65101, 7], [65102, 7], [65101], [65102, 8]),
        nextHop: fc.constant('203.0.113.1'),
        med: fc.constantFrom(0, 5, 10),
        origin: fc.constantFrom(0, 2),
      },
      { requiredKeys: ['path', 'nextHop'] },
    );
    const sets = fc.tuple(...PEERS.map(() => attributes));
    const order = fc.shuffledSubarray(
      PEERS.map((_, i) => i),
      { minLength: PEERS.length },
    );
    fc.assert(
      fc.property(sets, order, (chosen, shuffled) => {
        const candidates = PEERS.map((p, i) => ({ peer: p.id, a: chosen[i]! }));
        const { best } = decide(candidates);
        assert.equal(decide(shuffled.map((i) => candidates[i]!)).best, best);
      }),
      { numRuns: 150 },
    );
  });
});
