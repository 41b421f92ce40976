// BGPPeer: neighbours of some or all nodes. Fields and meaning as in Calico, and ours beside them.
import * as z from 'zod';
import { type BGPPeerStatus, bgpPeerStatus } from './summed-status.ts';
import {
  cidr,
  duration,
  field,
  flag,
  holdTime,
  integer,
  ipAddress,
  list,
  oneOf,
  remoteAsNumber,
  asNumber,
  secretKeyRef,
  selector,
  text,
  withCel,
  Wrong,
} from '../schema/fields.ts';
import { bfdOfSession } from './bfd-profile.ts';
import { age, defineKind, type Implied, type ResourceObject } from '../schema/kind.ts';
import { impliedByCalico } from './implied.ts';
import { oneHost, rangeOfHosts } from '../schema/one-host.ts';
import { keepaliveCel, peerAddressCel } from '../schema/patterns.ts';
import { formatPeerAddress, readPeerAddress } from '../schema/peer-address.ts';
import { excludes, type Rule, withRules } from '../schema/rules.ts';

const peerIP = field(
  { type: 'string', minLength: 2, maxLength: 70, ...withCel(...peerAddressCel) },
  (input) => {
    const address = readPeerAddress(input);
    return address instanceof Wrong ? address : formatPeerAddress(address);
  },
);

const peerFrom = withRules(
  z.strictObject({
    defaultGateway: oneOf('ipv4', 'ipv6').optional().describe("The gateway of the node's default route."),
    nodeAnnotation: text()
      .optional()
      .describe("The key of an annotation of the node that holds the neighbour's address."),
  }),
  [
    {
      fields: ['defaultGateway'],
      message: 'is missing, and so is nodeAnnotation',
      allowed: 'one of the two',
      cel: 'has(self.defaultGateway) || has(self.nodeAnnotation)',
      broken: (from) => from.defaultGateway === undefined && from.nodeAnnotation === undefined,
    },
    ...excludes<{ defaultGateway?: unknown; nodeAnnotation?: unknown }>('defaultGateway', ['nodeAnnotation']),
  ],
);

const maxPrefixes = z.strictObject({
  limit: integer(1, 0xffffffff)
    .default(10_000)
    .describe('What happens when the neighbour announces more is said by action.'),
  warnPercent: integer(1, 100).default(80).describe('A warning is logged at this share of the limit.'),
  restartTime: duration(1, 86_400)
    .optional()
    .describe('The session is tried again after this time; absent: by the operator.'),
  action: oneOf('Close', 'Warn', 'Drop')
    .default('Close')
    .describe(
      'Over the limit. Close: the session ends (Cease/1). Warn: a warning, and all routes are used. Drop: as many as the limit are used; the others are kept aside, and used when a place becomes free.',
    ),
});

const gracefulRestart = z.strictObject({
  mode: oneOf('Full', 'Helper', 'Disabled')
    .optional()
    .describe('RFC 4724. Default Full. Helper: only the neighbour may restart gracefully.'),
  restartTime: duration(1, 4095)
    .optional()
    .describe('How long the neighbour waits for our return. Default 120s.'),
  longLivedTime: duration(0, 0xffffff).default(0).describe('RFC 9494; 0 is off.'),
});

