// Ways to join the nodes of a cluster, as the objects that say it: a kustomize overlay and a file of Helm values each.

interface Named {
  readonly name: string;
  readonly spec: object;
}

export interface Topology {
  readonly name: string;
  readonly about: string;
  readonly bgpConfiguration: object;
  readonly ipPools: readonly Named[];
  readonly bgpPeers: readonly Named[];
}

const IPV4_POOL = { name: 'pods-ipv4', spec: { cidr: '10.244.0.0/16' } };
const IPV6_POOL = { name: 'pods-ipv6', spec: { cidr: 'fd00:10:244::/64' } };

export const TOPOLOGIES: readonly Topology[] = [
  {
    name: 'mesh',
    about: 'Every node speaks iBGP with every other; blocks of one pool. Up to some 100 nodes.',
    bgpConfiguration: { asNumber: 64512 },
    ipPools: [IPV4_POOL],
    bgpPeers: [],
  },
  {
    name: 'rr',
    about:
      'Nodes with the label podroute.io/reflector=true reflect routes; every other node speaks with these alone. Label two or more before.',
    bgpConfiguration: {
      asNumber: 64512,
      routeReflectors: { mode: 'Manual', nodeSelector: "podroute.io/reflector == 'true'" },
    },
    ipPools: [IPV4_POOL],
    bgpPeers: [],
  },
  {
    name: 'tor',
    about:
      'Every node speaks eBGP with the gateway of its default route (AS 65000), and with no other node. The nodes share AS 64512.',
    bgpConfiguration: { asNumber: 64512, nodeToNodeMeshEnabled: false },
    ipPools: [IPV4_POOL],
    bgpPeers: [
      {
        name: 'tor',
        spec: { peerFrom: { defaultGateway: 'ipv4' }, asNumber: 65000, numAllowedLocalASNumbers: 1 },
      },
    ],
  },
  {
    name: 'dual-stack',
    about: 'As mesh, and each pod has an IPv4 and an IPv6 address.',
    bgpConfiguration: { asNumber: 64512 },
    ipPools: [IPV4_POOL, IPV6_POOL],
    bgpPeers: [],
  },
  {
    name: 'podcidr',
    about: "As mesh, and pods' addresses are the Nodes' podCIDRs, which the cluster gives out.",
    bgpConfiguration: { asNumber: 64512 },
    ipPools: [],
    bgpPeers: [],
  },
];

/** As documents that kubectl applies. */
export function objectsOf({ bgpConfiguration, ipPools, bgpPeers }: Topology): object[] {
  const ours = (kind: string) => (named: Named) => ({
    apiVersion: 'podroute.io/v1',
    kind,
    metadata: { name: named.name },
    spec: named.spec,
  });
  return [
    ours('BGPConfiguration')({ name: 'default', spec: bgpConfiguration }),
    ...ipPools.map(ours('IPPool')),
    ...bgpPeers.map(ours('BGPPeer')),
  ];
}
