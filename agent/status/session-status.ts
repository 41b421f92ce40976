// One neighbour of the speaker and what the plan says of it, as SessionStatus. Pure.
import type { NotificationRecord, PeerStatus, Speaker } from '#bgp';
import { familyLabel, familyOf } from '#ip';
import type { SignatureDrops } from '#linux';
import { type PlannedPeer, sessionField } from '../plan/index.ts';
import type { KnownBfd } from '../speaker/bfd-neighbours.ts';
import { sessionBfd } from './session-bfd.ts';
import { limitHint, loopHint, whyDown } from './advice.ts';
import { SAME_MOMENT_MS } from './down-causes.ts';
import type {
  MalformedStatus,
  MessagesByType,
  NotificationStatus,
  PendingField,
  PerFamily,
  SessionError,
  SessionPrefixes,
  SessionStatus,
  SessionTimers,
} from '#agent-api';

type SpeakerPeer = ReturnType<Speaker['status']>['peers'][number];
type Routes = NonNullable<SpeakerPeer['routes']>;

export interface AboutNode {
  /** It has an iBGP session that is up. */
  readonly hasInternal: boolean;
  /** What signed TCP lost in the last minute. */
  readonly signatures?: SignatureDrops | undefined;
  /** BFD of a session, by its id; undefined: none is wanted. */
  readonly bfdOf?: (session: string) => KnownBfd | undefined;
  /** Clock.wall() */
  readonly nowMs?: number;
}

/**
 * @param planned what the plan says of it; dynamic neighbours have their range's
 * @param about the node as a whole
 */
export function sessionStatus(
  peer: SpeakerPeer,
  planned: PlannedPeer | undefined,
  ownAs: number,
  about: AboutNode = { hasInternal: false },
): SessionStatus {
  const { negotiated, routes, capabilities, lastLost } = peer;
  const config = planned?.config;
  const from = planned?.from ?? peer.description ?? '';
  const timers = timersOf(peer, config);
  const lastError = lastErrorOf(peer);
  const { hasInternal, signatures, bfdOf, nowMs = 0 } = about;
  const bfd = bfdOf?.(peer.id);
  const down = whyDown(peer, { config, from, ownAs, signatures });
  const localAs = negotiated?.localAs ?? config?.localAs ?? ownAs;
  const prefixes = prefixesOf(routes, config?.maxPrefixes.limit ?? 0);
  const { ownAsLoops, ownReturns } = prefixes;
  const kept = routes?.kept.filter((one) => one.routes > 0) ?? [];
  const type = negotiated?.peerType;
  const hint =
    limitHint(prefixes, from) ??
    loopHint({
      ...{ type, localAs, ownAsLoops, ownReturns, from, hasInternal },
      allowed: config?.allowedLocalAs ?? 0,
    });
  return {
    id: peer.id,
    kind: peer.dynamicOf === undefined ? (planned?.kind ?? 'peer') : 'range',
    from,
    remote: peer.remote,
    ...(peer.remotePort === undefined ? {} : { remotePort: peer.remotePort }),
    state: peer.state,
    since: iso(peer.sinceMs),
    sinceSeconds: peer.sinceSeconds,
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
    localAs,
    families: negotiated?.families ?? config?.families ?? [],
    isRouteReflectorClient: config?.routeReflectorClient ?? false,
    isPassive: peer.isPassive,
    holdTimeSeconds: timers.negotiated?.hold ?? timers.configured.hold,
    keepaliveTimeSeconds:
      timers.negotiated?.keepalive ?? timers.configured.keepalive ?? Math.floor(timers.configured.hold / 3),
    capabilities: capabilities.agreed,
    offered: { local: capabilities.local, remote: capabilities.remote },
    timers,
    prefixes,
    ...(kept.length === 0 ? {} : { kept }),
    ...(bfd === undefined ? {} : { bfd: sessionBfd(bfd, iso(peer.sinceMs), nowMs) }),
    messages: messagesOf(peer.counters),
    flaps: peer.flaps,
    losses: peer.losses,
    collisions: peer.collisions,
    connectAttempts: peer.connectAttempts,
    ...(lastError === undefined ? {} : { lastError }),
    notifications: {
      ...(peer.lastNotificationIn === undefined ? {} : { lastIn: notification(peer.lastNotificationIn) }),
      ...(peer.lastNotificationOut === undefined ? {} : { lastOut: notification(peer.lastNotificationOut) }),
      countsIn: peer.notifications.in,
      countsOut: peer.notifications.out,
    },
    malformed: malformedOf(routes),
    ...(routes === undefined ? {} : { memory: routes.memory }),
    ...(lastLost === undefined
      ? {}
      : {
          lastLost: {
            at: iso(lastLost.atMs),
            kind: lastLost.cause.kind,
            reason: lastLost.reason,
            establishedSeconds: lastLost.establishedSeconds,
          },
        }),
    ...(down === undefined ? {} : { whyDown: { ...down, next: `${down.next}${keptText(kept)}` } }),
    ...(hint === undefined ? {} : { hint }),
    history: peer.history.map(({ atMs, from: before, to, reason, cause }) => ({
      at: iso(atMs),
      from: before,
      to,
      reason,
      ...(cause === undefined ? {} : { kind: cause.kind }),
    })),
    ...(peer.heldDown === undefined ? {} : { shutdown: peer.heldDown }),
    importPolicy: routes?.importPolicy ?? config?.import.name ?? '',
    exportPolicy: routes?.exportPolicy ?? config?.export.name ?? '',
    isReadingPaused: routes?.isPaused ?? false,
    ...(peer.pending.length === 0 ? {} : { pending: peer.pending.map(pendingField) }),
    queuedBytes: peer.queuedBytes,
  };
}