const fields = z.strictObject({
  node: text()
    .optional()
    .describe('The one node that has this neighbour. Without node and nodeSelector: every node.'),
  nodeSelector: selector().optional().describe('The nodes that have this neighbour.'),
  peerIP: peerIP.optional().describe("The neighbour: 'ip', 'ip:port', '[v6]:port' or 'fe80::1%eth0'."),
  peerSelector: selector().optional().describe('The neighbours are the nodes with these labels.'),
  peerRange: cidr(undefined, rangeOfHosts)
    .optional()
    .describe('Any neighbour that connects from this CIDR; sessions are passive.'),
  maxPeers: integer(1, 100_000).optional().describe('How many neighbours peerRange takes. Default 1000.'),
  peerInterface: text(15)
    .optional()
    .describe('The neighbour on this interface, found by its router advertisement (unnumbered).'),
  peerFrom: peerFrom
    .optional()
    .describe("The neighbour's address differs from node to node and is found there."),
  localWorkloadSelector: selector()
    .optional()
    .describe('The neighbours are the pods of this node with these labels.'),
  asNumber: remoteAsNumber()
    .optional()
    .describe(
      "The neighbour's AS: a number, '1.10', 'internal' (ours) or 'external' (any other). Not with peerSelector.",
    ),
  localASNumber: asNumber()
    .optional()
    .describe("The AS that we show to this neighbour instead of the node's."),
  localASMode: oneOf('Replace', 'Prepend', 'PrependBoth')
    .optional()
    .describe(
      "How localASNumber shows in paths (RFC 7705). Replace (default): it stands in for the node's. Prepend: it goes before the node's in what we send. PrependBoth: also before what the neighbour sends.",
    ),
  asOverride: flag()
    .default(false)
    .describe(
      "Our AS stands in for the neighbour's in the paths that we send to it, so that its other sites do not take them for loops.",
    ),
  nextHopMode: oneOf('Auto', 'Self', 'Keep')
    .optional()
    .describe(
      "The next hop of what we announce. Auto (default): our address on the link towards a neighbour in another AS that is one hop away, the node's address towards one further away, unchanged inside the AS. Self: the session's own address. Keep: unchanged.",
    ),
  keepOriginalNextHop: flag().optional().describe("Deprecated: write 'nextHopMode: Keep'."),
  password: secretKeyRef()
    .optional()
    .describe('TCP MD5 password (RFC 2385). No session is opened without it.'),
  sourceAddress: oneOf('UseNodeIP', 'None')
    .default('UseNodeIP')
    .describe('UseNodeIP: connect from the BGP address of the node.'),
  reachableBy: ipAddress(undefined, oneHost)
    .optional()
    .describe('A gateway through which the neighbour is reached.'),
  passive: flag().default(false).describe('Wait for the neighbour to connect.'),
  multihop: integer(1, 255)
    .optional()
    .describe('How many hops away an eBGP neighbour may be. Default 1: on a shared link.'),
  ttlSecurity: integer(0, 254)
    .optional()
    .describe('RFC 5082: packets must come from at most so many hops. 0: off.'),
  holdTime: holdTime().optional().describe("Default: the BGPConfiguration's."),
  keepaliveTime: duration(1, 21_845).optional().describe('Default: a third of the hold time.'),
  connectRetryTime: duration(1, 65_535)
    .default(5)
    .describe('The first wait before a connection is tried again.'),
  families: list(oneOf('IPv4', 'IPv6'), 2)
    .min(1)
    .optional()
    .describe(
      "Which routes the session carries. Default: the family of the neighbour's address; both with peerInterface.",
    ),
  numAllowedLocalASNumbers: integer(0, 255)
    .default(0)
    .describe('How often our own AS may be in a path that we accept.'),
  routeReflectorClient: flag().optional().describe('Reflect routes to this neighbour (RFC 4456).'),
  addPaths: oneOf('Send', 'Receive', 'Both', 'None')
    .optional()
    .describe(
      'RFC 7911. Send: all usable paths of a prefix instead of the best one. Receive: as many from the neighbour. None: neither. Default: Both between a node and a reflector that peerSelector finds, when all reflectors have one cluster ID; else None.',
    ),
  addPathLimit: integer(1, 64)
    .optional()
    .describe(
      'With ADD-PATH: at most so many paths of a prefix are sent, the best first, and asked for (capability 76). Default: all. The neighbour may ask for less.',
    ),
  maxPrefixes: maxPrefixes.prefault({}).describe('What the neighbour may announce, a family.'),
  role: oneOf('Provider', 'Customer', 'Peer', 'RouteServer', 'RouteServerClient')
    .optional()
    .describe(
      'Our role towards an eBGP neighbour (RFC 9234): what came from a provider or peer goes to customers only. The neighbour must say the counterpart, or nothing.',
    ),
  linkBandwidth: oneOf('Ignore', 'Use', 'Send', 'Sum')
    .default('Use')
    .describe(
      'The extended community by which equal paths share traffic. Ignore: what the neighbour sends is taken away. Use: used, and passed on as it may be. Send: also told to another AS where it would stay inside. Sum: likewise, and with our own next hop the sum of all paths that are used together.',
    ),
  defaultOriginate: oneOf('None', 'IPv4', 'IPv6', 'Both')
    .default('None')
    .describe(
      'Families of which the neighbour gets a default route from us, whether or not we have one. It goes beside filters and export, and in place of any other default route.',
    ),
  advertisementInterval: duration(0, 600)
    .default(0)
    .describe(
      'Changed routes are announced to the neighbour at most once in this time (MRAI, RFC 4271). Withdrawals, and what it gets when the session begins or when it asks for all, do not wait. Default 0: nothing waits.',
    ),
  removePrivateAS: flag().default(false).describe('Remove private AS numbers from the paths that we send.'),
  privateASAction: oneOf('Remove', 'Replace')
    .optional()
    .describe(
      'With removePrivateAS. Remove (default): they are left out. Replace: our AS stands in for each.',
    ),
  maxRestartTime: duration(1, 4095).optional().describe("Calico's name of gracefulRestart.restartTime."),
  gracefulRestart: gracefulRestart.prefault({}).describe('What happens to routes while one side restarts.'),
  bfd: bfdOfSession()
    .optional()
    .describe(
      'BFD (RFC 5880) watches the neighbour, so that its loss is known in a second instead of the hold time. {}: with every default.',
    ),
  filters: list(text(), 100)
    .default([])
    .describe('BGPFilters, in this order; their verdict comes before import and export.'),
  import: oneOf('Cluster', 'All', 'None')
    .default('Cluster')
    .describe('What is accepted. Cluster: only prefixes inside pools.'),
  export: oneOf('Cluster', 'Pools', 'All', 'None')
    .default('Cluster')
    .describe(
      "What is announced. Cluster: this node's own prefixes, and as reflector the others'. Pools: these, and what other nodes announce inside pools, for a node that is the way out of others.",
    ),
  reversePeering: oneOf('Auto', 'Manual')
    .default('Auto')
    .describe('Auto: the node that peerSelector finds makes the other side by itself.'),
});

