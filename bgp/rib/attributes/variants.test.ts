// Numbers of what policies set that stands in no octet.
import assert from 'node:assert/strict';
import { AS_IT_CAME, HOP_AS_USUAL, HOP_SELF, type Variant, Variants } from './variants.ts';

const PLAIN: Variant = { isMedSet: false, metric: 0, weight: 0, nextHop: HOP_AS_USUAL };

describe('a combination of what policies set', () => {
  it('has one number while a set has it, and gives it back with the last one', () => {
    const variants = new Variants();
    assert.equal(variants.take(PLAIN), AS_IT_CAME);
    const heavy = { ...PLAIN, weight: 65535 };
    const id = variants.take(heavy);
    assert.equal(variants.take(heavy), id);
    variants.release(id);
    assert.deepEqual([variants.count, variants.weight[id]], [2, 65535]);
    variants.release(id);
    variants.release(AS_IT_CAME);
    assert.equal(variants.count, 1);
  });

  it('is another one by each of its parts', () => {
    const variants = new Variants();
    const all = [
      PLAIN,
      { ...PLAIN, isMedSet: true },
      { ...PLAIN, nextHop: HOP_SELF },
      { ...PLAIN, weight: 1 },
      { ...PLAIN, metric: 1 },
      { ...PLAIN, weight: 65535, metric: 0x7fffffff },
    ];
    assert.equal(new Set(all.map((one) => variants.take(one))).size, all.length);
  });
});
