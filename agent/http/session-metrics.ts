// The numbers of BGP sessions for Prometheus. Sessions are labelled by id, so that their number is bounded by the
// plan: who connects from a range has no line of his own. No label has a value that a neighbour could choose.
import { FAMILIES, type Family } from '#ip';
import { type Exposition, label, type MetricType } from './exposition.ts';
import type { RangeFigures, SessionFigures } from './figures.ts';
import type { KeptRoutes, MessagesByType, PerFamily, SessionBfd, SessionState } from '#agent-api';

/** Says the samples of one session; `labels` beside that of the session. */
type Samples = (session: SessionFigures, add: (value: number, labels?: string) => void) => void;

interface Row {
  readonly name: string;
  readonly type: MetricType;
  readonly help: string;
  readonly samples: Samples;
}

const MESSAGE_TYPES: readonly (readonly [keyof MessagesByType, string])[] = [
  ['open', 'open'],
  ['update', 'update'],
  ['notification', 'notification'],
  ['keepalive', 'keepalive'],
  ['routeRefresh', 'route_refresh'],
];

/** By error code (RFC 4271 section 4.5, RFC 7313, RFC 9687). */
const CODES: Readonly<Record<string, string>> = {
  1: 'message_header',
  2: 'open',
  3: 'update',
  4: 'hold_timer',
  5: 'fsm',
  6: 'cease',
  7: 'route_refresh',
  8: 'send_hold_timer',
};

/** bgpPeerState of RFC 4273, in this order. */
const STATES: Readonly<Record<SessionState, number>> = {
  Idle: 1,
  Connect: 2,
  Active: 3,
  OpenSent: 4,
  OpenConfirm: 5,
  Established: 6,
};

/** Paths of each family that came: the name of the metric, which count it is, and what is counted. */
const RECEIVED = [
  ['received', 'received', 'Paths in Adj-RIB-In.'],
  ['accepted', 'accepted', 'Of these, neither filtered nor ineligible.'],
  ['filtered', 'filtered', 'Of these, rejected by the import policy, or dropped.'],
  ['dropped', 'dropped', 'Of the filtered ones, those over a prefix limit that drops.'],
  ['ineligible', 'ineligible', 'Of these, forbidden by a rule of the protocol, such as a loop.'],
  ['own_as_loop', 'ownAsLoops', 'Of the ineligible ones, those with our own AS in AS_PATH.'],
  [
    'unfit_next_hop',
    'unfitHops',
    'Of the ineligible ones, those whose next hop is this node, or on no link of it where it must be.',
  ],
  [
    'own_block',
    'ownClaims',
    'Of the filtered ones, those for blocks of this node or parts of them: somebody announces what is ours.',
  ],
] as const;

const ROWS: readonly Row[] = [
  {
    name: 'info',
    type: 'gauge',
    help: 'Always 1: who the neighbour is, as configured.',
    samples: ({ kind, peerAddress, configuredRemoteAs }, add) =>
      add(1, `kind="${kind}",${label('peer_address', peerAddress)},remote_as="${configuredRemoteAs}"`),
  },
  gauge(
    'state',
    'State of the session as in RFC 4273: 1 idle, 2 connect, 3 active, 4 opensent, 5 openconfirm, 6 established.',
    (s) => STATES[s.state],
  ),
  gauge('up', 'Whether the session is established.', (s) => (isUp(s) ? 1 : 0)),
  gauge('uptime_seconds', 'How long the session has been established, 0 when it is not.', (s) =>
    isUp(s) ? s.sinceSeconds : 0,
  ),
  counter('flaps_total', 'Times that the established session was lost.', (s, add) => add(s.flaps)),
  counter('losses_total', 'Of these, by kind of cause; kinds that never came are left out.', (s, add) => {
    for (const [kind, count] of Object.entries(s.losses))
      add(count, label('kind', kind.replaceAll(' ', '_')));
  }),
  ofBfd('bfd_up', 'gauge', 'Whether BFD is up; only of sessions with BFD.', ({ state }) =>
    state === 'Up' ? 1 : 0,
  ),
  ofBfd('bfd_downs_total', 'counter', 'Times that BFD was lost when it was up.', ({ downs }) => downs),
  ofBfd(
    'bfd_detection_seconds',
    'gauge',
    'Silence after which the neighbour is lost, as agreed with it; 0: nothing came yet.',
    ({ detectionMicros = 0 }) => detectionMicros / 1e6,
  ),
  ofBfd(
    'bfd_refused_packets_total',
    'counter',
    'BFD packets for the session that were not taken: authentication, TTL, link or form.',
    ({ refused = 0 }) => refused,
  ),
  counter(
    'collisions_total',
    'Connections that ended because another one with the same neighbour won.',
    (s, add) => add(s.collisions),
  ),
  counter('messages_total', 'Messages by type and direction.', (s, add) => {
    for (const [key, type] of MESSAGE_TYPES) {
      add(s.messages.in[key], `direction="in",type="${type}"`);
      add(s.messages.out[key], `direction="out",type="${type}"`);
    }
  }),
  counter('message_bytes_total', 'Bytes of messages by direction.', (s, add) => {
    add(s.messages.bytesIn, 'direction="in"');
    add(s.messages.bytesOut, 'direction="out"');
  }),
  counter(
    'notifications_total',
    'NOTIFICATIONs by error code and direction; codes that never came are left out.',
    ({ notifications }, add) => {
      for (const [code, count] of byCode(notifications.countsIn)) add(count, `direction="in",code="${code}"`);
      for (const [code, count] of byCode(notifications.countsOut))
        add(count, `direction="out",code="${code}"`);
    },
  ),
  counter(
    'malformed_updates_total',
    'UPDATEs with errors, by what became of them (RFC 7606).',
    ({ malformed }, add) => {
      add(malformed.attributeDiscard, 'action="attribute_discard"');
      add(malformed.treatAsWithdraw, 'action="treat_as_withdraw"');
      add(malformed.sessionReset, 'action="session_reset"');
    },
  ),
  ...RECEIVED.map(([name, count, help]) => perFamily(`prefixes_${name}`, help, (s) => s.prefixes[count])),
  perFamily(
    'prefixes_kept',
    'Paths of a session before that graceful restart keeps: the neighbour is away, or has not sent them again yet.',
    ({ kept = [] }) => ({ ipv4: keptOf(kept, 'ipv4'), ipv6: keptOf(kept, 'ipv6') }),
  ),
  perFamily('prefixes_advertised', 'Paths in Adj-RIB-Out.', (s) => s.prefixes.advertised),
  gauge(
    'prefixes_limit',
    'Received prefixes of a family above which the session ends, a warning is given, or they are dropped.',
    (s) => s.prefixes.limit,
  ),
  gauge(
    'attribute_bytes',
    'Bytes of attributes of its routes, each route counted with all of its own.',
    (s) => s.memory?.attributeOctets ?? 0,
  ),
  gauge(
    'attribute_bytes_limit',
    'Bytes of attributes above which the session ends.',
    (s) => s.memory?.attributeOctetsLimit ?? 0,
  ),
  gauge('next_hops', 'Different next hops that the neighbour brought.', (s) => s.memory?.nextHops ?? 0),
  gauge('next_hops_limit', 'Next hops above which the session ends.', (s) => s.memory?.nextHopsLimit ?? 0),
  gauge('queued_bytes', 'Bytes that wait for the neighbour to take them.', (s) => s.queuedBytes),
];

