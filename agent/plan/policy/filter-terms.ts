// The rules of a BGPFilter as terms of a session's policy. What is settled before there is a route is settled here.
import {
  type BGPFilter,
  type BGPFilterRule,
  communitiesIn,
  type CommunitySets,
  type FilterSets,
  ROUTE_PRIORITY,
  rulesField,
  setsOf,
} from '#api';
import type { PolicyMatch, PolicyTerm, PrefixRule } from '#bgp';
import { canonicalAddress, FAMILIES, type Family, familyOf } from '#ip';
import { metricOf, type Neighbour, operationsOf } from './filter-operations.ts';

/** Rules for other neighbours are left out. */
export function filterTerms(
  filter: BGPFilter,
  direction: 'import' | 'export',
  neighbour: Neighbour,
  shared: FilterSets,
): PolicyTerm[] {
  const { spec, metadata } = filter;
  const sets = setsOf(spec, shared);
  return FAMILIES.flatMap((family) => {
    const field = rulesField(direction, family);
    return spec[field].flatMap((rule, i) => {
      if (!concerns(rule, neighbour) || !mayHavePriority(rule, direction)) return [];
      return [
        termOf(
          sets,
          rule,
          family,
          direction,
          neighbour,
          `BGPFilter ${metadata.name}, ${field} rule ${i + 1}`,
        ),
      ];
    });
  });
}

function concerns({ peerType, peers }: BGPFilterRule, { type, name, address }: Neighbour): boolean {
  if (peerType !== undefined && (peerType === 'eBGP') !== (type === 'ebgp')) return false;
  return peers?.some((peer) => peer === name || (canonicalAddress(peer) ?? '') === address) ?? true;
}

/** Some rule is for single neighbours: equal words do not make equal policies. */
export const asksForNeighbours = ({ spec }: BGPFilter): boolean =>
  [spec.importV4, spec.exportV4, spec.importV6, spec.exportV6]
    .flat()
    .some(({ peers }) => peers !== undefined);

/** What a neighbour announces has no metric of a kernel yet: it is the default. */
function mayHavePriority({ priority }: BGPFilterRule, direction: 'import' | 'export'): boolean {
  return direction === 'export' || priority === undefined || priority === ROUTE_PRIORITY;
}

const VERDICTS = { Accept: 'accept', Reject: 'reject', Next: 'next' } as const;
const OPERATORS = { Equal: 'equal', NotEqual: 'notEqual', In: 'in', NotIn: 'notIn' } as const;

function termOf(
  sets: FilterSets,
  rule: BGPFilterRule,
  family: Family,
  direction: 'import' | 'export',
  neighbour: Neighbour,
  why: string,
): PolicyTerm {
  const prefixes = prefixRules(sets, rule, family);
  const match: PolicyMatch = {
    family,
    ...(prefixes === undefined ? {} : { prefixes }),
    ...(rule.interface === undefined ? {} : { interface: rule.interface }),
    ...(rule.priority === undefined || direction === 'import' ? {} : { metric: metricOf(rule.priority) }),
    ...(rule.source === undefined ? {} : { source: 'remote' as const }),
    ...communityMatch(rule, sets.communitySets),
    ...(rule.asPathPrefix === undefined ? {} : { asPathPrefix: rule.asPathPrefix }),
    ...(rule.asPath === undefined ? {} : pathMatch(rule.asPath)),
    ...(rule.nextHops === undefined ? {} : { nextHops: rule.nextHops }),
  };
  const set = operationsOf(rule, direction, neighbour, sets.communitySets);
  return { match, action: { verdict: VERDICTS[rule.action], ...(set === undefined ? {} : { set }) }, why };
}

/** Undefined when the rule does not ask; of a set those of the rule's family. */
function prefixRules(
  { prefixSets }: FilterSets,
  { prefixSet, cidr, matchOperator = 'In', prefixLength }: BGPFilterRule,
  family: Family,
): PrefixRule[] | undefined {
  if (prefixSet !== undefined) {
    const members = prefixSets.find(({ name }) => name === prefixSet)?.prefixes ?? [];
    return members
      .filter((member) => familyOf(member.cidr) === family)
      .map((member) => prefixRule(member.cidr, member.matchOperator, member.prefixLength));
  }
  return cidr === undefined ? undefined : [prefixRule(cidr, matchOperator, prefixLength)];
}

function prefixRule(
  prefix: string,
  operator: keyof typeof OPERATORS,
  { min, max }: NonNullable<BGPFilterRule['prefixLength']> = {},
): PrefixRule {
  return {
    prefix,
    operator: OPERATORS[operator],
    ...(min === undefined ? {} : { minLength: min }),
    ...(max === undefined ? {} : { maxLength: max }),
  };
}

function communityMatch({ communities = {} }: BGPFilterRule, sets: CommunitySets): PolicyMatch {
  const { values = [], all = [], any, none } = communities;
  return {
    ...(values.length + all.length === 0 ? {} : { communities: [...values, ...communitiesIn(all, sets)] }),
    ...(any === undefined ? {} : { anyCommunity: communitiesIn(any, sets) }),
    ...(none === undefined ? {} : { noCommunity: communitiesIn(none, sets) }),
  };
}

function pathMatch({
  contains,
  originatedBy,
  length: { min, max } = {},
  regex,
}: NonNullable<BGPFilterRule['asPath']>): PolicyMatch {
  return {
    asPath: {
      ...(contains === undefined ? {} : { contains }),
      ...(originatedBy === undefined ? {} : { originatedBy }),
      ...(min === undefined ? {} : { minLength: min }),
      ...(max === undefined ? {} : { maxLength: max }),
      ...(regex === undefined ? {} : { pattern: regex }),
    },
  };
}
