// For each field of the table: two values of it, and the cluster around it in which they make a difference. Written as
// an operator would write them.
import { objectYaml } from '../../testing/cluster-yaml.ts';

/**
 * Three nodes in ASes of their own: n1 (64512) with sessions `changed` to n2 (65002) and `other` to n3 (65003), each from
 * a BGPPeer on both sides.
 */
export interface FieldCase {
  /** YAML flow text of the changed object's spec before and after. */
  readonly spec: readonly [before: string, after: string];
  /** Of BGPPeers `changed` and `changed-back`, both; default: the node, address and AS of the other. */
  readonly where?: string;
  /** n2's BGPPeer has the same field. */
  readonly both?: true;
  /** AS of n2 and n3; default 65002 and 65003. */
  readonly ases?: readonly [number, number];
  /** Of the BGPConfiguration default; `nodeToNodeMeshEnabled: false` is its default here. */
  readonly config?: string;
  /** More documents. */
  readonly more?: readonly string[];
  /** Metadata of Nodes: labels and annotations beside the AS. */
  readonly annotations?: string;
  /** Blocks of n2 and n3. */
  readonly blocks?: readonly [readonly string[], readonly string[]];
  /** What is looked at again comes out the same. */
  readonly isSilent?: true;
  /** The object is the BGPConfiguration of n1 alone. */
  readonly isOwn?: true;
}

const SECRETS = ['s1', 's2'].map(
  (name) =>
    `apiVersion: v1\nkind: Secret\nmetadata: { name: ${name} }\nstringData: { k1: ${name}one, k2: ${name}two }`,
);

const PROFILES = ['100ms', '200ms'].map((interval, i) =>
  objectYaml('BFDProfile', `p${i + 1}`, `{ transmitInterval: ${interval} }`),
);

export const DEFAULT_WHERE = 'node: n1, peerIP: 10.0.0.2, asNumber: 65002';
const SAME_AS = [64512, 64512] as const;
const INTERNAL = 'node: n1, peerIP: 10.0.0.2, asNumber: internal, export: All';
const secret = (more: string) => `password: { secretKeyRef: { ${more} } }`;
const meshSecret = (more: string) => `nodeMeshPassword: { secretKeyRef: { ${more} } }`;
const filter = (name: string, rules: string) => objectYaml('BGPFilter', name, `{ importV4: [ ${rules} ] }`);

const exportFilter = (name: string, operation: string) =>
  objectYaml('BGPFilter', name, `{ exportV4: [ { action: Accept, operations: [ ${operation} ] } ] }`);

