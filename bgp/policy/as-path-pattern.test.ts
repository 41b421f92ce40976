// Regular expressions over AS paths: against a reading that tries everything, and in the time that is promised.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { PathElements } from '../message/index.ts';
import { AsPathPattern } from './as-path-pattern.ts';

/** @param path a list in it is an AS_SET */
function elementsOf(path: readonly (number | readonly number[])[]): PathElements {
  const bytes: number[] = [];
  for (const element of path) {
    const numbers = typeof element === 'number' ? [element] : element;
    bytes.push(typeof element === 'number' ? 2 : 1, numbers.length);
    for (const as of numbers) bytes.push(as >>> 24, (as >>> 16) & 255, (as >>> 8) & 255, as & 255);
  }
  const elements = new PathElements();
  elements.read(new Uint8Array(bytes), 0, bytes.length);
  return elements;
}
const matches = (text: string, ...path: readonly (number | readonly number[])[]): boolean =>
  new AsPathPattern(text).matches(elementsOf(path));

/** An expression as a tree, and as the texts that mean it. */
type Tree =
  | { readonly kind: 'as'; readonly ranges: readonly (readonly [number, number])[] }
  | { readonly kind: 'sequence' | 'either'; readonly parts: readonly Tree[] }
  | { readonly kind: 'repeated'; readonly part: Tree; readonly how: '*' | '+' | '?' };

const as = fc.integer({ min: 1, max: 4 });
const leaf: fc.Arbitrary<Tree> = fc.oneof(
  as.map((n): Tree => ({ kind: 'as', ranges: [[n, n]] })),
  fc.constant<Tree>({ kind: 'as', ranges: [[1, 0xffffffff]] }),
  fc
    .array(fc.tuple(as, as), { minLength: 1, maxLength: 3 })
    .map((pairs): Tree => ({ kind: 'as', ranges: pairs.map(([a, b]) => [Math.min(a, b), Math.max(a, b)]) })),
);
const tree: fc.Arbitrary<Tree> = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    leaf,
    fc.record({
      kind: fc.constantFrom('sequence' as const, 'either' as const),
      parts: fc.array(tie('tree'), { minLength: 1, maxLength: 3 }),
    }),
    fc.record({
      kind: fc.constant('repeated' as const),
      part: tie('tree'),
      how: fc.constantFrom('*' as const, '+' as const, '?' as const),
    }),
  ),
})).tree;

function textOf(of: Tree): string {
  switch (of.kind) {
    case 'as': {
      const [first] = of.ranges;
      if (first![1] === 0xffffffff) return '.';
      if (of.ranges.length === 1 && first![0] === first![1]) return `${first![0]} `;
      return `[${of.ranges.map(([a, b]) => `${a}-${b}`).join(' ')}]`;
    }
    case 'sequence':
      return `(${of.parts.map(textOf).join('_')})`;
    case 'either':
      return `(${of.parts.map(textOf).join('|')})`;
    case 'repeated':
      return `(${textOf(of.part)})${of.how}`;
  }
}

/** Where it may end when it begins at `from`. */
function endsOf(of: Tree, path: readonly number[], from: number): Set<number> {
  switch (of.kind) {
    case 'as': {
      const next = path[from];
      const stands = next !== undefined && of.ranges.some(([a, b]) => next >= a && next <= b);
      return new Set(stands ? [from + 1] : []);
    }
    case 'sequence':
      return of.parts.reduce(
        (ends, part) => new Set([...ends].flatMap((at) => [...endsOf(part, path, at)])),
        new Set([from]),
      );
    case 'either':
      return new Set(of.parts.flatMap((part) => [...endsOf(part, path, from)]));
    case 'repeated': {
      const ends = new Set<number>(of.how === '+' ? [] : [from]);
      let edge = new Set([from]);
      for (let round = 0; round === 0 || (of.how !== '?' && edge.size > 0); round++) {
        const next = [...edge].flatMap((at) => [...endsOf(of.part, path, at)]).filter((at) => !ends.has(at));
        for (const at of next) ends.add(at);
        edge = new Set(next);
      }
      return ends;
    }
  }
}

