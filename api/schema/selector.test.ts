import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import {
  evaluateSelector,
  maxSelectorDepth,
  parseSelector,
  type SelectorNode,
  selectorMatches,
} from './selector.ts';

/** The text of a tree, with every string in double quotes where it can be. */
function formatSelector(node: SelectorNode): string {
  switch (node.kind) {
    case 'all':
      return 'all()';
    case 'global':
      return 'global()';
    case 'has':
      return `has(${node.key})`;
    case 'not':
      return `!${formatUnit(node.of)}`;
    case 'and':
      return node.of.map(formatUnit).join(' && ');
    case 'or':
      return node.of.map(formatUnit).join(' || ');
    case 'set':
      return `${node.key} ${node.negated ? 'not in' : 'in'} {${node.values.map(quote).join(', ')}}`;
    case 'compare':
      return `${node.key} ${node.operator} ${quote(node.value)}`;
  }
}

const formatUnit = (node: SelectorNode): string =>
  node.kind === 'and' || node.kind === 'or' ? `(${formatSelector(node)})` : formatSelector(node);

const quote = (value: string): string => (value.includes("'") ? `"${value}"` : `'${value}'`);

const labels = { rack: 'r1', 'kubernetes.io/hostname': 'node-1', empty: '', in: 'x' };

const label = fc.constantFrom(
  'rack',
  'kubernetes.io/hostname',
  'a.b/c-d',
  'in',
  'not',
  'has',
  'contains',
  '0',
);
const value = fc.string({ maxLength: 6 }).filter((text) => !(text.includes("'") && text.includes('"')));
const { tree } = fc.letrec<{ tree: SelectorNode }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constant<SelectorNode>({ kind: 'all' }),
    label.map((key): SelectorNode => ({ kind: 'has', key })),
    fc
      .record({
        key: label,
        operator: fc.constantFrom('==', '!=', 'contains', 'starts with', 'ends with'),
        value,
      })
      .map((node): SelectorNode => ({ kind: 'compare', ...node })),
    fc
      .record({ key: label, negated: fc.boolean(), values: fc.array(value, { maxLength: 3 }) })
      .map((node): SelectorNode => ({ kind: 'set', ...node })),
    tie('tree').map((of): SelectorNode => ({ kind: 'not', of })),
    fc
      .record({
        kind: fc.constantFrom('and', 'or'),
        of: fc.array(tie('tree'), { minLength: 2, maxLength: 3 }),
      })
      .map((node): SelectorNode => node),
  ),
}));