export const peerCases: Readonly<Record<string, FieldCase>> = {
  node: { where: 'peerIP: 10.0.0.2, asNumber: 65002', spec: ['node: n1', 'node: n5'] },
  nodeSelector: {
    where: 'peerIP: 10.0.0.2, asNumber: 65002',
    spec: ['nodeSelector: name == "n1"', 'nodeSelector: name == "n5"'],
  },
  peerIP: { where: 'node: n1, asNumber: 65002', spec: ['peerIP: 10.0.0.2', 'peerIP: 10.0.0.4'] },
  peerSelector: { where: 'node: n1', spec: ['peerSelector: name == "n2"', 'peerSelector: name == "n5"'] },
  peerRange: {
    where: 'node: n1, asNumber: 65002',
    spec: ['peerRange: 10.0.0.2/32', 'peerRange: 10.0.1.0/24'],
  },
  maxPeers: {
    where: 'node: n1, asNumber: 65002, peerRange: 10.0.0.2/32',
    spec: ['maxPeers: 5', 'maxPeers: 7'],
  },
  peerInterface: {
    where: 'node: n1, asNumber: external',
    spec: ['peerInterface: eth0', 'peerInterface: eth1'],
  },
  'peerFrom.defaultGateway': {
    where: 'node: n1, asNumber: 65002',
    spec: ['peerFrom: { defaultGateway: ipv4 }', 'peerFrom: { defaultGateway: ipv6 }'],
  },
  'peerFrom.nodeAnnotation': {
    where: 'node: n1, asNumber: 65002',
    annotations: 'tor-a: 10.0.0.2, tor-b: 10.0.0.4',
    spec: ['peerFrom: { nodeAnnotation: tor-a }', 'peerFrom: { nodeAnnotation: tor-b }'],
  },
  localWorkloadSelector: {
    where: 'node: n1, asNumber: 65002',
    spec: ['localWorkloadSelector: all()', 'localWorkloadSelector: has(bgp)'],
  },
  asNumber: { where: 'node: n1, peerIP: 10.0.0.2', spec: ['asNumber: 65002', 'asNumber: external'] },
  localASNumber: { spec: ['', 'localASNumber: 64513'] },
  nextHopMode: { where: INTERNAL, ases: [64512, 65003], spec: ['nextHopMode: Auto', 'nextHopMode: Self'] },
  keepOriginalNextHop: { spec: ['export: All', 'export: All, keepOriginalNextHop: true'] },
  'password.secretKeyRef.name': {
    both: true,
    more: SECRETS,
    spec: [secret('name: s1, key: k1'), secret('name: s2, key: k1')],
  },
  'password.secretKeyRef.key': {
    both: true,
    more: SECRETS,
    spec: [secret('name: s1, key: k1'), secret('name: s1, key: k2')],
  },
  'password.secretKeyRef.optional': {
    both: true,
    more: SECRETS,
    spec: [secret('name: s1, key: k1'), secret('name: s1, key: k1, optional: true')],
  },
  sourceAddress: { spec: ['', 'sourceAddress: None'] },
  reachableBy: { spec: ['reachableBy: 10.0.0.8', 'reachableBy: 10.0.0.9'] },
  passive: { spec: ['passive: false', 'passive: true'] },
  multihop: { spec: ['multihop: 1', 'multihop: 2'] },
  ttlSecurity: { both: true, spec: ['ttlSecurity: 1', 'ttlSecurity: 2'] },
  holdTime: { spec: ['holdTime: 30s', 'holdTime: 60s'] },
  keepaliveTime: { spec: ['keepaliveTime: 5s', 'keepaliveTime: 7s'] },
  connectRetryTime: { spec: ['connectRetryTime: 5s', 'connectRetryTime: 9s'] },
  families: { spec: ['families: [IPv4]', 'families: [IPv4, IPv6]'] },
  numAllowedLocalASNumbers: {
    ases: [65002, 64512],
    more: [
      objectYaml('BGPPeer', 'loop', '{ node: n2, peerIP: 10.0.0.3, asNumber: 64512 }'),
      objectYaml('BGPPeer', 'loop-back', '{ node: n3, peerIP: 10.0.0.2, asNumber: 65002 }'),
      objectYaml('BGPPeer', 'changed-back', '{ node: n2, peerIP: 10.0.0.1, asNumber: 64512, export: All }'),
    ],
    spec: ['', 'numAllowedLocalASNumbers: 1'],
  },
  routeReflectorClient: { where: INTERNAL, ases: SAME_AS, spec: ['', 'routeReflectorClient: true'] },
  addPaths: { spec: ['addPaths: Send', 'addPaths: Both'] },
  addPathLimit: { spec: ['addPaths: Both', 'addPaths: Both, addPathLimit: 2'], isSilent: true },
  'maxPrefixes.limit': { spec: ['maxPrefixes: { limit: 1000 }', 'maxPrefixes: { limit: 500 }'] },
  'maxPrefixes.warnPercent': { spec: ['', 'maxPrefixes: { warnPercent: 50 }'] },
  'maxPrefixes.action': {
    blocks: [['10.244.2.0/26', '10.244.2.64/26'], ['10.244.3.0/26']],
    spec: ['maxPrefixes: { limit: 1, action: Warn }', 'maxPrefixes: { limit: 1, action: Drop }'],
  },
  'maxPrefixes.restartTime': { spec: ['', 'maxPrefixes: { restartTime: 60s }'] },
  role: { spec: ['role: Provider', 'role: Customer'] },
  localASMode: {
    spec: ['localASNumber: 64513, localASMode: Replace', 'localASNumber: 64513, localASMode: Prepend'],
  },
  asOverride: { ases: [65002, 65002], spec: ['export: All', 'export: All, asOverride: true'] },
  privateASAction: {
    spec: [
      'export: All, removePrivateAS: true',
      'export: All, removePrivateAS: true, privateASAction: Replace',
    ],
  },
  advertisementInterval: { spec: ['', 'advertisementInterval: 30s'] },
  defaultOriginate: { spec: ['', 'defaultOriginate: IPv4'] },
  linkBandwidth: {
    more: [exportFilter('lb', '{ addCommunity: { value: "generic:0x4004:0xfc004e9502f9" } }')],
    spec: ['filters: [lb]', 'filters: [lb], linkBandwidth: Send'],
  },
  removePrivateAS: { spec: ['export: All', 'export: All, removePrivateAS: true'] },
  maxRestartTime: { spec: ['maxRestartTime: 60s', 'maxRestartTime: 90s'] },
  'gracefulRestart.mode': { spec: ['gracefulRestart: { mode: Full }', 'gracefulRestart: { mode: Helper }'] },
  'gracefulRestart.restartTime': {
    spec: ['gracefulRestart: { restartTime: 60s }', 'gracefulRestart: { restartTime: 90s }'],
  },
  'gracefulRestart.longLivedTime': {
    spec: ['gracefulRestart: { longLivedTime: 60s }', 'gracefulRestart: { longLivedTime: 90s }'],
  },
  'bfd.profile': { both: true, more: PROFILES, spec: ['bfd: { profile: p1 }', 'bfd: { profile: p2 }'] },
  'bfd.required': { both: true, spec: ['bfd: {}', 'bfd: { required: true }'] },
  'bfd.onFailure': { both: true, spec: ['bfd: {}', 'bfd: { onFailure: Restart }'] },
  'bfd.multihop': { both: true, spec: ['bfd: { multihop: false }', 'bfd: { multihop: true }'] },
  filters: {
    more: [filter('f', '{ action: Reject }'), filter('g', '{ action: Accept }')],
    spec: ['filters: [g]', 'filters: [f]'],
  },
  import: { spec: ['import: Cluster', 'import: None'] },
  export: { spec: ['export: Cluster', 'export: None'] },
  reversePeering: {
    where: 'node: n1, peerSelector: name == "n2"',
    spec: ['reversePeering: Auto', 'reversePeering: Manual'],
  },
};

