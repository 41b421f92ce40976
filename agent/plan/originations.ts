// What a node announces as its own: its blocks, default routes for those who ask, and aggregates. Pure.
import { type BGPConfigurationSpec, configurationOfNode, isOfFormer, type Problem, type Refused } from '#api';
import type { Aggregate } from '#bgp';
import { comparePrefixes, contains, FAMILIES, parsePrefix } from '#ip';
import type { ClusterNode } from './node-bgp.ts';
import { guardedBy, guardedPrefixes } from './policy/guarded.ts';
import { GRACEFUL_SHUTDOWN } from './policy/policies.ts';
import type { LocalBlock, PlanInput, PlannedOrigination, PlannedPeer, PlanResources } from './types.ts';

export function originations(
  blocks: readonly LocalBlock[],
  { ipPools }: PlanResources,
  { formerPools = [] }: Refused,
  config: BGPConfigurationSpec,
): PlannedOrigination[] {
  const isExported = (block: LocalBlock) =>
    !ipPools.get(block.pool ?? '')?.spec.disableBGPExport &&
    !formerPools.some((pool) => pool.disableBGPExport && isOfFormer(block, pool));
  return blocks
    .filter(isExported)
    .map(({ cidr, pool }) => ({
      prefix: cidr,
      ...communitiesOf(cidr, config),
      why: pool === undefined ? 'podCIDR of this node' : `block of IPPool ${pool}`,
    }))
    .sort((a, b) => comparePrefixes(parsePrefix(a.prefix)!, parsePrefix(b.prefix)!));
}

/** For neighbours that get one. Of a node that is about to go they are as all that it announces (RFC 8326). */
export function defaultRoutes(peers: readonly PlannedPeer[], self: ClusterNode): PlannedOrigination[] {
  const leaving = self.isLeaving ? { communities: [GRACEFUL_SHUTDOWN], localPref: 0 } : { communities: [] };
  return FAMILIES.filter((family) =>
    peers.some(({ config }) => config.defaultOriginate?.includes(family)),
  ).map((family) => ({
    prefix: family === 'ipv4' ? '0.0.0.0/0' : '::/0',
    ...leaving,
    largeCommunities: [],
    onRequest: true,
    why: 'defaultOriginate of BGPPeers',
  }));
}

/** Those that would cut nodes or neighbours off are left out. */
export function plannedAggregates(
  input: PlanInput,
  config: BGPConfigurationSpec,
  nodes: readonly ClusterNode[],
  peers: readonly PlannedPeer[],
): { readonly aggregates: Aggregate[]; readonly problems: Problem[] } {
  const cidrs = config.aggregates.map(({ cidr }) => cidr);
  const guarded = cidrs.length === 0 ? [] : guardedPrefixes(input, nodes, cidrs);
  const own = input.resources.bgpConfigurations.get(configurationOfNode(input.nodeName));
  const isOwn = own?.writtenFields?.includes('aggregates') === true;
  const object = `BGPConfiguration ${isOwn ? own.metadata.name : 'default'}`;
  const problems: Problem[] = [];
  // Routers that nodes meet at get the aggregate alone, from each of them.
  const isAlone =
    nodes.length > 1 && peers.length > 0 && peers.every(({ config: { takesAggregates } }) => takesAggregates);
  const aggregates = config.aggregates.flatMap(({ cidr, summaryOnly, communities }, i): Aggregate[] => {
    const harm = guardedBy(cidr, guarded);
    if (harm !== undefined) {
      const message = `overlaps ${harm.what}: it is not announced, because this node would hold it by an unreachable route`;
      problems.push({ object, field: `spec.aggregates[${i}].cidr`, value: cidr, message });
      return [];
    }
    if (summaryOnly && isAlone) {
      const field = `spec.aggregates[${i}].summaryOnly`;
      const message =
        'parts the nodes: no session of this node is with another node, and neighbours get no prefixes inside: pods of one node do not reach those of others; let nodes speak with one another (nodeToNodeMeshEnabled, routeReflectors), or leave it out';
      problems.push({ object, field, value: true, message, severity: 'warning' });
    }
    const why = `aggregate of ${object}`;
    return [{ prefix: cidr, summaryOnly, ...communitiesOf(cidr, config, communities), why }];
  });
  return { aggregates, problems };
}

/** Of every advertisement that the prefix lies in, and its own. */
function communitiesOf(
  cidr: string,
  { communities: named, prefixAdvertisements }: BGPConfigurationSpec,
  own: readonly string[] = [],
): { communities: string[]; largeCommunities: string[] } {
  const prefix = parsePrefix(cidr)!;
  const advertised = prefixAdvertisements
    .filter((advertisement) => contains(parsePrefix(advertisement.cidr)!, prefix))
    .flatMap((advertisement) => advertisement.communities);
  const values = [...advertised, ...own].map(
    (entry) => named.find(({ name }) => name === entry)?.value ?? entry,
  );
  const isLarge = (value: string) => value.split(':').length === 3;
  const all = [...new Set(values)].sort();
  return { communities: all.filter((value) => !isLarge(value)), largeCommunities: all.filter(isLarge) };
}
