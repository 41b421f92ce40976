// What is broken: for one node of the syntax tree, the texts that take its place. Pure; knows nothing of files and tests.
// Text for people (log lines, template literals, error messages) is left alone: no test should hold a sentence word by
// word. A loop's counter is left alone as well: a loop that never ends is noticed by everybody and costs seconds.

/** A node of the ESTree that oxc-parser gives, as far as this tool looks at it. */
export interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

/** `expression` takes the node's place in an expression, `statement` leaves it out, `label` makes a case never match. */
export interface Change {
  readonly kind: 'expression' | 'statement' | 'label';
  readonly text: string;
}

const SWAPS: Readonly<Record<string, readonly string[]>> = {
  '<': ['<=', '>='],
  '<=': ['<', '>'],
  '>': ['>=', '<='],
  '>=': ['>', '<'],
  '===': ['!=='],
  '!==': ['==='],
  '+': ['-'],
  '-': ['+'],
  '*': ['/'],
  '/': ['*'],
  '%': ['*'],
  '<<': ['>>'],
  '>>': ['<<'],
  '>>>': ['<<'],
  '&': ['|'],
  '|': ['&'],
  '^': ['&'],
  '+=': ['-='],
  '-=': ['+='],
  '|=': ['&='],
  '&=': ['|='],
};

const METHODS: ReadonlyMap<string, string> = new Map([
  ['startsWith', 'endsWith'],
  ['endsWith', 'includes'],
  ['some', 'every'],
  ['every', 'some'],
  ['min', 'max'],
  ['max', 'min'],
]);

const isText = (node: Node): boolean =>
  node.type === 'TemplateLiteral' || (node.type === 'Literal' && typeof node['value'] === 'string');

/** Returned values that other operators break already. */
const NEEDS_NO_RETURN =
  /^(Literal|BinaryExpression|LogicalExpression|UnaryExpression|TemplateLiteral|ParenthesizedExpression)$/;

const expression = (text: string): Change => ({ kind: 'expression', text });

/** All changes of one node. `slice` gives a node's text. */
export function changesOf(node: Node, parent: Node | undefined, slice: (node: Node) => string): Change[] {
  const child = (name: string): Node => node[name] as Node;
  switch (node.type) {
    case 'BinaryExpression': {
      const operator = node['operator'] as string;
      if (operator === '+' && (isText(child('left')) || isText(child('right')))) return [];
      return (SWAPS[operator] ?? []).map((other) =>
        expression(`${slice(child('left'))} ${other} ${slice(child('right'))}`),
      );
    }
    case 'AssignmentExpression': {
      return (SWAPS[node['operator'] as string] ?? []).map((other) =>
        expression(`${slice(child('left'))} ${other} ${slice(child('right'))}`),
      );
    }
    case 'LogicalExpression':
      return [expression(slice(child('left'))), expression(slice(child('right')))];
    case 'UnaryExpression':
      return node['operator'] === '!' ? [expression(slice(child('argument')))] : [];
    case 'UpdateExpression': {
      if (parent?.type === 'ForStatement') return [];
      const other = node['operator'] === '++' ? '--' : '++';
      const argument = slice(child('argument'));
      return [expression(node['prefix'] === true ? `${other}${argument}` : `${argument}${other}`)];
    }
    case 'Literal':
      return literalChanges(node);
    case 'CallExpression':
      return methodChanges(node, slice);
    case 'ExpressionStatement':
      return isRemovable(child('expression'), slice) ? [{ kind: 'statement', text: '' }] : [];
    case 'ThrowStatement':
    case 'BreakStatement':
    case 'ContinueStatement':
      return [{ kind: 'statement', text: '' }];
    case 'ReturnStatement':
      return node['argument'] === null ? [{ kind: 'statement', text: '' }] : [];
    case 'SwitchCase':
      return node['test'] === null ? [] : [{ kind: 'label', text: '' }];
    default:
      return [];
  }
}

/** Changes that a node suffers for the place where it stands: a condition turned round, a result that is not given. */
export function placeChanges(node: Node, parent: Node | undefined, slice: (node: Node) => string): Change[] {
  const isTest =
    (parent?.type === 'IfStatement' || parent?.type === 'ConditionalExpression') && parent['test'] === node;
  if (isTest && !/^(BinaryExpression|LogicalExpression|UnaryExpression)$/.test(node.type))
    return [expression(`!(${slice(node)})`)];
  if (parent?.type === 'ReturnStatement' && !NEEDS_NO_RETURN.test(node.type) && slice(node) !== 'undefined')
    return [expression('undefined')];
  return [];
}

function literalChanges(node: Node): Change[] {
  const { value } = node;
  if (typeof value === 'boolean') return [expression(String(!value))];
  if (typeof value === 'number') return [expression(String(value + 1))];
  return typeof value === 'bigint' ? [expression(`${value + 1n}n`)] : [];
}

function methodChanges(node: Node, slice: (node: Node) => string): Change[] {
  const callee = node['callee'] as Node;
  if (callee.type !== 'MemberExpression' || callee['computed'] === true) return [];
  const other = METHODS.get(slice(callee['property'] as Node));
  if (other === undefined) return [];
  const rest = slice(node).slice(callee.end - node.start);
  return [expression(`${slice(callee['object'] as Node)}.${other}${rest}`)];
}

/** Everything but `super()`, and lines of the log. */
function isRemovable(node: Node, slice: (node: Node) => string): boolean {
  if (node.type === 'Literal') return false;
  if (node.type !== 'CallExpression') return true;
  const callee = slice(node['callee'] as Node);
  return callee !== 'super' && !/(^|[.#])log(ger)?(\.|$)/i.test(callee);
}
