// BGPFilter: ordered rules on what is imported and exported; the first that matches and does not say Next
// decides. Calico's fields, and podroute's.
import * as z from 'zod';
import {
  addressBits,
  type Family,
  formatAddress,
  isUnicastIpv4,
  isUnicastIpv6,
  needsZone,
  parseAddressWords,
  readAddress,
} from '#ip';
import {
  asNumber,
  asPathPattern,
  cidr,
  cidrOrAddress,
  community,
  field,
  integer,
  isMapped,
  list,
  MAPPED,
  oneCommunity,
  oneOf,
  text,
  withCel,
  Wrong,
} from '../schema/fields.ts';
import { age, defineKind, type ResourceObject } from '../schema/kind.ts';
import { exactlyOne, excludes, type Rule, withMoreCel, withRules } from '../schema/rules.ts';
import { checkSetNames, communitiesOrSet, filterSetFields, setName, setNamesCel } from './filter-sets.ts';

/** The metric of every route that podroute puts into the kernel; Calico's default is the same. */
export const ROUTE_PRIORITY = 1024;

const priority = () => integer(1, 2_147_483_646);

const anyNumber = () => integer(0, 4_294_967_295);

/** Not 0/8, 127/8, 224/4; not fe80::/10, ff00::/8. Of ::, ::1 and what is no address at all the rule beside it knows. */
const FIRST_IPV4 = '([1-9][0-9]?|1[013-9][0-9]|12[0-689]|2[01][0-9]|22[0-3]|2[45][0-9])[.]';
const FIRST_IPV6 =
  '(::|[0-9a-eA-E][0-9a-fA-F]{0,3}:|[fF][0-9a-fA-F]{0,2}:|[fF][0-9a-dA-D][0-9a-fA-F]{2}:|[fF][eE][0-7c-fC-F][0-9a-fA-F]:)';

/** An address that is one router's, or a word for one. A link-local one would need a link. */
const nextHop = () =>
  field(
    {
      type: 'string',
      minLength: 2,
      maxLength: 45,
      pattern: `^(Self|Peer|${FIRST_IPV4}[0-9.]+|${FIRST_IPV6}[0-9a-fA-F:.]*)$`,
      ...withCel({
        rule: "self in ['Self', 'Peer'] || (isIP(self) && !ip(self).isUnspecified() && !ip(self).isLoopback() && self != '255.255.255.255')",
        message: 'is not the address of a router, nor Self or Peer',
      }),
    },
    (input) => {
      if (input === 'Self' || input === 'Peer') return input;
      const expected = 'an IPv4 or IPv6 address, Self or Peer';
      const address = typeof input === 'string' ? readAddress(input) : undefined;
      if (!address) return new Wrong('is not an IP address', expected);
      if (isMapped(address)) return new Wrong(MAPPED, expected);
      const text = formatAddress(address);
      if (needsZone(text))
        return new Wrong('is a link-local address, and nothing says of which link', expected);
      const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = parseAddressWords(text)!.words;
      const isHost = address.family === 'ipv4' ? isUnicastIpv4(w0) : isUnicastIpv6(w0, w1, w2, w3);
      return isHost ? text : new Wrong('is no address of a router', expected);
    },
  );

type Direction = 'import' | 'export';

const operationFields = z.strictObject({
  addCommunity: z
    .strictObject({ value: oneCommunity().describe('The community, of any kind.') })
    .optional()
    .describe('Adds a community to those that the route carries.'),
  setCommunities: z
    .strictObject({
      values: list(oneCommunity(), 20).describe('Those that the route then carries; none: an empty list.'),
    })
    .optional()
    .describe('Takes all communities of all kinds away and puts these in their place.'),
  deleteCommunities: z
    .strictObject({
      values: list(communitiesOrSet(), 20).min(1).describe("Communities; '*' stands for any number."),
    })
    .optional()
    .describe('Takes communities away: those of the route, and those that operations before this one added.'),
  prependASPath: z
    .strictObject({
      prefix: list(asNumber(), 10).min(1).describe('In the order in which the path then begins.'),
    })
    .optional()
    .describe('Makes the AS path longer, so that others like it less.'),
  setPriority: z
    .strictObject({ value: priority().describe('The metric. It counts in import rules.') })
    .optional()
    .describe('Metric of the route in the kernel.'),
  setLocalPref: z
    .strictObject({ value: anyNumber().describe('The preference; 100 is that of a route without.') })
    .optional()
    .describe(
      'LOCAL_PREF: the highest wins, before the length of the AS path. No eBGP neighbour is told it.',
    ),
  setWeight: z
    .strictObject({
      value: integer(0, 65_535).describe('The weight; 0 is that of a route without.'),
    })
    .optional()
    .describe(
      'The highest wins on this node, before LOCAL_PREF; nobody is told. Only in import rules: a node decides by it alone.',
    ),
  setNextHop: z
    .strictObject({
      address: nextHop().describe(
        "An address: of IPv6 routes an IPv6 one. Peer (import): that of the neighbour who sent it. Self (export): the node's.",
      ),
    })
    .optional()
    .describe(
      'The next hop: where a route is imported, instead of the one that the neighbour sent (while the node does not reach it, the route is not used); where it is sent, instead of what nextHopMode says.',
    ),
  setLinkBandwidth: z
    .strictObject({
      value: integer(0, 1_000_000_000_000).describe('Octets a second; 0: none.'),
    })
    .optional()
    .describe(
      'The link bandwidth community in place of any that is there: equal paths share the traffic by it. Set on export it is sent to eBGP too.',
    ),
  setMED: z
    .strictObject({ value: anyNumber().describe('The number.') })
    .optional()
    .describe('MED: of several ways into one AS the lowest wins. Set on export it is sent to eBGP too.'),
});

