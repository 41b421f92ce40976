import { deepEqual, ok } from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { validateOffline } from '#agent';
import { formatProblem } from '#api';
import { follow, Machine } from './testing/machine.ts';
import { blocksOf, readPage, stepsOf } from './testing/page.ts';

const PROJECT = resolve(import.meta.dirname, '../..');
const OURS = /^apiVersion: (podroute\.io|projectcalico\.org|v1$)/m;

describe('docs: documents', () => {
  it('of the page of examples are what podroute says of them', async () => {
    await using machine = new Machine('n1');
    await machine.setUp();
    await follow('examples.md', stepsOf(readPage('examples.md')), new Map([['n1', machine]]));
  });

  it('of every page are valid', async () => {
    const pages = globSync(['*.md', 'docs/*.md'], { cwd: PROJECT });
    const blocks = pages.flatMap((page) =>
      blocksOf(readFileSync(join(PROJECT, page), 'utf8'))
        .filter(({ language, text }) => language === 'yaml' && OURS.test(text))
        .map(({ line, text }) => ({ file: `${page}, block of line ${line}`, text })),
    );
    ok(blocks.length > 10, `only ${blocks.length} blocks found`);
    const faults: string[] = [];
    for (const block of blocks) {
      const { problems, unread } = await validateOffline([block]);
      faults.push(...problems.filter(({ severity }) => severity !== 'warning').map(formatProblem), ...unread);
    }
    deepEqual(faults, []);
  });
});