describe('a regular expression over AS paths', () => {
  it('reads numbers, not digits, and is not bound to the ends unless it says so', () => {
    for (const [text, path, is] of [
      ['65001', [1, 65001, 2], true],
      ['6500', [65001], false],
      ['_65001_', [65001], true],
      ['^65001', [1, 65001], false],
      ['65001$', [65001, 1], false],
      ['^65001_.*_65002$', [65001, 65002], true],
      ['^65001_.*_65002$', [65001, 7, 7, 65002], true],
      ['^(65001_)+$', [65001, 65001], true],
      ['^(65001_)+$', [65001, 65001, 1], false],
      ['^$', [], true],
      ['^$', [1], false],
      ['^$|^65001', [], true],
      ['^$|^65001$|7', [1, 7, 2], true],
      ['', [1], true],
      ['.', [], false],
      ['^.?.?$', [1, 2, 3], false],
      ['[64512-65534 4200000000-4294967294]', [1, 4200000007], true],
      ['^[^]', [], undefined],
      ['^[64512-65534]+$', [64512, 65535], false],
    ] as const) {
      if (is === undefined) assert.throws(() => matches(text, ...path));
      else assert.equal(matches(text, ...path), is, `${text} of ${path.join(' ')}`);
    }
  });

  it('takes an AS_SET as one AS that is each of its members', () => {
    assert.ok(matches('^1 [2-3] 4$', 1, [7, 2], 4));
    assert.ok(matches('^. .$', 1, [7, 2, 9]));
    assert.ok(!matches('7 2', 1, [7, 2]));
  });

  it('says what is wrong, and where', () => {
    for (const [text, message] of [
      ['(1', "is no expression over AS paths: a '(' without its ')', at character 1"],
      ['1)', "is no expression over AS paths: ')' cannot stand here, at character 2"],
      ['*', "is no expression over AS paths: '*' cannot stand here, at character 1"],
      ['1 ^2', "is no expression over AS paths: '^2' cannot stand here, at character 3"],
      ['1$2', "is no expression over AS paths: '2' cannot stand here, at character 3"],
      ['(1$)', "is no expression over AS paths: a '(' without its ')', at character 1"],
      ['[0-9]+', 'is no expression over AS paths: 0 is no AS number, at character 2'],
      ['[9-1]', 'is no expression over AS paths: a range that ends before it begins, at character 4'],
      ['[]', 'is no expression over AS paths: an empty [], at character 1'],
      ['[1', "is no expression over AS paths: a '[' without its ']', at character 1"],
      ['4294967296', 'is no expression over AS paths: 4294967296 is no AS number, at character 1'],
      [
        '6500.',
        'is no expression over AS paths: a number is a whole AS: a space belongs behind it, at character 5',
      ],
      ['AS1', "is no expression over AS paths: 'AS1' cannot stand here, at character 1"],
      ['.'.repeat(65), 'has more than 64 places for an AS'],
      [' '.repeat(257), 'is longer than 256 characters'],
    ] as const)
      assert.throws(() => new AsPathPattern(text), { message }, text);
  });

  it('decides as one who tries everything', () => {
    fc.assert(
      fc.property(
        tree,
        fc.boolean(),
        fc.boolean(),
        fc.array(fc.array(as, { maxLength: 6 }), { minLength: 1, maxLength: 8 }),
        (of, fromStart, toEnd, paths) => {
          const text = `${fromStart ? '^' : ''}${textOf(of)}${toEnd ? '$' : ''}`;
          fc.pre(text.length <= 256 && (text.match(/\d |\.|\[/g) ?? []).length <= 64);
          const pattern = new AsPathPattern(text);
          for (const path of paths) {
            const starts = fromStart ? [0] : [...path.keys(), path.length];
            const expected = starts.some((at) =>
              [...endsOf(of, path, at)].some((end) => !toEnd || end === path.length),
            );
            assert.equal(pattern.matches(elementsOf(path)), expected, `${text} of ${path.join(' ')}`);
          }
        },
      ),
      { numRuns: 400 },
    );
  });

  it('is done with the longest path in milliseconds, however it is written', () => {
    const path = elementsOf(Array.from({ length: 16_000 }, () => 1));
    const nested = `^${'('.repeat(30)}1${'*)*'.repeat(30)} 2$`;
    const options = `^${'1 ?'.repeat(31)}${'1 '.repeat(31)}2$`;
    for (const text of [nested, options, `^${'(.*)*'.repeat(40)} 2$`, `(1|1|1)*(1 1|1)*(.|1)+ 2`]) {
      const pattern = new AsPathPattern(text);
      const start = process.cpuUsage().user;
      assert.equal(pattern.matches(path), false);
      const millis = (process.cpuUsage().user - start) / 1000;
      assert.ok(millis < 200, `${text}: ${millis} ms`);
    }
  });
});