describe('a selector', () => {
  for (const [text, expected] of [
    ['all()', true],
    ['has(rack)', true],
    ['has(empty)', true],
    ['has(zone)', false],
    ['!has(zone)', true],
    ['!!has(rack)', true],
    [`rack == 'r1'`, true],
    ['rack == "r1"', true],
    [`rack=='r2'`, false],
    [`rack != 'r2'`, true],
    [`zone != 'z'`, true],
    [`zone == 'z'`, false],
    [`rack in {'r1', 'r2'}`, true],
    [`rack in {}`, false],
    [`rack not in {'r1'}`, false],
    [`zone not in {'z'}`, true],
    [`zone in {'z'}`, false],
    [`in in {'x'}`, true],
    [`kubernetes.io/hostname contains 'ode'`, true],
    [`kubernetes.io/hostname starts with 'node'`, true],
    [`kubernetes.io/hostname ends  with '-2'`, false],
    [`kubernetes.io/hostname ends with 'ode'`, false],
    [`kubernetes.io/hostname starts with 'ode'`, false],
    [`kubernetes.io/hostname contains 'odd'`, false],
    [`kubernetes.io/hostname startswith 'node'`, true],
    [`kubernetes.io/hostname startswith 'ode'`, false],
    [`kubernetes.io/hostname endswith '-1'`, true],
    [`kubernetes.io/hostname endswith 'node'`, false],
    [`rack notin {'r2'}`, true],
    [`rack notin {'r1'}`, false],
    [`rack startswith 'r'&&!(zone!='z1')||rack in{'r1','y'}`, true],
    ['', true],
    [' \n', true],
    [`has(rack) && has(zone) || has(empty)`, true],
    [`has(rack) && (has(zone) || has(nothing))`, false],
    [`!has(zone) && rack == 'r1'`, true],
    [`!(has(rack) || has(zone))`, false],
    [' \t all() \n', true],
    ['has(toString)', false],
  ] as const) {
    it(`${text.trim()} ${expected ? 'selects' : 'does not select'} the labels`, () => {
      assert.equal(selectorMatches(text, labels), expected);
    });
  }

  for (const [text, position, message] of [
    ['!', 2, "expected a label, 'all()', 'has(label)' or '('"],
    [`rack = 'r1'`, 6, /after label 'rack' \('=' is written '=='\)$/],
    [`rack == r1`, 9, 'expected a value in quotes'],
    [`rack == 'r1`, 9, 'this quote is never closed'],
    [`rack == 'r1' & has(x)`, 14, "expected '&&', '||' or the end"],
    [`(has(x)`, 8, "expected ')'"],
    [`any()`, 1, "unknown function 'any' (known: all(), has(label))"],
    [`rack in 'r1'`, 9, "expected '{'"],
    [`rack in {'r1' 'r2'}`, 15, "expected '}'"],
    [`has(x) &&`, 10, "expected a label, 'all()', 'has(label)' or '('"],
    [`${'('.repeat(1000)}all()`, maxSelectorDepth + 2, `nested deeper than ${maxSelectorDepth}`],
  ] as const) {
    it(`says where it goes wrong: ${text.slice(0, 30)}`, () => {
      const result = parseSelector(text);
      assert.ok('error' in result);
      if (typeof message === 'string') assert.equal(result.error.message, message);
      else assert.match(result.error.message, message);
      assert.equal(result.error.position, position);
    });
  }

  it('selects nothing when its text is wrong', () => {
    assert.equal(selectorMatches('rack ==', labels), false);
  });

  it('written out and read again is the same', () => {
    fc.assert(
      fc.property(tree, (node) => {
        const again = parseSelector(formatSelector(node));
        assert.ok('selector' in again, formatSelector(node));
        assert.equal(formatSelector(again.selector), formatSelector(node));
        assert.equal(evaluateSelector(again.selector, labels), evaluateSelector(node, labels));
      }),
    );
  });

  it('obeys De Morgan', () => {
    fc.assert(
      fc.property(tree, tree, (a, b) => {
        const not = (of: SelectorNode): SelectorNode => ({ kind: 'not', of });
        const left = not({ kind: 'and', of: [a, b] });
        const right: SelectorNode = { kind: 'or', of: [not(a), not(b)] };
        assert.equal(evaluateSelector(left, labels), evaluateSelector(right, labels));
      }),
    );
  });

  it('never throws, and an error is inside the text or right behind it', () => {
    const token = fc.constantFrom(
      'has(',
      ')',
      '(',
      '!',
      '&&',
      '||',
      '==',
      "'a'",
      'in',
      'not',
      '{',
      '}',
      ' ',
      'x',
      '"',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(token, fc.string({ maxLength: 2 })), { maxLength: 12 }), (tokens) => {
        const text = tokens.join('');
        const result = parseSelector(text);
        if ('error' in result)
          assert.ok(result.error.position >= 1 && result.error.position <= text.length + 1);
      }),
    );
  });
});

describe('a selector, in its corners', () => {
  const selects = (text: string, of: Record<string, string>): boolean => {
    const result = parseSelector(text);
    assert.ok('selector' in result, text);
    return evaluateSelector(result.selector, of);
  };

  it('global() selects nothing, in any label', () => {
    assert.equal(selects('global()', { a: '1' }), false);
    assert.equal(selects('!global()', {}), true);
    assert.equal(selects('', {}), true);
  });

  it('may have spaces anywhere and nowhere', () => {
    for (const text of [" has( a ) && ! ( a  not  in { 'y' , 'z' } ) ", "has(a)&&!(a not in{'y','x'})"])
      assert.equal(selects(text, { a: 'x' }), text.startsWith('has'), text);
    assert.equal(selects("!a=='x'", { a: 'y' }), true);
    assert.deepEqual(parseSelector("!= 'a'"), {
      error: { position: 1, message: "expected a label, 'all()', 'has(label)' or '('" },
    });
  });

  it('may be long, as long as it is not deep', () => {
    const long = Array.from({ length: 3 * maxSelectorDepth }, () => '!(has(a))').join(' || ');
    assert.equal(selects(long, {}), true);
    assert.equal(selects('!'.repeat(maxSelectorDepth) + 'has(a)', { a: '' }), true);
    assert.ok('error' in parseSelector('!'.repeat(maxSelectorDepth + 1) + 'has(a)'));
  });

  it('is remembered when it was read, and evaluated rightly however many there are', () => {
    for (let round = 0; round < 2; round++)
      for (let i = 0; i < 600; i++) {
        assert.equal(selectorMatches(`a == '${i}'`, { a: String(i) }), true);
        assert.equal(selectorMatches(`a == '${i}'`, { a: 'x' }), false);
      }
  });
});
