// The table of documents that test/kubernetes/documents.test.ts gives to an API server, given to our own reader.
import assert from 'node:assert/strict';
import { documentCases, documentOf } from '../testing/documents/index.ts';
import { ourKinds } from '../kinds/resources.ts';
import { parseDocument } from './parse-document.ts';
import { validateTexts } from './validate-texts.ts';

const isError = ({ severity }: { readonly severity?: string }) => severity !== 'warning';

interface InSecret {
  readonly secretKeyRef: { readonly name: string; readonly key: string };
}
interface NamesProfile {
  readonly profile?: string;
}

/** What the document refers to, and what makes a pool with a tunnel one that is used. */
function besides(spec: unknown): object[] {
  const { password, nodeMeshPassword, authentication, bfd, nodeMeshBFD, filters, ...rest } = spec as {
    readonly password?: InSecret;
    readonly nodeMeshPassword?: InSecret;
    readonly authentication?: { readonly keyFrom: InSecret };
    readonly bfd?: NamesProfile;
    readonly nodeMeshBFD?: NamesProfile;
    readonly filters?: readonly string[];
    readonly ipipMode?: string;
    readonly vxlanMode?: string;
  };
  const sets = namedSets(spec);
  const secrets = [password, nodeMeshPassword, authentication?.keyFrom].flatMap(
    (one) => one?.secretKeyRef ?? [],
  );
  const profiles = [bfd, nodeMeshBFD].flatMap((one) => one?.profile ?? []);
  return [
    ...secrets.map(({ name, key }) => ({
      ...{ apiVersion: 'v1', kind: 'Secret', metadata: { name } },
      stringData: { [key]: 'x' },
    })),
    ...profiles.map((name) => ({ ...documentOf('BFDProfile', {}), metadata: { name } })),
    ...(filters ?? []).map((name) => ({ ...documentOf('BGPFilter', {}), metadata: { name } })),
    ...([rest.ipipMode, rest.vxlanMode].includes('Always')
      ? [
          {
            ...documentOf('BGPConfiguration', { encapsulatedPools: 'Unencapsulated' }),
            metadata: { name: 'default' },
          },
        ]
      : []),
    ...(sets.prefixSets.length + sets.communitySets.length > 0
      ? [{ ...documentOf('BGPConfiguration', sets), metadata: { name: 'default' } }]
      : []),
  ];
}

/** Of those that rules name. */
function namedSets(spec: unknown) {
  const text = JSON.stringify(spec);
  const named = (pattern: RegExp) => [...new Set([...text.matchAll(pattern)].map(([, name]) => name))];
  return {
    prefixSets: named(/"prefixSet":"([^"]+)"/g).map((name) => ({ name, prefixes: [] })),
    communitySets: named(/"set:([^"]+)"/g).map((name) => ({ name, values: [] })),
  };
}

const errorsOf = (...documents: readonly object[]) =>
  validateTexts([{ file: 'a.yaml', text: documents.map((one) => JSON.stringify(one)).join('\n---\n') }])
    .problems.filter(isError)
    .map(({ object, field, message }) => `${object} ${field} ${message}`);

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

  it('is taken by validate as a whole, too, with what the documents refer to beside them', () => {
    const good = documentCases.filter(({ isTakenBy }) => isTakenBy.validate);
    const wrong = good.flatMap(({ kind, spec, about }) => {
      const errors = errorsOf(documentOf(kind, spec), ...besides(spec));
      return errors.length === 0 ? [] : [`${kind} ${about}: ${errors.join()}`];
    });
    assert.deepEqual(wrong, []);
  });

  it('has of what stands in other objects no more than that: a Secret, a BGPFilter, a BFDProfile, sets, what says that tunnels are done without', () => {
    const alone = documentCases
      .filter(({ isTakenBy }) => isTakenBy.validate)
      .filter(({ kind, spec }) => errorsOf(documentOf(kind, spec)).length > 0);
    assert.ok(alone.length > 10);
    for (const { spec, about } of alone) assert.notDeepEqual(besides(spec), [], about);
  });
});
