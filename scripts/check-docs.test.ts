import { deepEqual } from 'node:assert/strict';
import {
  deadAnchors,
  deadReferences,
  doubledRules,
  miscounted,
  unknownRules,
  unlisted,
} from './check-docs.ts';

describe('check-docs', () => {
  it('finds rule ids of the code that the page does not have', () => {
    const code = new Map([
      ['bgp/a.ts', '// FSM-9: ask the socket first (UTF-8, BGP-4, CVE-2023-1, RFC 4271)'],
      ['bgp/b.ts', '// TX-4 and FSM-9'],
    ]);
    deepEqual(unknownRules('| FSM-9 | asks first |', code), [
      'docs/rules.md does not have TX-4, used in bgp/b.ts',
    ]);
  });

  it('finds rule ids that two rows have', () => {
    const rows = ['GR-7', 'TX-3', 'TX-3a', 'GR-7'].map((id) => `| ${id} | beside GR-7 |`);
    deepEqual(doubledRules(rows.join('\n')), ['docs/rules.md has GR-7 twice']);
  });

  it('finds files and folders that a page names and that are not there', () => {
    const paths = ['bgp/rib/in/import.ts', 'scripts/check.sh', 'docs/rules.md'];
    const dead = (text: string) => deadReferences('docs/page.md', text, paths);
    deepEqual(
      dead('in/import.ts, `bgp/rib/in/import.ts`, `bgp/rib/`, scripts/check.sh, [rules](rules.md)'),
      [],
    );
    deepEqual(dead('see out/import.ts, `agent/store`, `cluster/thing`, [more](../rules.md#a), *.test.ts'), [
      'docs/page.md names out/import.ts, which is not there',
      'docs/page.md names agent/store, which is not there',
      'docs/page.md names ../rules.md, which is not there',
    ]);
  });

  it('finds links to headings that are not there', () => {
    const texts = new Map([
      [
        'docs/a.md',
        '# A page\n[b](b.md#who-can-do-what), [c](b.md#who), [d](#a-page), [e](b.md), [f](b.md#x-1)',
      ],
      [
        'docs/b.md',
        '## Who can: do what?\n```\n## who\n```\n## x\n## x\n[up](../README.md#use), [gone](#x-2)',
      ],
      ['README.md', '## Use'],
    ]);
    deepEqual(deadAnchors('docs/a.md', texts), ['docs/a.md links to b.md#who, a heading that is not there']);
    deepEqual(deadAnchors('docs/b.md', texts), ['docs/b.md links to #x-2, a heading that is not there']);
  });

  it('finds pages that the index leaves out', () => {
    const texts = new Map([
      ['README.md', '- [docs/a.md](docs/a.md): a\n- [b](docs/b.md#x)'],
      ['docs/a.md', ''],
      ['docs/c.md', ''],
    ]);
    deepEqual(unlisted(texts), ['README.md does not list docs/c.md']);
  });

  it('counts the files of a walk', () => {
    const walk = (count: number, files: string) =>
      `Text.\n\n**In and out** (${count}): ${files}.\n\nbgp/more.ts`;
    deepEqual(miscounted('docs/page.md', walk(3, 'a/b.ts,\na/c.c; and\na/d.ts')), []);
    deepEqual(miscounted('docs/page.md', walk(2, 'a/b.ts, a/c.c, a/b.ts')), [
      'docs/page.md: "In and out" has 3 files, not 2',
      'docs/page.md: "In and out" has a/b.ts twice',
    ]);
  });
});
