// Checks what pages say about code: the files and folders that they name exist, links lead somewhere, walks have as
// many files as they say, and docs/rules.md has every rule id that stands in the code, each once. Links to a heading name
// one that is there.
import { globSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { ROOMS } from './rooms-table.ts';

const RULES = 'docs/rules.md';
/** Letters and a number that are no rule: standards and checksums. */
const NO_RULES = /^(BGP|CRC|CVE|ISO|SHA|UTF)-/;
const ID = /\b[A-Z]{2,4}-\d{1,2}\b/g;
const RULE_ROW = /^\| ([A-Z]{2,4}-\d{1,2}[a-z]?) \|/gm;
const FILE = /(?<![\w/.*-])(?:[\w.-]+\/)*[\w-]+(?:\.[\w-]+)*\.(?:ts|sh|c)\b/g;
const FOLDER = /`([\w-]+(?:\/[\w-]+)+)\/?`/g;
const LINK = /\]\((?!https?:|#)([^)#\s]+)/g;

const ANCHOR = /\]\((?!https?:)([^)#\s]*)#([^)\s]+)\)/g;

const matches = (text: string, pattern: RegExp): Set<string> =>
  new Set([...text.matchAll(pattern)].map((match) => match[1] ?? match[0]));

/** Rule ids of the code that the page of rules does not have, each with the files that use it. */
export function unknownRules(page: string, code: ReadonlyMap<string, string>): string[] {
  const known = matches(page, ID);
  const users = new Map<string, string[]>();
  for (const [file, text] of code) {
    for (const id of matches(text, ID)) {
      if (!known.has(id) && !NO_RULES.test(id)) users.set(id, [...(users.get(id) ?? []), file]);
    }
  }
  return [...users].map(([id, files]) => `${RULES} does not have ${id}, used in ${files.join(', ')}`);
}

/** Rule ids that two rows have. */
export function doubledRules(page: string): string[] {
  const ids = [...page.matchAll(RULE_ROW)].map(([, id]) => id);
  return ids.filter((id, i) => ids.indexOf(id) < i).map((id) => `${RULES} has ${id} twice`);
}

/** Files, folders and links of a page that lead nowhere. A file may be named by the end of its path. */
export function deadReferences(page: string, text: string, paths: readonly string[]): string[] {
  const isThere = (name: string) => paths.some((path) => path === name || path.endsWith(`/${name}`));
  const isFolder = (name: string) => paths.some((path) => path.startsWith(`${name}/`));
  const files = [...matches(text, FILE)].filter((name) => !isThere(name));
  const folders = [...matches(text, FOLDER)].filter(
    (name) => ROOMS[name.slice(0, name.indexOf('/'))] !== undefined && !isFolder(name) && !isThere(name),
  );
  const links = [...matches(text, LINK)].filter(
    (link) => !paths.includes(normalize(join(dirname(page), link))),
  );
  return [...new Set([...files, ...folders, ...links])].map(
    (name) => `${page} names ${name}, which is not there`,
  );
}

/** Links to headings (`page.md#heading`, `#heading`) that the page does not have. texts: all pages by their paths. */
export function deadAnchors(page: string, texts: ReadonlyMap<string, string>): string[] {
  return [...(texts.get(page) ?? '').matchAll(ANCHOR)].flatMap(([, to = '', anchor = '']) => {
    const text = texts.get(to === '' ? page : normalize(join(dirname(page), to)));
    if (text === undefined || anchorsOf(text).has(anchor)) return [];
    return [`${page} links to ${to}#${anchor}, a heading that is not there`];
  });
}

/** Pages of docs/ that the index in README.md does not link to. */
export function unlisted(texts: ReadonlyMap<string, string>): string[] {
  const index = matches(texts.get('README.md') ?? '', LINK);
  return [...texts.keys()]
    .filter((page) => page.startsWith('docs/') && !index.has(page))
    .map((page) => `README.md does not list ${page}`);
}

/** As GitHub makes them: small letters, no punctuation, blanks are hyphens; a second heading of the same text gets -1. */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of text.replace(/^```[^]*?^```/gm, '').matchAll(/^#{1,6} (.+)$/gm)) {
    const anchor = heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-');
    let name = anchor;
    for (let count = 1; anchors.has(name); count++) name = `${anchor}-${count}`;
    anchors.add(name);
  }
  return anchors;
}

/** Walks: `**name** (count): files`. The count is that of the files, and none stands twice. */
export function miscounted(page: string, text: string): string[] {
  return [...text.matchAll(/^\*\*(.+?)\*\* \((\d+)\):([^]*?)(?:\n\n|$(?![^]))/gm)].flatMap(
    ([, name = '', count, walk = '']) => {
      const files = [...walk.matchAll(FILE)].map(([file]) => file);
      const twice = files.filter((file, i) => files.indexOf(file) < i);
      return [
        ...(files.length === Number(count)
          ? []
          : [`${page}: "${name}" has ${files.length} files, not ${count}`]),
        ...twice.map((file) => `${page}: "${name}" has ${file} twice`),
      ];
    },
  );
}

function main(): void {
  const exclude = ['node_modules', 'build', 'dist', 'coverage'];
  const paths = globSync('**/*', { exclude }).filter((path) => statSync(path).isFile());
  const pages = paths.filter((path) => path.endsWith('.md'));
  const texts = new Map(pages.map((page) => [page, readFileSync(page, 'utf8')]));
  const code = paths.filter((path) => path.endsWith('.ts') && !path.startsWith('scripts/'));
  const rules = texts.get(RULES) ?? '';
  const faults = [
    ...unknownRules(rules, new Map(code.map((path) => [path, readFileSync(path, 'utf8')]))),
    ...doubledRules(rules),
    ...unlisted(texts),
    ...[...texts].flatMap(([page, text]) => [
      ...deadReferences(page, text, paths),
      ...deadAnchors(page, texts),
      ...miscounted(page, text),
    ]),
  ];
  for (const fault of faults) console.error(fault);
  console.log(`docs: ${pages.length} pages checked, ${faults.length} faults`);
  process.exitCode = faults.length > 0 || pages.length === 0 ? 1 : 0;
}

if (import.meta.main) main();