function pendingField({ name, inUse, next }: PeerStatus['pending'][number]): PendingField {
  return {
    field: sessionField(name),
    ...(inUse === undefined ? {} : { inUse }),
    ...(next === undefined ? {} : { next }),
  };
}

/** What an operator must know of a neighbour that is away: its routes are still used, and until when. */
function keptText(kept: Routes['kept']): string {
  if (kept.length === 0) return '';
  const parts = kept.map(({ family, state, routes, secondsLeft }) => {
    const last = state === 'long-lived' ? ', as the last choice' : '';
    return `${routes} ${familyLabel(family)}${last} for ${secondsLeft} s more`;
  });
  return `; its routes are kept meanwhile: ${parts.join(', ')}`;
}

function timersOf(peer: PeerStatus, config: PlannedPeer['config'] | undefined): SessionTimers {
  const { negotiated, timers } = peer;
  const left: Record<string, number> = {};
  for (const [name, ms] of Object.entries(timers)) left[name.replace(/Ms$/, '')] = Math.round(ms / 100) / 10;
  return {
    configured: {
      hold: config?.holdTimeSeconds ?? 0,
      ...(config?.keepaliveTimeSeconds === undefined ? {} : { keepalive: config.keepaliveTimeSeconds }),
      connectRetry: config?.connectRetrySeconds ?? 0,
      ...(config?.advertisementIntervalSeconds === undefined
        ? {}
        : { advertisementInterval: config.advertisementIntervalSeconds }),
    },
    offeredHold: peer.offeredHoldSeconds,
    ...(negotiated === undefined
      ? {}
      : { negotiated: { hold: negotiated.holdTimeSeconds, keepalive: negotiated.keepaliveTimeSeconds } }),
    left,
  };
}

function prefixesOf(routes: Routes | undefined, limit: number): SessionPrefixes {
  const families = routes?.families ?? [];
  const count = (read: (family: Routes['families'][number]) => number): PerFamily => {
    const of = (name: string) =>
      families.filter((f) => f.family === name).reduce((sum, f) => sum + read(f), 0);
    return { ipv4: of('ipv4'), ipv6: of('ipv6') };
  };
  return {
    received: count((f) => f.received),
    accepted: count((f) => f.accepted),
    filtered: count((f) => f.filtered),
    dropped: count((f) => f.dropped),
    ineligible: count((f) => f.ineligible),
    ownAsLoops: count((f) => f.ownAsLoops),
    ownReturns: count((f) => f.ownReturns),
    unfitHops: count((f) => f.unfitHops),
    ownClaims: count((f) => routes?.ownClaims.filter((p) => familyOf(p) === f.family).length ?? 0),
    advertised: count((f) => f.advertised),
    owed: count((f) => f.owed),
    heldBack: count((f) => f.heldBack),
    endOfRibReceived: families.filter((f) => f.endOfRibReceived).map((f) => f.family),
    endOfRibSent: families.filter((f) => f.endOfRibSent).map((f) => f.family),
    limit,
  };
}

function messagesOf({ in: received, out }: PeerStatus['counters']): SessionStatus['messages'] {
  const byType = ({
    open,
    update,
    notification: n,
    keepalive,
    routeRefresh,
  }: typeof received): MessagesByType => ({
    open,
    update,
    notification: n,
    keepalive,
    routeRefresh,
  });
  const all = (types: MessagesByType) => Object.values(types).reduce((sum: number, n: number) => sum + n, 0);
  return {
    updatesIn: received.update,
    updatesOut: out.update,
    messagesIn: all(byType(received)),
    messagesOut: all(byType(out)),
    bytesIn: received.bytes,
    bytesOut: out.bytes,
    in: byType(received),
    out: byType(out),
  };
}

function notification({ atMs, monotonicMs: _monotonicMs, ...rest }: NotificationRecord): NotificationStatus {
  return { at: iso(atMs), ...rest };
}

function malformedOf(routes: Routes | undefined): MalformedStatus {
  if (routes === undefined) return { attributeDiscard: 0, treatAsWithdraw: 0, sessionReset: 0, last: [] };
  const { counts, last } = routes.malformed;
  return { ...counts, last: last.map(({ atMs, ...rest }) => ({ at: iso(atMs), ...rest })) };
}

/** The newest of a NOTIFICATION in either direction and an error of our own. */
function lastErrorOf(peer: PeerStatus): SessionError | undefined {
  const { lastNotificationIn: received, lastNotificationOut: sent, lastError: local } = peer;
  const found: { readonly rank: number; readonly error: SessionError }[] = [];
  for (const [record, direction] of [[received, 'received'] as const, [sent, 'sent'] as const]) {
    if (record === undefined) continue;
    const { atMs, monotonicMs, code, subcode, text } = record;
    const kind = `notification ${direction}` as const;
    found.push({ rank: monotonicMs, error: { at: iso(atMs), kind, direction, code, subcode, text } });
  }
  if (local !== undefined) {
    const { atMs, monotonicMs, cause, text } = local;
    // Of the same moment the NOTIFICATION says more than the error that it made.
    const rank = monotonicMs - SAME_MOMENT_MS;
    found.push({ rank, error: { at: iso(atMs), kind: cause.kind, direction: 'local', text } });
  }
  return found.sort((a, b) => b.rank - a.rank)[0]?.error;
}

export function iso(wallMs: number): string {
  return new Date(wallMs).toISOString();
}
