// What this node should do, from the objects of the cluster: the only place that decides. Pure and deterministic, so
// that `podroute plan` shows what the agent will do, and a test is a table of YAML in and sessions out.
import {
  bgpConfigurationFor,
  type BGPConfigurationSpec,
  configurationOfNode,
  doubledNames,
  idleMembers,
  type IPPool,
  isOfPool,
  mayHidePools,
  nothingRefused,
  type Problem,
  type Refused,
  ROUTE_PRIORITY,
  usablePools,
} from '#api';
import type { SpeakerConfig } from '#bgp';
import { onlyWayOut } from './way-out.ts';
import { comparePrefixes, FAMILIES, type Family, familyOf, overlaps, parsePrefix } from '#ip';
import { resolveConflicts } from './conflicts.ts';
import { type Guarded, guardedBy, guardedPrefixes, guardProblems } from './policy/guarded.ts';
import type {
  LocalBlock,
  PlanInput,
  PlanResources,
  PlanResult,
  PlannedNode,
  PlannedPeer,
  WaitingPeer,
} from './types.ts';
import { automaticPeers } from './mesh.ts';
import { defaultRoutes, originations, plannedAggregates } from './originations.ts';
import { type ClusterNode, clusterNode, plannedNode } from './node-bgp.ts';
import { configuredPeers, selects } from './bgp-peers.ts';
import { findReflectors } from './reflectors.ts';
import type { SessionContext } from './peer-config.ts';
import { strayBlocks } from './policy/stray-blocks.ts';

/** rtm_protocol and metric of podroute's kernel routes; table 254 is the kernel's main one. */
const KERNEL = { protocol: 179, metric: ROUTE_PRIORITY, table: 254 } as const;

/** Without a Node object of this name there is no plan: who would speak, and from which address? */
export function makePlan(input: PlanInput): PlanResult {
  const { resources, nodeName, refused = nothingRefused } = input;
  const unknown = unknownConfiguration(resources, refused, nodeName);
  if (unknown.length > 0) return { problems: unknown };
  const { spec: config, problems: ofOwn } = bgpConfigurationFor(resources, nodeName);
  const ofAll = resources.bgpConfigurations.get('default');
  const nodes = byName(resources.nodes).map((node) =>
    clusterNode(node, bgpConfigurationFor(resources, node.metadata.name).spec),
  );
  const self = nodes.find((node) => node.name === nodeName);
  if (self === undefined) return { problems: [noNode(nodeName, nodes, refused)] };
  if (self.addresses.ipv4 === undefined && self.addresses.ipv6 === undefined)
    return { problems: [noAddress(nodeName)] };

  const reflectors = findReflectors(nodes, config);
  const usable = usablePools(resources);
  const stray = strayBlocks(resources, usable.pools, refused);
  const { guarded, clusterPrefixes, podCidrs } = guardedRanges(input, nodes);
  const mayHold = (block: LocalBlock) =>
    guardedBy(block.cidr, guarded) === undefined &&
    (block.pool === undefined || isOfPool(block, resources, refused.formerPools));
  const localBlocks = input.localBlocks.filter(mayHold);
  const ownPrefixes = sortedPrefixes(localBlocks.map((block) => block.cidr));
  const poolPrefixes = sortedPrefixes(
    usable.pools.filter((pool) => !pool.spec.disableBGPExport).map((pool) => pool.spec.cidr),
  );
  const context: SessionContext = {
    ...{ self, nodes, config, reflectors, clusterPrefixes, poolPrefixes, guarded, ownPrefixes, input },
    policies: new Map(),
  };
  const configured = configuredPeers(byName(resources.bgpPeers), context);
  const automatic = input.withoutMesh ? { wishes: [], problems: [] } : automaticPeers(context);
  const resolved = resolveConflicts([...configured.wishes, ...automatic.wishes], input.inForce ?? new Set());
  const clusterId = reflectors.clusterIds.has(nodeName) ? reflectors.clusterIds.get(nodeName) : undefined;
  const node = plannedNode(self, config, clusterId, input.routerId);
  const aggregates = plannedAggregates(input, config, nodes, resolved.peers);
  return {
    plan: {
      node,
      speaker: {
        ...speakerConfig(node, config, resolved.peers, configured.waiting),
        aggregates: aggregates.aggregates,
      },
      peers: resolved.peers,
      waiting: configured.waiting,
      originations: [
        ...defaultRoutes(resolved.peers, self),
        ...originations(localBlocks, resources, refused, config),
      ],
      kernel: {
        table: input.table ?? KERNEL.table,
        protocol: KERNEL.protocol,
        metric: KERNEL.metric,
        unreachable: ownPrefixes,
        gateways: gatewaysOf(resolved.peers),
        clusterPrefixes,
      },
    },
    problems: [
      ...ofOwn,
      ...(ofAll === undefined ? [] : doubledNames(ofAll)),
      ...idleMembers('BGPConfiguration default', config),
      ...usable.problems,
      ...stray.problems,
      ...guardProblems(addressRanges(usable.pools, self), guarded),
      ...reflectors.problems,
      ...aggregates.problems,
      ...configured.problems,
      ...automatic.problems,
      ...resolved.problems,
      ...onlyWayOut(self, nodes, resources.bgpPeers, resolved.peers),
      ...sameAddress(self, nodes),
      ...sharedPodCidrs(self, nodes, podCidrs),
    ],
  };
}

