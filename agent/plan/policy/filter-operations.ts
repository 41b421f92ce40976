// What a rule of a BGPFilter changes in a route, as a policy has it.
import {
  type BGPFilter,
  type BGPFilterRule,
  communitiesIn,
  type CommunitySets,
  type Problem,
  ROUTE_PRIORITY,
  rulesField,
} from '#api';
import { EVERY_COMMUNITY, isCommunityOf, LINK_BANDWIDTHS, linkBandwidthText, type PolicySet } from '#bgp';
import { FAMILIES } from '#ip';
import type { NodeAddresses } from '../types.ts';

/** Whose policy it is. */
export interface Neighbour {
  readonly type: 'ebgp' | 'ibgp';
  /** Of its BGPPeer. */
  readonly name: string;
  /** Undefined for those that are found later. */
  readonly address: string | undefined;
  /** Our AS, which says so of what we set. */
  readonly ownAs: number;
}

const HOP_WORDS: Readonly<Record<string, string>> = { Self: 'self', Peer: 'peer' };

/** As policies have it: 0 is the default's. */
export function metricOf(priority: number): number {
  return priority === ROUTE_PRIORITY ? 0 : priority;
}

/** Undefined when it changes nothing. */
export function operationsOf(
  rule: BGPFilterRule,
  direction: 'import' | 'export',
  neighbour: Neighbour,
  sets: CommunitySets,
): PolicySet | undefined {
  const operations = rule.operations ?? [];
  // Each operation prepends to what the one before it made.
  const prependAs = operations.reduce<number[]>(
    (path, { prependASPath }) => [...(prependASPath?.prefix ?? []), ...path],
    [],
  );
  const last = <K extends 'setPriority' | 'setLocalPref' | 'setMED' | 'setWeight'>(
    name: K,
  ): number | undefined => operations.findLast((one) => one[name] !== undefined)?.[name]?.value;
  const priority = last('setPriority');
  const metric = priority === undefined || direction === 'export' ? 0 : metricOf(priority);
  const localPref = last('setLocalPref');
  const med = last('setMED');
  const weight = last('setWeight');
  const nextHop = operations.findLast((one) => one.setNextHop)?.setNextHop?.address;
  const bandwidth = bandwidthText(direction, neighbour);
  const set: PolicySet = {
    ...(nextHop === undefined ? {} : { nextHop: HOP_WORDS[nextHop] ?? nextHop }),
    ...(metric > 0 ? { metric } : {}),
    ...(weight === undefined ? {} : { weight }),
    ...(localPref === undefined ? {} : { localPref }),
    ...(med === undefined ? {} : { med }),
    ...communityChanges(operations, sets, bandwidth),
    ...(prependAs.length > 0 ? { prependAs } : {}),
  };
  return Object.keys(set).length === 0 ? undefined : set;
}

/** What is set on the way in stays in the AS, unless `linkBandwidth` of a neighbour says otherwise; what is sent is sent. */
const bandwidthText =
  (direction: 'import' | 'export', { ownAs, type }: Neighbour) =>
  (octets: number): string =>
    linkBandwidthText(ownAs, octets, direction === 'export' && type === 'ebgp');

/** In the order of the operations: a policy's set takes away first, and then adds. */
function communityChanges(
  operations: NonNullable<BGPFilterRule['operations']>,
  sets: CommunitySets,
  bandwidth: (octets: number) => string,
): PolicySet {
  const deleted = new Set<string>();
  let added: string[] = [];
  for (const { addCommunity, setCommunities, deleteCommunities, setLinkBandwidth } of operations) {
    const patterns =
      setCommunities !== undefined
        ? EVERY_COMMUNITY
        : setLinkBandwidth !== undefined
          ? LINK_BANDWIDTHS
          : communitiesIn(deleteCommunities?.values ?? [], sets);
    for (const pattern of patterns) deleted.add(pattern);
    added = added.filter((one) => !patterns.some((pattern) => isCommunityOf(one, pattern)));
    added.push(
      ...(setCommunities?.values ?? []),
      ...(addCommunity === undefined ? [] : [addCommunity.value]),
      ...(setLinkBandwidth?.value ? [bandwidth(setLinkBandwidth.value)] : []),
    );
  }
  return {
    ...(deleted.size === 0 ? {} : { deleteCommunities: [...deleted] }),
    ...(added.length === 0 ? {} : { addCommunities: added }),
  };
}

/** Import rules whose next hop is this node: a filter of many nodes can be wrong on one of them. */
export function ownNextHops({ metadata, spec }: BGPFilter, { ipv4, ipv6 }: NodeAddresses): Problem[] {
  return FAMILIES.flatMap((family) => {
    const list = rulesField('import', family);
    return spec[list].flatMap(({ operations = [] }, i) =>
      operations.flatMap(({ setNextHop }, n): Problem[] => {
        const value = setNextHop?.address;
        if (value === undefined || (value !== ipv4 && value !== ipv6)) return [];
        const field = `spec.${list}[${i}].operations[${n}].setNextHop.address`;
        const message = 'is an address of this node: it uses no route that gets it';
        return [{ object: `BGPFilter ${metadata.name}`, field, value, message, severity: 'warning' }];
      }),
    );
  });
}