const MESH = 'nodeToNodeMeshEnabled: true';
const reflectors = (more: string) => `${MESH}, routeReflectors: { ${more} }`;
const communities = (text: string) =>
  `${text}, prefixAdvertisements: [{ cidr: 10.244.0.0/16, communities: [c] }]`;
/** They are for who is no node: found by its address in a range. */
const aggregates = (before: string, after: string): FieldCase => ({
  where: 'node: n1, peerRange: 10.0.0.2/32, asNumber: 65002',
  spec: [`aggregates: [{ ${before} }]`, `aggregates: [{ ${after} }]`],
});
/** n3's routes have none. */
const MED_OF_N2 = [
  exportFilter('med', '{ setMED: { value: 9 } }'),
  objectYaml('BGPPeer', 'changed-back', '{ node: n2, peerIP: 10.0.0.1, asNumber: external, filters: [med] }'),
];
const BOTH_HAVE = [['10.244.9.0/26'], ['10.244.9.0/26']] as const;

export const configurationCases: Readonly<Record<string, FieldCase>> = {
  asNumber: { spec: ['asNumber: 64512', 'asNumber: 64513'] },
  nodeToNodeMeshEnabled: { spec: ['', MESH] },
  listenPort: { isOwn: true, spec: ['listenPort: 179', 'listenPort: 1179'] },
  listenAddresses: { isOwn: true, spec: ['', 'listenAddresses: [10.0.0.1]'] },
  bindMode: { isOwn: true, spec: ['', 'bindMode: NodeIP'] },
  routerID: { isOwn: true, spec: ['', 'routerID: 9.9.9.9'] },
  holdTime: { spec: ['holdTime: 30s', 'holdTime: 60s'] },
  keepaliveTime: { spec: ['', 'keepaliveTime: 7s'] },
  'multipath.ebgp': { blocks: BOTH_HAVE, spec: ['multipath: { ebgp: 2 }', 'multipath: { ebgp: 1 }'] },
  'multipath.ibgp': {
    blocks: BOTH_HAVE,
    ases: SAME_AS,
    where: INTERNAL,
    spec: ['multipath: { ibgp: 2 }', 'multipath: { ibgp: 1 }'],
  },
  'multipath.relax': {
    blocks: BOTH_HAVE,
    spec: ['multipath: { relax: true }', 'multipath: { relax: false }'],
  },
  'multipath.weighted': {
    blocks: BOTH_HAVE,
    isSilent: true,
    spec: ['', 'multipath: { weighted: false }'],
  },
  'bestPath.alwaysCompareMED': {
    ...{ blocks: BOTH_HAVE, more: MED_OF_N2, config: 'multipath: { ebgp: 1 }' },
    spec: ['', 'bestPath: { alwaysCompareMED: true }'],
  },
  'bestPath.missingMEDAsWorst': {
    ...{ blocks: BOTH_HAVE, more: MED_OF_N2, config: 'multipath: { ebgp: 1 }' },
    spec: [
      'bestPath: { alwaysCompareMED: true }',
      'bestPath: { alwaysCompareMED: true, missingMEDAsWorst: true }',
    ],
  },
  'routeReflectors.mode': { spec: [reflectors('mode: Disabled'), reflectors('mode: Auto, meshUpTo: 0')] },
  'routeReflectors.nodeSelector': {
    spec: [reflectors('nodeSelector: name == "n2"'), reflectors('nodeSelector: name == "n3"')],
  },
  'routeReflectors.clusterID': {
    ases: SAME_AS,
    where: 'node: n1, peerIP: 10.0.0.2, asNumber: internal',
    spec: ['1.1.1.1', '2.2.2.2'].map(
      (id) => `routeReflectors: { nodeSelector: name == "n1", clusterID: ${id} }`,
    ) as [string, string],
  },
  'routeReflectors.perZone': {
    spec: [reflectors('mode: Auto, meshUpTo: 0'), reflectors('mode: Auto, meshUpTo: 0, perZone: true')],
  },
  'routeReflectors.meshUpTo': {
    spec: [reflectors('mode: Auto, meshUpTo: 100'), reflectors('mode: Auto, meshUpTo: 0')],
  },
  'nodeMeshPassword.secretKeyRef.name': {
    more: SECRETS,
    spec: [`${MESH}, ${meshSecret('name: s1, key: k1')}`, `${MESH}, ${meshSecret('name: s2, key: k1')}`],
  },
  'nodeMeshPassword.secretKeyRef.key': {
    more: SECRETS,
    spec: [`${MESH}, ${meshSecret('name: s1, key: k1')}`, `${MESH}, ${meshSecret('name: s1, key: k2')}`],
  },
  'nodeMeshPassword.secretKeyRef.optional': {
    more: SECRETS,
    spec: [
      `${MESH}, ${meshSecret('name: s1, key: k1')}`,
      `${MESH}, ${meshSecret('name: s1, key: k1, optional: true')}`,
    ],
  },
  nodeMeshMaxRestartTime: {
    spec: [`${MESH}, nodeMeshMaxRestartTime: 60s`, `${MESH}, nodeMeshMaxRestartTime: 90s`],
  },
  'nodeMeshBFD.profile': {
    more: PROFILES,
    spec: [`${MESH}, nodeMeshBFD: { profile: p1 }`, `${MESH}, nodeMeshBFD: { profile: p2 }`],
  },
  'nodeMeshBFD.required': {
    spec: [`${MESH}, nodeMeshBFD: {}`, `${MESH}, nodeMeshBFD: { required: true }`],
  },
  'nodeMeshBFD.onFailure': {
    spec: [`${MESH}, nodeMeshBFD: {}`, `${MESH}, nodeMeshBFD: { onFailure: Restart }`],
  },
  'nodeMeshBFD.multihop': {
    spec: [`${MESH}, nodeMeshBFD: { multihop: true }`, `${MESH}, nodeMeshBFD: { multihop: false }`],
  },
  'communities.name': {
    spec: ['communities: [{ name: a, value: "65000:1" }]', 'communities: [{ name: b, value: "65000:1" }]'],
  },
  'communities.value': {
    spec: [
      communities('communities: [{ name: c, value: "65000:1" }]'),
      communities('communities: [{ name: c, value: "65000:2" }]'),
    ],
  },
  'prefixAdvertisements.cidr': {
    spec: [
      'prefixAdvertisements: [{ cidr: 10.244.0.0/16, communities: ["65000:1"] }]',
      'prefixAdvertisements: [{ cidr: 10.244.2.0/24, communities: ["65000:1"] }]',
    ],
  },
  'prefixAdvertisements.communities': {
    spec: [
      'prefixAdvertisements: [{ cidr: 10.244.0.0/16, communities: ["65000:1"] }]',
      'prefixAdvertisements: [{ cidr: 10.244.0.0/16, communities: ["65000:1:1"] }]',
    ],
  },
  'aggregates.cidr': aggregates('cidr: 10.244.0.0/16', 'cidr: 10.244.0.0/17'),
  'aggregates.summaryOnly': aggregates('cidr: 10.244.0.0/16', 'cidr: 10.244.0.0/16, summaryOnly: true'),
  'aggregates.communities': aggregates(
    'cidr: 10.244.0.0/16',
    'cidr: 10.244.0.0/16, communities: ["65000:1"]',
  ),
  ...Object.fromEntries(
    ['serviceClusterIPs', 'serviceExternalIPs', 'serviceLoadBalancerIPs'].map((name) => [
      `${name}.cidr`,
      {
        spec: [`${name}: [{ cidr: 10.96.0.0/12 }]`, `${name}: [{ cidr: 10.97.0.0/16 }]`],
      } satisfies FieldCase,
    ]),
  ),
  serviceLoadBalancerAggregation: { spec: ['', 'serviceLoadBalancerAggregation: Disabled'] },
  ignoredInterfaces: { spec: ['', 'ignoredInterfaces: [eth9]'] },
  localWorkloadPeeringIPV4: { spec: ['', 'localWorkloadPeeringIPV4: 169.254.1.1'] },
  localWorkloadPeeringIPV6: { spec: ['', 'localWorkloadPeeringIPV6: "fe80::1"'] },
  logSeverityScreen: { spec: ['', 'logSeverityScreen: Debug'] },
  encapsulatedPools: {
    more: [objectYaml('IPPool', 'tunnel', '{ cidr: 10.245.0.0/16, ipipMode: Always }')],
    blocks: [['10.245.2.0/26'], ['10.244.3.0/26']],
    spec: ['', 'encapsulatedPools: Unencapsulated'],
  },
  programClusterRoutes: { spec: ['', 'programClusterRoutes: Disabled'] },
  ipv4NormalRoutePriority: { spec: ['', 'ipv4NormalRoutePriority: 2048'] },
  ipv6NormalRoutePriority: { spec: ['', 'ipv6NormalRoutePriority: 2048'] },
};

