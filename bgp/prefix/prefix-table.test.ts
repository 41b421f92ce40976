import assert from 'node:assert/strict';
import fc from 'fast-check';
import { PrefixTable } from './prefix-table.ts';

describe('a prefix table asked with bytes', () => {
  it('behaves like a map from prefix to id, ids of removed prefixes being reused', () => {
    const prefix = fc.record({ a: fc.nat(3), b: fc.nat(255), length: fc.integer({ min: 0, max: 32 }) });
    const step = fc.tuple(fc.constantFrom('add', 'remove', 'find'), prefix);
    fc.assert(
      fc.property(fc.array(step, { maxLength: 600 }), fc.integer(), (steps, seed) => {
        const table = new PrefixTable(0, seed);
        const model = new Map<string, number>();
        for (const [what, { a, b, length }] of steps) {
          const bytes = Uint8Array.from([9, 9, a, b, 0]);
          const key = `${a} ${b} ${length}`;
          if (what === 'add') {
            const id = table.findOrAddBytes(bytes.subarray(0, 4), 0, length);
            const known = model.get(key);
            if (known === undefined) assert.ok(![...model.values()].includes(id));
            else assert.equal(id, known);
            model.set(key, id);
          } else if (what === 'remove' && model.has(key)) {
            table.remove(model.get(key)!);
            model.delete(key);
          }
          assert.equal(table.findBytes(bytes, 0, length), model.get(key) ?? -1);
          assert.equal(table.count, model.size);
        }
        for (const id of model.values()) assert.ok(table.ids.has(id));
      }),
      { numRuns: 200 },
    );
  });

  it('holds many prefixes, finds each, and reads it back', () => {
    const table = new PrefixTable(1, 7, 4096);
    const bytes = new Uint8Array(20);
    const view = new DataView(bytes.buffer);
    view.setUint32(16, 0xdeadbeef);
    for (let i = 0; i < 20_000; i++) {
      view.setUint32(4, i);
      assert.equal(table.findOrAddBytes(bytes, 4, 128), i);
    }
    const out = new Uint8Array(16);
    for (let i = 0; i < 20_000; i++) {
      view.setUint32(4, i);
      assert.equal(table.findBytes(bytes, 4, 128), i);
      assert.equal(table.findBytes(bytes, 4, 127), -1);
      assert.equal(table.read(i, out, 0), 128);
      assert.deepEqual(out, bytes.subarray(4));
    }
  });
});
