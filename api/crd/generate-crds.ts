// node api/crd/generate-crds.ts: writes manifests/crds/ and docs/reference.md anew from the schemas. crd.test.ts and
// reference.test.ts fail while they differ.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crdFiles } from './crd.ts';
import { fieldReference } from './reference.ts';

const folder = join(import.meta.dirname, '..', '..', 'manifests', 'crds');
const files = crdFiles();
mkdirSync(folder, { recursive: true });
for (const name of readdirSync(folder)) if (!files.has(name)) rmSync(join(folder, name));
for (const [name, text] of files) writeFileSync(join(folder, name), text);
const docs = join(import.meta.dirname, '..', '..', 'docs');
writeFileSync(join(docs, 'reference.md'), fieldReference(readFileSync(join(docs, 'calico.md'), 'utf8')));
process.stdout.write(`${files.size} files in manifests/crds, and docs/reference.md\n`);
