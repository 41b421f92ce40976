// The rules of a BGPFilter as terms of a session's policy. What is settled before there is a route is settled here.
import { type BGPFilter, type BGPFilterRule, ROUTE_PRIORITY } from '#api';
import type { PolicyMatch, PolicyTerm } from '#bgp';
import { FAMILIES, type Family } from '#ip';
import { metricOf, operationsOf } from './filter-operations.ts';

type SessionType = 'ebgp' | 'ibgp';

/** @param type of the session: rules for the other type are left out */
export function filterTerms(
  filter: BGPFilter,
  direction: 'import' | 'export',
  type: SessionType,
): PolicyTerm[] {
  const { spec, metadata } = filter;
  return FAMILIES.flatMap((family) => {
    const field = fieldOf(direction, family);
    return spec[field].flatMap((rule, i) => {
      if (!concernsSession(rule, type) || !mayHavePriority(rule, direction)) return [];
      return [termOf(rule, family, direction, `BGPFilter ${metadata.name}, ${field} rule ${i + 1}`)];
    });
  });
}

function fieldOf(direction: 'import' | 'export', family: Family) {
  return `${direction}${family === 'ipv4' ? 'V4' : 'V6'}` as const;
}

function concernsSession(rule: BGPFilterRule, type: SessionType): boolean {
  if (rule.peerType === undefined) return true;
  return (rule.peerType === 'eBGP') === (type === 'ebgp');
}

/** What a neighbour announces has no metric of a kernel yet: it is the default. */
function mayHavePriority({ priority }: BGPFilterRule, direction: 'import' | 'export'): boolean {
  return direction === 'export' || priority === undefined || priority === ROUTE_PRIORITY;
}

const VERDICTS = { Accept: 'accept', Reject: 'reject', Next: 'next' } as const;
const OPERATORS = { Equal: 'equal', NotEqual: 'notEqual', In: 'in', NotIn: 'notIn' } as const;

function termOf(
  rule: BGPFilterRule,
  family: Family,
  direction: 'import' | 'export',
  why: string,
): PolicyTerm {
  const { min, max } = rule.prefixLength ?? {};
  const match: PolicyMatch = {
    family,
    ...(rule.cidr === undefined
      ? {}
      : {
          prefixes: [
            {
              prefix: rule.cidr,
              operator: OPERATORS[rule.matchOperator ?? 'In'],
              ...(min === undefined ? {} : { minLength: min }),
              ...(max === undefined ? {} : { maxLength: max }),
            },
          ],
        }),
    ...(rule.interface === undefined ? {} : { interface: rule.interface }),
    ...(rule.priority === undefined || direction === 'import' ? {} : { metric: metricOf(rule.priority) }),
    ...(rule.source === undefined ? {} : { source: 'remote' as const }),
    ...(rule.communities === undefined ? {} : { communities: rule.communities.values }),
    ...(rule.asPathPrefix === undefined ? {} : { asPathPrefix: rule.asPathPrefix }),
  };
  const set = operationsOf(rule, direction);
  return { match, action: { verdict: VERDICTS[rule.action], ...(set === undefined ? {} : { set }) }, why };
}
