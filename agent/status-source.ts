// The running agent as a StatusSource: asks its parts when asked, keeps nothing.
import type { Speaker, SpeakerPeer } from '#bgp';
import { PODROUTE_METRIC, PODROUTE_PROTOCOL, type SignatureDrops } from '#linux';
import type { Scheduler } from '#world';
import type { Agent } from './agent.ts';
import { fibPage, fibStatus } from './fib/report.ts';
import { type PlannedPeer, shownPlan } from './plan/index.ts';
import { readFigures } from './figures-source.ts';
import { metricsText } from './http/metrics.ts';
import type { CallFigures } from './status/call-figures.ts';
import { conditions } from './status/conditions.ts';
import { EMPTY_IPAM, ipamSummary, rangeStatus, routeStatus, withLeaks } from './status/collect.ts';
import type { ProcessFigures } from './http/figures.ts';
import type { LeakWatch } from './pods/leak-watch.ts';
import { RequestError, type RoutesRequest, type StatusSource } from './http/endpoints.ts';
import { iso, sessionStatus } from './status/session-status.ts';
import type {
  IpamReply,
  PlanReply,
  PlanSummary,
  ProcessStatus,
  RangeStatus,
  RoutesReply,
  SessionStatus,
  StatusReply,
  VersionReply,
} from '#agent-api';

/** Neighbours read, or described, between two turns: some 50 µs each, and more in a process that has just started. */
const PEERS_A_TURN = 20;

const isSession = (peer: SpeakerPeer): boolean => peer.dynamicPeers === undefined;

export interface ProcessFacts {
  readonly version: string;
  readonly pid: number;
  /** 'v24.21.0' */
  readonly runtime: string;
  /** Wall clock. */
  readonly startedAtMs: number;
  /** By the clock that nobody sets. */
  readonly uptimeMs: () => number;
  readonly process: () => ProcessStatus;
  /** Of the last minute. */
  readonly signatureDrops?: () => SignatureDrops | undefined;
  readonly processFigures: () => Promise<ProcessFigures>;
  /** Undefined with --fib none. */
  readonly calls: CallFigures | undefined;
  /** How long work gives way to what else is ready. */
  readonly scheduler: Scheduler;
  /** Wall clock. */
  readonly now: () => number;
  /** undefined: pods can be wired; else why not. */
  readonly whyNoPods: () => string | undefined;
  readonly podPacketsDropped: () => StatusReply['podPacketsDropped'];
  /** Undefined: nobody says which Pods there are. */
  readonly leaks?: Pick<LeakWatch, 'status' | 'addresses'> | undefined;
}

export class AgentStatusSource implements StatusSource {
  readonly #agent: Agent;
  readonly #facts: ProcessFacts;
  #scrape: Promise<string> | undefined;
  #statusText: Promise<string> | undefined;

  constructor(agent: Agent, facts: ProcessFacts) {
    this.#agent = agent;
    this.#facts = facts;
  }

