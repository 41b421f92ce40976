// What each lab looks like, as plain data: hosts, wires, the YAML an operator would apply, the routers' configurations.
// Nothing is done here.
import { FAMILIES } from '#ip';
import { frrConfig, type FrrNeighbour, TOR_AS, torConfig } from './router-config.ts';

export const TOPOLOGIES = ['tor', 'dual-tor', 'unnumbered', 'mesh', 'rr'] as const;
export type TopologyName = (typeof TOPOLOGIES)[number];

/** One end of a wire; addresses carry their prefix length. */
interface WireEnd {
  readonly host: string;
  readonly device: string;
  readonly addresses: readonly string[];
}

export interface LabNodePlan {
  readonly name: string;
  readonly ipv4: string;
  readonly ipv6: string;
  /** Routers towards the rest of the fabric; undefined on a shared segment. */
  readonly gateway?: { readonly ipv4: string; readonly ipv6: string };
  /** The interfaces that lead to the fabric, where a capture shows what is on the wire. */
  readonly uplinks: readonly string[];
  /** The node's own addresses are here and not on the uplinks. */
  readonly loopback?: readonly string[];
}

export interface RouterPlan {
  readonly host: string;
  readonly software: 'BIRD' | 'FRR';
  readonly config: string;
  /** Addresses of its own, with their length, that are on no link. */
  readonly loopback?: readonly string[];
}

export interface Topology {
  readonly name: TopologyName;
  readonly summary: string;
  readonly nodes: readonly LabNodePlan[];
  readonly wires: readonly (readonly [WireEnd, WireEnd])[];
  /** A host that only bridges its interfaces: one L2 segment. */
  readonly bridge?: string;
  /** Top-of-rack routers. */
  readonly routers: readonly RouterPlan[];
  /** File name to YAML text: the directory store's first content. */
  readonly documents: Readonly<Record<string, string>>;
}

const NODE_NUMBERS = [1, 2, 3] as const;

const POOLS = `# Pods get their addresses from these two pools, one block of each to a node.
apiVersion: podroute.io/v1
kind: IPPool
metadata: { name: pods-ipv4 }
spec: { cidr: 10.244.0.0/16, blockSize: 26 }
---
apiVersion: podroute.io/v1
kind: IPPool
metadata: { name: pods-ipv6 }
spec: { cidr: fd00:10:244::/64, blockSize: 122 }
`;

function nodeDocument(
  node: LabNodePlan,
  options: { as?: number; labels?: Record<string, string> } = {},
): string {
  const labels = options.labels === undefined ? '' : `\n  labels: ${JSON.stringify(options.labels)}`;
  const annotations =
    options.as === undefined ? '' : `\n  annotations: { podroute.io/ASNumber: "${options.as}" }`;
  return `apiVersion: v1
kind: Node
metadata:
  name: ${node.name}${labels}${annotations}
status:
  addresses:
    - { type: InternalIP, address: ${node.ipv4} }
    - { type: InternalIP, address: "${node.ipv6}" }
`;
}

function torTopology(software: RouterPlan['software']): Topology {
  const nodes = NODE_NUMBERS.map((n) => ({
    name: `n${n}`,
    ipv4: `10.0.${n}.1`,
    ipv6: `fd00:0:0:${n}::2`,
    gateway: { ipv4: `10.0.${n}.0`, ipv6: `fd00:0:0:${n}::1` },
    uplinks: ['uplink'],
  }));
  const asOf = (n: number) => 65000 + n;
  const torEnds = ({ ipv4, ipv6, gateway }: (typeof nodes)[number]) => ({
    ipv4: { node: ipv4, tor: gateway.ipv4 },
    ipv6: { node: ipv6, tor: gateway.ipv6 },
  });
  const peers = nodes.map(
    (node) => `apiVersion: podroute.io/v1
kind: BGPPeer
metadata: { name: tor-${node.name}-ipv4 }
spec: { node: ${node.name}, peerIP: ${node.gateway.ipv4}, asNumber: ${TOR_AS} }
---
apiVersion: podroute.io/v1
kind: BGPPeer
metadata: { name: tor-${node.name}-ipv6 }
spec: { node: ${node.name}, peerIP: "${node.gateway.ipv6}", asNumber: ${TOR_AS} }
`,
  );
  return {
    name: 'tor',
    summary: 'three nodes, each on its own point-to-point link to one ToR (BIRD), eBGP, an AS a node',
    nodes,
    wires: nodes.map((node) => [
      { host: node.name, device: 'uplink', addresses: [`${node.ipv4}/31`, `${node.ipv6}/64`] },
      { host: 'tor', device: node.name, addresses: [`${node.gateway.ipv4}/31`, `${node.gateway.ipv6}/64`] },
    ]),
    routers: [
      {
        host: 'tor',
        software,
        config: torConfig(
          software,
          '10.0.0.254',
          nodes.map((node, n) => ({ node: node.name, as: asOf(n + 1), ...torEnds(node) })),
        ),
      },
    ],
    documents: torDocuments(
      nodes,
      asOf,
      peers,
      'Nodes speak only to their ToR; it carries routes between them.',
    ),
  };
}

