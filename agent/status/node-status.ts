// What one node tells its cluster of itself: the status of its BGPNodeStatus. Bounded whatever the node has; what does not
// fit is counted, and what is wrong comes first. Pure.
import {
  type BGPNodeStatusStatus,
  cutMessage as cut,
  MOST_BLOCKS,
  MOST_LEAKS,
  MOST_PROBLEMS,
  MOST_SESSIONS,
  sinceWhen,
} from '#api';
import type { BlockStatus, PerFamily, SessionStatus, StatusReply, WaitingSession } from '#agent-api';

type Session = NonNullable<BGPNodeStatusStatus['sessions']>[number];

/** @param before what was told last, so that a condition keeps its time @param now RFC 3339 */
export function nodeStatus(
  reply: StatusReply,
  blocks: readonly BlockStatus[],
  before: BGPNodeStatusStatus | undefined,
  now: string,
): BGPNodeStatusStatus {
  const { version, asNumber, routerId, clusterId, fib, problems, leaks } = reply;
  const sessions = [...reply.sessions].sort(
    (a, b) => Number(isUp(a)) - Number(isUp(b)) || (a.id < b.id ? -1 : 1),
  );
  const watched = sessions.filter(({ bfd }) => bfd !== undefined);
  const waiting = (reply.waiting ?? []).map((one) => waitingPart(one, before, now));
  const told = [...waiting, ...sessions.map(sessionPart)];
  const conditions = reply.conditions.map(({ type, isTrue, reason, message }) =>
    sinceWhen({ type, status: isTrue ? 'True' : 'False', reason, message }, before?.conditions, now),
  );
  return {
    version,
    updatedAt: now,
    ...(asNumber !== undefined && { asNumber }),
    ...(routerId !== undefined && { routerID: routerId }),
    ...(clusterId !== undefined && { clusterID: clusterId }),
    established: sessions.filter(isUp).length,
    configured: sessions.length + waiting.length,
    ...(watched.length > 0 && {
      bfdUp: watched.filter(({ bfd }) => bfd?.state === 'Up').length,
      bfdConfigured: watched.length,
    }),
    ready: conditions.every(({ status }) => status === 'True') ? 'True' : 'False',
    sessions: told.slice(0, MOST_SESSIONS),
    ...(told.length > MOST_SESSIONS && { sessionsLeftOut: told.length - MOST_SESSIONS }),
    blocks: blocks.slice(0, MOST_BLOCKS).map(({ cidr, pool, used, free, leaked }) => ({
      ...{ cidr, ...(pool !== undefined && { pool }), used, free },
      ...(leaked !== undefined && { leaked }),
    })),
    ...(leaks && leaks.count > 0 && { leaked: leaks.count, leaks: leaks.first.slice(0, MOST_LEAKS) }),
    ...(fib && { routes: { wanted: sum(fib.wanted), installed: sum(fib.installed), failed: fib.failed } }),
    conditions,
    problems: problems.slice(0, MOST_PROBLEMS).map(({ object, field, text }) => ({
      object: object.slice(0, 512),
      ...(field !== '' && { field: field.slice(0, 512) }),
      message: cut(text),
    })),
  };
}

/** What of it is worth a write at once; counters alone are not. */
export function tellingPart(status: BGPNodeStatusStatus): string {
  const { blocks, routes, sessions } = status;
  return JSON.stringify({
    ...status,
    updatedAt: '',
    blocks: blocks?.map(({ cidr }) => cidr),
    routes: routes?.wanted === routes?.installed,
    sessions: sessions?.map(({ peer, state, since, lastErrorAt, bfd }) => [
      peer,
      state,
      since,
      lastErrorAt,
      bfd,
    ]),
  });
}

const isUp = ({ state }: SessionStatus): boolean => state === 'Established';

function sessionPart({
  id,
  from,
  remote,
  remoteAs,
  state,
  since,
  whyDown,
  lastError,
  prefixes,
  flaps,
  bfd,
}: SessionStatus): Session {
  return {
    peer: id.slice(0, 253),
    object: from.slice(0, 512),
    address: remote.slice(0, 70),
    ...(remoteAs !== undefined && { asNumber: remoteAs }),
    state,
    since,
    ...(whyDown && { whyDown: short(whyDown.why) }),
    ...(lastError && {
      lastError: short(lastError.text),
      lastErrorAt: lastError.at,
      ...(lastError.code !== undefined && { lastErrorCode: `${lastError.code}/${lastError.subcode ?? 0}` }),
    }),
    received: sum(prefixes.received),
    accepted: sum(prefixes.accepted),
    advertised: sum(prefixes.advertised),
    flaps,
    ...(bfd && { bfd: bfd.state, bfdDowns: bfd.downs }),
  };
}

function waitingPart(
  { id, from, device, why }: WaitingSession,
  before: BGPNodeStatusStatus | undefined,
  now: string,
): Session {
  const peer = id.slice(0, 253);
  const earlier = before?.sessions?.find((one) => one.peer === peer && one.state === WAITING);
  return {
    peer,
    object: from.slice(0, 512),
    address: `%${device}`.slice(0, 70),
    state: WAITING,
    since: earlier?.since ?? now,
    whyDown: short(why),
  };
}

const WAITING = 'Waiting';
/** Of a thousand sessions: they share an object with everything else. */
const LONGEST_OF_A_SESSION = 400;

const short = (text: string): string =>
  text.length <= LONGEST_OF_A_SESSION ? text : `${text.slice(0, LONGEST_OF_A_SESSION - 1)}…`;

const sum = ({ ipv4, ipv6 }: PerFamily): number => ipv4 + ipv6;
