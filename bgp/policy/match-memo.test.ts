// What a policy remembers of attribute sets: each term is asked once of each, and never of one that is gone.
import assert from 'node:assert/strict';
import { PathElements } from '../message/index.ts';
import { PrefixTable } from '../prefix/prefix-table.ts';
import type { AttributeQuestions } from './attribute-match.ts';
import { compilePolicy, FROM_EBGP, RouteRef } from './compile.ts';
import type { PolicyMatch } from './policy.ts';

/** Sets that carry a community or not, and are reached over eth0 or not. */
class Sets implements AttributeQuestions {
  readonly carrying = new Set<number>();
  readonly overEth0 = new Set<number>();
  generation = 0;
  asked = 0;

  carriesCommunity(id: number): boolean {
    this.asked++;
    return this.carrying.has(id);
  }
  pathStartsWith = (): boolean => false;
  path = (): PathElements => new PathElements();
  nextHop = (): undefined => undefined;
  metricOf = (): number => 0;
  generationOf(id: number): number {
    return id === 1 ? this.generation : 0;
  }
  linksOf(id: number): number {
    return this.overEth0.has(id) ? 2 : 3;
  }
  linkNames = (links: number): readonly string[] => (links === 2 ? ['eth0'] : ['eth1']);
}

const table = new PrefixTable(0, 0);
const route = new RouteRef(table);
const prefix = table.findOrAdd4(10 << 24, 8);

function policyOf(match: PolicyMatch) {
  const policy = compilePolicy({
    name: 'p',
    terms: [{ match, action: { verdict: 'accept' }, why: 'rule 1' }],
    otherwise: 'reject',
  });
  return (set: number, questions: AttributeQuestions): boolean =>
    policy.evaluate(route.point(table, prefix, FROM_EBGP, set), questions) >= 0;
}

describe('what a policy remembers of attribute sets', () => {
  it('is asked once, whether it holds or not', () => {
    const sets = new Sets();
    sets.carrying.add(1);
    const accepts = policyOf({ communities: ['65000:1'] });
    for (let n = 0; n < 3; n++) assert.deepEqual([accepts(1, sets), accepts(2, sets)], [true, false]);
    assert.equal(sets.asked, 2);
  });

  it('is nothing of a set that was there before under the same number', () => {
    const sets = new Sets();
    sets.carrying.add(1);
    const accepts = policyOf({ communities: ['65000:1'] });
    assert.equal(accepts(1, sets), true);
    sets.carrying.delete(1);
    sets.generation++;
    assert.equal(accepts(1, sets), false);
    sets.carrying.add(1);
    sets.generation++;
    assert.equal(accepts(1, sets), true);
  });

  it('is that of one set, however many there are', () => {
    const sets = new Sets();
    for (let id = 0; id < 5000; id += 3) sets.carrying.add(id);
    const accepts = policyOf({ communities: ['65000:1'] });
    for (let round = 0; round < 2; round++)
      for (let id = 0; id < 5000; id++) assert.equal(accepts(id, sets), id % 3 === 0);
  });

  it('is of those who were asked', () => {
    const [some, others] = [new Sets(), new Sets()];
    some.carrying.add(1);
    const accepts = policyOf({ communities: ['65000:1'] });
    assert.deepEqual([accepts(1, some), accepts(1, others), accepts(1, some)], [true, false, true]);
  });

  it('is not by which interface a set leaves, which changes', () => {
    const sets = new Sets();
    sets.carrying.add(1);
    const accepts = policyOf({ communities: ['65000:1'], interface: 'eth0' });
    assert.equal(accepts(1, sets), false);
    sets.overEth0.add(1);
    assert.equal(accepts(1, sets), true);
    sets.overEth0.clear();
    assert.equal(accepts(1, sets), false);
    assert.equal(sets.asked, 1);
  });
});
