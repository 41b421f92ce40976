// Generated parts of pages: the text between <!-- NAME:begin --> and <!-- NAME:end --> is replaced.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Appends the part, under `heading`, when the page does not have it yet; makes the page when there is none. */
export function writeBetweenMarkers(page: string, name: string, heading: string, text: string): void {
  const begin = `<!-- ${name}:begin -->`;
  const end = `<!-- ${name}:end -->`;
  const part = `${begin}\n${text.trim()}\n${end}`;
  mkdirSync(dirname(page), { recursive: true });
  const old = existsSync(page) ? readFileSync(page, 'utf8') : '';
  const from = old.indexOf(begin);
  const to = old.indexOf(end);
  if (from >= 0 && to > from) {
    writeFileSync(page, old.slice(0, from) + part + old.slice(to + end.length));
    return;
  }
  const separator = old === '' || old.endsWith('\n\n') ? '' : '\n';
  writeFileSync(page, `${old}${separator}${heading}\n\n${part}\n`);
}
