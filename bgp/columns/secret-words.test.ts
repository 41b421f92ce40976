import assert from 'node:assert/strict';
import { SecretWords } from './secret-words.ts';

/** What V8 does with an integer key (ComputeUnseededHash). */
function hashOfV8(word: number): number {
  let h = word;
  h = ~h + (h << 15);
  h ^= h >>> 12;
  h += h << 2;
  h ^= h >>> 4;
  h = Math.imul(h, 2057);
  return (h ^ (h >>> 16)) & 0x3fffffff;
}

const BUCKETS = 1 << 12;

function fullestBucket(words: readonly number[]): number {
  const counts = new Int32Array(BUCKETS);
  for (const word of words) counts[hashOfV8(word) & (BUCKETS - 1)]!++;
  return Math.max(...counts);
}

describe('words under a secret', () => {
  it('chosen to fall into one bucket of a Map, they fall apart, under every seed in another way', () => {
    const chosen: number[] = [];
    for (let word = 0x0b000000; chosen.length < 300; word++) {
      if ((hashOfV8(word) & (BUCKETS - 1)) === 7) chosen.push(word);
    }
    assert.equal(fullestBucket(chosen), 300);
    const places = [0, 1, 42, 0x7ffffffe].map((seed) => {
      const secret = new SecretWords(seed);
      const words = chosen.map((word) => secret.of(word));
      assert.ok(fullestBucket(words) < 12, `seed ${seed}: ${fullestBucket(words)} in one bucket`);
      return words.join();
    });
    assert.equal(new Set(places).size, places.length);
  });

  it('different ones stay different', () => {
    for (const seed of [0, 42]) {
      const secret = new SecretWords(seed);
      const seen = new Set<number>();
      for (let i = 1; i <= 30_000; i++) seen.add(secret.of(i)).add(secret.of(i << 16));
      assert.equal(seen.size, 60_000, `seed ${seed}`);
    }
  });
});
