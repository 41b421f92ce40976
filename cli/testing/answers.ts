// Answers of an agent, whole, for tests of what the commands make of them.
import type { SessionStatus, StatusReply } from '#agent-api';

const NONE = { ipv4: 0, ipv6: 0 };
const NO_MESSAGES = { open: 0, update: 0, notification: 0, keepalive: 0, routeRefresh: 0 };

/** A session that is up, with parts of it otherwise. */
export function sessionAnswer(part: Partial<SessionStatus> = {}): SessionStatus {
  return {
    id: 'tor-a',
    kind: 'peer',
    from: 'BGPPeer tor-a',
    remote: '10.0.0.9',
    state: 'Established',
    since: '2026-01-01T00:00:00.000Z',
    sinceSeconds: 60,
    configuredRemoteAs: 65000,
    localAs: 64512,
    families: ['ipv4'],
    isRouteReflectorClient: false,
    isPassive: false,
    holdTimeSeconds: 90,
    keepaliveTimeSeconds: 30,
    capabilities: [],
    offered: { local: [], remote: [] },
    timers: { configured: { hold: 90, connectRetry: 5 }, offeredHold: {}, left: {} },
    prefixes: {
      received: NONE,
      accepted: NONE,
      filtered: NONE,
      dropped: NONE,
      ineligible: NONE,
      ownAsLoops: NONE,
      unfitHops: NONE,
      ownReturns: NONE,
      ownClaims: NONE,
      advertised: NONE,
      owed: NONE,
      heldBack: NONE,
      endOfRibReceived: ['ipv4'],
      endOfRibSent: ['ipv4'],
      limit: 1000,
    },
    messages: {
      updatesIn: 0,
      updatesOut: 0,
      messagesIn: 0,
      messagesOut: 0,
      bytesIn: 0,
      bytesOut: 0,
      in: NO_MESSAGES,
      out: NO_MESSAGES,
    },
    flaps: 0,
    losses: {},
    collisions: 0,
    connectAttempts: 0,
    notifications: { countsIn: {}, countsOut: {} },
    malformed: { attributeDiscard: 0, treatAsWithdraw: 0, sessionReset: 0, last: [] },
    history: [],
    importPolicy: 'Cluster',
    exportPolicy: 'Local',
    isReadingPaused: false,
    queuedBytes: 0,
    ...part,
  };
}

/** A node where all is well, with parts of it otherwise. */
export function statusAnswer(part: Partial<StatusReply> = {}): StatusReply {
  return {
    node: 'n1',
    version: '0.1.0',
    pid: 7,
    startedAt: '2026-01-01T00:00:00.000Z',
    uptimeSeconds: 60,
    asNumber: 64512,
    routerId: '10.0.0.1',
    addresses: { ipv4: '10.0.0.1' },
    plan: { generation: 1, isStale: false, originations: [] },
    sessions: [sessionAnswer()],
    ranges: [],
    conditions: [],
    rib: { prefixes: { ipv4: 1, ipv6: 0 }, paths: 1, attributeSets: 1, bytes: 1 },
    ipam: { blocks: NONE, addressesInUse: NONE, addressesFree: NONE },
    problems: [],
    process: { rssBytes: 1, heapUsedBytes: 1, eventLoopDelayP99Ms: 1, eventLoopDelayMaxMs: 1 },
    ...part,
  };
}
