// What a Node object says of one node's BGP: AS, addresses, router ID. Its own annotations go before the cluster's
// BGPConfiguration, which goes before defaults.
import { type BGPConfigurationSpec, type Labels, type Node, type NodeBgp, nodeBgp } from '#api';
import type { NodeAddresses, PlannedNode } from './types.ts';

export interface ClusterNode {
  readonly name: string;
  readonly labels: Labels;
  readonly asNumber: number;
  readonly addresses: NodeAddresses;
  /** Where it is dialled. */
  readonly listenPort: number;
  /** From the node's annotation: it reflects, and is no part of the mesh. */
  readonly clusterId?: string;
  readonly podCIDRs: readonly string[];
  /** Its neighbours shall prefer other ways (RFC 8326), before it goes. */
  readonly isLeaving: boolean;
  readonly isCordoned: boolean;
  readonly annotations: Readonly<Record<string, string>>;
}

/** The store hands out the same object until a Node changes, and reading one costs several address parses. */
const read = new WeakMap<Node, NodeBgp>();

function bgpOf(node: Node): NodeBgp {
  let bgp = read.get(node);
  if (bgp === undefined) read.set(node, (bgp = nodeBgp(node)));
  return bgp;
}

/** @param config what holds for this node */
export function clusterNode(node: Node, config: BGPConfigurationSpec): ClusterNode {
  const bgp = bgpOf(node);
  const { name, labels = {}, annotations = {} } = node.metadata;
  return {
    name,
    labels,
    annotations,
    asNumber: bgp.asNumber ?? config.asNumber,
    addresses: bgp.addresses,
    listenPort: config.listenPort,
    ...(bgp.clusterId === undefined ? {} : { clusterId: bgp.clusterId }),
    isLeaving: bgp.isLeaving ?? false,
    isCordoned: node.spec.unschedulable,
    podCIDRs: [...bgp.podCIDRs.ipv4, ...bgp.podCIDRs.ipv6],
  };
}

/**
 * @param clusterId set when the node reflects
 * @param routerId from the agent's environment: an address, or 'hash'
 */
export function plannedNode(
  node: ClusterNode,
  config: BGPConfigurationSpec,
  clusterId: string | undefined,
  routerId?: string,
): PlannedNode {
  const given = routerId === 'hash' ? hashedRouterId(node.name) : routerId;
  return {
    name: node.name,
    asNumber: node.asNumber,
    routerId: given ?? config.routerID ?? node.addresses.ipv4 ?? hashedRouterId(node.name),
    addresses: node.addresses,
    ...(clusterId === undefined ? {} : { clusterId }),
    ...(node.isLeaving ? { isLeaving: true as const } : {}),
    ...(node.isCordoned ? { isCordoned: true as const } : {}),
  };
}

/**
 * For a node without an IPv4 address: FNV-1a of its name, folded into addresses of class A to C. Any number that is not 0
 * would do (RFC 6286), but speakers that keep to RFC 4271 §4.2 refuse what cannot be a host's address (FRR: 224 and up).
 * Two names collide in one of 3.7 billion pairs.
 */
export function hashedRouterId(name: string): string {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193);
  const [first = 0, ...rest] = [24, 16, 8, 0].map((shift) => (hash >>> shift) & 255);
  // 1 to 126 and 128 to 223.
  const folded = 1 + (first % 222);
  return [folded < 127 ? folded : folded + 1, ...rest].join('.');
}