function byName<T>(objects: ReadonlyMap<string, T>): T[] {
  return [...objects].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object);
}

/**
 * What this node must not hold, give out or take for its own, of what it has pools and podCIDRs for; what pods get is
 * checked against it as well.
 */
export function guardedOf(input: PlanInput): Guarded[] {
  const { resources } = input;
  const config = bgpConfigurationFor(resources, input.nodeName).spec;
  const nodes = byName(resources.nodes).map((node) => clusterNode(node, config));
  return guardedRanges(input, nodes).guarded;
}

/** A podCIDR over something guarded lets nothing in, like a pool that is not used. */
function guardedRanges(input: PlanInput, nodes: readonly ClusterNode[]) {
  const { resources, refused = nothingRefused } = input;
  const ranges = clusterRanges(resources, nodes, refused);
  const guarded = guardedPrefixes(input, nodes, [...ranges.pools, ...ranges.podCidrs]);
  const podCidrs = ranges.podCidrs.filter((cidr) => guardedBy(cidr, guarded) === undefined);
  return { guarded, podCidrs, clusterPrefixes: sortedPrefixes([...ranges.pools, ...podCidrs]) };
}

/** The links on which this node looks for neighbours; undefined: it has no Node, and what is in force stays. */
export function interfacesOf({
  resources,
  nodeName,
}: Pick<PlanInput, 'resources' | 'nodeName'>): Set<string> | undefined {
  const node = resources.nodes.get(nodeName);
  if (node === undefined) return undefined;
  const self = clusterNode(node, bgpConfigurationFor(resources, nodeName).spec);
  const peers = [...resources.bgpPeers.values()].filter((peer) => selects(peer, self));
  return new Set(peers.flatMap(({ spec }) => spec.peerInterface ?? []));
}

/** What `Cluster` lets in: pools, and blocks in force; for a family without a pool, what nodes have as podCIDRs. */
function clusterRanges(resources: PlanResources, nodes: readonly ClusterNode[], refused: Refused) {
  const { pools } = usablePools(resources);
  const pooled = new Set([...resources.ipPools.values()].map((pool) => familyOf(pool.spec.cidr)));
  const podCidrs = mayHidePools(refused, resources)
    ? []
    : nodes.flatMap((node) => node.podCIDRs).filter((prefix) => !pooled.has(familyOf(prefix)));
  return {
    pools: [...pools.map(({ spec }) => spec.cidr), ...strayBlocks(resources, pools, refused).prefixes],
    podCidrs,
  };
}

function addressRanges(pools: readonly IPPool[], self: ClusterNode) {
  return [
    ...pools.map(({ metadata, spec }) => ({
      object: `IPPool ${metadata.name}`,
      field: 'spec.cidr',
      cidr: spec.cidr,
    })),
    ...self.podCIDRs.map((cidr) => ({ object: `Node ${self.name}`, field: 'spec.podCIDRs', cidr })),
  ];
}

/** Of several sessions with one address the first that names a gateway counts. */
function gatewaysOf(peers: readonly PlannedPeer[]): Record<string, string> {
  const gateways: Record<string, string> = {};
  for (const { config, reachableBy } of peers) {
    if (config.remote.kind !== 'address' || reachableBy === undefined) continue;
    gateways[config.remote.address] ??= reachableBy;
  }
  return gateways;
}

function sortedPrefixes(prefixes: readonly string[]): string[] {
  return [...new Set(prefixes)]
    .map((text) => ({ text, prefix: parsePrefix(text)! }))
    .sort((a, b) => comparePrefixes(a.prefix, b.prefix))
    .map(({ text }) => text);
}

function speakerConfig(
  node: PlannedNode,
  config: BGPConfigurationSpec,
  peers: readonly PlannedPeer[],
  waiting: readonly WaitingPeer[],
): SpeakerConfig {
  return {
    asNumber: node.asNumber,
    routerId: node.routerId,
    ...(node.clusterId === undefined ? {} : { clusterId: node.clusterId }),
    listen: listenAddresses(node, config, peers, waiting).map((address) => ({
      address,
      port: config.listenPort,
    })),
    multipath: config.multipath,
    bestPath: {
      alwaysCompareMed: config.bestPath.alwaysCompareMED,
      missingMedAsWorst: config.bestPath.missingMEDAsWorst,
    },
  };
}

