// `podroute status SESSION` for people: everything that is known of one session, what matters most first.
import type { KeptRoutes, MessagesByType, NotificationStatus, PerFamily, SessionStatus } from '#agent-api';
import { FAMILIES, familyLabel } from '#ip';
import { bad, doubtful, duration } from './output-format.ts';

/** Octets of a malformed message that are shown; -o json has all that are kept. */
const SHOWN_OCTETS = 96;
const LABEL = 16;

const NONE: PerFamily = { ipv4: 0, ipv6: 0 };

type Row = readonly [label: string, value: string | undefined];

export function sessionDetails(s: SessionStatus): string {
  const rows: Row[] = [
    ...headRows(s),
    ...capabilityRows(s),
    ...timerRows(s),
    ...bfdRows(s),
    ...prefixRows(s),
    ...keptRows(s),
    ...messageRows(s),
    [
      'flaps',
      `${s.flaps} (times that the established session was lost); ${s.collisions} connection collisions`,
    ],
    ...errorRows(s),
    ...malformedRows(s),
  ];
  const shown = rows.flatMap(([label, value]) =>
    value === undefined || value === '' ? [] : [`${label.padEnd(LABEL)}${value}`],
  );
  return [...shown, 'history', ...historyLines(s)].join('\n');
}

function historyLines({ history }: SessionStatus): string[] {
  return history.flatMap((h, i) => {
    const line = `  ${h.at}  ${h.from} -> ${h.to}: ${h.reason}`;
    const before = history[i - 1];
    return before === undefined || before.to === h.from ? [line] : ['  … (tries left out)', line];
  });
}

function headRows(s: SessionStatus): Row[] {
  const port = s.remotePort === undefined ? '' : ` port ${s.remotePort}`;
  const id = s.remoteRouterId === undefined ? '' : `, router ID ${s.remoteRouterId}`;
  const kind = [s.type, s.isRouteReflectorClient ? 'reflector client' : '', s.isPassive ? 'passive' : ''];
  return [
    ['session', `${s.id}, from ${s.from}`],
    [
      'state',
      `${s.state === 'Established' ? s.state : bad(s.state)} for ${duration(s.sinceSeconds)}, since ${s.since}`,
    ],
    ['why down', s.whyDown?.why],
    ['what next', s.whyDown?.next],
    ['hint', s.hint && doubtful(s.hint)],
    ...pendingRows(s),
    ['remote', `${s.remote}${port}, AS ${s.remoteAs ?? s.configuredRemoteAs}${id}`],
    [
      'local',
      [`${s.localAddress ?? 'any address'}, AS ${s.localAs}`, ...kind.filter((k) => k !== '' && k)].join(
        ', ',
      ),
    ],
    ['import policy', s.importPolicy],
    ['export policy', s.exportPolicy],
  ];
}

/** What was changed and is not in force yet: nothing of it shows otherwise. */
function pendingRows({ id, pending = [] }: SessionStatus): Row[] {
  const value = (of: unknown) => (of === undefined ? 'none' : JSON.stringify(of));
  return pending.map(({ field, inUse, next }, i): Row => {
    const how = i === 0 ? `; with the next session, or after podroute session ${id} reset` : '';
    return [i === 0 ? 'waits' : '', `${field}: ${value(inUse)} in use, ${value(next)} configured${how}`];
  });
}

function capabilityRows(s: SessionStatus): Row[] {
  const all = [
    ['agreed  ', s.capabilities],
    ['ours    ', s.offered.local],
    ['theirs  ', s.offered.remote],
  ] as const;
  return all
    .filter(([, list]) => list.length > 0)
    .map(([whose, list], i) => [i === 0 ? 'capabilities' : '', whose + list.join('; ')]);
}

function timerRows({ timers }: SessionStatus): Row[] {
  const { configured, offeredHold, negotiated, left } = timers;
  const keepalive = configured.keepalive === undefined ? 'a third of it' : `${configured.keepalive} s`;
  const { advertisementInterval } = configured;
  const interval =
    advertisementInterval === undefined ? '' : `, advertisement interval ${advertisementInterval} s`;
  const theirs = offeredHold.remote === undefined ? '' : `; theirs: hold ${offeredHold.remote} s`;
  const agreed =
    negotiated === undefined
      ? ''
      : negotiated.hold === 0
        ? 'agreed: hold 0, so no keepalives'
        : `agreed: hold ${negotiated.hold} s, keepalive ${round(negotiated.keepalive)} s`;
  const running = Object.entries(left).map(([name, seconds]) => `${TIMERS[name] ?? name} ${seconds} s`);
  return [
    [
      'timers',
      `ours: hold ${configured.hold} s, keepalive ${keepalive}, connect retry ${configured.connectRetry} s${interval}${theirs}`,
    ],
    ['', agreed],
    ['', running.length === 0 ? '' : `left: ${running.join(', ')}`],
  ];
}

const TIMERS: Readonly<Record<string, string>> = {
  sendHold: 'send hold',
  connectRetry: 'connect retry',
  idleHold: 'next try in',
  delayOpen: 'delay open',
};

