// The table of documents that test/kubernetes/documents.test.ts gives to an API server, given to our own reader.
import assert from 'node:assert/strict';
import { documentCases, documentOf } from '../testing/documents/index.ts';
import { ourKinds } from '../kinds/resources.ts';
import { parseDocument } from './parse-document.ts';

describe('the table of documents', () => {
  for (const kind of Object.keys(ourKinds)) {
    it(`is read as it says: ${kind}`, () => {
      const cases = documentCases.filter((one) => one.kind === kind);
      assert.ok(cases.length > 0);
      const wrong = cases.filter(
        ({ spec, isTakenBy }) =>
          (parseDocument(documentOf(cases[0]!.kind, spec)).resource !== undefined) !== isTakenBy.validate,
      );
      assert.deepEqual(
        wrong.map(({ about }) => about),
        [],
      );
    });
  }
});
