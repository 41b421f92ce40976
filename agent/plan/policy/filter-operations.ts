// What a rule of a BGPFilter changes in a route, as a policy has it.
import { type BGPFilterRule, ROUTE_PRIORITY } from '#api';
import type { PolicySet } from '#bgp';

/** As policies have it: 0 is the default's. */
export function metricOf(priority: number): number {
  return priority === ROUTE_PRIORITY ? 0 : priority;
}

/** Undefined when it changes nothing. */
export function operationsOf(rule: BGPFilterRule, direction: 'import' | 'export'): PolicySet | undefined {
  const operations = rule.operations ?? [];
  const addCommunities = operations.flatMap(({ addCommunity }) => (addCommunity ? [addCommunity.value] : []));
  // Each operation prepends to what the one before it made.
  const prependAs = operations.reduce<number[]>(
    (path, { prependASPath }) => [...(prependASPath?.prefix ?? []), ...path],
    [],
  );
  const last = <K extends 'setPriority' | 'setLocalPref' | 'setMED'>(name: K): number | undefined =>
    operations.findLast((one) => one[name] !== undefined)?.[name]?.value;
  const priority = last('setPriority');
  const metric = priority === undefined || direction === 'export' ? 0 : metricOf(priority);
  const localPref = last('setLocalPref');
  const med = last('setMED');
  const set: PolicySet = {
    ...(metric > 0 ? { metric } : {}),
    ...(localPref === undefined ? {} : { localPref }),
    ...(med === undefined ? {} : { med }),
    ...(addCommunities.length > 0 ? { addCommunities } : {}),
    ...(prependAs.length > 0 ? { prependAs } : {}),
  };
  return Object.keys(set).length === 0 ? undefined : set;
}
