// CRDs of a version before this one, for tests of an upgrade.
import { crd } from '../crd/crd.ts';
import type { OurKind } from '../kinds/resources.ts';

/** As a version before this one may have had it: no defaults, no rules, no columns, and fewer fields. */
export function olderCrd(kind: OurKind): object {
  const definition = crd(kind);
  const [version] = definition.spec.versions;
  const { additionalPrinterColumns: _, ...rest } = version!;
  return {
    ...definition,
    spec: { ...definition.spec, versions: [{ ...rest, schema: older(rest.schema) }] },
  };
}

export const NEW_SINCE: ReadonlySet<string> = new Set([
  'default',
  'x-kubernetes-validations',
  'role',
  'removePrivateAS',
]);

function older(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(older);
  if (typeof node !== 'object' || node === null) return node;
  return Object.fromEntries(
    Object.entries(node)
      .filter(([key]) => !NEW_SINCE.has(key))
      .map(([key, value]) => [key, older(value)]),
  );
}
