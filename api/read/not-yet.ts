// Fields that are read and checked but not honoured by this version. Each gives a warning, so that nothing that an
// operator wrote is ignored in silence. An entry is taken out when its field becomes real.
import { ROUTE_PRIORITY } from '../kinds/bgp-filter.ts';
import type { Kind } from '../kinds/resources.ts';

interface NotYet {
  readonly kind: Kind;
  /** Below the object; '*' stands for every item of a list. */
  readonly field: string;
  /** Values that change nothing and give no warning. */
  readonly harmless?: readonly unknown[];
  /** Default: 'the field has no effect'. */
  readonly effect?: string;
}

const GIVES_NOTHING = 'the pool gives out no addresses';
const exportRules = ['exportV4', 'exportV6'];

const notYet: readonly NotYet[] = [
  { kind: 'BGPPeer', field: 'spec.localWorkloadSelector', effect: 'there is no such neighbour' },
  { kind: 'BGPConfiguration', field: 'spec.serviceClusterIPs' },
  { kind: 'BGPConfiguration', field: 'spec.serviceExternalIPs' },
  { kind: 'BGPConfiguration', field: 'spec.serviceLoadBalancerIPs' },
  { kind: 'BGPConfiguration', field: 'spec.serviceLoadBalancerAggregation', harmless: ['Enabled'] },
  {
    kind: 'BGPConfiguration',
    field: 'spec.nodeMeshPassword.secretKeyRef.optional',
    harmless: [false],
    effect: 'no session is opened without its password',
  },
  {
    kind: 'BGPPeer',
    field: 'spec.password.secretKeyRef.optional',
    harmless: [false],
    effect: 'no session is opened without its password',
  },
  { kind: 'BGPConfiguration', field: 'spec.ignoredInterfaces' },
  { kind: 'BGPConfiguration', field: 'spec.localWorkloadPeeringIPV4' },
  { kind: 'BGPConfiguration', field: 'spec.localWorkloadPeeringIPV6' },
  { kind: 'BGPConfiguration', field: 'spec.logSeverityScreen', harmless: ['Info'] },
  { kind: 'BGPConfiguration', field: 'spec.ipv4NormalRoutePriority', harmless: [ROUTE_PRIORITY] },
  { kind: 'BGPConfiguration', field: 'spec.ipv6NormalRoutePriority', harmless: [ROUTE_PRIORITY] },
  { kind: 'IPPool', field: 'spec.natOutgoing', harmless: [false] },
  { kind: 'IPPool', field: 'spec.namespaceSelector', harmless: ['all()'], effect: GIVES_NOTHING },
  { kind: 'IPPool', field: 'spec.assignmentMode', harmless: ['Automatic'], effect: GIVES_NOTHING },
  ...exportRules.map(
    (list): NotYet => ({
      kind: 'BGPFilter',
      field: `spec.${list}.*.operations.*.setPriority.value`,
      harmless: [ROUTE_PRIORITY],
      effect: 'the operation does nothing: BGP tells no neighbour the metric of a kernel',
    }),
  ),
  { kind: 'IPClaim', field: 'spec', effect: 'the object has no effect' },
];

export interface NotYetFound {
  readonly path: readonly (string | number)[];
  readonly value: unknown;
  readonly message: string;
}

/** The fields of a document (as written, without defaults) that this version does not honour. */
export function findNotYet(kind: string, document: unknown): NotYetFound[] {
  return notYet
    .filter((entry) => entry.kind === kind)
    .flatMap((entry) =>
      valuesAt(document, entry.field.split('.'), [])
        .filter(({ value }) => !isHarmless(entry, value))
        .map(({ path, value }) => ({
          path,
          value,
          message: notYetMessage(entry.effect),
        })),
    );
}

export const notYetMessage = (effect = 'the field has no effect'): string =>
  `is not supported yet by this version: ${effect}`;

/** Whether a path leads to or into a field of the spec that nothing depends on, whatever its value is. */
export function isWithoutEffect(kind: Kind, path: readonly (string | number)[]): boolean {
  const [top, name] = path;
  if (top !== 'spec' || name === undefined) return false;
  return notYet.some(
    (entry) => entry.kind === kind && entry.effect === undefined && entry.field === `spec.${name}`,
  );
}

function isHarmless({ harmless = [] }: NotYet, value: unknown): boolean {
  // Words are compared in any case: those that only some documents know in it were refused before.
  const plain = (item: unknown) => (typeof item === 'string' ? item.toLowerCase() : item);
  return (
    (Array.isArray(value) && value.length === 0) || harmless.some((item) => plain(item) === plain(value))
  );
}

function valuesAt(
  value: unknown,
  rest: readonly string[],
  path: readonly (string | number)[],
): { path: readonly (string | number)[]; value: unknown }[] {
  const [name, ...more] = rest;
  if (value === undefined || value === null) return [];
  if (name === undefined) return [{ path, value }];
  if (name === '*') {
    return Array.isArray(value) ? value.flatMap((item, i) => valuesAt(item, more, [...path, i])) : [];
  }
  if (typeof value !== 'object') return [];
  return valuesAt((value as Record<string, unknown>)[name], more, [...path, name]);
}
