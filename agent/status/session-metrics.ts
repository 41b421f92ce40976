// The numbers of BGP sessions for Prometheus. Sessions are labelled by id, so that their number is bounded by the
// plan; no label has a value that a neighbour could choose.
import type { Exposition, Labels, Sample } from './exposition.ts';
import type { MessagesByType, PerFamily, SessionStatus } from './session-types.ts';

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

export function addSessionMetrics(out: Exposition, sessions: readonly SessionStatus[]): void {
  const one = (read: (s: SessionStatus) => number): Sample[] =>
    sessions.map((s) => ({ labels: { session: s.id }, value: read(s) }));
  const many = (read: (s: SessionStatus) => readonly (readonly [Labels, number])[]): Sample[] =>
    sessions.flatMap((s) =>
      read(s).map(([labels, value]) => ({ labels: { session: s.id, ...labels }, value })),
    );
  const byFamily = (read: (s: SessionStatus) => PerFamily): Sample[] =>
    many((s) => s.families.map((family) => [{ family }, read(s)[family]] as const));

  out.metric(
    'bgp_session_up',
    'gauge',
    'Whether the session is established.',
    one((s) => (isUp(s) ? 1 : 0)),
  );
  out.metric(
    'bgp_session_uptime_seconds',
    'gauge',
    'How long the session has been established, 0 when it is not.',
    one((s) => (isUp(s) ? s.sinceSeconds : 0)),
  );
  out.metric(
    'bgp_session_flaps_total',
    'counter',
    'Times that the established session was lost.',
    one((s) => s.flaps),
  );
  out.metric(
    'bgp_session_collisions_total',
    'counter',
    'Connections that ended because another one with the same neighbour won.',
    one((s) => s.collisions),
  );
  out.metric(
    'bgp_session_messages_total',
    'counter',
    'Messages by type and direction.',
    many((s) =>
      (['in', 'out'] as const).flatMap((direction) =>
        MESSAGE_TYPES.map(([key, type]) => [{ direction, type }, s.messages[direction][key]] as const),
      ),
    ),
  );
  out.metric(
    'bgp_session_message_bytes_total',
    'counter',
    'Bytes of messages by direction.',
    many((s) => [
      [{ direction: 'in' }, s.messages.bytesIn],
      [{ direction: 'out' }, s.messages.bytesOut],
    ]),
  );
  out.metric(
    'bgp_session_notifications_total',
    'counter',
    'NOTIFICATIONs by error code and direction; codes that never came are left out.',
    many(({ notifications: n }) => [...byCode('in', n.countsIn), ...byCode('out', n.countsOut)]),
  );
  out.metric(
    'bgp_session_malformed_updates_total',
    'counter',
    'UPDATEs with errors, by what became of them (RFC 7606).',
    many(({ malformed: m }) => [
      [{ action: 'attribute_discard' }, m.attributeDiscard],
      [{ action: 'treat_as_withdraw' }, m.treatAsWithdraw],
      [{ action: 'session_reset' }, m.sessionReset],
    ]),
  );
  out.metric(
    'bgp_session_prefixes_received',
    'gauge',
    'Paths in Adj-RIB-In.',
    byFamily((s) => s.prefixes.received),
  );
  out.metric(
    'bgp_session_prefixes_accepted',
    'gauge',
    'Of these, neither filtered nor ineligible.',
    byFamily((s) => s.prefixes.accepted),
  );
  out.metric(
    'bgp_session_prefixes_filtered',
    'gauge',
    'Of these, rejected by the import policy.',
    byFamily((s) => s.prefixes.filtered),
  );
  out.metric(
    'bgp_session_prefixes_ineligible',
    'gauge',
    'Of these, forbidden by a rule of the protocol, such as a loop.',
    byFamily((s) => s.prefixes.ineligible),
  );
  out.metric(
    'bgp_session_prefixes_own_as_loop',
    'gauge',
    'Of the ineligible ones, those with our own AS in AS_PATH.',
    byFamily((s) => s.prefixes.ownAsLoops),
  );
  out.metric(
    'bgp_session_prefixes_advertised',
    'gauge',
    'Paths in Adj-RIB-Out.',
    byFamily((s) => s.prefixes.advertised),
  );
  out.metric(
    'bgp_session_prefixes_limit',
    'gauge',
    'Received prefixes of a family above which the session ends.',
    one((s) => s.prefixes.limit),
  );
  out.metric(
    'bgp_session_queued_bytes',
    'gauge',
    'Bytes that wait for the neighbour to take them.',
    one((s) => s.queuedBytes),
  );
}

function isUp(session: SessionStatus): boolean {
  return session.state === 'Established';
}

/** Codes that no RFC knows count together. */
function byCode(direction: string, counts: Readonly<Record<string, number>>): [Labels, number][] {
  const sums = new Map<string, number>();
  for (const [code, count] of Object.entries(counts)) {
    const name = CODES[code] ?? 'other';
    sums.set(name, (sums.get(name) ?? 0) + count);
  }
  return [...sums].map(([code, count]) => [{ direction, code }, count]);
}
