import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crd, crdFiles } from './crd.ts';
import { parseDocument } from '../read/parse-document.ts';
import { formatProblem } from '../schema/problem.ts';
import { type OurKind, ourKinds } from '../kinds/resources.ts';

const folder = join(import.meta.dirname, '..', '..', 'manifests', 'crds');
const names = Object.keys(ourKinds) as OurKind[];

type Schema = Record<string, unknown> & {
  properties?: Record<string, Schema>;
  items?: Schema;
  additionalProperties?: Schema | boolean;
};

function* nodesOf(schema: Schema, path: string): Generator<[string, Schema]> {
  yield [path, schema];
  for (const [name, part] of Object.entries(schema.properties ?? {})) yield* nodesOf(part, `${path}.${name}`);
  if (schema.items) yield* nodesOf(schema.items, `${path}[]`);
  if (typeof schema.additionalProperties === 'object')
    yield* nodesOf(schema.additionalProperties, `${path}.*`);
}

/** As the API server does when it stores an object. */
function setDefaults(value: unknown, schema: Schema): void {
  if (Array.isArray(value)) for (const item of value) setDefaults(item, schema.items ?? {});
  if (typeof value !== 'object' || value === null) return;
  const object = value as Record<string, unknown>;
  for (const [name, part] of Object.entries(schema.properties ?? {})) {
    if (object[name] === undefined && 'default' in part) object[name] = structuredClone(part['default']);
    setDefaults(object[name], part);
  }
}

/** Of all annotations of an object; kubectl apply puts the whole CRD into one. */
const MOST_ANNOTATED = 262_144;

describe('the CRDs in manifests/crds', () => {
  it('leave kubectl apply a quarter of the room that it has for what it applied last', () => {
    for (const name of names) {
      const { length } = JSON.stringify(crd(name));
      assert.ok(length < 0.75 * MOST_ANNOTATED, `${name}: ${length}`);
    }
  });

  it('are what the schemas say (else run: node api/crd/generate-crds.ts)', () => {
    const committed = new Map(
      readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
    );
    assert.deepEqual([...committed.keys()].sort(), [...crdFiles().keys()].sort());
    for (const [name, text] of crdFiles()) assert.equal(committed.get(name), text, `${name} is stale`);
  });

  for (const kind of names) {
    const definition = crd(kind);
    const [version] = definition.spec.versions;
    const schema = version!.schema.openAPIV3Schema as unknown as Schema;

    it(`${kind}: the schema is structural: every node has one type, nothing is any-of, unknown fields are pruned`, () => {
      for (const [path, node] of nodesOf(schema, kind)) {
        assert.ok(
          typeof node.type === 'string' || node['x-kubernetes-int-or-string'] === true,
          `${path} has no type: ${JSON.stringify(node)}`,
        );
        for (const word of [
          'anyOf',
          'oneOf',
          'allOf',
          'nullable',
          '$ref',
          'not',
          'const',
          'exclusiveMinimum',
        ]) {
          assert.ok(!(word in node), `${path} has ${word}`);
        }
        assert.notEqual(node.additionalProperties, false, path);
      }
    });

    it(`${kind}: every text and list that rules look at is bounded, so that their cost is`, () => {
      for (const [path, node] of nodesOf(schema.properties!.spec!, 'spec')) {
        if (node.type === 'array') assert.ok(typeof node.maxItems === 'number', `${path} has no maxItems`);
        if (node.type === 'string' && !node.enum) {
          assert.ok(typeof node.maxLength === 'number', `${path} has no maxLength`);
        }
      }
    });

    it(`${kind}: every rule says in words what it wants`, () => {
      for (const [path, node] of nodesOf(schema, kind)) {
        for (const rule of (node['x-kubernetes-validations'] ?? []) as { rule: string; message?: string }[]) {
          assert.ok(rule.message && rule.message.length < 2048, `${path}: ${rule.rule}`);
        }
      }
    });

    it(`${kind}: every column shows a field that exists`, () => {
      const paths = new Set([...nodesOf(schema, '')].map(([path]) => path));
      for (const { jsonPath } of version!.additionalPrinterColumns) {
        // An item of a list that is chosen by its type.
        const path = jsonPath.replace(/\[\?\(.*?\)\]/, '[]');
        if (!jsonPath.startsWith('.metadata')) assert.ok(paths.has(path), jsonPath);
      }
    });
  }

  it('set defaults that give no warning: the operator did not write them', () => {
    for (const [kind, spec] of [
      ['BGPConfiguration', {}],
      ['BGPPeer', { peerIP: '10.0.0.1', asNumber: 65000 }],
      ['BGPFilter', { importV4: [{ action: 'Accept' }] }],
      ['BFDProfile', {}],
      ['IPPool', { cidr: '10.0.0.0/16' }],
      ['IPReservation', {}],
    ] as const) {
      const schema = crd(kind).spec.versions[0]!.schema.openAPIV3Schema as unknown as Schema;
      const stored = {
        apiVersion: 'podroute.io/v1',
        kind,
        metadata: { name: 'x' },
        spec: structuredClone(spec),
      };
      setDefaults(stored, schema);
      const { resource, problems } = parseDocument(stored);
      assert.deepEqual(problems.map(formatProblem), []);
      const asWritten = parseDocument({ ...stored, spec }).resource;
      assert.deepEqual(resource, asWritten);
    }
  });

  it('have every default that we read, and say it in words: kubectl explain shows no others', () => {
    const { spec } = crd('BGPPeer').spec.versions[0]!.schema.openAPIV3Schema.properties as { spec: Schema };
    const { passive, connectRetryTime, maxPrefixes, filters } = spec.properties!;
    assert.equal(passive!['default'], false);
    assert.match(passive!['description'] as string, /Default: false\.$/);
    assert.match(connectRetryTime!['description'] as string, /Default: 5s\.$/);
    assert.deepEqual(maxPrefixes!['default'], {});
    assert.equal(maxPrefixes!.properties!['limit']!['default'], 10_000);
    assert.deepEqual(filters!['default'], []);
    const profile = crd('BFDProfile').spec.versions[0]!.schema.openAPIV3Schema.properties as { spec: Schema };
    assert.match(profile.spec.properties!['transmitInterval']!['description'] as string, /Default: 300ms\.$/);
  });

  it("write nothing into a BGPConfiguration: one of a node would hide the cluster's", () => {
    const { spec } = crd('BGPConfiguration').spec.versions[0]!.schema.openAPIV3Schema.properties as {
      spec: Schema;
    };
    for (const [name, field] of Object.entries(spec.properties!)) assert.ok(!('default' in field), name);
    assert.match(spec.properties!['listenPort']!['description'] as string, /Default: 179\.$/);
  });

  it('say what an IPPool may not change', () => {
    const rules = JSON.stringify(crd('IPPool'));
    assert.match(rules, /cidr cannot be changed/);
    assert.match(rules, /blockSize cannot be changed/);
  });
});