/** Each node has a link to both routers, and its own addresses on neither. */
function dualTorTopology(): Topology {
  const nodes = NODE_NUMBERS.map((n) => ({
    name: `n${n}`,
    ipv4: `10.0.0.${n}`,
    ipv6: `fd00::${n}`,
    uplinks: ['tor-a', 'tor-b'],
    loopback: [`10.0.0.${n}/32`, `fd00::${n}/128`],
  }));
  const asOf = (n: number) => TOR_AS + n;
  const racks = [
    { host: 'tor-a', software: 'BIRD', second: 1 },
    { host: 'tor-b', software: 'FRR', second: 2 },
  ] as const;
  const ends = (second: number, n: number) => ({
    ipv4: { node: `10.${second}.${n}.1`, tor: `10.${second}.${n}.0` },
    ipv6: { node: `fd00:${second}:${n}::2`, tor: `fd00:${second}:${n}::1` },
  });
  const links = racks.flatMap(({ host, second }) =>
    NODE_NUMBERS.map((n) => ({ tor: host, node: `n${n}`, as: asOf(n), ...ends(second, n) })),
  );
  const peers = links.flatMap(({ tor, node, ipv4, ipv6 }) =>
    [ipv4, ipv6].map(
      (link, i) => `apiVersion: podroute.io/v1
kind: BGPPeer
metadata: { name: ${tor}-${node}-ipv${i === 0 ? 4 : 6} }
spec: { node: ${node}, peerIP: "${link.tor}", asNumber: ${TOR_AS}, sourceAddress: None }
`,
    ),
  );
  return {
    name: 'dual-tor',
    summary:
      "three nodes, each on a link to two ToRs (BIRD and FRR), eBGP; the nodes' own addresses are on lo",
    nodes,
    wires: links.map(({ tor, node, ipv4, ipv6 }) => [
      { host: node, device: tor, addresses: [`${ipv4.node}/31`, `${ipv6.node}/64`] },
      { host: tor, device: node, addresses: [`${ipv4.tor}/31`, `${ipv6.tor}/64`] },
    ]),
    routers: racks.map(({ host, software }) => {
      const own = links.filter(({ tor }) => tor === host);
      return { host, software, config: torConfig(software, '10.0.0.253', own) };
    }),
    documents: torDocuments(
      nodes,
      asOf,
      peers,
      'Every node speaks with both routers, from its address on the link to each.',
    ),
  };
}

