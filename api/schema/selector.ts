// Calico's selector language over labels: parsed once into a tree, evaluated as often as wanted.
//
//   or    := and ('||' and)*          and := not ('&&' not)*        not := '!'* unit
//   unit  := '(' or ')' | 'all()' | 'global()' | 'has(' key ')' | key operator
//   operator := ('==' | '!=' | 'contains' | 'starts with' | 'ends with') string
//             | ('in' | 'not in') '{' [string (',' string)*] '}'
//
// A blank text selects all; the words of an operator may be written together ('startswith', 'notin').

export type Labels = Readonly<Record<string, string>>;

export type SelectorNode =
  | { readonly kind: 'all' }
  | { readonly kind: 'global' }
  | { readonly kind: 'has'; readonly key: string }
  | { readonly kind: 'compare'; readonly key: string; readonly operator: Comparison; readonly value: string }
  | {
      readonly kind: 'set';
      readonly key: string;
      readonly negated: boolean;
      readonly values: readonly string[];
    }
  | { readonly kind: 'not'; readonly of: SelectorNode }
  | { readonly kind: 'and' | 'or'; readonly of: readonly SelectorNode[] };

type Comparison = '==' | '!=' | 'contains' | 'starts with' | 'ends with';

/** `position` counts characters from 1. */
interface SelectorError {
  readonly position: number;
  readonly message: string;
}

export type SelectorResult = { readonly selector: SelectorNode } | { readonly error: SelectorError };

/** Parentheses and '!' may nest this deep, so that a hostile text cannot exhaust the stack. */
export const maxSelectorDepth = 50;

/** Parses a selector. */
export function parseSelector(text: string): SelectorResult {
  try {
    return { selector: new Parser(text).parse() };
  } catch (error) {
    if (error instanceof SyntaxAt) {
      return { error: { position: error.position + 1, message: error.message } };
    }
    throw error;
  }
}

export function evaluateSelector(node: SelectorNode, labels: Labels): boolean {
  switch (node.kind) {
    case 'all':
      return true;
    case 'global':
      return false; // only Calico's GlobalNetworkSets are global; nothing that podroute selects is
    case 'has':
      return Object.hasOwn(labels, node.key);
    case 'not':
      return !evaluateSelector(node.of, labels);
    case 'and':
      return node.of.every((part) => evaluateSelector(part, labels));
    case 'or':
      return node.of.some((part) => evaluateSelector(part, labels));
    case 'set': {
      const value = ownLabel(labels, node.key);
      // As in Calico, `not in` and `!=` are true for an object without the label.
      return value === undefined ? node.negated : node.values.includes(value) !== node.negated;
    }
    case 'compare':
      return compare(node.operator, ownLabel(labels, node.key), node.value);
  }
}

function compare(operator: Comparison, actual: string | undefined, wanted: string): boolean {
  if (actual === undefined) return operator === '!=';
  switch (operator) {
    case '==':
      return actual === wanted;
    case '!=':
      return actual !== wanted;
    case 'contains':
      return actual.includes(wanted);
    case 'starts with':
      return actual.startsWith(wanted);
    case 'ends with':
      return actual.endsWith(wanted);
  }
}

const ownLabel = (labels: Labels, key: string): string | undefined =>
  Object.hasOwn(labels, key) ? labels[key] : undefined;

/** Selector texts kept parsed; the oldest leaves when a new one comes. */
const cacheBound = 256;
const parsed = new Map<string, SelectorNode>();

/** Evaluates a selector's text, which a schema has accepted before. A wrong text selects nothing. */
export function selectorMatches(text: string, labels: Labels): boolean {
  let selector = parsed.get(text);
  if (!selector) {
    const result = parseSelector(text);
    if ('error' in result) return false;
    selector = result.selector;
    if (parsed.size >= cacheBound) parsed.delete(parsed.keys().next().value!);
    parsed.set(text, selector);
  }
  return evaluateSelector(selector, labels);
}

class SyntaxAt extends Error {
  readonly position: number;
  constructor(position: number, message: string) {
    super(message);
    this.position = position;
  }
}

const keyPattern = /[A-Za-z0-9_][A-Za-z0-9_./-]*/y;
const wordOperators = /(contains|starts\s*with|ends\s*with|not\s*in|in)(?![A-Za-z0-9_./-])/y;

