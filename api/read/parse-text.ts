// A file's text (YAML, several documents; JSON is YAML too) → parsed documents whose problems know their line.
import {
  Composer,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Document,
  type Node as YamlNode,
  Parser,
} from 'yaml';
import { parsePath } from './findings.ts';
import { parseDocument, type ParsedDocument } from './parse-document.ts';

export interface TextDocument extends ParsedDocument {
  readonly file: string;
  /** The line of a field of this document, counted from 1 in the file. Keeps the document's text, not its tree. */
  readonly lineOf: (field: string) => number | undefined;
  /** The document could not be read as YAML: it may be any object of this file. */
  readonly unreadable?: true;
}

/** Larger files are refused: nobody writes them. */
const maxTextLength = 4 * 1024 * 1024;

/** Parses every document of a text; empty ones are left out. `kind: List` gives one entry an item. */
export function parseText(text: string, file: string): TextDocument[] {
  return [...parseTextInSteps(text, file)].flat();
}

/**
 * The same, a document (0.1 to 0.3 ms of ordinary size) a step: a file of many stalls nobody who rests between steps.
 * One document is one step, however large.
 */
export function* parseTextInSteps(text: string, file: string): Generator<readonly TextDocument[], void> {
  if (text.length > maxTextLength) {
    const message = `has ${text.length} characters; more than ${maxTextLength} are not read`;
    yield [unreadable(file, 'file', undefined, message)];
    return;
  }
  const lines = new LineCounter();
  let index = 0;
  let before: Document.Parsed | undefined;
  // One behind: whether a document is called by its number depends on whether there is a second one.
  for (const document of yamlDocuments(text, lines)) {
    if (before !== undefined) yield readDocument(before, `document ${++index}`, text, file, lines);
    before = document;
  }
  const last = index > 0 ? `document ${index + 1}` : 'document';
  if (before !== undefined) yield readDocument(before, last, text, file, lines);
}

/** @param call how problems name it when it does not name itself */
function readDocument(
  document: Document.Parsed,
  call: string,
  text: string,
  file: string,
  lines: LineCounter,
): TextDocument[] {
  const broken = document.errors[0];
  if (broken) {
    const { line } = lines.linePos(broken.pos[0]);
    return [unreadable(file, call, line, `not readable as YAML: ${broken.message.split('\n')[0]}`)];
  }
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    const line = lineAt(document, lines, '');
    return [unreadable(file, call, line, `not readable as YAML: ${(error as Error).message}`)];
  }
  if (value === null || value === undefined) return [];
  const [start, , end] = document.range;
  const itself = text.slice(start, end);
  const linesBefore = lines.linePos(start).line - 1;
  const one = (item: unknown, name: string, within: (field: string) => string): TextDocument => {
    const where = { file, call: name, lineOf: (field: string) => lineAt(document, lines, within(field)) };
    return {
      ...parseDocument(item, where),
      file,
      lineOf: (field) => lineInText(itself, linesBefore, within(field)),
    };
  };
  const items = listItems(value);
  if (!items) return [one(value, call, (field) => field)];
  return items.map((item, i) =>
    one(item, `${call}, item ${i + 1}`, (field) => (field === '' ? `items[${i}]` : `items[${i}].${field}`)),
  );
}

function unreadable(file: string, object: string, line: number | undefined, message: string): TextDocument {
  const problem = { file, ...(line !== undefined && { line }), object, field: '', message };
  return { problems: [problem], file, lineOf: () => line, unreadable: true };
}

/** Lazily, as the text is read. */
function yamlDocuments(text: string, lines: LineCounter): Generator<Document.Parsed> {
  const composer = new Composer({ lineCounter: lines, merge: true, prettyErrors: false });
  return composer.compose(new Parser(lines.addNewLine).parse(text)) as Generator<Document.Parsed>;
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
  for (const document of yamlDocuments(text, lines)) {
    const line = lineAt(document, lines, field);
    return line === undefined ? undefined : linesBefore + line;
  }
  return undefined;
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
