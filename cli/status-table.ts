// `podroute status` for people: one line a session, then whatever needs attention.
import type { StatusReply } from '#agent-api';
import { familyLabel } from '#ip';
import { bad, doubtful, duration, numbers, table } from './output-format.ts';

/** Sessions whose changes wait that are shown; all stand in -o json. */
const MOST_PENDING = 10;

/** The whole node at a glance. */
export function statusTable(status: StatusReply): string {
  const parts = [
    headline(status),
    sessions(status),
    hints(status),
    pending(status),
    forwarding(status),
    problems(status),
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

function headline(status: StatusReply): string {
  const as = status.asNumber === undefined ? 'no AS yet' : `AS ${status.asNumber}`;
  const id = status.routerId === undefined ? '' : `, router ID ${status.routerId}`;
  const plan = status.plan.generation === 0 ? 'no plan yet' : `plan ${status.plan.generation}`;
  const stale = status.plan.isStale ? bad(' (an older one: see problems)') : '';
  const version = `podroute ${status.version}`;
  const leaving = status.isLeaving ? `, ${doubtful('leaving (podroute.io/GracefulShutdown)')}` : '';
  return `${status.node}: ${as}${id}${leaving}, ${plan}${stale}, up ${duration(status.uptimeSeconds)}, ${version}`;
}

function sessions(status: StatusReply): string {
  const ranges = status.ranges.map((range) => {
    const refused = range.refused === 0 ? '' : `, ${range.refused} connections refused for want of room`;
    const held = range.shutdown === undefined ? undefined : bad(range.shutdown);
    const state = held ?? `${range.neighbours} of at most ${range.most} neighbours${refused}`;
    return `range ${range.id} ${range.prefix}: ${state}`;
  });
  const waiting = status.waiting ?? [];
  if (status.sessions.length + waiting.length === 0)
    return ranges.join('\n') || 'no BGP sessions are wanted on this node';
  const hasBfd = status.sessions.some(({ bfd }) => bfd !== undefined);
  const bfd = (state = '') => (hasBfd ? [state === 'Up' || state === '' ? state : bad(state)] : []);
  const shown = table(
    [
      'SESSION',
      'REMOTE',
      numbers('AS'),
      'STATE',
      'SINCE',
      ...(hasBfd ? ['BFD'] : []),
      ...['RECEIVED', 'ACCEPTED', 'SENT'].map(numbers),
      'LAST ERROR',
    ],
    [
      ...status.sessions.map((s) => [
        s.id,
        s.remote,
        String(s.remoteAs ?? s.configuredRemoteAs),
        s.state === 'Established' ? s.state : bad(s.state),
        duration(s.sinceSeconds),
        ...bfd(s.bfd?.state),
        ...[s.prefixes.received, s.prefixes.accepted, s.prefixes.advertised].map((count) =>
          String(count.ipv4 + count.ipv6),
        ),
        s.whyDown?.why ?? s.lastError?.text ?? '',
      ]),
      ...waiting.map(({ id, device, why }) => [
        id,
        `%${device}`,
        '',
        bad('Waiting'),
        '',
        ...bfd(),
        '',
        '',
        '',
        why,
      ]),
    ],
  );
  return [shown, ...ranges].join('\n');
}

/** What was changed and no running session uses yet. */
function pending(status: StatusReply): string {
  const lines = status.sessions.flatMap(({ id, pending: fields }) =>
    fields === undefined ? [] : [`${id}: ${fields.map(({ field }) => field).join(', ')}`],
  );
  const more = lines.length > MOST_PENDING ? [`and ${lines.length - MOST_PENDING} more`] : [];
  if (lines.length === 0) return '';
  return ['WAIT FOR THE NEXT SESSION', ...lines.slice(0, MOST_PENDING), ...more].join('\n  ');
}

function hints(status: StatusReply): string {
  return status.sessions
    .flatMap(({ id, hint }) => (hint === undefined ? [] : [doubtful(`${id}: ${hint}`)]))
    .join('\n');
}

function forwarding(status: StatusReply): string {
  const { rib, fib, ipam, bfdUnclaimed: unclaimed } = status;
  const lines = [
    `RIB    ${rib.prefixes.ipv4} IPv4 and ${rib.prefixes.ipv6} IPv6 prefixes, ${rib.paths} paths`,
  ];
  for (const { family, waitsFor, neighbours, secondsLeft } of status.deferred ?? []) {
    const more = neighbours > waitsFor.length ? ` and ${neighbours - waitsFor.length} more` : '';
    const who = waitsFor.length === 0 ? 'nobody' : `${waitsFor.join(', ')}${more}`;
    lines.push(
      doubtful(
        `       restarted: ${familyLabel(family)} waits for the routes of ${who}, ${secondsLeft} s at most`,
      ),
    );
  }
  if (unclaimed !== undefined) {
    const { packets, lastReason } = unclaimed;
    lines.push(doubtful(`BFD    ${packets} packets belonged to no session, the newest: ${lastReason}`));
  }
  if (fib === undefined) lines.push('FIB    off (--fib none)');
  else {
    const installed = fib.installed.ipv4 + fib.installed.ipv6;
    const wanted = fib.wanted.ipv4 + fib.wanted.ipv6;
    const trouble = fib.failed > 0 ? bad(`, ${fib.failed} FAILED`) : '';
    lines.push(`FIB    ${installed} of ${wanted} routes in kernel table ${fib.table}${trouble}`);
    for (const failure of fib.failures) lines.push(`       ${failure.prefix}: ${failure.reason}`);
    for (const hop of fib.nextHops.filter((h) => !h.isReachable))
      lines.push(`       next hop ${hop.address}: ${hop.how}`);
  }
  const used = ipam.addressesInUse.ipv4 + ipam.addressesInUse.ipv6;
  const free = ipam.addressesFree.ipv4 + ipam.addressesFree.ipv6;
  lines.push(`IPAM   ${ipam.blocks.ipv4 + ipam.blocks.ipv6} blocks, ${used} addresses in use, ${free} free`);
  const { leaks } = status;
  if (leaks !== undefined && leaks.count > 0) {
    const whose = leaks.count === 1 ? '1 Pod is gone, and has' : `${leaks.count} Pods are gone, and have`;
    lines.push(doubtful(`LEAKS  ${whose} addresses:`));
    for (const { address, pod, since } of leaks.first)
      lines.push(`       ${address} of ${pod}, gone since ${since}`);
    if (leaks.count > leaks.first.length) lines.push(`       and ${leaks.count - leaks.first.length} more`);
  }
  if (status.whyNoPods !== undefined) lines.push(bad(`PODS   get no addresses: ${status.whyNoPods}`));
  return lines.join('\n');
}

function problems(status: StatusReply): string {
  if (status.problems.length === 0) return '';
  const { length } = status.problems;
  return [
    bad(`${length} problem${length === 1 ? '' : 's'}:`),
    ...status.problems.map((p) => `  ${p.text}`),
  ].join('\n');
}
