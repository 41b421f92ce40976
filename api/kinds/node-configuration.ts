// Which BGPConfiguration holds for a node: the one named 'default', and over it what 'node.NAME' says of this one node.
import type { Problem } from '../schema/problem.ts';
import type { BGPConfigurationSpec } from './bgp-configuration.ts';
import { bgpConfigurationOf, type Resources } from './resources.ts';

/** What one node may have of its own. All else is the cluster's: every node must know it of every other. */
const ownFields: readonly (keyof BGPConfigurationSpec)[] = [
  'listenPort',
  'listenAddresses',
  'bindMode',
  'routerID',
  'holdTime',
  'keepaliveTime',
  'multipath',
  'communities',
  'prefixAdvertisements',
  'aggregates',
  'ignoredInterfaces',
  'logSeverityScreen',
];

const prefix = 'node.';

/** Of a BGPConfiguration's name; undefined: it is not for one node. */
export const nodeOfConfiguration = (name: string): string | undefined =>
  name.startsWith(prefix) && name.length > prefix.length ? name.slice(prefix.length) : undefined;

export const configurationOfNode = (node: string): string => prefix + node;

/** Fields that are not written in the node's own object are the cluster's, not the defaults of that object. */
export function bgpConfigurationFor(
  resources: Pick<Resources, 'bgpConfigurations'>,
  node: string,
): { readonly spec: BGPConfigurationSpec; readonly problems: readonly Problem[] } {
  const { spec } = bgpConfigurationOf(resources);
  const own = resources.bgpConfigurations.get(configurationOfNode(node));
  if (own === undefined) return { spec, problems: [] };
  const written = own.writtenFields ?? [];
  const isOwn = (field: string) => (ownFields as readonly string[]).includes(field);
  const changes = written
    .filter(isOwn)
    .map((field) => [field, own.spec[field as keyof BGPConfigurationSpec]]);
  const problems = written
    .filter((field) => !isOwn(field))
    .map(
      (field): Problem => ({
        object: `BGPConfiguration ${own.metadata.name}`,
        field: `spec.${field}`,
        message:
          "has no effect here: it is the whole cluster's, and counts in the BGPConfiguration 'default' only",
        severity: 'warning',
      }),
    );
  return { spec: { ...spec, ...(Object.fromEntries(changes) as Partial<BGPConfigurationSpec>) }, problems };
}