type Fields = z.output<typeof fields>;
const targets = [
  'peerIP',
  'peerSelector',
  'peerRange',
  'peerInterface',
  'peerFrom',
  'localWorkloadSelector',
] as const;
const countTargets = targets.map((name) => `(has(self.${name}) ? 1 : 0)`).join(' + ');

const rules: Rule<Fields>[] = [
  {
    fields: ['peerIP', ...targets.slice(1)],
    message: 'is missing, and nothing else names the neighbour',
    allowed: `one of ${targets.join(', ')}`,
    cel: `${countTargets} > 0`,
    broken: (spec) => targets.every((name) => spec[name] === undefined),
  },
  ...targets.flatMap((name, i) => excludes<Fields>(name, targets.slice(0, i))),
  {
    fields: ['asNumber', 'peerSelector'],
    message: 'is missing',
    allowed: "the neighbour's AS number, 'internal' or 'external'",
    cel: `has(self.asNumber) || has(self.peerSelector) || ${countTargets} == 0`,
    broken: (spec) =>
      spec.asNumber === undefined &&
      spec.peerSelector === undefined &&
      targets.some((name) => spec[name] !== undefined),
  },
  {
    fields: ['asNumber', 'peerSelector'],
    message: "cannot be combined with peerSelector: the AS comes from the neighbour's Node",
    cel: '!has(self.asNumber) || !has(self.peerSelector)',
    broken: (spec) => spec.asNumber !== undefined && spec.peerSelector !== undefined,
  },
  {
    fields: ['role', 'asNumber'],
    message: "cannot be combined with 'asNumber: internal': roles are between ASes",
    cel: "!has(self.role) || !has(self.asNumber) || self.asNumber != 'internal'",
    broken: (spec) => spec.role !== undefined && spec.asNumber === 'internal',
  },
  {
    fields: ['localASMode', 'localASNumber'],
    message: 'has a meaning only together with localASNumber',
    cel: '!has(self.localASMode) || has(self.localASNumber)',
    broken: (spec) => spec.localASMode !== undefined && spec.localASNumber === undefined,
  },
  {
    fields: ['privateASAction', 'removePrivateAS'],
    message: 'has a meaning only together with removePrivateAS: true',
    cel: '!has(self.privateASAction) || (has(self.removePrivateAS) && self.removePrivateAS)',
    broken: (spec) => spec.privateASAction !== undefined && spec.removePrivateAS !== true,
  },
  {
    fields: ['addPathLimit', 'addPaths'],
    message: "cannot be combined with 'addPaths: None': there is one path of a prefix",
    cel: "!has(self.addPathLimit) || !has(self.addPaths) || self.addPaths != 'None'",
    broken: (spec) => spec.addPathLimit !== undefined && spec.addPaths === 'None',
  },
  ...excludes<Fields>('node', ['nodeSelector']),
  ...excludes<Fields>('keepOriginalNextHop', ['nextHopMode']),
  ...excludes<Fields>('multihop', ['peerInterface']),
  {
    fields: ['ttlSecurity', 'multihop'],
    message: 'cannot be combined with multihop: both say how far the neighbour is',
    cel: '!has(self.ttlSecurity) || self.ttlSecurity == 0 || !has(self.multihop)',
    broken: (spec) => !!spec.ttlSecurity && spec.multihop !== undefined,
  },
  {
    fields: ['maxPeers', 'peerRange'],
    message: 'has a meaning only together with peerRange',
    cel: '!has(self.maxPeers) || has(self.peerRange)',
    broken: (spec) => spec.maxPeers !== undefined && spec.peerRange === undefined,
  },
  {
    fields: ['maxRestartTime', 'gracefulRestart'],
    message: 'cannot be combined with gracefulRestart.restartTime: it is the same',
    cel: '!has(self.maxRestartTime) || !has(self.gracefulRestart) || !has(self.gracefulRestart.restartTime)',
    broken: (spec) => spec.maxRestartTime !== undefined && spec.gracefulRestart?.restartTime !== undefined,
  },
  {
    fields: ['keepaliveTime', 'holdTime'],
    message: 'is not below the hold time',
    cel: keepaliveCel(undefined),
    broken: ({ keepaliveTime, holdTime }) => !!keepaliveTime && !!holdTime && keepaliveTime >= holdTime,
  },
];

