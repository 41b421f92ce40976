// A file's text (YAML, several documents; JSON is YAML too) → parsed documents whose problems know their line.
import {
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Document,
  type Node as YamlNode,
  parseAllDocuments,
} from 'yaml';
import { parsePath } from './field-path.ts';
import { parseDocument, type ParsedDocument } from './parse-document.ts';

export interface TextDocument extends ParsedDocument {
  readonly file: string;
  /** The line of a field of this document, counted from 1 in the file. Keeps the file's text, not its tree. */
  readonly lineOf: (field: string) => number | undefined;
  /** The document could not be read as YAML: it may be any object of this file. */
  readonly unreadable?: true;
}

/** Larger files are refused: nobody writes them, and reading one would stall the agent. */
export const maxTextLength = 4 * 1024 * 1024;

/** Parses every document of a text; empty ones are left out. `kind: List` gives one entry an item. */
export function parseText(text: string, file: string): TextDocument[] {
  if (text.length > maxTextLength) {
    const message = `has ${text.length} characters; more than ${maxTextLength} are not read`;
    return [unreadable(file, 'file', undefined, message)];
  }
  const { documents, lines } = parseYaml(text);
  return documents.flatMap((document, index): TextDocument[] => {
    const call = documents.length > 1 ? `document ${index + 1}` : 'document';
    const broken = document.errors[0];
    if (broken) {
      const line = lines.linePos(broken.pos[0]).line;
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
    const one = (item: unknown, name: string, within: (field: string) => string): TextDocument => {
      const where = { file, call: name, lineOf: (field: string) => lineAt(document, lines, within(field)) };
      return {
        ...parseDocument(item, where),
        file,
        lineOf: (field) => lineInText(text, index, within(field)),
      };
    };
    const items = listItems(value);
    if (!items) return [one(value, call, (field) => field)];
    return items.map((item, i) =>
      one(item, `${call}, item ${i + 1}`, (field) => (field === '' ? `items[${i}]` : `items[${i}].${field}`)),
    );
  });
}

function unreadable(file: string, object: string, line: number | undefined, message: string): TextDocument {
  const problem = { file, ...(line !== undefined && { line }), object, field: '', message };
  return { problems: [problem], file, lineOf: () => line, unreadable: true };
}

function parseYaml(text: string) {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines, merge: true, prettyErrors: false });
  return { documents: 'empty' in documents ? [] : (documents as Document.Parsed[]), lines };
}

/** What kubectl and calicoctl print for several objects. */
function listItems(value: unknown): unknown[] | undefined {
  const { kind, items } = value as { kind?: unknown; items?: unknown };
  return typeof kind === 'string' && kind.endsWith('List') && Array.isArray(items) ? items : undefined;
}

/** Parses once more: asked only for the few problems that are found after reading. */
function lineInText(text: string, index: number, field: string): number | undefined {
  const { documents, lines } = parseYaml(text);
  const document = documents[index];
  return document && lineAt(document, lines, field);
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
