// What a rule of a BGPFilter changes in a route, as a policy has it.
import { type BGPFilterRule, communitiesIn, type CommunitySets, ROUTE_PRIORITY } from '#api';
import { EVERY_COMMUNITY, isCommunityOf, type PolicySet } from '#bgp';

/** As policies have it: 0 is the default's. */
export function metricOf(priority: number): number {
  return priority === ROUTE_PRIORITY ? 0 : priority;
}

/** Undefined when it changes nothing. */
export function operationsOf(
  rule: BGPFilterRule,
  direction: 'import' | 'export',
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
  const nextHop =
    direction === 'export' ? undefined : operations.findLast((one) => one.setNextHop)?.setNextHop?.address;
  const set: PolicySet = {
    ...(nextHop === undefined ? {} : { nextHop }),
    ...(metric > 0 ? { metric } : {}),
    ...(weight === undefined ? {} : { weight }),
    ...(localPref === undefined ? {} : { localPref }),
    ...(med === undefined ? {} : { med }),
    ...communityChanges(operations, sets),
    ...(prependAs.length > 0 ? { prependAs } : {}),
  };
  return Object.keys(set).length === 0 ? undefined : set;
}

/** In the order of the operations: a policy's set takes away first, and then adds. */
function communityChanges(
  operations: NonNullable<BGPFilterRule['operations']>,
  sets: CommunitySets,
): PolicySet {
  const deleted = new Set<string>();
  let added: string[] = [];
  for (const { addCommunity, setCommunities, deleteCommunities } of operations) {
    const patterns =
      setCommunities === undefined ? communitiesIn(deleteCommunities?.values ?? [], sets) : EVERY_COMMUNITY;
    for (const pattern of patterns) deleted.add(pattern);
    added = added.filter((one) => !patterns.some((pattern) => isCommunityOf(one, pattern)));
    added.push(
      ...(setCommunities?.values ?? []),
      ...(addCommunity === undefined ? [] : [addCommunity.value]),
    );
  }
  return {
    ...(deleted.size === 0 ? {} : { deleteCommunities: [...deleted] }),
    ...(added.length === 0 ? {} : { addCommunities: added }),
  };
}