function bfdRows({ bfd, remote }: SessionStatus): Row[] {
  if (bfd === undefined) return [];
  const { state, since, profile, isRequired, transmitMicros, detectionMicros, diagnostic } = bfd;
  const ms = (micros: number) => `${round(micros / 1_000)} ms`;
  const lost = detectionMicros === undefined ? '' : `, lost after ${ms(detectionMicros)} of silence`;
  const theirs = bfd.remoteDiagnostic && `${remote} says: ${bfd.remoteDiagnostic}`;
  const lostTimes = `lost ${bfd.downs} time${bfd.downs === 1 ? '' : 's'}`;
  const refused = bfd.refused === undefined ? '' : `${bfd.refused}, the newest: ${bfd.lastRefusal}`;
  return [
    [
      'BFD',
      `${state === 'Up' ? state : bad(state)} since ${since} (${profile}${isRequired === true ? ', required' : ''}); ${lostTimes}`,
    ],
    ['', [diagnostic, theirs].filter((said) => said !== undefined).join('; ')],
    ['', `a packet each ${ms(transmitMicros)}${lost}`],
    ['BFD refused', refused],
    ['BFD problem', bfd.problem && bad(bfd.problem)],
  ];
}

function prefixRows(s: SessionStatus): Row[] {
  if (s.state !== 'Established') return [];
  const p = s.prefixes;
  const families = FAMILIES.filter(
    (family) => s.families.includes(family) || p.received[family] + p.advertised[family] > 0,
  );
  return families.map((family, index): Row => {
    const part = (name: string, counts: PerFamily) =>
      counts[family] === 0 ? '' : `, ${counts[family]} ${name}`;
    const other = {
      ...NONE,
      [family]: p.ineligible[family] - p.ownAsLoops[family] - p.unfitHops[family],
    };
    const byPolicy = { ...NONE, [family]: p.filtered[family] - p.dropped[family] };
    const refused = `${part('filtered', byPolicy)}${part('dropped over the limit', p.dropped)}${part('with our own AS (loop)', p.ownAsLoops)}${part('with a next hop that is this node or on no link of it', p.unfitHops)}${part('not allowed by another rule', other)}`;
    const held =
      p.heldBack[family] === 0 ? '' : `, ${p.heldBack[family]} wait for the advertisement interval`;
    const owed = p.owed[family] === 0 ? '' : ` (${p.owed[family]} changes not sent yet${held})`;
    const ends = `${p.endOfRibReceived.includes(family) ? '' : ', no End-of-RIB yet'}`;
    const received = `received ${p.received[family]} of at most ${p.limit}: accepted ${p.accepted[family]}${refused}`;
    return [
      index === 0 ? 'prefixes' : '',
      `${familyLabel(family)} ${received}${ends}; sent ${p.advertised[family]}${owed}`,
    ];
  });
}

const KEPT: Readonly<Record<KeptRoutes['state'], string>> = {
  away: 'until it is back',
  returning: 'until it has sent them again',
  'long-lived': 'as the last choice, because it did not come back in time',
};

function keptRows({ kept = [] }: SessionStatus): Row[] {
  return kept.map(({ family, state, routes, secondsLeft }, i): Row => {
    const text = `${familyLabel(family)} ${routes} of its session before, ${KEPT[state]}; ${secondsLeft} s left`;
    return [i === 0 ? 'kept' : '', text];
  });
}

function messageRows({ messages, queuedBytes, isReadingPaused }: SessionStatus): Row[] {
  const line = (types: MessagesByType, bytes: number) =>
    `UPDATE ${types.update}, KEEPALIVE ${types.keepalive}, OPEN ${types.open}, NOTIFICATION ${types.notification}, ROUTE-REFRESH ${types.routeRefresh}; ${bytes} bytes`;
  return [
    ['messages', `in   ${line(messages.in, messages.bytesIn)}`],
    ['', `out  ${line(messages.out, messages.bytesOut)}`],
    ['', queuedBytes === 0 ? '' : `${queuedBytes} bytes wait for the neighbour to take them`],
    ['', isReadingPaused ? 'reading is paused until the RIB has caught up' : ''],
  ];
}

function errorRows(s: SessionStatus): Row[] {
  const { lastIn, lastOut } = s.notifications;
  const { lastLost, lastError } = s;
  const isNews =
    lastError?.direction === 'local' && ![lastLost?.reason, s.whyDown?.why].includes(lastError.text);
  return [
    [
      'last lost',
      lastLost && `${lastLost.at} after ${duration(lastLost.establishedSeconds)}: ${lastLost.reason}`,
    ],
    ['notified by it', lastIn && notificationText(lastIn)],
    ['notified to it', lastOut && notificationText(lastOut)],
    ['last error', isNews ? `${lastError.at}: ${lastError.text}` : ''],
  ];
}

function notificationText(n: NotificationStatus): string {
  const reason = n.reason === undefined || n.reason === n.text ? '' : `; ${n.reason}`;
  const data = n.dataBytes === 0 ? '' : `; data ${n.dataHex}${n.dataBytes * 2 > n.dataHex.length ? '…' : ''}`;
  return `${n.at}: ${n.code}/${n.subcode} ${n.text}${reason}${data}`;
}

function malformedRows({ malformed: m }: SessionStatus): Row[] {
  if (m.attributeDiscard + m.treatAsWithdraw + m.sessionReset === 0) return [];
  const counts = `${m.treatAsWithdraw} treated as withdrawal, ${m.attributeDiscard} with an attribute discarded, ${m.sessionReset} reset the session`;
  return [
    ['malformed', `UPDATEs: ${counts}`],
    ...m.last.map((one): Row => {
      const shown = one.hex.slice(0, SHOWN_OCTETS * 2);
      const rest = shown.length < one.messageBytes * 2 ? '… (-o json has more)' : '';
      return ['', `${one.at} ${one.action}: ${one.reason}; ${one.messageBytes} bytes ${shown}${rest}`];
    }),
  ];
}

function round(seconds: number): number {
  return Math.round(seconds * 10) / 10;
}