type Operation = z.output<typeof operationFields>;

const REFUSED_ON: Readonly<Record<Direction, Rule<Operation>>> = {
  import: {
    fields: ['setNextHop'],
    message: 'is this node itself: what is reached through it ends there',
    allowed: 'an address, or Peer',
    cel: "!has(self.setNextHop) || self.setNextHop.address != 'Self'",
    broken: ({ setNextHop }) => setNextHop?.address === 'Self',
  },
  export: {
    fields: ['setNextHop'],
    message: 'is who it is sent to, who would send packets to itself',
    allowed: 'an address, or Self',
    cel: "!has(self.setNextHop) || self.setNextHop.address != 'Peer'",
    broken: ({ setNextHop }) => setNextHop?.address === 'Peer',
  },
};

const onlyOnImport: Rule<Operation> = {
  fields: ['setWeight'],
  message: 'has a meaning only in import rules: no neighbour is told a weight',
  cel: '!has(self.setWeight)',
  broken: ({ setWeight }) => setWeight !== undefined,
};

/** The kernel and BGP have IPv4 routes over IPv6 next hops (RFC 8950), and no others. */
const isOfIpv6: Rule<Operation> = {
  fields: ['setNextHop'],
  message: 'is an IPv4 address, and IPv6 routes have none',
  cel: "!has(self.setNextHop) || self.setNextHop.address in ['Self', 'Peer'] || self.setNextHop.address.contains(':')",
  broken: ({ setNextHop }) => setNextHop !== undefined && /^[0-9]+[.]/.test(setNextHop.address),
};

const operation = (direction: Direction, family: Family) =>
  withRules(operationFields, [
    ...(direction === 'export' ? [onlyOnImport] : []),
    REFUSED_ON[direction],
    ...(family === 'ipv6' ? [isOfIpv6] : []),
    ...exactlyOne<Operation>('operation', [
      'addCommunity',
      'prependASPath',
      'setPriority',
      'setLocalPref',
      'setMED',
      'setWeight',
      'setNextHop',
      'setLinkBandwidth',
      'setCommunities',
      'deleteCommunities',
    ]),
  ]);

const communityList = () => list(communitiesOrSet(), 20).min(1).optional();

const communityFields = z.strictObject({
  values: list(community(), 1).min(1).optional().describe('The community, exactly one: as all.'),
  all: communityList().describe('The route carries all of them.'),
  any: communityList().describe('The route carries one of them at least.'),
  none: communityList().describe('The route carries none of them.'),
});

const communityMatch = withRules(communityFields, [
  {
    fields: ['all'],
    message: 'is missing, and nothing else is asked',
    allowed: 'one of values, all, any, none',
    cel: 'has(self.values) || has(self.all) || has(self.any) || has(self.none)',
    broken: ({ values, all, any, none }) => !values && !all && !any && !none,
  },
]);

const asPathMatch = z.strictObject({
  contains: asNumber().optional().describe('Somewhere on the way.'),
  originatedBy: asNumber().optional().describe('Where the route begins: the last AS of the path.'),
  length: z
    .strictObject({
      min: integer(0, 65_535).optional().describe('The shortest.'),
      max: integer(0, 65_535).optional().describe('The longest.'),
    })
    .optional()
    .describe('The number of ASes; a set is one.'),
  regex: asPathPattern()
    .optional()
    .describe(
      "A regular expression whose letters are AS numbers: '^65001 .* 65002$', '[64512-65534]+', '(7|8) 9'. Without ^ and $ it may stand anywhere.",
    ),
});

