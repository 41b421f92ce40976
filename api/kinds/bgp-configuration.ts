// BGPConfiguration: what holds for the BGP of every node (the object named 'default'), or of one ('node.NAME').
import * as z from 'zod';
import { addressBits, familyOf, parsePrefix } from '#ip';
import {
  asNumber,
  cidr,
  community,
  duration,
  field,
  flag,
  holdTime,
  inAnyCase,
  integer,
  ipAddress,
  list,
  oneOf,
  parseCommunity,
  secretKeyRef,
  selector,
  text,
  withCel,
  Wrong,
} from '../schema/fields.ts';
import { bfdOfSession } from './bfd-profile.ts';
import { checkSetNames, filterSetFields, setNamesCel } from './filter-sets.ts';
import { age, defineKind, type ResourceObject } from '../schema/kind.ts';
import { notManyHosts } from '../schema/one-host.ts';
import { communityCel, keepaliveCel } from '../schema/patterns.ts';
import { type Rule, withMoreCel, withRules } from '../schema/rules.ts';
import { outsideUnroutable } from '../schema/unroutable.ts';

const DEFAULT_HOLD_TIME = 90;

const cidrBlocks = () =>
  list(z.strictObject({ cidr: cidr().describe('Of these addresses.') }), 500).default([]);

/** Short, and fewer than Calico takes: an API server reckons what comparing all names with all uses of them may cost. */
const NAME_CHARACTERS = 63;

const isName = (input: unknown): input is string =>
  typeof input === 'string' && input !== '' && input.length <= NAME_CHARACTERS && !input.includes(':');

const communityName = () =>
  field(
    {
      type: 'string',
      minLength: 1,
      maxLength: NAME_CHARACTERS,
      ...withCel({ rule: '!self.contains(":")', message: "is not a name: it has a ':'" }),
    },
    (input) =>
      isName(input) ? input : new Wrong('is not a name', `1 to ${NAME_CHARACTERS} characters without ':'`),
  );

const communityOrName = () =>
  field(
    {
      type: 'string',
      minLength: 1,
      maxLength: NAME_CHARACTERS,
      ...withCel({ rule: `!self.contains(":") || ${communityCel.rule}`, message: communityCel.message }),
    },
    (input) => {
      const community = parseCommunity(input);
      if (community !== undefined) return community;
      return isName(input)
        ? input
        : new Wrong('is not a community', "'aa:nn', 'aa:nn:mm' or a name from spec.communities");
    },
  );

const routeReflectors = z.strictObject({
  mode: oneOf('Disabled', 'Manual', 'Auto')
    .default('Manual')
    .describe(
      'Manual: the nodes that nodeSelector finds, or that have a cluster ID of their own. Auto: chosen by podroute.',
    ),
  nodeSelector: selector().optional().describe('The nodes that reflect.'),
  clusterID: ipAddress('ipv4', notManyHosts)
    .optional()
    .describe('RFC 4456 cluster ID of the reflectors. Default: each its router ID.'),
  perZone: flag().default(false).describe('Auto: reflectors in every zone.'),
  meshUpTo: integer(0, 10_000).default(100).describe('Auto: up to so many nodes stay a full mesh.'),
});

const multipath = z.strictObject({
  ebgp: integer(1, 128).default(16).describe('How many equal eBGP paths share the traffic.'),
  ibgp: integer(1, 128).default(16).describe('How many equal iBGP paths share the traffic.'),
  relax: flag()
    .default(true)
    .describe('AS paths of the same length are equal also when their AS numbers differ.'),
  weighted: flag()
    .default(true)
    .describe('Equal paths share the traffic by their link bandwidth communities, where all have one.'),
});

const bestPath = z.strictObject({
  alwaysCompareMED: flag()
    .default(false)
    .describe('MED is compared between all paths, not only those of one neighbouring AS.'),
  missingMEDAsWorst: flag()
    .default(false)
    .describe('A path without MED counts as one with the highest. Default: as one with 0.'),
});

const aggregate = withRules(
  z.strictObject({
    cidr: cidr().describe('Its addresses.'),
    summaryOnly: flag()
      .default(false)
      .describe('Those that get it do not get the routes inside it. Nodes of the cluster always do.'),
    communities: list(communityOrName(), 16)
      .default([])
      .describe('What it carries: communities, or names from spec.communities.'),
  }),
  [
    ...outsideUnroutable<{ cidr: string }>(),
    {
      fields: ['cidr'],
      message: 'is a single address: no route can be inside it',
      cel: "!isCIDR(self.cidr) || cidr(self.cidr).prefixLength() < (self.cidr.contains(':') ? 128 : 32)",
      broken: ({ cidr }) => parsePrefix(cidr)!.length === addressBits(familyOf(cidr)),
    },
  ],
);