const BACK_WITH_BFD = objectYaml(
  'BGPPeer',
  'changed-back',
  '{ node: n2, peerIP: 10.0.0.1, asNumber: external, bfd: { profile: p } }',
);
const signed = (type: string, keyID: number, reference: string): string =>
  `authentication: { type: ${type}, keyID: ${keyID}, keyFrom: { secretKeyRef: { ${reference} } } }`;
const ofProfile = (before: string, after: string): FieldCase => ({
  where: `${DEFAULT_WHERE}, bfd: { profile: p }`,
  more: [...SECRETS, BACK_WITH_BFD],
  spec: [before, after],
});

/** Of BFDProfile `p`, which the sessions of both sides have. */
export const bfdProfileCases: Readonly<Record<string, FieldCase>> = {
  transmitInterval: ofProfile('transmitInterval: 300ms', 'transmitInterval: 50ms'),
  receiveInterval: ofProfile('receiveInterval: 300ms', 'receiveInterval: 1s'),
  detectMultiplier: ofProfile('', 'detectMultiplier: 5'),
  minimumTTL: {
    ...ofProfile('', 'minimumTTL: 250'),
    where: `${DEFAULT_WHERE}, bfd: { profile: p, multihop: true }`,
    more: [BACK_WITH_BFD.replace('profile: p', 'profile: p, multihop: true')],
  },
  passive: ofProfile('', 'passive: true'),
  'authentication.type': ofProfile(
    signed('KeyedMD5', 1, 'name: s1, key: k1'),
    signed('KeyedSHA1', 1, 'name: s1, key: k1'),
  ),
  'authentication.keyID': ofProfile(
    signed('KeyedMD5', 1, 'name: s1, key: k1'),
    signed('KeyedMD5', 2, 'name: s1, key: k1'),
  ),
  'authentication.keyFrom.secretKeyRef.name': ofProfile(
    signed('KeyedMD5', 1, 'name: s1, key: k1'),
    signed('KeyedMD5', 1, 'name: s2, key: k1'),
  ),
  'authentication.keyFrom.secretKeyRef.key': ofProfile(
    signed('KeyedMD5', 1, 'name: s1, key: k1'),
    signed('KeyedMD5', 1, 'name: s1, key: k2'),
  ),
};
