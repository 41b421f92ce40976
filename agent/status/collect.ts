// From what the agent's parts know to the shapes of agent-api/. Pure: parts in, plain data out.
import { formatProblem, type Problem } from '#api';
import type { PeerStatus, RouteText } from '#bgp';
import { contains, type Family, familyOf, parseAddress, parsePrefix } from '#ip';
import type { IpamUsage } from '#ipam';
import { iso } from './session-status.ts';
import type {
  BlockStatus,
  IpamSummary,
  PerFamily,
  RangeStatus,
  RouteStatus,
  StatusProblem,
} from '#agent-api';

export function statusProblem(problem: Problem, from: StatusProblem['from']): StatusProblem {
  const { object, field, message, value, allowed, file, line, cause } = problem;
  return {
    object,
    field,
    message,
    ...(value === undefined ? {} : { value }),
    ...(allowed === undefined ? {} : { allowed }),
    ...(file === undefined ? {} : { file }),
    ...(line === undefined ? {} : { line }),
    ...(cause === undefined ? {} : { cause }),
    from,
    text: formatProblem(problem),
  };
}

/** @param nowMs wall clock */
export function routeStatus(route: RouteText, nowMs: number): RouteStatus {
  const { ageSeconds, med, localPref, originatorId, clusterList, others, pathId } = route;
  return {
    prefix: route.prefix,
    family: familyOf(route.prefix),
    ...(route.source === 'local' ? {} : { peer: route.peer }),
    isLocal: route.source === 'local',
    isBest: route.best,
    isMultipath: route.multipath && !route.best,
    nextHops: route.nextHop === '' ? [] : [route.nextHop],
    asPath: route.asPath,
    origin: originOf(route.origin),
    ...(localPref === undefined ? {} : { localPref }),
    ...(med === undefined ? {} : { med }),
    communities: route.communities,
    largeCommunities: route.largeCommunities,
    ...(originatorId === undefined ? {} : { originatorId }),
    ...(clusterList === undefined ? {} : { clusterList }),
    ...(others === undefined ? {} : { others }),
    ...(pathId === undefined ? {} : { pathId }),
    since: iso(nowMs - ageSeconds * 1000),
    sinceSeconds: ageSeconds,
    ...(route.stale ? { isStale: true } : {}),
    why: route.why,
  };
}

function originOf(text: string): 'igp' | 'egp' | 'incomplete' {
  const lower = text.toLowerCase();
  return lower === 'igp' || lower === 'egp' ? lower : 'incomplete';
}

/** @param from what asked for it */
export function rangeStatus(
  { id, remote, heldDown }: PeerStatus,
  { current, max, refused }: NonNullable<PeerStatus['dynamicPeers']>,
  from = '',
): RangeStatus {
  const shutdown = heldDown === undefined ? {} : { shutdown: heldDown };
  return { id, from, prefix: remote, neighbours: current, most: max, refused, ...shutdown };
}

export const EMPTY_IPAM: IpamSummary = {
  blocks: { ipv4: 0, ipv6: 0 },
  addressesInUse: { ipv4: 0, ipv6: 0 },
  addressesFree: { ipv4: 0, ipv6: 0 },
};

export function ipamSummary(usage: IpamUsage): IpamSummary {
  const sum = (read: (block: IpamUsage['blocks'][number]) => number): PerFamily => {
    const of = (family: Family) =>
      usage.blocks
        .filter((block) => block.family === family)
        .reduce((total, block) => total + read(block), 0);
    return { ipv4: of('ipv4'), ipv6: of('ipv6') };
  };
  return {
    blocks: sum(() => 1),
    addressesInUse: sum((block) => block.used),
    addressesFree: sum((block) => block.free),
  };
}

/** The blocks, with how many of these addresses are in each. */
export function withLeaks(blocks: readonly BlockStatus[], leaked: readonly string[]): readonly BlockStatus[] {
  if (leaked.length === 0) return blocks;
  const addresses = leaked.map((address) => parseAddress(address)!);
  return blocks.map((block) => {
    const prefix = parsePrefix(block.cidr)!;
    const inside = addresses.filter((address) => contains(prefix, address)).length;
    return inside === 0 ? block : { ...block, leaked: inside };
  });
}
