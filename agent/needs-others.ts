// Whose Nodes and blocks an agent has to follow beside its own: with --store kubernetes it watches no others where this
// says so, since those grow with the cluster. Pure; it looks at nothing that hangs on its own answer.
import {
  bgpConfigurationOf,
  type BGPPeer,
  type FormerPool,
  type Node,
  nodeBgp,
  type Resources,
  selectorMatches,
  usablePools,
} from '#api';
import { familyOf } from '#ip';

type OthersKind = 'Node' | 'IPAMBlock';

/** The kinds of which other nodes' objects count for this node. */
export function needsOthers(
  resources: Resources,
  nodeName: string,
  former: readonly FormerPool[] = [],
): ReadonlySet<OthersKind> {
  const kinds = new Set<OthersKind>();
  const node = resources.nodes.get(nodeName);
  if (node === undefined || hasSessionsWithNodes(resources, node) || letsPodCidrsIn(resources, node))
    kinds.add('Node');
  if (former.length > 0 || arePoolsInDoubt(resources, nodeName)) kinds.add('IPAMBlock');
  return kinds;
}

function hasSessionsWithNodes(resources: Resources, node: Node): boolean {
  const { spec } = bgpConfigurationOf(resources);
  const { mode, nodeSelector } = spec.routeReflectors;
  const isReflecting = mode === 'Auto' || (mode === 'Manual' && nodeSelector !== undefined);
  if (spec.nodeToNodeMeshEnabled || isReflecting) return true;
  const asNumber = nodeBgp(node).asNumber ?? spec.asNumber;
  return [...resources.bgpPeers.values()].some((peer) => mayMeetNode(peer, node, asNumber));
}

/** A neighbour of the own AS at an address may be a node: it is asked on that node's port. */
function mayMeetNode({ spec }: BGPPeer, { metadata: { name, labels = {} } }: Node, ownAs: number): boolean {
  const isFound = (selector: string | undefined) =>
    selector !== undefined && selectorMatches(selector, labels);
  const isOurs =
    spec.node === undefined
      ? spec.nodeSelector === undefined || isFound(spec.nodeSelector)
      : spec.node === name;
  if (spec.peerSelector !== undefined)
    return isOurs || (spec.reversePeering === 'Auto' && isFound(spec.peerSelector));
  return isOurs && spec.peerIP !== undefined && [ownAs, 'internal'].includes(spec.asNumber!);
}

/** Of a family without a pool, what nodes have as podCIDRs is what `import: Cluster` lets in. */
function letsPodCidrsIn({ ipPools }: Resources, { spec: { podCIDRs } }: Node): boolean {
  const pooled = new Set([...ipPools.values()].map((pool) => familyOf(pool.spec.cidr)));
  return podCIDRs.some((cidr) => !pooled.has(familyOf(cidr)));
}

/** Which of two pools stays, and what of a pool that may not be used or is gone is let in, is said by the blocks of all. */
function arePoolsInDoubt(resources: Resources, nodeName: string): boolean {
  if (usablePools(resources).problems.some(({ severity }) => severity === undefined)) return true;
  return [...resources.ipamBlocks.values()].some(
    ({ spec }) => spec.node === nodeName && spec.pool !== undefined && !resources.ipPools.has(spec.pool),
  );
}
