// Sessions that podroute makes by itself between nodes: the full mesh, or every node with every reflector. One session
// a family, each carrying its own, so that trouble with one family's transport leaves the other's routes alone.
import type { Problem } from '#api';
import { FAMILIES } from '#ip';
import { type PeerWish, RANK } from './conflicts.ts';
import type { ClusterNode } from './node-bgp.ts';
import { AUTOMATIC_SPEC, type SessionContext, sessionConfig, type SessionSpec } from './peer-config.ts';

export function automaticPeers(context: SessionContext): { wishes: PeerWish[]; problems: Problem[] } {
  if (context.reflectors.isAutomatic) return reflectorPeers(context);
  return context.config.nodeToNodeMeshEnabled ? meshPeers(context) : { wishes: [], problems: [] };
}

/** A node with a cluster ID of its own is no part of the mesh (Calico's rule). */
function meshPeers(context: SessionContext): { wishes: PeerWish[]; problems: Problem[] } {
  const { self, nodes, reflectors } = context;
  if (reflectors.clusterIds.has(self.name)) return { wishes: [], problems: [] };
  const members = nodes.filter((node) => node.name !== self.name && !reflectors.clusterIds.has(node.name));
  return sessionsWith(members, 'mesh', 'node-to-node mesh', RANK.mesh, context);
}

/** Clients speak with reflectors only; reflectors with everybody. */
function reflectorPeers(context: SessionContext): { wishes: PeerWish[]; problems: Problem[] } {
  const { self, nodes, reflectors } = context;
  const others = nodes.filter((node) => node.name !== self.name);
  const reflects = (node: ClusterNode) => reflectors.clusterIds.has(node.name);
  const members = reflects(self) ? others : others.filter(reflects);
  return sessionsWith(members, 'reflector', 'route reflection', RANK.reflector, context);
}

/** The password of the mesh is that of the reflectors' sessions too: they take its place. */
function automaticSpec({
  nodeMeshPassword,
  nodeMeshMaxRestartTime,
  nodeMeshBFD,
}: SessionContext['config']): SessionSpec {
  return {
    ...AUTOMATIC_SPEC,
    ...(nodeMeshPassword === undefined ? {} : { password: nodeMeshPassword }),
    ...(nodeMeshBFD && { bfd: nodeMeshBFD }),
    gracefulRestart: {
      ...AUTOMATIC_SPEC.gracefulRestart,
      ...(nodeMeshMaxRestartTime === undefined ? {} : { restartTime: nodeMeshMaxRestartTime }),
    },
  };
}

function sessionsWith(
  members: readonly ClusterNode[],
  kind: 'mesh' | 'reflector',
  what: string,
  rank: number,
  context: SessionContext,
): { wishes: PeerWish[]; problems: Problem[] } {
  const { self, config } = context;
  const spec = automaticSpec(config);
  const wishes: PeerWish[] = [];
  const problems = new Map<string, Problem>();
  for (const node of members) {
    for (const family of FAMILIES) {
      const address = node.addresses[family];
      if (address === undefined || self.addresses[family] === undefined) continue;
      const from = `${what}, Node ${node.name}`;
      const made = sessionConfig(
        {
          id: `${kind}/${node.name}/${family}`,
          object: from,
          spec,
          remote: { kind: 'address', address, port: node.listenPort },
          remoteAs: node.asNumber,
          family,
          remoteNode: node,
          passwordField: 'spec.nodeMeshPassword',
          bfdField: 'spec.nodeMeshBFD',
        },
        context,
      );
      const { problems: wrong, ...session } = made;
      wishes.push({ ...session, kind, from, rank, field: '' });
      // What is wrong with the mesh is wrong with each of its sessions: told once.
      for (const problem of wrong) {
        const object = problem.object === from ? 'BGPConfiguration default' : problem.object;
        problems.set(`${object} ${problem.field}`, { ...problem, object });
      }
    }
  }
  return { wishes, problems: [...problems.values()] };
}
