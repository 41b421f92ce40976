// A file's text (YAML, several documents; JSON is YAML too) → parsed documents whose problems know their line.
import { type Document, isMap, isScalar, isSeq, LineCounter, type Node as YamlNode } from 'yaml';
import { formatPath, parsePath } from './findings.ts';
import { isForeign, parseDocument, type ParsedDocument } from './parse-document.ts';
import { type DocumentText, nameInText, splitText } from './split-text.ts';
import { composeYaml, excessOf, oddities, type Oddity } from './yaml-reader.ts';
import { collections, identityOf, identityText, type Kind } from '../kinds/resources.ts';
import { objectOfOwnFile } from './document-files.ts';
import type { Problem } from '../schema/problem.ts';

/** What can be sent from one thread to another. */
export interface ReadDocument extends ParsedDocument {
  readonly file: string;
  readonly place: Place;
  /** The document could not be read as YAML: it may be any object of this file. */
  readonly unreadable?: true;
}

export interface TextDocument extends Omit<ReadDocument, 'place'> {
  /** The line of a field of this document, counted from 1 in the file. Keeps the document's text, not its tree. */
  readonly lineOf: (field: string) => number | undefined;
}

/** Where a document stands in its file. */
interface Place {
  /** Empty: not kept, because it is large, and a copy for each item of a List would go to the other thread. */
  readonly text: string;
  readonly linesBefore: number;
  /** 'items[3]' in a List. */
  readonly within: string;
  readonly line: number | undefined;
}

/** Larger files are refused: nobody writes them. */
export const MOST_FILE_BYTES = 4 * 1024 * 1024;
/** Of a document that is larger, only the line where it begins is known after it was read. */
const LARGE_DOCUMENT = 32 * 1024;
const MOST_PROBLEMS = 50;

/** Parses every document of a text; empty ones are left out. `kind: List` gives one entry an item. */
export function parseText(text: string, file: string): TextDocument[] {
  return [...parseTextInSteps(text, file)].flat();
}

/**
 * The same, a document (0.1 to 0.3 ms of ordinary size) a step: a file of many stalls nobody who rests between steps.
 * One document is one step, however large.
 */
export function* parseTextInSteps(text: string, file: string): Generator<readonly TextDocument[], void> {
  for (const some of readTextInSteps(text, file)) yield some.map(withLines);
}

/** As parseText, for another thread: withLines makes the documents whole. */
export function readText(text: string, file: string): ReadDocument[] {
  return [...readTextInSteps(text, file)].flat();
}

export function withLines({ place, ...document }: ReadDocument): TextDocument {
  const { text, linesBefore, within, line } = place;
  return {
    ...document,
    lineOf: (field) => {
      if (text === '') return line;
      return lineInText(text, linesBefore, pathWithin(within, field)) ?? line;
    },
  };
}

/** A file of which nothing is known but that it is there. */
export function unreadableFile(file: string, message: string): TextDocument {
  return withLines(inOwnFile(unreadable(file, { object: 'file', message })));
}

function* readTextInSteps(text: string, file: string): Generator<readonly ReadDocument[], void> {
  if (text.length > MOST_FILE_BYTES) {
    const message = `has more than ${MOST_FILE_BYTES} characters, and is not read`;
    yield [inOwnFile(unreadable(file, { object: 'file', message }))];
    return;
  }
  const parts = splitText(text);
  for (const [i, part] of parts.entries()) {
    const call = parts.length > 1 ? `document ${i + 1}` : 'document';
    yield readDocument(part, call, file).map(withFewProblems).map(inOwnFile);
  }
}

/** @param call how problems name it when it does not name itself */
function readDocument(part: DocumentText, call: string, file: string): ReadDocument[] {
  const { text, linesBefore, apiVersion, kind } = part;
  if (apiVersion !== undefined && kind !== undefined) {
    const ignored = isForeign(apiVersion, kind);
    const place = { text: '', linesBefore, within: '', line: linesBefore + 1 };
    if (ignored !== undefined) return [{ problems: [], ignored, file, place }];
  }
  const object = nameInText(part) ?? call;
  const refuse = (message: string, line = linesBefore + 1, more: Partial<Problem> = {}) => [
    unreadable(file, { object, message, line, ...more }),
  ];
  const excess = excessOf(text);
  if (excess !== undefined) return refuse(excess);
  const lines = new LineCounter();
  let document: Document.Parsed | undefined;
  let value: unknown;
  try {
    document = composeYaml(text, lines);
    const broken = document?.errors[0];
    if (broken?.message.startsWith('Maximum call stack')) throw new RangeError(broken.message);
    if (broken) {
      const { line, col } = lines.linePos(broken.pos[0]);
      const field = keyBefore(text, line);
      const message = `not readable as YAML: ${broken.message.split('\n')[0]}`;
      return refuse(message, linesBefore + line, { column: col, field });
    }
    value = document?.toJS({ maxAliasCount: 100 });
  } catch (error) {
    if (error instanceof RangeError) return refuse('not readable as YAML: is nested too deeply');
    // The name of an alias may be a password that begins with '*'.
    const message = (error as Error).message.replace(
      /^Unresolved alias.*/s,
      'a value that begins with "*" is an alias, and there is no anchor of its name; quote it if it is none',
    );
    return refuse(`not readable as YAML: ${message}`);
  }
  if (document === undefined || value === null || value === undefined) return [];
  const tree = document;
  const lineOf = (field: string) => {
    const line = lineAt(tree, lines, field);
    return line === undefined ? undefined : linesBefore + line;
  };
  const one = (item: unknown, node: unknown, name: string, within: string): ReadDocument => {
    const where = { file, call: name, lineOf: (field: string) => lineOf(pathWithin(within, field)) };
    const parsed = parseDocument(item, where);
    const kept = text.length > LARGE_DOCUMENT ? '' : text;
    const place = { text: kept, linesBefore, within, line: where.lineOf('') };
    const lineAtOffset = (offset: number) => linesBefore + lines.linePos(offset).line;
    return { ...withOddities(parsed, oddities(node), { ...where, lineAtOffset }), file, place };
  };
  const items = listItems(value);
  if (!items) return [one(value, tree.contents, call, '')];
  const list = isMap(tree.contents) ? (tree.contents.get('items', true) as unknown) : undefined;
  return items.map((item, i) =>
    one(item, isSeq(list) ? list.items[i] : undefined, `${call}, item ${i + 1}`, `items[${i}]`),
  );
}

