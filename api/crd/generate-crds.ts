// node api/crd/generate-crds.ts: writes manifests/crds/ anew from the schemas. crd.test.ts fails while they differ.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crdFiles } from './crd.ts';

const folder = join(import.meta.dirname, '..', '..', 'manifests', 'crds');
const files = crdFiles();
mkdirSync(folder, { recursive: true });
for (const name of readdirSync(folder)) if (!files.has(name)) rmSync(join(folder, name));
for (const [name, text] of files) writeFileSync(join(folder, name), text);
process.stdout.write(`${files.size} files in manifests/crds\n`);
