// CustomResourceDefinitions from the schemas of api/: names, OpenAPI with CEL rules, printer columns. Pure.
import { stringify } from 'yaml';
import { z } from 'zod';
import type { OpenApi } from '../schema/fields.ts';
import { group, type PrinterColumn } from '../schema/kind.ts';
import { DURATION_TEXT } from '../schema/patterns.ts';
import { type OurKind, ourKinds } from '../kinds/resources.ts';

const version = 'v1';
const header = '# Generated from api/ by `node api/crd/generate-crds.ts`. Do not edit.\n';

/** File name → text of every CRD. */
export function crdFiles(): Map<string, string> {
  return new Map(
    (Object.keys(ourKinds) as OurKind[]).map((kind) => [
      `${group}_${ourKinds[kind].plural}.yaml`,
      header + stringify(crd(kind), { lineWidth: 110, aliasDuplicateObjects: false }),
    ]),
  );
}

/** The CustomResourceDefinition of one kind as plain data. */
export function crd(kind: OurKind) {
  const { plural, singular, shortNames, description, columns, ...definition } = ourKinds[kind];
  const { storedDefaults } = definition as { readonly storedDefaults?: boolean };
  const status = definition.status as z.ZodType | undefined;
  const spec = specOpenApi(kind);
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}`, labels: { 'app.kubernetes.io/name': 'podroute' } },
    spec: {
      group,
      scope: 'Cluster',
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular,
        ...(shortNames.length > 0 && { shortNames }),
        categories: ['podroute'],
      },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          schema: {
            openAPIV3Schema: {
              type: 'object',
              description,
              required: ['spec'],
              properties: {
                apiVersion: { type: 'string' },
                kind: { type: 'string' },
                metadata: { type: 'object' },
                spec: explained(storedDefaults === false ? saysItself(spec) : spec),
                ...(status && { status: openApiOf(status) }),
              },
            },
          },
          ...(status && { subresources: { status: {} } }),
          additionalPrinterColumns: (columns as readonly PrinterColumn[]).map((column) => ({ ...column })),
        },
      ],
    },
  };
}

/** What may be written below spec, with every default. */
export const specOpenApi = (kind: OurKind): OpenApi => openApiOf(ourKinds[kind].spec as z.ZodType);

/** What the API server takes: a structural schema of what the operator may write. */
function openApiOf(schema: z.ZodType): OpenApi {
  const { $schema: _dialect, ...openApi } = z.toJSONSchema(schema, {
    target: 'openapi-3.0',
    io: 'input',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      // A structural schema prunes unknown fields by itself and refuses to be told so.
      if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
      // zod leaves out those of fields that it reads into something else; each of ours may be written as well.
      const { def } = zodSchema._zod;
      if (def.type === 'default' || def.type === 'prefault')
        jsonSchema.default = structuredClone(def.defaultValue);
    },
  }) as OpenApi;
  return openApi;
}

type Node = OpenApi & {
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
};

/** `kubectl explain` shows descriptions, and no defaults beside them. */
function explained(node: Node): Node {
  const { description = '', properties, items } = node;
  const value = shownDefault(node);
  const isSaid = value === undefined || /\bdefault\b/i.test(description);
  return {
    ...node,
    ...(!isSaid && { description: `${description} Default: ${value}.` }),
    ...(properties && { properties: mapValues(properties, explained) }),
    ...(items && { items: explained(items) }),
  };
}

/** An empty list, and what the fields of an object say themselves, needs no word. */
function shownDefault({ default: value, pattern }: Node): string | undefined {
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.join(', ');
  if (value === undefined || typeof value === 'object') return undefined;
  return `${value as string | number | boolean}${typeof value === 'number' && pattern === DURATION_TEXT ? 's' : ''}`;
}

/** Without the defaults of the object's own fields: what nobody wrote stays unsaid. */
function saysItself(node: Node): Node {
  const withoutDefault = ({ default: _default, ...rest }: Node): Node => rest;
  const { properties = {} } = explained(node);
  return { ...node, properties: mapValues(properties, withoutDefault) };
}

const mapValues = <T>(object: Readonly<Record<string, T>>, change: (value: T) => T): Record<string, T> =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));