const pathWithin = (within: string, field: string): string =>
  within === '' || field === '' ? within + field : `${within}.${field}`;

/** An error about a field goes before what else was found about it; with one, nothing is used. */
function withOddities(
  parsed: ParsedDocument,
  found: readonly Oddity[],
  where: {
    file: string;
    call: string;
    lineOf: (field: string) => number | undefined;
    lineAtOffset: (offset: number) => number;
  },
): ParsedDocument {
  if (found.length === 0 || parsed.ignored !== undefined) return parsed;
  const { identity, problems } = parsed;
  const object = problems[0]?.object ?? (identity ? identityText(identity) : where.call);
  const odd = found.map(({ path, offset, ...rest }): Problem => {
    const field = formatPath(path);
    const line = offset === undefined ? where.lineOf(field) : where.lineAtOffset(offset);
    return { file: where.file, ...(line !== undefined && { line }), object, field, ...rest };
  });
  const told = new Set(odd.flatMap(({ field, severity }) => (severity === undefined ? [field] : [])));
  const all = [...odd, ...problems.filter(({ field }) => !told.has(field))];
  if (told.size === 0) return { ...parsed, problems: all };
  return { ...(identity && { identity }), problems: all };
}

function withFewProblems(document: ReadDocument): ReadDocument {
  const { problems } = document;
  if (problems.length <= MOST_PROBLEMS) return document;
  const [first] = problems;
  const message = `and ${problems.length - MOST_PROBLEMS} problems more`;
  return { ...document, problems: [...problems.slice(0, MOST_PROBLEMS), { ...first!, field: '', message }] };
}

/** What agents write has one object a file, of the file's name: one that is no more than rubbish is no other's. */
function inOwnFile(document: ReadDocument): ReadDocument {
  const { kind, ...metadata } = objectOfOwnFile(document.file) ?? { kind: '', name: '' };
  if (document.identity !== undefined || document.ignored !== undefined || !Object.hasOwn(collections, kind))
    return document;
  return { ...document, identity: identityOf(kind as Kind, metadata) };
}

function unreadable(
  file: string,
  { field = '', ...rest }: Omit<Problem, 'file' | 'field'> & { field?: string },
): ReadDocument {
  const place = { text: '', linesBefore: 0, within: '', line: rest.line };
  return { problems: [{ file, field, ...rest }], file, place, unreadable: true };
}

/** The key that was being read when the text of a line made no sense. */
function keyBefore(text: string, line: number): string {
  const keys = text
    .split('\n', line)
    .map((one) => /^\s*(?:- +)*["']?([A-Za-z0-9_./-]+)["']?\s*:(?:\s|$)/.exec(one)?.[1]);
  return keys.findLast((key) => key !== undefined) ?? '';
}

/** What kubectl and calicoctl print for several objects. */
function listItems(value: unknown): unknown[] | undefined {
  const { kind, items } = value as { kind?: unknown; items?: unknown };
  return typeof kind === 'string' && kind.endsWith('List') && Array.isArray(items) ? items : undefined;
}

/**
 * Parses once more: asked only for the few problems that are found after reading.
 *
 * @param text of one document
 */
function lineInText(text: string, linesBefore: number, field: string): number | undefined {
  const lines = new LineCounter();
  const document = composeYaml(text, lines);
  const line = document && lineAt(document, lines, field);
  return line === undefined ? undefined : linesBefore + line;
}

/** The line of the field's key (of its value inside a list), else of the nearest field around it. */
function lineAt(document: Document.Parsed, lines: LineCounter, field: string): number | undefined {
  let node = document.contents as YamlNode | null;
  let offset = node?.range?.[0];
  for (const key of parsePath(field)) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(key));
      if (!pair) break;
      offset = (pair.key as YamlNode).range?.[0] ?? offset;
      node = pair.value as YamlNode | null;
    } else if (isSeq(node) && typeof key === 'number' && node.items[key] !== undefined) {
      node = node.items[key] as YamlNode;
      offset = node.range?.[0] ?? offset;
    } else break;
  }
  return offset === undefined ? undefined : lines.linePos(offset).line;
}
