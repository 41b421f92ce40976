// What is certain only where the Nodes are among the files: objects that are for no node, and sessions with oneself.
import { canonicalAddress, FAMILIES } from '#ip';
import type { BGPPeer } from '../kinds/bgp-peer.ts';
import { type Node, nodeBgp } from '../kinds/node.ts';
import { objectName, type Resource, type Resources } from '../kinds/resources.ts';
import { parsePeerAddress } from '../schema/peer-address.ts';
import type { Problem } from '../schema/problem.ts';
import { selectorMatches } from '../schema/selector.ts';

/** All of them warnings: the nodes may come later. */
export function checkAgainstNodes({ nodes, bgpPeers, ipPools }: Resources): Problem[] {
  if (nodes.size === 0) return [];
  const all = [...nodes.values()];
  return [
    ...[...bgpPeers.values()].flatMap((peer) => [
      ...idleSelector(peer, 'nodeSelector', peer.spec.nodeSelector, all, 'nobody has this session'),
      ...idleSelector(peer, 'peerSelector', peer.spec.peerSelector, all, 'there is no such neighbour'),
      ...peersWithThemselves(peer, all),
    ]),
    ...[...ipPools.values()].flatMap((pool) =>
      idleSelector(pool, 'nodeSelector', pool.spec.nodeSelector, all, 'nobody takes blocks from it'),
    ),
  ];
}

function idleSelector(
  object: Resource,
  name: string,
  selector: string | undefined,
  nodes: readonly Node[],
  consequence: string,
): Problem[] {
  if (selector === undefined) return [];
  if (nodes.some(({ metadata }) => selectorMatches(selector, metadata.labels ?? {}))) return [];
  const message = `matches no Node in these files: ${consequence}`;
  return [
    { object: objectName(object), field: `spec.${name}`, value: selector, message, severity: 'warning' },
  ];
}

/** A list of all routers may name some of its own nodes; an object that makes no session at all is a mistake. */
function peersWithThemselves(peer: BGPPeer, nodes: readonly Node[]): Problem[] {
  const { peerIP } = peer.spec;
  if (peerIP === undefined) return [];
  const address = canonicalAddress(parsePeerAddress(peerIP).address);
  const mine = nodes.filter((node) => isFor(peer, node));
  const isOwn = (node: Node) => FAMILIES.some((family) => nodeBgp(node).addresses[family] === address);
  if (mine.length === 0 || !mine.every(isOwn)) return [];
  const message = `is the own address of ${objectName(mine[0]!)}, the only node that this is for: there is no session`;
  return [{ object: objectName(peer), field: 'spec.peerIP', value: peerIP, message, severity: 'warning' }];
}

/** Whether a BGPPeer makes sessions on a node. */
export function isFor({ spec }: BGPPeer, { metadata }: Node): boolean {
  if (spec.node !== undefined) return spec.node === metadata.name;
  return spec.nodeSelector === undefined || selectorMatches(spec.nodeSelector, metadata.labels ?? {});
}