export async function addSessionMetrics(out: Exposition, sessions: readonly SessionFigures[]): Promise<void> {
  const labels = sessions.map((s) => label('session', s.id));
  for (const { name, type, help, samples } of ROWS) {
    out.begin(`podroute_bgp_session_${name}`, type, help);
    let session = '';
    const add = (value: number, more?: string): void =>
      out.sample(more === undefined ? session : `${session},${more}`, value);
    for (let i = 0; i < sessions.length; i++) {
      session = labels[i]!;
      samples(sessions[i]!, add);
      await out.pause();
    }
  }
}

/** Neighbours that connect from a range come and go as they like: only their sums are told. */
export function addRangeMetrics(out: Exposition, ranges: readonly RangeFigures[]): void {
  const add = (name: string, type: MetricType, help: string, read: (range: RangeFigures) => number) =>
    out.metric(
      `podroute_bgp_range_${name}`,
      type,
      help,
      ranges.map((range) => ({ labels: label('range', range.id), value: read(range) })),
    );
  add('neighbours', 'gauge', 'Neighbours that connected from the range.', (r) => r.neighbours);
  add('neighbours_limit', 'gauge', 'How many may.', (r) => r.most);
  add(
    'neighbours_established',
    'gauge',
    'Of those that did, with an established session.',
    (r) => r.established,
  );
  add('refused_total', 'counter', 'Connections from the range that found no room.', (r) => r.refused);
  out.metric(
    'podroute_bgp_range_prefixes_accepted',
    'gauge',
    'Paths of the neighbours of the range that may be chosen.',
    ranges.flatMap((range) =>
      FAMILIES.map((family) => ({
        labels: `${label('range', range.id)},family="${family}"`,
        value: range.accepted[family],
      })),
    ),
  );
}

function gauge(name: string, help: string, read: (s: SessionFigures) => number): Row {
  return { name, type: 'gauge', help, samples: (s, add) => add(read(s)) };
}

function counter(name: string, help: string, samples: Samples): Row {
  return { name, type: 'counter', help, samples };
}

function ofBfd(name: string, type: MetricType, help: string, read: (bfd: SessionBfd) => number): Row {
  return { name, type, help, samples: ({ bfd }, add) => bfd && add(read(bfd)) };
}

/** Only families in use. */
function perFamily(name: string, help: string, read: (s: SessionFigures) => PerFamily): Row {
  const samples: Samples = (s, add) => {
    for (const family of s.families) add(read(s)[family], `family="${family}"`);
  };
  return { name, type: 'gauge', help, samples };
}

function isUp(session: SessionFigures): boolean {
  return session.state === 'Established';
}

/** Codes that no RFC knows count together. */
function byCode(counts: Readonly<Record<string, number>>): Map<string, number> {
  const sums = new Map<string, number>();
  for (const [code, count] of Object.entries(counts)) {
    const name = CODES[code] ?? 'other';
    sums.set(name, (sums.get(name) ?? 0) + count);
  }
  return sums;
}

function keptOf(kept: readonly KeptRoutes[], family: Family): number {
  return kept.find((one) => one.family === family)?.routes ?? 0;
}