const fields = z.strictObject({
  asNumber: asNumber().default(64512).describe('The AS of every node that has none of its own.'),
  nodeToNodeMeshEnabled: flag().default(true).describe('Every node has a session with every other.'),
  listenPort: integer(1, 65_535).default(179).describe('The TCP port of BGP.'),
  listenAddresses: list(ipAddress(undefined, notManyHosts), 16)
    .default([])
    .describe('Listen only on these. Default: all addresses.'),
  bindMode: oneOf('None', 'NodeIP')
    .default('None')
    .describe("NodeIP: listen only on the node's BGP addresses."),
  routerID: ipAddress('ipv4')
    .optional()
    .describe("Default: the node's IPv4 address, else a hash of its name."),
  holdTime: holdTime()
    .default(DEFAULT_HOLD_TIME)
    .describe('Hold time of every session that has none of its own. 0: off.'),
  keepaliveTime: duration(1, 21_845).optional().describe('Default: a third of the hold time.'),
  multipath: multipath.prefault({}).describe('How many equal paths share the traffic to a prefix.'),
  bestPath: bestPath.prefault({}).describe('How every node chooses among paths, so that all choose alike.'),
  routeReflectors: routeReflectors
    .prefault({})
    .describe(
      'Which nodes reflect routes (RFC 4456), so that not every node needs a session with every other.',
    ),
  nodeMeshPassword: secretKeyRef()
    .optional()
    .describe('TCP MD5 password of the node-to-node mesh, and of sessions with automatic route reflectors.'),
  nodeMeshMaxRestartTime: duration(1, 4095)
    .optional()
    .describe('Graceful restart time of the mesh. Default 120s.'),
  nodeMeshBFD: bfdOfSession()
    .optional()
    .describe(
      'BFD (RFC 5880) of the node-to-node mesh, and of sessions with automatic route reflectors. {}: with every default.',
    ),
  communities: list(
    z.strictObject({
      name: communityName().describe("What prefixAdvertisements call it, and filters as 'set:NAME'."),
      value: community().describe('The community itself.'),
    }),
    100,
  )
    .default([])
    .describe('Names for communities.'),
  prefixAdvertisements: list(
    z.strictObject({
      cidr: cidr().describe('Prefixes of this node inside it.'),
      communities: list(communityOrName(), 16)
        .default([])
        .describe('What they carry: communities, or names from spec.communities.'),
    }),
    100,
  )
    .default([])
    .describe('Communities on what is announced from inside a CIDR.'),
  ...filterSetFields,
  aggregates: list(aggregate, 50)
    .default([])
    .describe(
      'Prefixes that each node announces to neighbours that are no nodes while it has a route inside them, and holds by unreachable routes.',
    ),
  serviceClusterIPs: cidrBlocks().describe('Announce ClusterIPs inside these.'),
  serviceExternalIPs: cidrBlocks().describe('Announce ExternalIPs inside these.'),
  serviceLoadBalancerIPs: cidrBlocks().describe('Announce LoadBalancer addresses inside these.'),
  serviceLoadBalancerAggregation: oneOf('Enabled', 'Disabled')
    .default('Enabled')
    .describe('Disabled: one /32 or /128 a service.'),
  ignoredInterfaces: list(text(), 100).default([]).describe("Interfaces whose addresses are not the node's."),
  localWorkloadPeeringIPV4: ipAddress('ipv4').optional().describe('The address that pods peer with.'),
  localWorkloadPeeringIPV6: ipAddress('ipv6').optional().describe('The address that pods peer with.'),
  logSeverityScreen: inAnyCase('Trace', 'Debug', 'Info', 'Warning', 'Error', 'Fatal')
    .optional()
    .describe("Of no effect: the agent's option --log-level says what is logged."),
  encapsulatedPools: oneOf('Refused', 'Unencapsulated')
    .default('Refused')
    .describe(
      'IPPools whose ipipMode or vxlanMode is Always. Unencapsulated: pools like any other; the network must know the routes to pods.',
    ),
  programClusterRoutes: oneOf('Enabled', 'Disabled', 'EnabledIPIPOnly', 'EnabledNoEncapOnly')
    .optional()
    .describe("Calico's: which of its two programs writes routes. podroute writes those of all pools."),
  ipv4NormalRoutePriority: integer(1, 2_147_483_646)
    .optional()
    .describe('Metric of IPv4 routes in the kernel; only 1024 so far.'),
  ipv6NormalRoutePriority: integer(1, 2_147_483_646)
    .optional()
    .describe('Metric of IPv6 routes in the kernel; only 1024 so far.'),
});

type Fields = z.output<typeof fields>;

/** No sessions but those of BGPPeers. */
const hasNoAutomatic = ({ nodeToNodeMeshEnabled, routeReflectors }: Fields): boolean =>
  !nodeToNodeMeshEnabled && routeReflectors.mode === 'Disabled';

const needsAutomatic = (field: keyof Fields): string =>
  `!has(self.${field}) || !has(self.nodeToNodeMeshEnabled) || self.nodeToNodeMeshEnabled || !has(self.routeReflectors) || !has(self.routeReflectors.mode) || self.routeReflectors.mode != 'Disabled'`;

