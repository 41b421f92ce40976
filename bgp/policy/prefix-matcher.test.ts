// Lists of prefix rules against a walk over strings of bits.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parsePrefixWords } from '#ip';
import type { PrefixRule } from './policy.ts';
import { PrefixMatcher } from './prefix-matcher.ts';

const SIZES = [32, 128] as const;
const octets = (bits: string): number[] =>
  Array.from({ length: bits.length / 8 }, (_, n) => Number.parseInt(bits.slice(n * 8, n * 8 + 8), 2));

/** '10.0.0.0/8', 'fd00:0:…/8'; what stands behind the length is written as well. */
function textOf(bits: string, length: number): string {
  const all = octets(bits);
  if (bits.length === 32) return `${all.join('.')}/${length}`;
  const groups = Array.from({ length: 8 }, (_, n) => (all[2 * n]! * 256 + all[2 * n + 1]!).toString(16));
  return `${groups.join(':')}/${length}`;
}

/** With this bit the other way round; none for one that is not there. */
const flipped = (bits: string, at: number): string =>
  at >= bits.length ? bits : bits.slice(0, at) + (bits[at] === '0' ? '1' : '0') + bits.slice(at + 1);

/** A prefix that differs from the scene's address in one bit at most, perhaps one behind its length. */
const near = (size: number) => fc.record({ length: fc.nat(size), flip: fc.nat(size + 8) });

interface Rule {
  readonly at: { readonly length: number; readonly flip: number };
  readonly operator: PrefixRule['operator'];
  readonly min: number | null;
  readonly max: number | null;
}

const scene = fc.constantFrom(0 as const, 1 as const).chain((family) => {
  const size = SIZES[family];
  const rule: fc.Arbitrary<Rule> = fc.record({
    at: near(size),
    operator: fc.constantFrom<PrefixRule['operator']>('equal', 'in', 'notEqual', 'notIn'),
    // Lengths that hold for the route now and then.
    min: fc.option(fc.nat(size)),
    max: fc.option(fc.nat(size)),
  });
  return fc.record({
    family: fc.constant(family),
    address: fc.uint8Array({ minLength: size / 8, maxLength: size / 8 }),
    rules: fc.oneof(
      fc.array(rule, { minLength: 1, maxLength: 2 }),
      fc.array(rule, { maxLength: 6 }),
      fc.array(
        rule.map((one): Rule => ({ ...one, operator: 'in' })),
        { maxLength: 6 },
      ),
    ),
    routes: fc.array(near(size), { minLength: 1, maxLength: 20 }),
  });
});

describe('a list of prefix rules', () => {
  it('holds for a route when one of them does, whatever their lengths and operators', () => {
    let found = 0;
    let asked = 0;
    fc.assert(
      fc.property(scene, ({ family, address, rules, routes }) => {
        const base = [...address].map((octet) => octet.toString(2).padStart(8, '0')).join('');
        const matcher = new PrefixMatcher(
          family,
          rules.map(({ at, operator, min, max }) => ({
            prefix: textOf(flipped(base, at.flip), at.length),
            operator,
            ...(min !== null && { minLength: min }),
            ...(max !== null && { maxLength: max }),
          })),
        );
        for (const route of routes) {
          const bits = flipped(base, route.flip).slice(0, route.length);
          const expected = rules.some(({ at, operator, min, max }) => {
            const own = flipped(base, at.flip).slice(0, at.length);
            const isIn =
              bits.startsWith(own) && bits.length >= (min ?? 0) && bits.length <= (max ?? base.length);
            return { equal: bits === own, in: isIn, notEqual: bits !== own, notIn: !isIn }[operator];
          });
          const { words } = parsePrefixWords(textOf(bits.padEnd(base.length, '0'), route.length))!;
          const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = words;
          asked++;
          if (expected) found++;
          assert.equal(matcher.matches(w0, w1, w2, w3, route.length), expected, `${bits}, ${base}`);
        }
      }),
      { numRuns: 500 },
    );
    assert.ok(found > asked / 5 && found < (asked * 4) / 5, `${found} of ${asked}: nothing is looked at`);
  });

  it('is for one family: rules of the other never match, negated ones neither', () => {
    const rules: PrefixRule[] = [
      { prefix: '::/0', operator: 'in' },
      { prefix: 'fd00::/8', operator: 'notIn' },
    ];
    assert.equal(new PrefixMatcher(0, rules).matches(10 << 24, 0, 0, 0, 8), false);
    assert.equal(new PrefixMatcher(1, rules).matches(0x20010db8, 0, 0, 0, 32), true);
    assert.throws(() => new PrefixMatcher(0, [{ prefix: 'x', operator: 'in' }]), /'x' is not a prefix/);
  });
});
