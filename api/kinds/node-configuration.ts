// Which BGPConfiguration holds for a node: the one named 'default', and over it what 'node.NAME' says of this one node.
import type { Problem } from '../schema/problem.ts';
import type { BGPConfiguration, BGPConfigurationSpec } from './bgp-configuration.ts';
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

/**
 * Fields that are not written in the node's own object are the cluster's, not the defaults of that object. The cluster's names
 * for communities stay beside its own: what is the cluster's (prefixAdvertisements, aggregates, filters) may say them.
 */
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
  const changed = { ...spec, ...(Object.fromEntries(changes) as Partial<BGPConfigurationSpec>) };
  const communities = written.includes('communities')
    ? [...own.spec.communities, ...spec.communities]
    : spec.communities;
  return { spec: { ...changed, communities }, problems: [...problems, ...doubledNames(own)] };
}

/** One community has one name, and filters see the names among those of communitySets: the first of two counts. */
export function doubledNames({ metadata, spec }: BGPConfiguration): Problem[] {
  const { communities, communitySets } = spec;
  return communities.flatMap(({ name }, i): Problem[] => {
    const first = communities.findIndex((other) => other.name === name);
    const set = communitySets.findIndex((other) => other.name === name);
    const place = {
      object: `BGPConfiguration ${metadata.name}`,
      field: `spec.communities[${i}].name`,
      value: name,
      severity: 'warning',
    } as const;
    if (first !== i) return [{ ...place, message: `has no effect: it is that of communities[${first}] too` }];
    if (set < 0) return [];
    const message = `is that of communitySets[${set}] too: 'set:${name}' in a filter means that one`;
    return [{ ...place, message }];
  });
}
