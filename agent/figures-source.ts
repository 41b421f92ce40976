// A scrape's numbers from the running agent, read in turns: with a thousand neighbours all of them together take longer
// than the loop may be held.
import type { Speaker, SpeakerPeer } from '#bgp';
import { needsZone } from '#ip';
import type { Agent } from './agent.ts';
import { installedInTurns } from './fib/report.ts';
import type { FibFigures, Figures, ProcessFigures, RangeFigures, SessionFigures } from './http/figures.ts';
import type { PlannedPeer } from './plan/index.ts';
import type { CallFigures } from './status/call-figures.ts';
import { rangeStatus } from './status/collect.ts';
import { sessionStatus } from './status/session-status.ts';

/** Neighbours read between two turns: some 100 µs each. */
const PEERS_A_TURN = 20;

export interface FiguresFacts {
  readonly version: string;
  readonly process: ProcessFigures;
  readonly calls: CallFigures | undefined;
  readonly whyNoPods: string | undefined;
  readonly podPacketsDropped: Figures['podPacketsDropped'];
  readonly leaks?: Figures['leaks'] | undefined;
  readonly isReady: boolean;
}

export async function readFigures(
  agent: Agent,
  facts: FiguresFacts,
  turn: () => Promise<void>,
): Promise<Figures> {
  const { fib, driver, ipam, board, inForce } = agent;
  const { speaker } = driver;
  const { sessions, ranges } = await readNeighbours(agent, speaker, turn);
  const totals = speaker?.totals();
  const unclaimed = driver.bfd?.unclaimed();
  return {
    version: facts.version,
    node: agent.nodeName,
    sessions,
    waiting: inForce?.plan.waiting.length ?? 0,
    ranges,
    rib: totals?.rib ?? { prefixes: { ipv4: 0, ipv6: 0 }, paths: 0, changesWaiting: 0 },
    ...(totals && { speaker: totals }),
    ...(unclaimed && { bfdUnclaimed: unclaimed.packets }),
    deferred: totals?.deferred ?? [],
    ...(fib && { fib: await readFib(fib, turn), canGiveAddresses: facts.whyNoPods === undefined }),
    usage: ipam?.usage(),
    ...(facts.calls && { calls: facts.calls }),
    ...(facts.podPacketsDropped && { podPacketsDropped: facts.podPacketsDropped }),
    ...(facts.leaks && { leaks: facts.leaks }),
    store: agent.storeContact(),
    isReady: facts.isReady,
    problems: board.all(),
    generation: inForce?.generation ?? 0,
    process: facts.process,
  };
}

async function readNeighbours(
  { inForce, driver }: Agent,
  speaker: Speaker | undefined,
  turn: () => Promise<void>,
): Promise<{ sessions: SessionFigures[]; ranges: RangeFigures[] }> {
  const planned = new Map<string, PlannedPeer>(inForce?.plan.peers.map((peer) => [peer.config.id, peer]));
  const ownAs = inForce?.plan.node.asNumber ?? 0;
  const about = { hasInternal: false, bfdOf: (session: string) => driver.bfd?.known(session) };
  const sessions: SessionFigures[] = [];
  const ranges = new Map<string, Sums>();
  for (const [i, id] of (speaker?.peerIds() ?? []).entries()) {
    if (i % PEERS_A_TURN === PEERS_A_TURN - 1) await turn();
    const peer = speaker?.peerStatus(id);
    if (peer === undefined) continue;
    const wish = planned.get(id);
    if (peer.dynamicPeers !== undefined) {
      ranges.set(id, { ...rangeStatus(peer, peer.dynamicPeers, wish?.from), ...noSums() });
    } else if (peer.dynamicOf !== undefined) addTo(ranges.get(peer.dynamicOf), peer);
    else sessions.push({ ...sessionStatus(peer, wish, ownAs, about), peerAddress: addressOf(peer, wish) });
  }
  return { sessions, ranges: [...ranges.values()] };
}

type Sums = { -readonly [K in keyof RangeFigures]: RangeFigures[K] } & {
  readonly accepted: { ipv4: number; ipv6: number };
};

function noSums() {
  return { established: 0, accepted: { ipv4: 0, ipv6: 0 } };
}

function addTo(range: Sums | undefined, peer: SpeakerPeer): void {
  if (range === undefined) return;
  if (peer.state === 'Established') range.established++;
  for (const { family, accepted } of peer.routes?.families ?? []) range.accepted[family] += accepted;
}

function addressOf(peer: SpeakerPeer, planned: PlannedPeer | undefined): string {
  const remote = planned?.config.remote;
  if (remote?.kind !== 'address') return peer.remote;
  // Who is found on a link says himself what his address there is: it is not told, or he could make many lines.
  return needsZone(remote.address) && remote.device !== undefined ? `%${remote.device}` : remote.address;
}

async function readFib(fib: NonNullable<Agent['fib']>, turn: () => Promise<void>): Promise<FibFigures> {
  const { columns, failures, repaired, figures } = fib.state;
  const [ipv4, ipv6] = columns;
  return {
    wanted: { ipv4: ipv4.wantedCount, ipv6: ipv6.wantedCount },
    installed: { ipv4: await installedInTurns(ipv4, turn), ipv6: await installedInTurns(ipv6, turn) },
    failed: failures.count,
    repaired,
    sync: figures,
  };
}
