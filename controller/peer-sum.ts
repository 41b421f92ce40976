// The status of a BGPPeer: what all nodes say of its sessions, added up. Pure.
import { type BGPPeer, type BGPPeerStatus, type Condition, cutMessage, MOST_DOWN, sinceWhen } from '#api';
import type { NodeReport } from './node-reports.ts';

type Down = NonNullable<BGPPeerStatus['down']>[number];
type Session = NonNullable<NodeReport['status']['sessions']>[number];

interface RankedDown extends Down {
  /** Lower is worse. */
  readonly rank: number;
}

export interface PeerCount {
  established: number;
  /** Of sessions with BFD. */
  readonly bfd: { up: number; desired: number };
  readonly down: RankedDown[];
  /** What nodes say is wrong with the object: 'n1: …'. */
  readonly problems: string[];
}

const newCount = (): PeerCount => ({ established: 0, bfd: { up: 0, desired: 0 }, down: [], problems: [] });

/** In one line of a table. */
const LONGEST_WORST = 160;

/** By the name of the BGPPeer. */
export function countPeers(reports: readonly NodeReport[]): ReadonlyMap<string, PeerCount> {
  const counts = new Map<string, PeerCount>();
  const of = (name: string): PeerCount => {
    let count = counts.get(name);
    if (count === undefined) counts.set(name, (count = newCount()));
    return count;
  };
  for (const { node, status, silentMinutes } of reports) {
    for (const session of status.sessions ?? []) {
      const name = peerNamed(session.object);
      if (name === undefined) continue;
      if (session.bfd !== undefined) {
        of(name).bfd.desired++;
        if (session.bfd === 'Up' && silentMinutes === undefined) of(name).bfd.up++;
      }
      if (silentMinutes !== undefined) of(name).down.push(silent(node, session, silentMinutes));
      else if (session.state === 'Established') of(name).established++;
      else of(name).down.push(downOf(node, session));
    }
    for (const { object, message } of status.problems ?? []) {
      const name = peerNamed(object);
      if (name !== undefined) of(name).problems.push(`${node}: ${message}`);
    }
  }
  return counts;
}

const peerNamed = (object: string | undefined): string | undefined =>
  /^BGPPeer ([^ ,]+)/.exec(object ?? '')?.[1];

function downOf(
  node: string,
  { peer, state, since, whyDown, lastError, lastErrorCode, bfd }: Session,
): RankedDown {
  // What the neighbour or we refused will not mend itself; a neighbour that does not answer may.
  const rank = lastErrorCode !== undefined ? 1 : whyDown !== undefined ? 2 : 3;
  const reason = whyDown ?? lastError ?? state;
  return { node, peer, state, since, reason, ...(bfd !== undefined && { bfd }), rank };
}

function silent(node: string, { peer, state, since }: Session, minutes: number): RankedDown {
  const reason = `the agent of node ${node} has said nothing for ${minutes} minutes: its sessions were ${state}`;
  return { node, peer, state: 'Unknown', since, reason, rank: 0 };
}

/**
 * @param reporting how many nodes say anything
 * @param before what was written last
 * @param now RFC 3339
 */
export function peerStatus(
  { metadata: { generation } }: BGPPeer,
  count: PeerCount | undefined,
  reporting: number,
  before: BGPPeerStatus | undefined,
  now: string,
): BGPPeerStatus {
  const { established = 0, bfd: watched, problems = [] } = count ?? {};
  const down = [...(count?.down ?? [])].sort(
    (a, b) => a.rank - b.rank || compare(a.since, b.since) || compare(a.node, b.node),
  );
  const desired = established + down.length;
  const observed = generation === undefined ? {} : { observedGeneration: generation };
  const worst = worstOf(down, problems);
  const conditions = [readyOf(established, desired, worst, reporting), problemsOf(problems)];
  return {
    established,
    desired,
    ...(watched && watched.desired > 0 && { bfdUp: watched.up, bfdDesired: watched.desired }),
    ...(worst !== undefined && { worst: worst.slice(0, LONGEST_WORST) }),
    ...(down.length > 0 && {
      down: down.slice(0, MOST_DOWN).map(({ node, peer, state, since, reason, bfd }) => ({
        ...{ node, peer, state, since, reason: cutMessage(reason) },
        ...(bfd !== undefined && { bfd }),
      })),
    }),
    ...(down.length > MOST_DOWN && { downLeftOut: down.length - MOST_DOWN }),
    ...observed,
    conditions: conditions.map((condition) =>
      sinceWhen({ ...condition, ...observed }, before?.conditions, now),
    ),
  };
}

type Said = Omit<Condition, 'lastTransitionTime'>;

function worstOf(down: readonly RankedDown[], problems: readonly string[]): string | undefined {
  const [first] = down;
  if (first === undefined) return problems[0];
  // Of a silent agent the reason names the node.
  return first.rank === 0 ? first.reason : `${first.node}: ${first.reason}`;
}

function readyOf(established: number, desired: number, worst: string | undefined, reporting: number): Said {
  const type = 'Ready';
  if (reporting === 0) {
    const message = 'no agent has told of its node: no BGPNodeStatus is there';
    return { type, status: 'Unknown', reason: 'NobodyReports', message };
  }
  if (desired === 0) {
    const message = 'no node has a session of it: its node, nodeSelector or peerSelector finds none';
    return { type, status: 'False', reason: 'NoSessions', message };
  }
  const counted = `${established} of ${desired} sessions are up`;
  if (established < desired) {
    return { type, status: 'False', reason: 'SessionsDown', message: `${counted}; ${worst}` };
  }
  return { type, status: 'True', reason: 'AllEstablished', message: counted };
}

function problemsOf(problems: readonly string[]): Said {
  const type = 'NoProblems';
  const [first] = problems;
  if (first === undefined) {
    return { type, status: 'True', reason: 'NothingReported', message: 'no node has a problem with it' };
  }
  const more = problems.length === 1 ? '' : `, and ${problems.length - 1} more`;
  return { type, status: 'False', reason: 'ProblemsReported', message: `${first}${more}` };
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
