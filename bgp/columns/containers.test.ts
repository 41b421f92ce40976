import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Bitmap } from './bitmap.ts';
import { BlobHeap } from './blob-heap.ts';
import { IdPool } from './id-pool.ts';
import { IdRing } from './id-ring.ts';
import { PrefixTable } from '../prefix/prefix-table.ts';

describe('id pool', () => {
  it('hands out the lowest free id, whatever was freed before', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.nat(120)), { maxLength: 400 }), (steps) => {
        const pool = new IdPool();
        const taken = new Set<number>();
        for (const step of steps) {
          if (step === null || !taken.has(step)) {
            let lowest = 0;
            while (taken.has(lowest)) lowest++;
            assert.equal(pool.take(), lowest);
            taken.add(lowest);
          } else {
            pool.free(step);
            taken.delete(step);
          }
        }
        assert.equal(pool.used, taken.size);
        assert.equal(pool.trim(), Math.max(-1, ...taken) + 1);
        for (let id = 0; id < 130; id++) assert.equal(pool.has(id), taken.has(id));
      }),
    );
  });

  it('grows over many words and finds the hole again', () => {
    const pool = new IdPool();
    for (let i = 0; i < 5000; i++) assert.equal(pool.take(), i);
    pool.free(4097);
    pool.free(33);
    assert.deepEqual([pool.take(), pool.take(), pool.take()], [33, 4097, 5000]);
  });
});

describe('id ring', () => {
  it('is first in, first out over growth and wrapping', () => {
    const ring = new IdRing();
    let next = 0;
    let expected = 0;
    for (let round = 0; round < 50; round++) {
      for (let i = 0; i < 100; i++) ring.push(next++);
      for (let i = 0; i < 60; i++) assert.equal(ring.take(), expected++);
    }
    while (ring.count > 0) assert.equal(ring.take(), expected++);
    assert.equal(ring.take(), -1);
    assert.equal(expected, next);
  });
});

describe('bitmap', () => {
  it('finds its members in order', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(3000)), fc.array(fc.nat(3000)), (added, deleted) => {
        const bitmap = new Bitmap();
        for (const i of added) bitmap.add(i);
        for (const i of deleted) bitmap.delete(i);
        const found: number[] = [];
        for (let i = bitmap.nextFrom(0); i >= 0; i = bitmap.nextFrom(i + 1)) found.push(i);
        const gone = new Set(deleted);
        assert.deepEqual(
          found,
          added.filter((i) => !gone.has(i)).sort((a, b) => a - b),
        );
      }),
    );
  });
});

describe('prefix table', () => {
  for (const family of [0, 1] as const) {
    it(`agrees with a Map over announcements and withdrawals, family ${family}`, () => {
      // Few addresses and all lengths: many collisions, runs and removed places.
      const bits = family === 0 ? 32 : 128;
      const prefix = fc.record({
        bit: fc.nat(15),
        length: fc.integer({ min: 0, max: bits }),
        isAdd: fc.boolean(),
      });
      fc.assert(
        fc.property(fc.array(prefix, { maxLength: 300 }), fc.integer(), (steps, seed) => {
          const table = new PrefixTable(family, seed);
          const model = new Map<string, number>();
          for (const { bit, length, isAdd } of steps) {
            const words = [0, 0, 0, 0];
            if (length > 0) words[(length - 1) >> 5] = (bit << (-length & 31)) | 0;
            const [w0, w1, w2, w3] = words as [number, number, number, number];
            const key = `${words.join('.')}/${length}`;
            const known = model.get(key) ?? -1;
            const found = family === 0 ? table.find4(w0, length) : table.find6(w0, w1, w2, w3, length);
            assert.equal(found, known);
            if (isAdd) {
              const id =
                family === 0 ? table.findOrAdd4(w0, length) : table.findOrAdd6(w0, w1, w2, w3, length);
              if (known >= 0) assert.equal(id, known);
              model.set(key, id);
              const out = new Uint8Array(16);
              assert.equal(table.read(id, out, 0), length);
            } else if (known >= 0) {
              table.remove(known);
              model.delete(key);
            }
          }
          assert.equal(table.count, model.size);
        }),
      );
    });
  }

  it('keeps 200,000 prefixes through growth, and gives memory back', () => {
    const table = new PrefixTable(0, 7, 4096);
    for (let i = 0; i < 200_000; i++) table.findOrAdd4((i << 8) | 0, 24);
    for (let i = 0; i < 200_000; i++) assert.equal(table.find4((i << 8) | 0, 24), i);
    const { bytes } = table;
    for (let i = 100; i < 200_000; i++) table.remove(i);
    table.shrink();
    assert.ok(table.bytes < bytes / 8);
    for (let i = 0; i < 200; i++) assert.equal(table.find4((i << 8) | 0, 24), i < 100 ? i : -1);
  });
});

describe('blob heap', () => {
  it('keeps what lives while it moves, and gives back what is dead', () => {
    const heap = new BlobHeap();
    const locations: number[] = [];
    const blob = (owner: number): Uint8Array => new Uint8Array(40 + (owner % 100)).fill(owner & 255);
    for (let owner = 0; owner < 40_000; owner++)
      locations.push(heap.put(owner, blob(owner), 0, 40 + (owner % 100)));
    const { bytes } = heap;
    for (let owner = 0; owner < 40_000; owner++) {
      if (owner % 16 === 0) continue;
      heap.free(locations[owner]!, 40 + (owner % 100));
      locations[owner] = -1;
    }
    while (heap.sparse) {
      heap.compact(
        (owner) => locations[owner]!,
        (owner, location) => {
          locations[owner] = location;
        },
      );
    }
    assert.ok(heap.bytes < bytes / 3, `${bytes} before, ${heap.bytes} after`);
    for (let owner = 0; owner < 40_000; owner += 16) {
      const location = locations[owner]!;
      const start = BlobHeap.offset(location);
      const expected = blob(owner);
      assert.deepEqual(heap.segment(location).slice(start, start + expected.length), expected);
    }
  });
});
