// CustomResourceDefinitions from the schemas of api/: names, OpenAPI with CEL rules, printer columns. Pure.
import { stringify } from 'yaml';
import { z } from 'zod';
import type { OpenApi } from '../schema/fields.ts';
import { group, type PrinterColumn } from '../schema/kind.ts';
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
  const status = definition.status as z.ZodType | undefined;
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
                spec: openApiOf(definition.spec as z.ZodType),
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

/** What the API server takes: a structural schema of what the operator may write. */
function openApiOf(schema: z.ZodType): OpenApi {
  const { $schema: _dialect, ...openApi } = z.toJSONSchema(schema, {
    target: 'openapi-3.0',
    io: 'input',
    unrepresentable: 'any',
    override: ({ jsonSchema }) => {
      // A structural schema prunes unknown fields by itself and refuses to be told so.
      if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
    },
  }) as OpenApi;
  return openApi;
}
