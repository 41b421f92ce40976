import assert from 'node:assert/strict';
import fc from 'fast-check';
import { formatPrefix, parsePrefix } from './octets.ts';
import { PrefixTable } from './fib-prefixes.ts';

describe('the FIB’s prefix table', () => {
  it('behaves like a map from prefix to id, ids of removed prefixes being reused', () => {
    const prefix = fc.record({ a: fc.nat(3), b: fc.nat(255), length: fc.integer({ min: 0, max: 32 }) });
    const step = fc.tuple(fc.constantFrom('add', 'remove', 'find'), prefix);
    fc.assert(
      fc.property(fc.array(step, { maxLength: 600 }), (steps) => {
        const table = new PrefixTable(4);
        const model = new Map<string, number>();
        for (const [what, { a, b, length }] of steps) {
          const bytes = Uint8Array.from([9, 9, a, b, 0]);
          const key = `${a} ${b} ${length}`;
          if (what === 'add') {
            const id = table.add(bytes.subarray(0, 4), 0, length);
            const known = model.get(key);
            if (known === undefined) assert.ok(![...model.values()].includes(id));
            else assert.equal(id, known);
            model.set(key, id);
          } else if (what === 'remove' && model.has(key)) {
            table.remove(model.get(key)!);
            model.delete(key);
          }
          assert.equal(table.find(bytes, 0, length), model.get(key) ?? -1);
          assert.equal(table.size, model.size);
        }
        for (const id of model.values()) assert.ok(table.lengthOf(id) >= 0);
      }),
      { numRuns: 200 },
    );
  });

  it('holds many prefixes and finds each', () => {
    const table = new PrefixTable(16);
    const bytes = new Uint8Array(16);
    const view = new DataView(bytes.buffer);
    for (let i = 0; i < 20_000; i++) {
      view.setUint32(0, i);
      assert.equal(table.add(bytes, 0, 64), i);
    }
    for (let i = 0; i < 20_000; i++) {
      view.setUint32(0, i);
      assert.equal(table.find(bytes, 0, 64), i);
      assert.equal(table.find(bytes, 0, 65), -1);
    }
  });
});

describe('prefixes as text', () => {
  const same = [
    '0.0.0.0/0',
    '10.1.2.0/24',
    '::/0',
    'fd00::/64',
    '2001:db8::1/128',
    '1:0:2::3/128',
    '::ffff:a00:1/128',
  ];
  for (const text of same) {
    it(`reads and writes ${text}`, () => {
      const { family, bytes, length } = parsePrefix(text);
      assert.equal(formatPrefix(family, bytes, 0, length), text);
    });
  }

  it('reads dotted quads inside IPv6 and bare addresses', () => {
    const mapped = parsePrefix('::ffff:10.0.0.1');
    assert.equal(formatPrefix(1, mapped.bytes, 0, mapped.length), '::ffff:a00:1/128');
  });

  for (const text of [
    '10.0.0/8',
    '10.0.0.256',
    '10.0.0.0/33',
    'fd00::1::2',
    ':1',
    '1:2:3:4:5:6:7:8:9',
    'g::',
  ]) {
    it(`refuses ${text}`, () => assert.throws(() => parsePrefix(text), RangeError));
  }
});
