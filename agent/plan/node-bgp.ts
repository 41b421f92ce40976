// What a Node object says of one node's BGP: AS, addresses, router ID. Its own annotations go before the cluster's
// BGPConfiguration, which goes before defaults.
import { type BGPConfigurationSpec, type Labels, type Node, type NodeBgp, nodeBgp } from '#api';
import type { NodeAddresses, PlannedNode } from './types.ts';

export interface ClusterNode {
  readonly name: string;
  readonly labels: Labels;
  readonly asNumber: number;
  readonly addresses: NodeAddresses;
  /** From the node's annotation: it reflects, and is no part of the mesh. */
  readonly clusterId?: string;
  readonly podCIDRs: readonly string[];
  /** Its neighbours shall prefer other ways (RFC 8326), before it goes. */
  readonly isLeaving: boolean;
  readonly annotations: Readonly<Record<string, string>>;
}

/** The store hands out the same object until a Node changes, and reading one costs several address parses. */
const read = new WeakMap<Node, NodeBgp>();

function bgpOf(node: Node): NodeBgp {
  let bgp = read.get(node);
  if (bgp === undefined) read.set(node, (bgp = nodeBgp(node)));
  return bgp;
}

export function clusterNode(node: Node, config: BGPConfigurationSpec): ClusterNode {
  const bgp = bgpOf(node);
  const { name, labels = {}, annotations = {} } = node.metadata;
  return {
    name,
    labels,
    annotations,
    asNumber: bgp.asNumber ?? config.asNumber,
    addresses: bgp.addresses,
    ...(bgp.clusterId === undefined ? {} : { clusterId: bgp.clusterId }),
    isLeaving: bgp.isLeaving ?? false,
    podCIDRs: [...bgp.podCIDRs.ipv4, ...bgp.podCIDRs.ipv6],
  };
}

/** @param clusterId set when the node reflects */
export function plannedNode(
  node: ClusterNode,
  config: BGPConfigurationSpec,
  clusterId: string | undefined,
): PlannedNode {
  return {
    name: node.name,
    asNumber: node.asNumber,
    routerId: config.routerID ?? node.addresses.ipv4 ?? hashedRouterId(node.name),
    addresses: node.addresses,
    ...(clusterId === undefined ? {} : { clusterId }),
  };
}

/**
 * For a node without an IPv4 address: FNV-1a of its name as a dotted quad, never 0.0.0.0 (RFC 6286 asks for any
 * number that is unique in the AS). Two names collide in one of four billion pairs.
 */
export function hashedRouterId(name: string): string {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193);
  const id = hash >>> 0 || 1;
  return [24, 16, 8, 0].map((shift) => (id >>> shift) & 255).join('.');
}
