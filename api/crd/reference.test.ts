import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type OurKind, ourKinds } from '../kinds/resources.ts';
import { crd } from './crd.ts';
import { fieldReference, rowsOf } from './reference.ts';

const docs = join(import.meta.dirname, '..', '..', 'docs');

describe('the page of fields', () => {
  it('is what node api/crd/generate-crds.ts writes', () => {
    const page = readFileSync(join(docs, 'reference.md'), 'utf8');
    assert.equal(page, fieldReference(readFileSync(join(docs, 'calico.md'), 'utf8')));
  });

  for (const kind of Object.keys(ourKinds) as OurKind[]) {
    it(`says of every field of ${kind} what it means, as kubectl explain does`, () => {
      const { spec, ...rest } = crd(kind).spec.versions[0]!.schema.openAPIV3Schema.properties;
      const rows = [spec, ...('status' in rest ? [rest.status!] : [])].flatMap((schema) => rowsOf(schema));
      const silent = rows.filter(({ schema }) => !schema.description).map(({ path }) => path);
      assert.deepEqual(silent, []);
    });
  }
});
