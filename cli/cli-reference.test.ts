import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cliReference } from './cli-reference.ts';
import { program } from './program.ts';

describe('the page of commands', () => {
  it('is what node cli/generate-reference.ts writes', () => {
    const page = readFileSync(join(import.meta.dirname, '..', 'docs', 'cli.md'), 'utf8');
    assert.equal(page, cliReference(program()));
  });
});
