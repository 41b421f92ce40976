// node cli/generate-reference.ts: writes docs/cli.md anew from the tree of commands. cli-reference.test.ts fails while they
// differ.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cliReference } from './cli-reference.ts';
import { program } from './program.ts';

writeFileSync(join(import.meta.dirname, '..', 'docs', 'cli.md'), cliReference(program()));
