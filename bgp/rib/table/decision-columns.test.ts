// The decision on bare columns against the same rules written once more for objects: which may be chosen, which is better
// and by which step, what is chosen and marked, and what is used together.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { PRESENT_MED } from '../../message/index.ts';
import { Rules } from '../testing/decision-rules.ts';
import { Columns, medScenes, PREFIX, type Scene, scenes, sharedScenes } from '../testing/decision-scenes.ts';
import * as decision from './decision-steps.ts';
import { KIND_EBGP } from './peer-slots.ts';
import { BEST, CHANGED, DEAD, MULTIPATH } from './rib-table.ts';

const RUNS = { numRuns: 1000 };
const both = (check: (scene: Scene, columns: Columns, rules: Rules) => void, given = scenes): void => {
  fc.assert(
    fc.property(given, fc.boolean(), (scene, hasIds) =>
      check(scene, new Columns(scene, hasIds), new Rules(scene, hasIds)),
    ),
    RUNS,
  );
};

/** Several paths may be used together, so each change may matter to forwarding. */
const isShared = ({ rules }: Scene): boolean => rules.ebgp > 1 || rules.ibgp > 1;

describe('the decision on columns', () => {
  it('refuses what may not be chosen, and says why', () => {
    both(({ paths }, { decision: decide, table }, rules) => {
      paths.forEach((_, path) => {
        assert.equal(decide.refusal(table, path), rules.refusal(path));
        assert.equal(decide.isUsable(table, path), rules.refusal(path) === decision.USABLE);
      });
    });
  });

  it('compares any two paths by the first step in which they differ', () => {
    both((_scene, { decision: decide, table }, rules) => {
      for (const x of rules.usable)
        for (const y of rules.usable)
          if (x !== y) assert.equal(decide.compare(table, x, y), rules.compare(x, y));
    });
  });

  it('chooses the best of each neighbouring AS, and of these the best', () => {
    both((scene, { decision: decide, table }, rules) => {
      if (!rules.areAllDifferent) return;
      const { paths } = scene;
      const { best } = rules;
      assert.equal(
        decide.choose(table, PREFIX),
        best >= 0 || (isShared(scene) && paths.some(({ flags }) => (flags & (CHANGED | DEAD)) !== 0)),
      );
      assert.equal(table.best(PREFIX), best);
      paths.forEach(({ flags }, path) => {
        assert.equal(
          table.flags[path],
          (flags & ~CHANGED) | (path === best ? BEST : 0),
          'no other flag, and not CHANGED',
        );
      });
      assert.equal(
        decide.choose(table, PREFIX),
        isShared(scene) && paths.some(({ flags }) => (flags & DEAD) !== 0),
      );
      assert.equal(table.best(PREFIX), best);
      if (best < 0) return;
      table.flags[best]! |= CHANGED;
      assert.equal(decide.choose(table, PREFIX), true, 'the best has changed');
      // One that has gone gives the place to the next, and its marks up.
      table.flags[best]! |= DEAD | MULTIPATH;
      assert.equal(decide.choose(table, PREFIX), true);
      assert.equal(table.flags[best]! & (BEST | MULTIPATH), 0);
      assert.notEqual(table.best(PREFIX), best);
    });
  });

  it('chooses the same where MED is no order among all of them', () => {
    both((_scene, { decision: decide, table }, rules) => {
      decide.choose(table, PREFIX);
      assert.equal(table.best(PREFIX), rules.best);
    }, medScenes);
  });

  it('tells that another path has changed only where several are used together', () => {
    both((scene, { decision: decide, table }, rules) => {
      const { paths } = scene;
      if (!rules.areAllDifferent || rules.usable.length < 2 || paths.some(({ flags }) => flags & DEAD))
        return;
      decide.choose(table, PREFIX);
      const other = rules.usable.find((path) => path !== rules.best)!;
      table.flags[other]! |= CHANGED;
      assert.equal(decide.choose(table, PREFIX), isShared(scene));
      assert.equal(table.flags[other]! & CHANGED, 0);
    });
  });

  for (const [which, given] of [
    ['any paths', scenes],
    ['paths of which most are equal', sharedScenes],
  ] as const) {
    it(`uses of ${which} the equal ones together, as many as are allowed, one of each next hop, the tie-break’s first`, () => {
      both(({ paths, out: room }, { decision: decide, table }, rules) => {
        if (!rules.areAllDifferent) return;
        const out = new Int32Array(room);
        const { best } = rules;
        assert.equal(decide.markMultipath(table, PREFIX, out), 0, 'nothing is chosen yet');
        decide.choose(table, PREFIX);
        paths.forEach((_, path) => path !== best && (table.flags[path]! |= MULTIPATH));
        const count = decide.markMultipath(table, PREFIX, out);
        if (best < 0) return assert.equal(count, 0);
        const expected = rules.together(best);
        assert.deepEqual([...out.subarray(0, count)], expected);
        const marked = paths.map((_, path) => path).filter((path) => (table.flags[path]! & MULTIPATH) !== 0);
        assert.deepEqual(
          marked,
          expected.slice(1).sort((a, b) => a - b),
        );
      }, given);
    });
  }

  it('does not use a path that another of its AS beats by MED, also where that one is further away than the best', () => {
    const given = [
      { neighborAs: 7, med: 0, metric: 0 },
      { neighborAs: 8, med: 5, metric: 0 },
      { neighborAs: 8, med: 0, metric: 1 },
    ];
    const { decision: decide, table } = new Columns(
      {
        attributes: given.map(({ neighborAs, med }, i) => ({
          ...{
            variant: 0,
            neighborAs,
            med,
            present: PRESENT_MED,
            nextHop: i,
            localPref: 100,
            pathLength: 2,
            origin: 0,
            flags: 0,
          },
          ...{ path: 0, originator: 0, clusterLength: 0 },
        })),
        peers: given.map((_, i) => ({
          ...{ kind: KIND_EBGP, routerId: i + 1, address: [0, 0, 0, i], kept: 0 },
        })),
        paths: given.map((_, i) => ({ peer: i, attributes: i, receivedId: 0, flags: 0, age: 0 })),
        hops: given.map(({ metric }, i) => ({ isReachable: true, metric, address: i })),
        rules: { ebgp: 4, ibgp: 1, relax: true },
        out: 4,
      },
      false,
    );
    decide.choose(table, PREFIX);
    const out = new Int32Array(4);
    assert.deepEqual([...out.subarray(0, decide.markMultipath(table, PREFIX, out))], [0]);
  });
});