class Parser {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): SelectorNode {
    if (this.#text.trim() === '') return { kind: 'all' };
    const node = this.#or();
    this.#skipSpace();
    if (this.#at < this.#text.length) this.#fail(`expected '&&', '||' or the end`);
    return node;
  }

  #or(): SelectorNode {
    return this.#list('||', 'or', () => this.#list('&&', 'and', () => this.#not()));
  }

  #list(separator: string, kind: 'and' | 'or', part: () => SelectorNode): SelectorNode {
    const parts = [part()];
    while (this.#take(separator)) parts.push(part());
    return parts.length === 1 ? parts[0]! : { kind, of: parts };
  }

  #not(): SelectorNode {
    if (!this.#take('!')) return this.#unit();
    return this.#deeper(() => ({ kind: 'not', of: this.#not() }));
  }

  #unit(): SelectorNode {
    if (this.#take('(')) {
      const node = this.#deeper(() => this.#or());
      this.#expect(')');
      return node;
    }
    const key = this.#key();
    if (this.#take('(')) {
      if (key.text === 'has') {
        const label = this.#key();
        this.#expect(')');
        return { kind: 'has', key: label.text };
      }
      if (key.text !== 'all' && key.text !== 'global') {
        this.#fail(`unknown function '${key.text}' (known: all(), has(label))`, key.position);
      }
      this.#expect(')');
      return { kind: key.text };
    }
    return this.#operation(key.text);
  }

  #operation(key: string): SelectorNode {
    if (this.#take('==')) return { kind: 'compare', key, operator: '==', value: this.#string() };
    if (this.#take('!=')) return { kind: 'compare', key, operator: '!=', value: this.#string() };
    this.#skipSpace();
    switch (this.#match(wordOperators)?.replace(/\s+/g, '')) {
      case 'in':
        return { kind: 'set', key, negated: false, values: this.#set() };
      case 'notin':
        return { kind: 'set', key, negated: true, values: this.#set() };
      case 'contains':
        return { kind: 'compare', key, operator: 'contains', value: this.#string() };
      case 'startswith':
        return { kind: 'compare', key, operator: 'starts with', value: this.#string() };
      case 'endswith':
        return { kind: 'compare', key, operator: 'ends with', value: this.#string() };
      case undefined:
        break;
    }
    const hint = this.#text[this.#at] === '=' ? " ('=' is written '==')" : '';
    this.#fail(
      `expected '==', '!=', 'in', 'not in', 'contains', 'starts with' or 'ends with' after label '${key}'${hint}`,
    );
  }

  #set(): string[] {
    this.#expect('{');
    const values: string[] = [];
    if (this.#take('}')) return values;
    do values.push(this.#string());
    while (this.#take(','));
    this.#expect('}');
    return values;
  }

  #string(): string {
    this.#skipSpace();
    const quoteMark = this.#text[this.#at];
    if (quoteMark !== "'" && quoteMark !== '"') this.#fail('expected a value in quotes');
    const end = this.#text.indexOf(quoteMark, this.#at + 1);
    if (end < 0) this.#fail('this quote is never closed');
    const value = this.#text.slice(this.#at + 1, end);
    this.#at = end + 1;
    return value;
  }

  #key(): { text: string; position: number } {
    this.#skipSpace();
    const position = this.#at;
    const text = this.#match(keyPattern);
    if (text === undefined) this.#fail("expected a label, 'all()', 'has(label)' or '('");
    return { text, position };
  }

  #deeper(part: () => SelectorNode): SelectorNode {
    if (++this.#depth > maxSelectorDepth) this.#fail(`nested deeper than ${maxSelectorDepth}`);
    const node = part();
    this.#depth--;
    return node;
  }

  #expect(token: string): void {
    if (!this.#take(token)) this.#fail(`expected '${token}'`);
  }

  #take(token: string): boolean {
    this.#skipSpace();
    if (!this.#text.startsWith(token, this.#at)) return false;
    // A lone '!' must not eat the first half of '!='.
    if (token === '!' && this.#text[this.#at + 1] === '=') return false;
    this.#at += token.length;
    return true;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const text = pattern.exec(this.#text)?.[0];
    if (text !== undefined) this.#at += text.length;
    return text;
  }

  #skipSpace(): void {
    while (/\s/.test(this.#text[this.#at] ?? '')) this.#at++;
  }

  #fail(message: string, position = this.#at): never {
    throw new SyntaxAt(position, message);
  }
}
