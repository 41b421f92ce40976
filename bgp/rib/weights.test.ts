import assert from 'node:assert/strict';
import fc from 'fast-check';
import { fillWeights } from './weights.ts';

function weights(...shares: number[]): number[] {
  const out = new Uint16Array(shares.length);
  fillWeights(shares, shares.length, out);
  return [...out];
}

describe('weights', () => {
  it('say proportions with the least numbers that do', () => {
    assert.deepEqual(weights(7), [1]);
    assert.deepEqual(weights(1.25e10, 1.25e10, 1.25e10), [1, 1, 1]);
    assert.deepEqual(weights(1.25e10, 1.25e9), [10, 1]);
    assert.deepEqual(weights(100, 50, 25), [4, 2, 1]);
    assert.deepEqual(weights(3, 2, 1), [3, 2, 1]);
    assert.deepEqual(weights(2, 5), [2, 5]);
    assert.deepEqual(weights(1, 1e30), [1, 240], 'none is less than 1');
  });

  it('are of 1 to 256, within half a step of the proportion, whatever the unit', () => {
    const share = fc.double({ min: 1, max: 1e12, noNaN: true });
    fc.assert(
      fc.property(fc.array(share, { minLength: 1, maxLength: 128 }), (shares) => {
        const all = weights(...shares);
        const [largest, top] = [Math.max(...shares), Math.max(...all)];
        all.forEach((weight, i) => {
          assert.ok(Number.isInteger(weight) && weight >= 1 && weight <= 256);
          const exact = (shares[i]! / largest) * top;
          assert.ok(Math.abs(weight - exact) <= Math.max(0.5, top / 480 + 1e-9) || weight === 1);
        });
        assert.deepEqual(weights(...shares.map((one) => one * 8)), all);
      }),
    );
  });
});
