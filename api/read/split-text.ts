// A file's text → the text of each document, with a glance at what it is, so that what is not ours is not read at all:
// other people's documents may be large, and wrong. Looks at lines only, and reads no YAML.

export interface DocumentText {
  readonly text: string;
  readonly linesBefore: number;
  /** As two lines of block style say it, or JSON does; undefined: not known without reading it. */
  readonly apiVersion?: string | undefined;
  readonly kind?: string | undefined;
}

/** '---' and '...' begin and end a document wherever they stand at a line's start, also in a block text (YAML 1.2 §9.2). */
const MARK = /^(?:---|\.\.\.)(?=\s|$)/gm;
/** What belongs to the document that follows it: directives, comments. */
const PRELUDE = /^(?:[ \t]*(?:[#%].*)?\r?\n)*$/;

/** Each document, also empty ones; nothing of a text that is blank. */
export function splitText(text: string): DocumentText[] {
  const starts: number[] = [0];
  for (const { 0: mark, index } of text.matchAll(MARK)) {
    if (mark === '...') {
      const end = text.indexOf('\n', index);
      if (end >= 0) starts.push(end + 1);
    } else if (!PRELUDE.test(text.slice(starts.at(-1), index))) starts.push(index);
  }
  let linesBefore = 0;
  const documents = starts.map((start, i) => {
    const part = text.slice(start, starts[i + 1]);
    const document = { text: part, linesBefore, ...kindIn(part) };
    for (let at = part.indexOf('\n'); at >= 0; at = part.indexOf('\n', at + 1)) linesBefore++;
    return document;
  });
  // After a last '...' or in an empty file there is none.
  return documents.filter(({ text: part }, i) => part.trim() !== '' || (i > 0 && i < documents.length - 1));
}

/** Shorter JSON is as quickly read as YAML, which knows the line of each field. */
const LARGE_JSON = 16 * 1024;

function kindIn(text: string): { apiVersion?: string | undefined; kind?: string | undefined } {
  const begin = /^(?:[ \t]*(?:[#%].*|---[ \t]*)?\r?\n)*[ \t]*(?:---[ \t]+)?/.exec(text)![0].length;
  if (text[begin] === '{') {
    if (text.length < LARGE_JSON) return {};
    try {
      const { apiVersion, kind } = JSON.parse(text) as Record<string, unknown>;
      return {
        ...(typeof apiVersion === 'string' && { apiVersion }),
        ...(typeof kind === 'string' && { kind }),
      };
    } catch {
      return {};
    }
  }
  return { apiVersion: wordAt(text, 'apiVersion'), kind: wordAt(text, 'kind') };
}

/** The value of a key at the start of a line, when there is one such line. */
function wordAt(text: string, key: string): string | undefined {
  const line = new RegExp(`^${key}[ \\t]*:[ \\t]+(["']?)([A-Za-z0-9./-]+)\\1[ \\t]*(?:#.*)?\\r?$`, 'gm');
  const found = [...text.matchAll(line)];
  return found.length === 1 ? found[0]![2] : undefined;
}

/** What a document that cannot be read seems to be: 'BGPPeer tor'. */
export function nameInText({ text, kind }: DocumentText): string | undefined {
  const name = /^metadata:(?:[^\n]*?[{,\s]|\s+(?:[^\n]*\n\s+)*?)name:[ \t]*["']?([a-z0-9.-]+)/m.exec(
    text,
  )?.[1];
  return kind === undefined || name === undefined ? undefined : `${kind} ${name}`;
}
