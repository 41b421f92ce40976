// docs/calico.md says of every field what becomes of it: what the reader knows and the page does not is a fault.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { impliedByCalico } from '../kinds/implied.ts';
import { type OurKind, ourKinds } from '../kinds/resources.ts';
import { calicoNodeTop } from './calico.ts';
import { unwrap } from './findings.ts';
import { findNotYet } from './not-yet.ts';

const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'calico.md'), 'utf8');
const section = (title: string): string => page.split(`\n${title}\n`)[1]?.split(/\n##+ /)[0] ?? '';
/** Field → what becomes of it, of the table of a kind. */
const tableOf = (kind: string) =>
  new Map(
    [...section(`### ${kind}`).matchAll(/^\| `([^`]+)` \| ([^|]+?) \| (.*?) ?\|$/gm)].map(
      ([, field = '', verdict = '', why = '']) => [field, { verdict, why }],
    ),
  );

/** Leaves of a schema: 'password.secretKeyRef.key', 'communities[].name'. */
function leaves(schema: z.ZodType, path = ''): string[] {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodObject) {
    return Object.entries(inner.shape as Record<string, z.ZodType>).flatMap(([name, part]) =>
      leaves(part, path === '' ? name : `${path}.${name}`),
    );
  }
  if (inner instanceof z.ZodArray) {
    const item = unwrap(inner.element as z.ZodType);
    return item instanceof z.ZodObject ? leaves(item, `${path}[]`) : [path];
  }
  return [path];
}

const calicoKinds = (Object.keys(ourKinds) as OurKind[]).filter((kind) => ourKinds[kind].calico);
/** The four lists of a filter have the same fields. */
const fieldsOf = (kind: OurKind): string[] => {
  const all = leaves(ourKinds[kind].spec as z.ZodType);
  return kind === 'BGPFilter' ? [...new Set(all.map((field) => field.replace(/^\w+V[46]\[\]\./, '')))] : all;
};
const ours = section('## Fields of podroute in the same kinds');
const oursOf = (kind: string) =>
  [...(new RegExp(`^\\| ${kind} \\| (.*) \\|$`, 'm').exec(ours)?.[1] ?? '').matchAll(/`([^`]+)`/g)].map(
    ([, field]) => field!,
  );

describe('the page about Calico’s documents', () => {
  for (const kind of calicoKinds) {
    it(`has every field of ${kind} that is read, and no other`, () => {
      const listed = [...tableOf(kind).keys(), ...oursOf(kind)];
      assert.deepEqual(listed.toSorted(), fieldsOf(kind).toSorted());
    });

    it(`says of each field of ${kind} whether it is honoured, as the warnings do`, () => {
      for (const [field, { verdict, why }] of tableOf(kind)) {
        assert.ok(['honoured', 'by other means', 'not honoured'].includes(verdict), `${field}: ${verdict}`);
        const isWarnedOf = findNotYet(kind, { spec: specWith(kind, field) }).length > 0;
        assert.equal(verdict === 'not honoured', isWarnedOf, `${kind} ${field}: ${verdict}, ${why}`);
        if (verdict === 'by other means') assert.notEqual(why, '', field);
      }
    });
  }

  it('has every field of Calico’s Node that is read', () => {
    const read = [
      ...leaves(calicoNodeTop.spec as z.ZodType),
      ...leaves(calicoNodeTop.status as z.ZodType).map((field) => `status.${field}`),
    ];
    const listed = tableOf('Node');
    for (const field of read) assert.equal(listed.get(field)?.verdict, 'honoured', field);
  });

  it('lists what such a document implies, as the reader has it', () => {
    const rows = [
      ...section('## What such a document means beside what it says').matchAll(/^\| `(\w+)` \| (.*?) \|/gm),
    ];
    assert.deepEqual(
      rows.map(([, field, value]) => [field, value]),
      impliedByCalico.BGPPeer.map(({ field, value }) => [
        field,
        field === 'maxPrefixes'
          ? 'no limit'
          : field === 'gracefulRestart'
            ? '`Full`'
            : `\`${String(value)}\``,
      ]),
    );
  });
});

/** A spec in which a field has a value that asks for something. */
function specWith(kind: string, field: string): unknown {
  const path = kind === 'BGPFilter' ? `importV4[].${field}` : field;
  return path.split('.').reduceRight<unknown>((value, name) => {
    return name.endsWith('[]') ? { [name.slice(0, -2)]: [value] } : { [name]: value };
  }, 'something');
}
