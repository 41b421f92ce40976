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
    return [
      { problems: [{ file, object: 'file', field: '', message }], lineOf: () => undefined, unreadable: true },
    ];
  }
  const { documents, lines } = parseYaml(text);
  return documents.flatMap((document, index): TextDocument[] => {
    const call = documents.length > 1 ? `document ${index + 1}` : 'document';
    const broken = document.errors[0];
    if (broken) {
      const line = lines.linePos(broken.pos[0]).line;
      const message = `not readable as YAML: ${broken.message.split('\n')[0]}`;
      return [
        {
          problems: [{ file, line, object: call, field: '', message }],
          lineOf: () => line,
          unreadable: true,
        },
      ];
    }
    const lineOf = (field: string) => lineInText(text, index, field);
    let value: unknown;
    try {
      value = document.toJS({ maxAliasCount: 100 });
    } catch (error) {
      const message = `not readable as YAML: ${(error as Error).message}`;
      return [
        {
          problems: [{ file, line: lineOf('') ?? 1, object: call, field: '', message }],
          lineOf,
          unreadable: true,
        },
      ];
    }
    if (value === null || value === undefined) return [];
    const items = listItems(value);
    if (!items) {
      const where = { file, call, lineOf: (field: string) => lineAt(document, lines, field) };
      return [{ ...parseDocument(value, where), lineOf }];
    }
    return items.map((item, i) => {
      const inItem = (field: string) => (field === '' ? `items[${i}]` : `items[${i}].${field}`);
      const where = {
        file,
        call: `${call}, item ${i + 1}`,
        lineOf: (field: string) => lineAt(document, lines, inItem(field)),
      };
      return { ...parseDocument(item, where), lineOf: (field: string) => lineOf(inItem(field)) };
    });
  });
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