function filterRule(direction: Direction, family: Family) {
  const bits = addressBits(family);
  return withRules(
    z.strictObject({
      cidr: cidr(family).optional().describe('What the prefix is compared with.'),
      matchOperator: oneOf('Equal', 'NotEqual', 'In', 'NotIn')
        .optional()
        .describe('How; required with cidr.'),
      prefixLength: z
        .strictObject({
          min: integer(0, bits).optional().describe("The shortest. Default: the CIDR's length."),
          max: integer(0, bits).optional().describe('The longest. Default: no limit.'),
        })
        .optional()
        .describe("Limits the prefix length. Default: from the CIDR's to the longest."),
      prefixSet: setName()
        .optional()
        .describe('Only prefixes of this set, of the filter or of the BGPConfiguration.'),
      source: oneOf('RemotePeers')
        .optional()
        .describe('RemotePeers: only routes that were learned from a neighbour.'),
      interface: text(16)
        .optional()
        .describe("Only routes that leave by this interface; '*' stands for any rest."),
      peerType: oneOf('eBGP', 'iBGP').optional().describe('Only sessions of this type.'),
      communities: communityMatch.optional().describe('Only routes with these communities.'),
      asPathPrefix: list(asNumber(), 100).optional().describe('Only routes whose AS path begins so.'),
      asPath: asPathMatch.optional().describe('Only routes with such an AS path.'),
      nextHops: list(cidrOrAddress(), 20)
        .optional()
        .describe('Only routes whose next hop is in one of these; own prefixes have none.'),
      peers: list(text(), 20)
        .optional()
        .describe('Only sessions of these neighbours: names of BGPPeers, or addresses.'),
      priority: priority().optional().describe('Only routes of this kernel metric.'),
      action: oneOf('Accept', 'Reject', 'Next').describe(
        'What becomes of a route to which all of the rule applies. Next: its operations hold, and the rules behind it decide.',
      ),
      operations: list(operation(direction, family), 10)
        .optional()
        .describe('What is changed in the route, in this order.'),
    }),
    [
      ...excludes<{ prefixSet?: unknown; cidr?: unknown }>('prefixSet', ['cidr']),
      {
        fields: ['matchOperator', 'cidr'],
        message: 'is missing: cidr needs it',
        allowed: 'Equal, NotEqual, In or NotIn',
        cel: '!has(self.cidr) || has(self.matchOperator)',
        broken: (rule) => rule.cidr !== undefined && rule.matchOperator === undefined,
      },
      {
        fields: ['matchOperator', 'cidr'],
        message: 'has a meaning only together with cidr',
        cel: 'has(self.cidr) || !has(self.matchOperator)',
        broken: (rule) => rule.cidr === undefined && rule.matchOperator !== undefined,
      },
      {
        fields: ['prefixLength', 'cidr'],
        message: 'has a meaning only together with cidr',
        cel: '!has(self.prefixLength) || has(self.cidr)',
        broken: (rule) => rule.prefixLength !== undefined && rule.cidr === undefined,
      },
      {
        fields: ['operations', 'action'],
        message: 'has a meaning only with action: Accept or Next',
        cel: "!has(self.operations) || self.operations.size() == 0 || self.action != 'Reject'",
        broken: (rule) => !!rule.operations?.length && rule.action === 'Reject',
      },
    ],
  );
}

const rules = (direction: Direction, family: Family) => list(filterRule(direction, family), 100).default([]);

const filterFields = z.strictObject({
  ...filterSetFields,
  importV4: rules('import', 'ipv4').describe('On IPv4 routes that a neighbour announces.'),
  exportV4: rules('export', 'ipv4').describe('On IPv4 routes that we announce.'),
  importV6: rules('import', 'ipv6').describe('On IPv6 routes that a neighbour announces.'),
  exportV6: rules('export', 'ipv6').describe('On IPv6 routes that we announce.'),
});

const bgpFilterSpec = withMoreCel(filterFields, setNamesCel).superRefine(checkSetNames);

/** The field of a BGPFilter with the rules. */
export function rulesField(direction: Direction, family: Family) {
  return `${direction}${family === 'ipv4' ? 'V4' : 'V6'}` as const;
}

export type BGPFilterSpec = z.output<typeof bgpFilterSpec>;
export type BGPFilterRule = BGPFilterSpec['importV4'][number];
export type BGPFilter = ResourceObject<'BGPFilter', BGPFilterSpec>;

export const bgpFilter = defineKind({
  kind: 'BGPFilter',
  plural: 'bgpfilters',
  singular: 'bgpfilter',
  shortNames: [],
  description: 'Rules on what is imported from and exported to the neighbours that name it.',
  spec: bgpFilterSpec,
  calico: true,
  columns: [age],
});
