// Which nodes reflect routes (RFC 4456). Three ways: an annotation of the node (as in Calico: it only leaves the mesh,
// BGPPeers make its sessions); routeReflectors.nodeSelector; mode Auto, which picks two nodes once the mesh is large.
import { type BGPConfigurationSpec, type Problem, selectorMatches } from '#api';
import type { ClusterNode } from './node-bgp.ts';

export interface Reflectors {
  /** Cluster ID of each reflecting node by name; undefined: its router ID. */
  readonly clusterIds: ReadonlyMap<string, string | undefined>;
  /** podroute makes the sessions: every other node with every reflector, reflectors with one another. No mesh. */
  readonly isAutomatic: boolean;
  readonly problems: readonly Problem[];
}

/** Two survive the loss of one; more only multiply paths. */
const AUTO_REFLECTORS = 2;
const ZONE_LABEL = 'topology.kubernetes.io/zone';

export function findReflectors(nodes: readonly ClusterNode[], config: BGPConfigurationSpec): Reflectors {
  const { mode, nodeSelector, clusterID } = config.routeReflectors;
  const clusterIds = new Map<string, string | undefined>();
  for (const node of nodes) if (node.clusterId !== undefined) clusterIds.set(node.name, node.clusterId);
  const chosen = chosenNodes(nodes, config);
  for (const node of chosen) if (!clusterIds.has(node.name)) clusterIds.set(node.name, clusterID);
  const isAutomatic = chosen.length > 0;
  const selectsNobody = mode === 'Manual' && nodeSelector !== undefined && !isAutomatic;
  return { clusterIds, isAutomatic, problems: selectsNobody ? [nobody(nodeSelector)] : [] };
}

function chosenNodes(nodes: readonly ClusterNode[], config: BGPConfigurationSpec): ClusterNode[] {
  const { mode, nodeSelector, perZone, meshUpTo } = config.routeReflectors;
  const candidates = nodes.filter(
    (n) => nodeSelector === undefined || selectorMatches(nodeSelector, n.labels),
  );
  switch (mode) {
    case 'Disabled':
      return [];
    case 'Manual':
      return nodeSelector === undefined ? [] : candidates;
    case 'Auto': {
      if (nodes.length <= meshUpTo) return [];
      const zones = Map.groupBy(candidates, (node) => (perZone ? (node.labels[ZONE_LABEL] ?? '') : ''));
      return [...zones.values()].flatMap((zone) => firstByHash(zone, AUTO_REFLECTORS));
    }
  }
}

/** The same nodes on every node, and mostly the same when others come and go. */
function firstByHash(nodes: readonly ClusterNode[], count: number): ClusterNode[] {
  const hashed = nodes.map((node) => ({ node, hash: hashOf(node.name) }));
  hashed.sort((a, b) => a.hash - b.hash || (a.node.name < b.node.name ? -1 : 1));
  return hashed.slice(0, count).map(({ node }) => node);
}

function hashOf(name: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193);
  hash ^= hash >>> 15;
  return Math.imul(hash, 0x2c1b3c6d) >>> 0;
}

function nobody(nodeSelector: string): Problem {
  return {
    object: 'BGPConfiguration default',
    field: 'spec.routeReflectors.nodeSelector',
    value: nodeSelector,
    message:
      'matches no node: nobody reflects, and the node-to-node mesh stays as nodeToNodeMeshEnabled says',
  };
}
