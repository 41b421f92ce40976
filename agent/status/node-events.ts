// What has happened on the node between two looks at its status, as facts worth telling an operator. Pure.
import type { SessionStatus, StatusProblem, StatusReply } from '#agent-api';
import { FAMILIES } from '#ip';

export interface NodeFact {
  /** 'BGPPeer tor-a', or anything else: then it is the Node's. */
  readonly object: string;
  readonly type: 'Normal' | 'Warning';
  readonly reason: NodeReason;
  readonly message: string;
}

export type NodeReason =
  | 'SessionUp'
  | 'SessionDown'
  | 'PrefixLimitExceeded'
  | 'NoAddresses'
  | 'AddressesFree'
  | 'LeaksCollected'
  | 'ProblemFound'
  | NonNullable<StatusProblem['cause']>;

/** What of a status the comparison needs. */
export type Seen = Pick<StatusReply, 'sessions' | 'problems' | 'whyNoPods' | 'leaks'>;

/** @param before undefined: the agent has just started, and what is up has come up */
export function factsBetween(before: Seen | undefined, now: Seen): NodeFact[] {
  return [
    ...sessionFacts(before, now),
    ...addressFacts(before, now),
    ...leakFacts(before, now),
    ...problemFacts(before, now),
  ];
}

function sessionFacts(before: Seen | undefined, now: Seen): NodeFact[] {
  const earlier = new Map(before?.sessions.map((session) => [session.id, session]));
  return now.sessions.flatMap((session): NodeFact[] => {
    const past = earlier.get(session.id);
    const isUp = session.state === 'Established';
    const wasUp = past?.state === 'Established';
    const { from: object, flaps } = session;
    // Also one that was lost, or taken away, and came back between two looks.
    const isLost = wasUp && (!isUp || flaps > past.flaps || session.since !== past.since);
    const facts: NodeFact[] = [];
    if (isLost) facts.push({ object, type: 'Warning', reason: 'SessionDown', message: downText(session) });
    if (isUp && (!wasUp || isLost))
      facts.push({ object, type: 'Normal', reason: 'SessionUp', message: `${nameOf(session)} is up` });
    if (isOverLimit(session) && !(wasUp && isOverLimit(past)))
      facts.push({ object, type: 'Warning', reason: 'PrefixLimitExceeded', message: overText(session) });
    return facts;
  });
}

/** Of a session that goes on: what is over the limit is used, or dropped (maxPrefixes.action). */
function isOverLimit({ state, prefixes: { received, limit } }: SessionStatus): boolean {
  return state === 'Established' && FAMILIES.some((family) => limit > 0 && received[family] > limit);
}

const overText = (session: SessionStatus): string =>
  `${nameOf(session)} is ${session.hint ?? 'over its limit'}`;

const nameOf = ({ id, remote, remoteAs }: SessionStatus): string =>
  `session ${id} with ${remote}${remoteAs === undefined ? '' : ` (AS ${remoteAs})`}`;

function downText(session: SessionStatus): string {
  const why = session.lastLost?.reason ?? session.lastError?.text ?? session.whyDown?.why ?? session.state;
  return `${nameOf(session)} went down: ${why}`;
}

function addressFacts(before: Seen | undefined, { whyNoPods }: Seen): NodeFact[] {
  if (before?.whyNoPods === whyNoPods) return [];
  if (whyNoPods !== undefined) {
    const message = `pods get no addresses: ${whyNoPods}`;
    return [{ object: '', type: 'Warning', reason: 'NoAddresses', message }];
  }
  if (before === undefined) return [];
  return [{ object: '', type: 'Normal', reason: 'AddressesFree', message: 'pods get addresses again' }];
}

function leakFacts(before: Seen | undefined, { leaks }: Seen): NodeFact[] {
  const count = (leaks?.collected ?? 0) - (before?.leaks?.collected ?? 0);
  if (count <= 0) return [];
  const whose = count === 1 ? leaks?.newest : `${count} Pods, the last ${leaks?.newest}`;
  const message = `addresses of Pods that are gone were given back: ${whose}`;
  return [{ object: '', type: 'Normal', reason: 'LeaksCollected', message }];
}

function problemFacts(before: Seen | undefined, { problems }: Seen): NodeFact[] {
  const known = new Set(before?.problems.map(({ text }) => text));
  return problems
    .filter(({ text }) => !known.has(text))
    .map(({ object, text, cause }) => ({
      object,
      type: 'Warning',
      reason: cause ?? 'ProblemFound',
      message: text,
    }));
}
