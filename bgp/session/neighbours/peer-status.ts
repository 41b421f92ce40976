// A peer as plain data for status, metrics and the command line.
import { withZone } from '#ip';
import { describeCapabilities, type OpenMessage } from '../../message/index.ts';
import { heldDownText } from '../fsm/cause-text.ts';
import type { HeldDown } from '../fsm/cause.ts';
import { pendingChanges } from '../fsm/config-change.ts';
import type { Negotiated } from '../fsm/negotiate.ts';
import { copyCounters, zeroCounters } from '../connection/counters.ts';
import type { Range } from './neighbours.ts';
import type { Peer } from '../peer.ts';
import type { PeerStatus } from '../types.ts';

export function peerStatus(peer: Peer): PeerStatus {
  const { record, config, origin, main, current: established } = peer;
  const now = peer.io.clock.now();
  const idleHoldMs = main?.remaining('idleHold');
  const connectRetryMs = main?.remaining('connectRetry');
  const nextAttemptInMs = idleHoldMs ?? (main?.state === 'Active' ? connectRetryMs : undefined);
  const timers: Partial<Record<keyof PeerStatus['timers'], number>> = {};
  for (const name of ['hold', 'keepalive', 'sendHold', 'connectRetry', 'idleHold', 'delayOpen'] as const) {
    const left = main?.remaining(name);
    if (left !== undefined) timers[`${name}Ms`] = Math.round(left);
  }
  return {
    id: peer.id,
    ...(config.description === undefined ? {} : { description: config.description }),
    remote: withZone(origin.address, origin.device),
    remotePort: origin.port,
    ...(origin.dynamicOf === undefined ? {} : { dynamicOf: origin.dynamicOf }),
    state: record.state,
    sinceMs: record.sinceMs,
    sinceMonotonicMs: record.sinceMonotonicMs,
    sinceSeconds: Math.floor((now - record.sinceMonotonicMs) / 1000),
    isPassive: config.passive || origin.dynamicOf !== undefined,
    flaps: record.flaps,
    losses: { ...record.losses },
    ...(record.lastLost === undefined ? {} : { lastLost: record.lastLost }),
    collisions: record.collisions,
    counters: copyCounters(peer.counters),
    notifications: record.notifications,
    ...(established === undefined ? {} : { negotiated: established.negotiated }),
    capabilities: {
      local: describeOpen(record.openOut?.open),
      remote: describeOpen(record.openIn?.open),
      agreed: established === undefined ? [] : describeAgreed(established.negotiated),
    },
    offeredHoldSeconds: offeredHold(record.openOut?.open, record.openIn?.open),
    timers,
    ...(record.lastNotificationIn === undefined ? {} : { lastNotificationIn: record.lastNotificationIn }),
    ...(record.lastNotificationOut === undefined ? {} : { lastNotificationOut: record.lastNotificationOut }),
    ...(record.lastError === undefined ? {} : { lastError: record.lastError }),
    connectAttempts: record.connectAttempts,
    ...(peer.bfd.isAwaited ? { isBfdAwaited: true } : {}),
    ...(nextAttemptInMs === undefined ? {} : { nextAttemptInMs: Math.round(nextAttemptInMs) }),
    ...heldDownOf(peer.heldDown),
    pending: established?.openedWith === undefined ? [] : pendingChanges(established.openedWith, config),
    queuedBytes: established?.queuedBytes ?? 0,
    connections: peer.sessions.filter((session) => session.wire !== undefined).length,
    history: record.history,
  };
}

/** A range of dynamic neighbours, which has no session of its own. */
/** @param nowMs Clock.now() */
export function rangeStatus(range: Range, nowMs: number): PeerStatus {
  const { config, prefix, peers, maxPeers, sinceMs, sinceMonotonicMs, refused, keyRefusal } = range;
  const down =
    config.shutdown === undefined ? keyRefusal : ({ kind: 'shut down', ...config.shutdown } as const);
  return {
    id: config.id,
    ...(config.description === undefined ? {} : { description: config.description }),
    remote: prefix.text,
    dynamicPeers: { current: peers.size, max: maxPeers, refused },
    state: down === undefined ? 'Active' : 'Idle',
    sinceMs,
    sinceMonotonicMs,
    sinceSeconds: Math.floor((nowMs - sinceMonotonicMs) / 1000),
    isPassive: true,
    flaps: 0,
    losses: {},
    collisions: 0,
    counters: zeroCounters(),
    notifications: { in: {}, out: {} },
    capabilities: { local: [], remote: [], agreed: [] },
    offeredHoldSeconds: {},
    timers: {},
    connectAttempts: 0,
    ...heldDownOf(down && { cause: down }),
    pending: [],
    queuedBytes: 0,
    connections: 0,
    history: [],
  };
}

function heldDownOf(heldDown: HeldDown | undefined): Pick<PeerStatus, 'heldDown' | 'heldDownBy'> {
  return heldDown === undefined ? {} : { heldDown: heldDownText(heldDown), heldDownBy: heldDown };
}

function offeredHold(
  local: OpenMessage | undefined,
  remote: OpenMessage | undefined,
): PeerStatus['offeredHoldSeconds'] {
  return {
    ...(local === undefined ? {} : { local: local.holdTimeSeconds }),
    ...(remote === undefined ? {} : { remote: remote.holdTimeSeconds }),
  };
}

function describeOpen(open: OpenMessage | undefined): readonly string[] {
  return open?.capabilities === undefined ? [] : describeCapabilities(open.capabilities);
}

/** What both sides will use, by the names that describeCapabilities gives what they offered. */
function describeAgreed(negotiated: Negotiated): readonly string[] {
  const words: string[] = negotiated.families.map((family) => `multiprotocol ${family} unicast`);
  if (negotiated.fourByteAs) words.push('four-octet AS');
  if (negotiated.routeRefresh) words.push('route refresh');
  if (negotiated.enhancedRouteRefresh) words.push('enhanced route refresh');
  if (negotiated.extendedMessages) words.push('extended messages');
  if (negotiated.extendedNextHop) words.push('extended next hop ipv4 unicast by ipv6');
  for (const family of negotiated.families) {
    if (negotiated.addPathReceive[family]) words.push(`add-path ${family} unicast receive`);
    if (negotiated.addPathSend[family]) words.push(`add-path ${family} unicast send`);
  }
  if (negotiated.gracefulRestart !== undefined) {
    words.push('graceful restart');
    if (negotiated.gracefulRestart.notification) words.push('graceful restart after NOTIFICATION');
    if (negotiated.gracefulRestart.longLived.length > 0) words.push('long-lived graceful restart');
  }
  const { role, remoteRole } = negotiated;
  if (role !== undefined) words.push(`role ${role}${remoteRole === undefined ? ' (ours alone)' : ''}`);
  return words;
}