/** A family that neither the node nor a neighbour uses may be switched off in the kernel: do not listen there. */
function listenAddresses(
  { addresses }: PlannedNode,
  config: BGPConfigurationSpec,
  peers: readonly PlannedPeer[],
  waiting: readonly WaitingPeer[],
): readonly string[] {
  if (config.listenAddresses.length > 0) return config.listenAddresses;
  if (config.bindMode === 'NodeIP') {
    return [addresses.ipv4, addresses.ipv6].filter((address) => address !== undefined);
  }
  const remotes = peers.map(({ config: { remote } }) =>
    remote.kind === 'range' ? remote.prefix : remote.address,
  );
  const uses = (family: Family) => remotes.some((remote) => familyOf(remote) === family);
  return [
    ...(addresses.ipv4 !== undefined || uses('ipv4') ? ['0.0.0.0'] : []),
    ...(addresses.ipv6 !== undefined || uses('ipv6') || waiting.length > 0 ? ['::'] : []),
  ];
}

/**
 * AS, port and mesh of every session are the BGPConfiguration's. One that is written and cannot be read is not one that
 * nobody wrote: without an earlier version there is no plan.
 */
function unknownConfiguration(
  { bgpConfigurations }: PlanResources,
  { objects, files, kinds }: Refused,
  nodeName: string,
): Problem[] {
  const own = `BGPConfiguration ${configurationOfNode(nodeName)}`;
  if (objects.has(own)) {
    const message =
      'is written, but wrong: no session is opened until it is right, because its port is not known';
    return [{ object: own, field: '', message }];
  }
  const object = 'BGPConfiguration default';
  if (bgpConfigurations.has('default')) return [];
  const until = 'no session is opened until it is right, because AS, port and mesh are not known';
  if (objects.has(object)) return [{ object, field: '', message: `is written, but wrong: ${until}` }];
  if (kinds.has('BGPConfiguration')) {
    return [
      {
        object,
        field: '',
        message: `may exist, the store has not told yet: no session is opened until it is known`,
      },
    ];
  }
  return [...files].map((file) => {
    const message = `has a document that cannot be read and may be the ${object}: ${until}`;
    return { file, object: 'file', field: '', message };
  });
}

function noNode(nodeName: string, nodes: readonly ClusterNode[], { objects, kinds }: Refused): Problem {
  const known = nodes.slice(0, 10).map((node) => node.name);
  if (objects.has(`Node ${nodeName}`)) {
    const message =
      'is written, but wrong: this agent has no AS and no address to speak from until it is right';
    return { object: `Node ${nodeName}`, field: '', message };
  }
  if (kinds.has('Node')) {
    const message =
      'may exist, the store has not told yet: this agent has no AS and no address to speak from until it is known';
    return { object: `Node ${nodeName}`, field: '', message };
  }
  return {
    object: `Node ${nodeName}`,
    field: 'metadata.name',
    message: `does not exist: this agent (--node-name ${nodeName}) has no AS and no address to speak from`,
    allowed:
      known.length === 0 ? 'a Node document' : `a Node document of this name; there are ${known.join(', ')}`,
  };
}

function noAddress(nodeName: string): Problem {
  return {
    object: `Node ${nodeName}`,
    field: 'status.addresses',
    message: 'has no address for BGP',
    allowed: 'an InternalIP, or the annotation podroute.io/IPv4Address or podroute.io/IPv6Address',
  };
}

function sameAddress(self: ClusterNode, nodes: readonly ClusterNode[]): Problem[] {
  return nodes.flatMap((other) =>
    FAMILIES.flatMap((family): Problem[] => {
      const address = self.addresses[family];
      if (other.name === self.name || address === undefined || other.addresses[family] !== address) return [];
      const message = `is the address of Node ${other.name} too: sessions with it cannot work`;
      return [{ object: `Node ${self.name}`, field: 'status.addresses', value: address, message }];
    }),
  );
}

/** @param inUse podCIDRs of all nodes, without those of families that have a pool */
function sharedPodCidrs(
  self: ClusterNode,
  nodes: readonly ClusterNode[],
  inUse: readonly string[],
): Problem[] {
  const own = self.podCIDRs.filter((cidr) => inUse.includes(cidr));
  const others = own.length === 0 ? [] : nodes.filter(({ name }) => name !== self.name);
  return own.flatMap((value) =>
    others.flatMap(({ name, podCIDRs }): Problem[] => {
      const theirs = podCIDRs.find((cidr) => overlaps(parsePrefix(cidr)!, parsePrefix(value)!));
      if (theirs === undefined) return [];
      const message = `overlaps ${theirs} of Node ${name}: both give out its addresses, and two pods may get one; give each node a podCIDR of its own`;
      return [{ object: `Node ${self.name}`, field: 'spec.podCIDRs', value, message }];
    }),
  );
}
