// From what the agent's parts know to the shapes of types.ts. Pure: parts in, plain data out.
import { formatProblem, type Problem } from '#api';
import type { PeerStatus, RouteText, Speaker } from '#bgp';
import type { IpamUsage } from '#ipam';
import type { Plan, PlannedPeer } from '../plan/index.ts';
import type {
  IpamSummary,
  PerFamily,
  RouteStatus,
  SessionError,
  SessionStatus,
  StatusProblem,
} from './types.ts';

type SpeakerPeer = ReturnType<Speaker['status']>['peers'][number];

export function statusProblem(problem: Problem, from: StatusProblem['from']): StatusProblem {
  const { object, field, message, value, allowed, file, line } = problem;
  return {
    object,
    field,
    message,
    ...(value === undefined ? {} : { value }),
    ...(allowed === undefined ? {} : { allowed }),
    ...(file === undefined ? {} : { file }),
    ...(line === undefined ? {} : { line }),
    from,
    text: formatProblem(problem),
  };
}

/** @param planned what the plan says of it; dynamic neighbours have their range's */
export function sessionStatus(
  peer: SpeakerPeer,
  planned: PlannedPeer | undefined,
  ownAs: number,
  nowMs: number,
): SessionStatus {
  const { negotiated, routes, counters } = peer;
  const config = planned?.config;
  const accepted = routes?.families;
  const count = (read: (family: NonNullable<typeof accepted>[number]) => number): PerFamily => ({
    ipv4: accepted?.filter((f) => f.family === 'ipv4').reduce((sum, f) => sum + read(f), 0) ?? 0,
    ipv6: accepted?.filter((f) => f.family === 'ipv6').reduce((sum, f) => sum + read(f), 0) ?? 0,
  });
  const holdTimeSeconds = negotiated?.holdTimeSeconds ?? config?.holdTimeSeconds ?? 0;
  const lastError = lastErrorOf(peer);
  const shutdown = peer.heldDown;
  return {
    id: peer.id,
    from: planned?.from ?? peer.description ?? '',
    remote: peer.remote,
    ...(peer.remotePort === undefined ? {} : { remotePort: peer.remotePort }),
    state: peer.state,
    since: iso(peer.sinceMs),
    sinceSeconds: Math.max(0, Math.round((nowMs - peer.sinceMs) / 1000)),
    ...(negotiated === undefined
      ? {}
      : {
          type: negotiated.peerType,
          remoteAs: negotiated.remoteAs,
          remoteRouterId: negotiated.remoteRouterId,
          localAddress: negotiated.localAddress,
        }),
    ...(negotiated !== undefined || config?.localAddress === undefined
      ? {}
      : { localAddress: config.localAddress }),
    configuredRemoteAs: config?.remoteAs ?? 'external',
    localAs: negotiated?.localAs ?? config?.localAs ?? ownAs,
    families: negotiated?.families ?? config?.families ?? [],
    isRouteReflectorClient: config?.routeReflectorClient ?? false,
    isPassive: peer.isPassive,
    holdTimeSeconds,
    keepaliveTimeSeconds:
      negotiated?.keepaliveTimeSeconds ?? config?.keepaliveTimeSeconds ?? Math.floor(holdTimeSeconds / 3),
    capabilities: negotiated === undefined ? [] : peer.capabilities.agreed,
    prefixes: {
      received: count((f) => f.received),
      accepted: count((f) => f.accepted),
      advertised: count((f) => f.advertised),
      limit: config?.maxPrefixes.limit ?? 0,
    },
    messages: {
      updatesIn: counters.in.update,
      updatesOut: counters.out.update,
      messagesIn: messageCount(counters.in),
      messagesOut: messageCount(counters.out),
      bytesIn: counters.in.bytes,
      bytesOut: counters.out.bytes,
    },
    flaps: peer.flaps,
    ...(lastError === undefined ? {} : { lastError }),
    history: peer.history.map(({ atMs, from, to, reason }) => ({ at: iso(atMs), from, to, reason })),
    ...(shutdown === undefined ? {} : { shutdown }),
    importPolicy: routes?.importPolicy ?? config?.import.name ?? '',
    exportPolicy: routes?.exportPolicy ?? config?.export.name ?? '',
  };
}

function messageCount(counters: PeerStatus['counters']['in']): number {
  const { open, update, notification, keepalive, routeRefresh } = counters;
  return open + update + notification + keepalive + routeRefresh;
}

/** The newest of a NOTIFICATION in either direction and an error of our own. */
function lastErrorOf(peer: PeerStatus): SessionError | undefined {
  const { lastNotificationIn: received, lastNotificationOut: sent, lastError: local } = peer;
  const found: (SessionError & { atMs: number })[] = [];
  for (const [record, direction] of [[received, 'received'] as const, [sent, 'sent'] as const]) {
    if (record === undefined) continue;
    const { atMs, code, subcode, text } = record;
    found.push({ atMs, at: iso(atMs), direction, code, subcode, text });
  }
  if (local !== undefined) {
    found.push({ atMs: local.atMs, at: iso(local.atMs), direction: 'local', text: local.text });
  }
  // Of the same moment the NOTIFICATION comes first in the list and says more.
  found.sort((a, b) => b.atMs - a.atMs);
  if (found[0] === undefined) return undefined;
  const { atMs: _, ...error } = found[0];
  return error;
}

export function routeStatus(route: RouteText): RouteStatus {
  const { med, originatorId, clusterList } = route;
  return {
    prefix: route.prefix,
    family: route.prefix.includes(':') ? 'ipv6' : 'ipv4',
    ...(route.source === 'local' ? {} : { peer: route.peer }),
    isLocal: route.source === 'local',
    isBest: route.best,
    isMultipath: route.multipath && !route.best,
    nextHops: route.nextHop === '' ? [] : [route.nextHop],
    asPath: route.asPath,
    origin: originOf(route.origin),
    localPref: route.localPref,
    ...(med === undefined ? {} : { med }),
    communities: route.communities,
    largeCommunities: route.largeCommunities,
    ...(originatorId === undefined ? {} : { originatorId }),
    ...(clusterList === undefined ? {} : { clusterList }),
    why: route.why,
  };
}

function originOf(text: string): 'igp' | 'egp' | 'incomplete' {
  const lower = text.toLowerCase();
  return lower === 'igp' || lower === 'egp' ? lower : 'incomplete';
}

export const EMPTY_IPAM: IpamSummary = {
  blocks: { ipv4: 0, ipv6: 0 },
  addressesInUse: { ipv4: 0, ipv6: 0 },
  addressesFree: { ipv4: 0, ipv6: 0 },
};

export function ipamSummary(usage: IpamUsage): IpamSummary {
  const sum = (read: (block: IpamUsage['blocks'][number]) => number): PerFamily => {
    const of = (family: 'ipv4' | 'ipv6') =>
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

/** The plan as it may be shown: passwords are secret. */
export function withoutSecrets(plan: Plan): Plan {
  const peers = plan.peers.map(({ config, from }) => ({
    from,
    config: config.md5Key === undefined ? config : { ...config, md5Key: '(secret)' },
  }));
  return { ...plan, peers };
}

export function iso(wallMs: number): string {
  return new Date(wallMs).toISOString();
}
