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
  const priority = operations.findLast(({ setPriority }) => setPriority !== undefined)?.setPriority?.value;
  const metric = priority === undefined || direction === 'export' ? 0 : metricOf(priority);
  if (addCommunities.length === 0 && prependAs.length === 0 && metric === 0) return undefined;
  return {
    ...(metric > 0 ? { metric } : {}),
    ...(addCommunities.length > 0 ? { addCommunities } : {}),
    ...(prependAs.length > 0 ? { prependAs } : {}),
  };
}
