// Nodes whose pods the outside can only hear of from this node, which does not tell: a reflector or border node with a
// neighbour outside of the cluster that is told of this node's own pods alone.
import { type BGPPeer, parsePeerAddress, type Problem } from '#api';
import { listed } from '../listed.ts';
import { selects } from './bgp-peers.ts';
import type { ClusterNode } from './node-bgp.ts';
import type { PlannedPeer } from './types.ts';

/** How many of the nodes a message names. */
const NAMED = 3;

export function onlyWayOut(
  self: ClusterNode,
  nodes: readonly ClusterNode[],
  peers: ReadonlyMap<string, BGPPeer>,
  planned: readonly PlannedPeer[],
): Problem[] {
  const addresses = new Set(nodes.flatMap((node) => Object.values(node.addresses)));
  const outward = [...peers.values()].filter((peer) => leadsOut(peer, addresses));
  if (outward.some(({ spec }) => spec.node === undefined && spec.nodeSelector === undefined)) return [];
  const quiet = outward.filter(
    ({ spec, metadata }) =>
      spec.export === 'Cluster' &&
      spec.filters.length === 0 &&
      planned.some(({ from }) => from === `BGPPeer ${metadata.name}`),
  );
  if (quiet.length === 0 || !planned.some(({ config }) => isInside(config, addresses))) return [];
  const mute = nodes.filter((node) => node !== self && !outward.some((peer) => selects(peer, node)));
  if (mute.length === 0) return [];
  const who = listed(
    mute.map(({ name }) => name),
    NAMED,
  );
  return quiet.map(({ metadata }) => ({
    object: `BGPPeer ${metadata.name}`,
    field: 'spec.export',
    value: 'Cluster',
    message: `tells this neighbour of pods of ${self.name} alone; ${who} have no session out of the cluster: write 'export: Pools' to pass on what they announce, or give them such a session`,
    severity: 'warning' as const,
  }));
}

function leadsOut({ spec }: BGPPeer, nodeAddresses: ReadonlySet<string | undefined>): boolean {
  if (spec.peerFrom !== undefined || spec.peerRange !== undefined) return true;
  return spec.peerIP !== undefined && !nodeAddresses.has(parsePeerAddress(spec.peerIP).address);
}

function isInside(
  { remote }: PlannedPeer['config'],
  nodeAddresses: ReadonlySet<string | undefined>,
): boolean {
  return remote.kind === 'address' && nodeAddresses.has(remote.address);
}
