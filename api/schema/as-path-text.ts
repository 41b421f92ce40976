// Is a text a regular expression over AS paths? What it means to a path, the BGP library knows (bgp/policy); here is only
// what an operator is told before it is used. A test holds both readings together.

const MOST_PLACES = 64;
const MOST_CHARACTERS = 256;
const NUMBER = '[0-9]+(?![0-9.[(])';
const AS_OR_RANGE = `${NUMBER}(?:[ _]*-[ _]*${NUMBER})?`;
const TOKEN = new RegExp(
  `[ _]+|(?<number>${NUMBER})|(?<class>[[][ _]*(?:${AS_OR_RANGE}[ _]*)+\\])|[.^$|()*+?]`,
  'y',
);

/** Undefined for a good one; else what is wrong, as it reads on after the text. */
export function asPathFault(text: string): string | undefined {
  if (text.length > MOST_CHARACTERS) return `is longer than ${MOST_CHARACTERS} characters`;
  const wrong = (what: string, at: number) =>
    `is no expression over AS paths: ${what}, at character ${at + 1}`;
  let depth = 0;
  let places = 0;
  /** What may be repeated stands before; what begins an alternative; '$' was the last. */
  let before: 'unit' | 'start' | 'caret' | 'dollar' | 'open' = 'start';
  for (let at = 0; at < text.length; ) {
    TOKEN.lastIndex = at;
    const found = TOKEN.exec(text);
    if (found === null) return wrong(`'${text.slice(at, at + 12)}' cannot stand here`, at);
    const [token] = found;
    const { number, class: list } = found.groups!;
    const isUnit: boolean = number !== undefined || list !== undefined || token === '.' || token === '(';
    const cannot = wrong(`'${token}' cannot stand here`, at);
    if (before === 'dollar' && !/^[ _|]/.test(token)) return cannot;
    if (isUnit) {
      const bad = rangeFault(number ?? list ?? '');
      if (bad !== undefined) return wrong(bad, at);
      if (token === '(') depth++;
      else places++;
      before = token === '(' ? 'open' : 'unit';
    } else if (token === ')') {
      if (depth-- === 0) return cannot;
      before = 'unit';
    } else if (token === '|') {
      before = depth === 0 ? 'start' : 'open';
    } else if (token === '^') {
      if (before !== 'start') return cannot;
      before = 'caret';
    } else if (token === '$') {
      if (depth > 0) return cannot;
      before = 'dollar';
    } else if ('*+?'.includes(token) && before !== 'unit') {
      return cannot;
    }
    at += token.length;
  }
  if (depth > 0) return wrong("a '(' without its ')'", text.length);
  return places > MOST_PLACES ? `has more than ${MOST_PLACES} places for an AS` : undefined;
}

function rangeFault(text: string): string | undefined {
  const wrong = (text.match(/[0-9]+/g) ?? []).find(
    (digits) => !(Number(digits) >= 1 && Number(digits) <= 0xffffffff),
  );
  if (wrong !== undefined) return `${wrong} is no AS number`;
  for (const [, first, last] of text.matchAll(/([0-9]+)[ _]*-[ _]*([0-9]+)/g)) {
    if (Number(last) < Number(first)) return 'a range that ends before it begins';
  }
  return undefined;
}