const defaultRestartTime = 120;
const defaultMaxPeers = 1000;

const bgpPeerSpec = withRules(fields, rules).transform(
  ({ keepOriginalNextHop, maxRestartTime, gracefulRestart: restart, ...spec }) => ({
    ...spec,
    nextHopMode: spec.nextHopMode ?? (keepOriginalNextHop ? ('Keep' as const) : ('Auto' as const)),
    gracefulRestart: {
      ...restart,
      mode: restart.mode ?? ('Full' as const),
      restartTime: restart.restartTime ?? maxRestartTime ?? defaultRestartTime,
    },
    maxPeers: spec.maxPeers ?? defaultMaxPeers,
  }),
);

export type BGPPeerSpec = z.output<typeof bgpPeerSpec>;
export interface BGPPeer extends ResourceObject<'BGPPeer', BGPPeerSpec, BGPPeerStatus> {
  /** Of a document of Calico: what it means beside what it says. */
  readonly implied?: readonly Implied[];
}

export const bgpPeer = defineKind({
  kind: 'BGPPeer',
  plural: 'bgppeers',
  singular: 'bgppeer',
  shortNames: [],
  description: 'A BGP neighbour, or many, of some nodes or all.',
  spec: bgpPeerSpec,
  status: bgpPeerStatus,
  calico: true,
  implied: impliedByCalico.BGPPeer,
  columns: [
    { name: 'Peer', type: 'string', jsonPath: '.spec.peerIP' },
    { name: 'Range', type: 'string', jsonPath: '.spec.peerRange', priority: 1 },
    { name: 'Peer-Selector', type: 'string', jsonPath: '.spec.peerSelector' },
    { name: 'AS', type: 'string', jsonPath: '.spec.asNumber' },
    { name: 'Node', type: 'string', jsonPath: '.spec.node' },
    { name: 'Node-Selector', type: 'string', jsonPath: '.spec.nodeSelector' },
    { name: 'Established', type: 'integer', jsonPath: '.status.established' },
    { name: 'Desired', type: 'integer', jsonPath: '.status.desired' },
    { name: 'BFD-Up', type: 'integer', jsonPath: '.status.bfdUp', priority: 1 },
    { name: 'Worst', type: 'string', jsonPath: '.status.worst' },
    age,
  ],
});