const rules: Rule<Fields>[] = [
  {
    fields: ['nodeMeshPassword', 'nodeToNodeMeshEnabled'],
    message: 'needs nodeToNodeMeshEnabled: true, or routeReflectors with a mode',
    cel: needsAutomatic('nodeMeshPassword'),
    broken: (spec) => spec.nodeMeshPassword !== undefined && hasNoAutomatic(spec),
  },
  {
    fields: ['nodeMeshMaxRestartTime', 'nodeToNodeMeshEnabled'],
    message: 'needs nodeToNodeMeshEnabled: true',
    cel: '!has(self.nodeMeshMaxRestartTime) || !has(self.nodeToNodeMeshEnabled) || self.nodeToNodeMeshEnabled',
    broken: (spec) => spec.nodeMeshMaxRestartTime !== undefined && !spec.nodeToNodeMeshEnabled,
  },
  {
    fields: ['nodeMeshBFD', 'nodeToNodeMeshEnabled'],
    message: 'needs nodeToNodeMeshEnabled: true, or routeReflectors with a mode',
    cel: needsAutomatic('nodeMeshBFD'),
    broken: (spec) => spec.nodeMeshBFD !== undefined && hasNoAutomatic(spec),
  },
  {
    fields: ['routerID'],
    message: 'is no router ID (RFC 6286)',
    cel: "!has(self.routerID) || self.routerID != '0.0.0.0'",
    broken: (spec) => spec.routerID === '0.0.0.0',
  },
  {
    fields: ['keepaliveTime', 'holdTime'],
    message: 'is not below the hold time',
    cel: keepaliveCel(DEFAULT_HOLD_TIME),
    broken: ({ keepaliveTime, holdTime }) => !!keepaliveTime && holdTime !== 0 && keepaliveTime >= holdTime,
  },
];

const sameCidrCel = {
  rule: '!has(self.aggregates) || self.aggregates.all(a, !isCIDR(a.cidr) || self.aggregates.exists_one(b, isCIDR(b.cidr) && cidr(b.cidr) == cidr(a.cidr)))',
  message: 'aggregates has the same cidr twice',
};

/** Names in such lists must be defined. The lists' bounds keep the rule's cost within what an API server allows. */
const namesCel = (list: string) => ({
  rule: `!has(self.${list}) || self.${list}.all(a, !has(a.communities) || a.communities.all(c, c.contains(":") || (has(self.communities) && self.communities.exists(n, n.name == c))))`,
  message: `${list} names what is neither a community nor a name from spec.communities`,
});

const NAMED = ['prefixAdvertisements', 'aggregates'] as const;

const bgpConfigurationSpec = withMoreCel(withRules(fields, rules), [
  ...NAMED.map(namesCel),
  sameCidrCel,
  ...setNamesCel,
]).superRefine((spec, context) => {
  checkSetNames(spec, context);
  const names = new Set(spec.communities.map(({ name }) => name));
  for (const field of NAMED)
    spec[field].forEach(({ communities }, i) => {
      communities.forEach((entry, j) => {
        if (parseCommunity(entry) !== undefined || names.has(entry)) return;
        context.addIssue({
          code: 'custom',
          path: [field, i, 'communities', j],
          message: 'is neither a community nor a name from spec.communities',
        });
      });
    });
  const cidrs = spec.aggregates.map(({ cidr }) => cidr);
  for (const [i, cidr] of cidrs.entries()) {
    if (cidrs.indexOf(cidr) === i) continue;
    const message = `is that of aggregates[${cidrs.indexOf(cidr)}] too`;
    context.addIssue({ code: 'custom', path: ['aggregates', i, 'cidr'], message });
  }
});

export type BGPConfigurationSpec = z.output<typeof bgpConfigurationSpec>;
export interface BGPConfiguration extends ResourceObject<'BGPConfiguration', BGPConfigurationSpec> {
  /** Names of the spec's fields that stand in the document; all others have their default. */
  readonly writtenFields?: readonly string[];
}

export const bgpConfiguration = defineKind({
  kind: 'BGPConfiguration',
  plural: 'bgpconfigurations',
  singular: 'bgpconfiguration',
  shortNames: [],
  description:
    "What holds for the BGP of every node (the object's name is 'default') or of one ('node.NAME').",
  spec: bgpConfigurationSpec,
  calico: true,
  // One of a node lies over the cluster's: what it does not say is the cluster's, not the default.
  storedDefaults: false,
  columns: [
    { name: 'AS', type: 'string', jsonPath: '.spec.asNumber' },
    { name: 'Mesh', type: 'boolean', jsonPath: '.spec.nodeToNodeMeshEnabled' },
    { name: 'Port', type: 'integer', jsonPath: '.spec.listenPort' },
    age,
  ],
});