  version(): VersionReply {
    const { version, pid, runtime } = this.#facts;
    return { version, node: this.#agent.nodeName, pid, runtime };
  }

  /** In one piece: for a node of a few neighbours. */
  status(): StatusReply {
    const { speaker } = this.#agent.driver;
    const peers = (speaker?.peerIds() ?? []).flatMap((id) => speaker?.peerStatus(id) ?? []);
    const describe = this.#describer(peers);
    return this.#reply(peers, peers.filter(isSession).map(describe));
  }

  /**
   * The same in JSON, made in turns: with a thousand neighbours all of it together takes longer than the loop may be held.
   * Who asks while one is under way gets the same text.
   */
  statusText(): Promise<string> {
    return (this.#statusText ??= this.#writeStatus().finally(() => {
      this.#statusText = undefined;
    }));
  }

  /** Its parts are read one after the other, so that they need not be of the same moment. */
  async statusInTurns(): Promise<StatusReply> {
    const { speaker } = this.#agent.driver;
    const peers = await this.#mapInTurns(speaker?.peerIds() ?? [], (id) => speaker?.peerStatus(id));
    const there = peers.filter((peer) => peer !== undefined);
    const sessions = await this.#mapInTurns(there.filter(isSession), this.#describer(there));
    await this.#turn();
    return this.#reply(there, sessions);
  }

  async #writeStatus(): Promise<string> {
    const reply = await this.statusInTurns();
    const texts = await this.#mapInTurns(reply.sessions, (session) => JSON.stringify(session));
    await this.#turn();
    const around = JSON.stringify({ ...reply, sessions: [] });
    // Within a text its quotes would have backslashes.
    return around.replace('"sessions":[]', () => `"sessions":[${texts.join(',')}]`);
  }

  async #mapInTurns<T, U>(all: readonly T[], map: (one: T) => U): Promise<U[]> {
    const mapped: U[] = [];
    for (const [i, one] of all.entries()) {
      if (i % PEERS_A_TURN === PEERS_A_TURN - 1) await this.#turn();
      mapped.push(map(one));
    }
    return mapped;
  }

  #turn(): Promise<void> {
    return new Promise((resume) => this.#facts.scheduler.soon(resume));
  }

  #reply(peers: readonly SpeakerPeer[], sessions: readonly SessionStatus[]): StatusReply {
    const { inForce, fib, ipam, board, driver } = this.#agent;
    const { version, pid, startedAtMs, uptimeMs, process } = this.#facts;
    const { node, waiting = [] } = inForce?.plan ?? {};
    const speaker = driver.speaker?.totals();
    const unclaimed = driver.bfd?.unclaimed();
    const whyNoPods = this.#facts.whyNoPods();
    const podPacketsDropped = this.#facts.podPacketsDropped();
    const leaks = this.#facts.leaks?.status();
    const facts: Omit<StatusReply, 'conditions'> = {
      node: this.#agent.nodeName,
      version,
      pid,
      startedAt: iso(startedAtMs),
      uptimeSeconds: Math.floor(uptimeMs() / 1000),
      ...(node === undefined ? {} : { asNumber: node.asNumber, routerId: node.routerId }),
      ...(node?.clusterId === undefined ? {} : { clusterId: node.clusterId }),
      addresses: node?.addresses ?? {},
      ...(node?.isLeaving && { isLeaving: true }),
      plan: this.#planSummary(),
      sessions,
      ranges: this.#ranges(peers),
      ...(waiting.length > 0 && { waiting }),
      rib: speaker?.rib ?? { prefixes: { ipv4: 0, ipv6: 0 }, paths: 0, attributeSets: 0, bytes: 0 },
      ...(speaker !== undefined && speaker.deferred.length > 0 && { deferred: speaker.deferred }),
      ...(fib === undefined
        ? {}
        : { fib: fibStatus(fib.state, fib.table, PODROUTE_PROTOCOL, PODROUTE_METRIC) }),
      ipam: ipam === undefined ? EMPTY_IPAM : ipamSummary(ipam.usage()),
      ...(speaker === undefined
        ? {}
        : {
            speaker: {
              strangersRefused: speaker.strangersRefused,
              logLinesLeftOut: speaker.logLinesLeftOut,
            },
          }),
      ...(unclaimed?.lastReason !== undefined && {
        bfdUnclaimed: { packets: unclaimed.packets, lastReason: unclaimed.lastReason },
      }),
      ...(podPacketsDropped && { podPacketsDropped }),
      ...(leaks && { leaks }),
      ...(whyNoPods === undefined ? {} : { whyNoPods }),
      problems: board.all(),
      process: process(),
    };
    return { ...facts, conditions: conditions(facts) };
  }

  #planSummary(): PlanSummary {
    const { inForce, isStale } = this.#agent;
    return {
      generation: inForce?.generation ?? 0,
      ...(inForce === undefined ? {} : { madeAt: iso(inForce.madeAtMs) }),
      isStale,
      originations: inForce?.plan.originations.map(({ prefix, why }) => ({ prefix, why })) ?? [],
    };
  }

  /** @param peers all of the node */
  #describer(peers: readonly SpeakerPeer[]): (peer: SpeakerPeer) => SessionStatus {
    const { inForce } = this.#agent;
    const planned = new Map<string, PlannedPeer>(inForce?.plan.peers.map((peer) => [peer.config.id, peer]));
    const ownAs = inForce?.plan.node.asNumber ?? 0;
    const about = {
      hasInternal: peers.some(({ negotiated }) => negotiated?.peerType === 'ibgp'),
      signatures: this.#facts.signatureDrops?.(),
      bfdOf: (session: string) => this.#agent.driver.bfd?.known(session),
      nowMs: this.#facts.now(),
    };
    return (peer) => sessionStatus(peer, planned.get(peer.dynamicOf ?? peer.id), ownAs, about);
  }

  #ranges(peers: readonly SpeakerPeer[]): RangeStatus[] {
    const from = new Map(this.#agent.inForce?.plan.peers.map((peer) => [peer.config.id, peer.from]));
    return peers.flatMap((peer) =>
      peer.dynamicPeers === undefined ? [] : [rangeStatus(peer, peer.dynamicPeers, from.get(peer.id))],
    );
  }

  routes(request: RoutesRequest): RoutesReply {
    const { view, ...query } = request;
    const { fib, driver } = this.#agent;
    const { speaker } = driver;
    try {
      if (view === 'fib') {
        if (fib === undefined) throw new RequestError(404, 'this agent keeps no kernel routes (--fib none)');
        return { view, ...fibPage(fib.state, query) };
      }
      if (speaker === undefined) return { view, routes: [] };
      const nowMs = this.#facts.now();
      if (query.peer !== undefined) needSession(query.peer, speaker);
      const { routes, cursor, notes } = speaker.rib.routes({ ...query, view });
      return {
        view,
        routes: routes.map((route) => routeStatus(route, nowMs)),
        ...(cursor === undefined ? {} : { nextCursor: cursor }),
        ...(notes === undefined || notes.length === 0 ? {} : { notes }),
      };
    } catch (error) {
      if (error instanceof RequestError) throw error;
      // RIB and FIB throw only for what the asker got wrong: an unknown peer, no prefix.
      throw new RequestError(400, error instanceof Error ? error.message : String(error));
    }
  }

  plan(): PlanReply {
    const { inForce, board } = this.#agent;
    const { generation, madeAt, isStale } = this.#planSummary();
    return {
      generation,
      ...(madeAt === undefined ? {} : { madeAt }),
      isStale,
      ...(inForce === undefined ? {} : { plan: shownPlan(inForce.plan) }),
      problems: board.all(),
    };
  }

  ipam(): IpamReply {
    const usage = this.#agent.ipam?.usage();
    if (usage === undefined) return { summary: EMPTY_IPAM, usage: undefined };
    const allocations = usage.allocations.map((one) => ({ ...one, allocatedAt: iso(one.allocatedAtMs) }));
    const blocks = withLeaks(usage.blocks, this.#facts.leaks?.addresses() ?? []);
    return { summary: ipamSummary(usage), usage: { ...usage, blocks, allocations } };
  }

  /** In turns. Who asks while one is under way gets the same text: no number of askers makes more work. */
  metrics(): Promise<string> {
    return (this.#scrape ??= this.#writeMetrics().finally(() => {
      this.#scrape = undefined;
    }));
  }

  async #writeMetrics(): Promise<string> {
    const { version, calls, processFigures, whyNoPods, podPacketsDropped } = this.#facts;
    const turn = () => this.#turn();
    const process = await processFigures();
    const figures = await readFigures(
      this.#agent,
      {
        version,
        process,
        calls,
        whyNoPods: whyNoPods(),
        podPacketsDropped: podPacketsDropped(),
        leaks: this.#facts.leaks?.status(),
        isReady: this.notReady() === undefined,
      },
      turn,
    );
    return metricsText(figures, turn);
  }

  notReady(): string | undefined {
    const { inForce, driver } = this.#agent;
    if (inForce === undefined) return 'no plan yet: see problems in podroute status';
    const sessions = driver.speaker?.readiness();
    const count = (sessions?.wanted ?? 0) + inForce.plan.waiting.length;
    if (count > 0 && !sessions?.established) return `none of ${count} sessions is established`;
    // Not every router sends End-of-RIB: it is waited for so long and no longer.
    if (count > 0 && !sessions?.hasFirstRoutes && !this.#agent.isSettled)
      return 'neighbours have not sent all their routes yet';
    return this.#facts.whyNoPods();
  }
}

/** Of one neighbour: the status of all is long to read, and pages of routes are asked for one after the other. */
function needSession(id: string, speaker: Speaker): void {
  const isSession = (one: string): boolean => {
    const peer = speaker.peerStatus(one);
    return peer !== undefined && peer.dynamicPeers === undefined;
  };
  if (isSession(id)) return;
  const ids = speaker.peerIds().filter(isSession);
  throw new RequestError(404, `no session ${id} on this node; there are: ${ids.join(', ') || 'none'}`);
}