/** The links have only the link-local addresses that each kernel makes; nodes and routers have theirs on lo. */
function unnumberedTopology(): Topology {
  const asOf = (n: number) => TOR_AS + n;
  const racks = [
    { host: 'tor-a', routerId: '10.0.0.250', loopback: ['10.0.0.250/32', 'fd00::a/128'] },
    { host: 'tor-b', routerId: '10.0.0.251', loopback: ['10.0.0.251/32', 'fd00::b/128'] },
  ] as const;
  const nodes = NODE_NUMBERS.map((n) => ({
    name: `n${n}`,
    ipv4: `10.0.0.${n}`,
    ipv6: `fd00::${n}`,
    uplinks: racks.map(({ host }) => host),
    loopback: [`10.0.0.${n}/32`, `fd00::${n}/128`],
  }));
  // Of every node: nothing differs between them.
  const peers = racks.map(
    ({ host }) => `apiVersion: podroute.io/v1
kind: BGPPeer
metadata: { name: ${host} }
# import: All lets in the routers' own addresses too.
spec: { peerInterface: ${host}, asNumber: external, import: All }
`,
  );
  const neighbours = NODE_NUMBERS.map((n): FrrNeighbour => {
    return { name: `n${n}`, options: ['interface remote-as external'], families: FAMILIES };
  });
  return {
    name: 'unnumbered',
    summary:
      'three nodes, each on a link to two ToRs (both FRR) with link-local addresses only, found by interface; eBGP',
    nodes,
    wires: racks.flatMap(({ host }) =>
      nodes.map((node): [WireEnd, WireEnd] => [
        { host: node.name, device: host, addresses: [] },
        { host, device: node.name, addresses: [] },
      ]),
    ),
    routers: racks.map(({ host, routerId, loopback }) => ({
      host,
      software: 'FRR',
      loopback,
      config: frrConfig(routerId, neighbours, loopback),
    })),
    documents: torDocuments(
      nodes,
      asOf,
      peers,
      'Every node finds both routers by their advertisements: links without addresses, one session for both families.',
    ),
  };
}

/** Of nodes that speak with routers only, an AS a node. */
function torDocuments(
  nodes: readonly LabNodePlan[],
  asOf: (n: number) => number,
  peers: readonly string[],
  comment: string,
): Readonly<Record<string, string>> {
  return {
    'pools.yaml': POOLS,
    'bgp.yaml': `# ${comment}
apiVersion: podroute.io/v1
kind: BGPConfiguration
metadata: { name: default }
spec: { nodeToNodeMeshEnabled: false }
---
${peers.join('---\n')}`,
    'nodes.yaml': nodes.map((node, i) => nodeDocument(node, { as: asOf(i + 1) })).join('---\n'),
  };
}

/** Three nodes on one segment; they differ only in who speaks with whom. */
function segmentTopology(name: 'mesh' | 'rr', summary: string, bgp: string, reflectors: number): Topology {
  const nodes = NODE_NUMBERS.map((n) => ({
    name: `n${n}`,
    ipv4: `10.0.0.${n}`,
    ipv6: `fd00::${n}`,
    uplinks: ['uplink'],
  }));
  return {
    name,
    summary,
    nodes,
    bridge: 'lan',
    routers: [],
    wires: nodes.map((node) => [
      { host: node.name, device: 'uplink', addresses: [`${node.ipv4}/24`, `${node.ipv6}/64`] },
      { host: 'lan', device: node.name, addresses: [] },
    ]),
    documents: {
      'pools.yaml': POOLS,
      'bgp.yaml': bgp,
      'nodes.yaml': nodes
        .map((node, i) =>
          nodeDocument(node, i < reflectors ? { labels: { 'example.org/route-reflector': 'true' } } : {}),
        )
        .join('---\n'),
    },
  };
}

/** @param tor the software of its ToR where the topology leaves that open: `tor` */
export function topology(name: TopologyName, tor: RouterPlan['software'] = 'BIRD'): Topology {
  switch (name) {
    case 'tor':
      return torTopology(tor);
    case 'dual-tor':
      return dualTorTopology();
    case 'unnumbered':
      return unnumberedTopology();
    case 'mesh':
      return segmentTopology(
        'mesh',
        'three nodes on one segment, iBGP full mesh, no router',
        `# The default: every node speaks with every other. Written out to be seen.
apiVersion: podroute.io/v1
kind: BGPConfiguration
metadata: { name: default }
spec: { asNumber: 64512, nodeToNodeMeshEnabled: true }
`,
        0,
      );
    case 'rr':
      return segmentTopology(
        'rr',
        'three nodes on one segment, two of them route reflectors',
        `# n1 and n2 reflect; every other node speaks only with them.
apiVersion: podroute.io/v1
kind: BGPConfiguration
metadata: { name: default }
spec:
  asNumber: 64512
  routeReflectors:
    mode: Manual
    nodeSelector: example.org/route-reflector == 'true'
    clusterID: 10.0.0.250
`,
        2,
      );
  }
}
