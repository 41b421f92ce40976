// Numbers of rtnetlink that the door shows as words, both ways.
import type { Family } from '#ip';
import type { NeighbourState, RouteType, RuleAction, Scope } from '../kernel.ts';
import { AF_INET, AF_INET6 } from './constants.ts';

const routeTypes = [
  'other',
  'unicast',
  'local',
  'broadcast',
  'anycast',
  'multicast',
  'blackhole',
  'unreachable',
  'prohibit',
  'throw',
] as const satisfies readonly RouteType[];

/** rtm_type */
export function routeTypeName(type: number): RouteType {
  return routeTypes[type] ?? 'other';
}
/** 0 (any) for 'other' */
export function routeTypeNumber(type: RouteType): number {
  return routeTypes.indexOf(type);
}
/** Types that have no next hop. */
export function isDeadEnd(type: RouteType): boolean {
  return type === 'blackhole' || type === 'unreachable' || type === 'prohibit' || type === 'throw';
}

const scopes = { global: 0, site: 200, link: 253, host: 254, nowhere: 255 } as const satisfies Record<
  Scope,
  number
>;

export function scopeName(scope: number): Scope {
  const found = (Object.keys(scopes) as Scope[]).find((name) => scopes[name] === scope);
  return found ?? 'site';
}
export function scopeNumber(scope: Scope): number {
  return scopes[scope];
}

/** ndm_state has one bit a state. */
export function neighbourStateName(state: number): NeighbourState {
  if (state & 0x80) return 'permanent';
  if (state & 0x40) return 'noarp';
  if (state & 0x20) return 'failed';
  if (state & 0x10) return 'probe';
  if (state & 0x08) return 'delay';
  if (state & 0x04) return 'stale';
  if (state & 0x02) return 'reachable';
  if (state & 0x01) return 'incomplete';
  return 'none';
}

const ruleActions = {
  other: 2,
  lookup: 1,
  blackhole: 6,
  unreachable: 7,
  prohibit: 8,
} as const satisfies Record<RuleAction, number>;

export function ruleActionName(action: number): RuleAction {
  const found = (Object.keys(ruleActions) as RuleAction[]).find((name) => ruleActions[name] === action);
  return found ?? 'other';
}
export function ruleActionNumber(action: RuleAction): number {
  return ruleActions[action];
}

export function familyNumber(family: Family): number {
  return family === 'ipv4' ? AF_INET : AF_INET6;
}
/** undefined for families that are not IP (bridge, MPLS, multicast). */
export function familyName(family: number): Family | undefined {
  return family === AF_INET ? 'ipv4' : family === AF_INET6 ? 'ipv6' : undefined;
}
