// One document's YAML as kubectl reads it (sigs.k8s.io/yaml: the words and octal numbers of YAML 1.1, no sexagesimals or
// dates), within limits, and what in it is not what its writer meant. Bounds: aliases, values, keys of one map.
import { Composer, isMap, isScalar, isSeq, type LineCounter, Parser, Scalar, type ScalarTag } from 'yaml';
import type { Document, Tags } from 'yaml';
import { isSecret, type Path } from './findings.ts';

const MOST_ALIASES = 100;
const MOST_VALUES = 200_000;
const MOST_KEYS = 2_000;

/** What a document has too much of, from its text alone: reading it would take too long. */
export function excessOf(text: string): string | undefined {
  const values = count(text, /[\n,]/g);
  if (values > MOST_VALUES) return `has ${values} values; more than ${MOST_VALUES} are not read`;
  const aliases = count(text, /(?:^|[\s,[{:])\*[^\s,[\]{}*]/gm);
  return aliases > MOST_ALIASES
    ? `has ${aliases} aliases; more than ${MOST_ALIASES} are not read`
    : undefined;
}

function count(text: string, what: RegExp): number {
  let found = 0;
  while (what.test(text)) found++;
  return found;
}

/** Throws RangeError on one that is nested too deeply. */
export function composeYaml(text: string, lines: LineCounter): Document.Parsed | undefined {
  const composer = new Composer({
    lineCounter: lines,
    merge: true,
    prettyErrors: false,
    // Else the library writes keys that are maps to stderr: oddities tells of them, without their text.
    logLevel: 'error',
    // Each key is compared with each: oddities finds them in one walk.
    uniqueKeys: false,
    customTags: kubectlTags,
  });
  const documents = composer.compose(new Parser(lines.addNewLine).parse(text)) as Generator<Document.Parsed>;
  return documents.next().value;
}

const TRUE_WORDS = 'y|Y|yes|Yes|YES|true|True|TRUE|on|On|ON';
const FALSE_WORDS = 'n|N|no|No|NO|false|False|FALSE|off|Off|OFF';
const isTrue = new RegExp(`^(?:${TRUE_WORDS})$`);

/** A Scalar keeps what was written. */
const scalar = (tag: string, test: RegExp, read: (text: string) => unknown): ScalarTag => ({
  tag: `tag:yaml.org,2002:${tag}`,
  default: true,
  test,
  resolve: (text) => new Scalar(read(text)),
});

const octal = /^[-+]?0_*[0-7][0-7_]*$/;
const sign = (text: string): number => (text.startsWith('-') ? -1 : 1);
const digits = (text: string): string => text.replace(/^[-+]/, '').replaceAll('_', '');

const words: readonly ScalarTag[] = [
  scalar('bool', new RegExp(`^(?:${TRUE_WORDS}|${FALSE_WORDS})$`), (text) => isTrue.test(text)),
  scalar('int', octal, (text) => sign(text) * Number.parseInt(digits(text), 8)),
  scalar('int', /^[-+]?0b[01_]+$/, (text) => sign(text) * Number.parseInt(digits(text).slice(2), 2)),
  scalar('int', /^[-+]?[1-9][0-9]*_[0-9_]*$/, (text) => sign(text) * Number(digits(text))),
];

const kubectlTags = (tags: Tags): Tags => [...words, ...tags];

/** Something that is not as it looks. */
export interface Oddity {
  readonly path: Path;
  readonly value?: unknown;
  readonly message: string;
  readonly severity?: 'warning';
  /** In the document's text, where its path does not lead to it. */
  readonly offset?: number;
}

/** Of all that is below a node. */
export function oddities(node: unknown, path: Path = [], found: Oddity[] = []): Oddity[] {
  if (isMap(node)) {
    const keys = new Set<string>();
    for (const { key, value } of node.items) {
      if (isMap(key) || isSeq(key)) {
        const message = 'has a map or list for a key: is it a template {{ … }} that nobody filled in?';
        found.push({ path, message, ...(key.range && { offset: key.range[0] }) });
        continue;
      }
      const name = String(isScalar(key) ? (key.source ?? key.value) : key);
      // '<<' may be there more than once, and stands for other keys.
      if (keys.has(name) && name !== '<<') {
        const offset = isScalar(key) ? key.range?.[0] : undefined;
        const message = 'is there twice';
        found.push({ path: [...path, name], message, ...(offset !== undefined && { offset }) });
      }
      keys.add(name);
      oddities(value, [...path, name], found);
    }
    if (keys.size > MOST_KEYS) {
      found.push({ path, message: `has ${keys.size} keys; more than ${MOST_KEYS} are not read` });
    }
  } else if (isSeq(node)) node.items.forEach((item, i) => oddities(item, [...path, i], found));
  else if (isScalar(node)) found.push(...ofScalar(node, path));
  return found;
}

/** Where passwords stand, or where people write them: no value from there is shown. */
function isSecretPlace(path: Path): boolean {
  return isSecret(path) || path[0] === 'stringData' || path[0] === 'data';
}

function ofScalar(node: Scalar, path: Path): Oddity[] {
  const { tag, source = '', value } = node;
  // '!has(x)' is YAML for a value with the tag "has(x)", of which nothing is left.
  if (tag?.startsWith('!') && !tag.startsWith('!!')) {
    const meant = JSON.stringify(`${tag} ${String(value)}`.trim());
    const quoted = isSecretPlace(path) ? '' : `: ${meant}`;
    return [{ path, message: `begins with "!", which YAML takes for a tag; quote it${quoted}` }];
  }
  if (node.type !== 'PLAIN' || typeof value !== 'number' || !octal.test(source) || Number(source) === value) {
    return [];
  }
  if (isSecretPlace(path))
    return [{ path, message: 'is the octal way to write a number; quote it', severity: 'warning' }];
  const message = `is the octal way to write ${value}, and is read so, as kubectl does; write ${value}, or ${Number(source)} if that is meant`;
  return [{ path, value: source, message, severity: 'warning' }];
}
