// Brings a speaker to the plan: remembers what it was told, tells it only the difference, and keeps what it refused
// for the next try. The speaker is made with the first plan, because it has no meaning without an AS and a router ID.
import type { SessionAction } from '#agent-api';
import type { Problem } from '#api';
import { type PeerConfig, samePolicy, Speaker, type SpeakerConfig, type Transport } from '#bgp';
import { FAMILIES, withZone } from '#ip';
import type { Clock, Random, Scheduler, Timer } from '#world';
import type { Detection } from '../detection/detection.ts';
import type { Fib } from '../fib/fib.ts';
import type { Log } from '../log.ts';
import type { Plan, PlannedOrigination } from '../plan/index.ts';
import { BfdNeighbours } from './bfd-neighbours.ts';
import { nextHopProblem } from './next-hop-problem.ts';

/** A port that another program holds may come free. */
const LISTEN_RETRY_MS = 5_000;

/** Neighbours whose configuration changes in one turn of the event loop: a policy may be that of a thousand. */
const AT_ONCE = 32;

export interface SpeakerDriverIo {
  readonly clock: Clock;
  readonly random: Random;
  readonly scheduler: Scheduler;
  readonly transport: Transport;
  readonly log: Log;
  /** Undefined: BFD cannot be had here. */
  readonly openDetection?: () => Detection;
  /** For one without a FIB, which cannot tell; default: no. */
  readonly hasRunBefore?: boolean;
}

export class SpeakerDriver implements AsyncDisposable {
  readonly #io: SpeakerDriverIo;
  /** Undefined with --fib none. */
  readonly #fib: Fib | undefined;
  readonly #retry: () => void;
  readonly bfd: BfdNeighbours | undefined;
  #speaker: Speaker | undefined;
  #unsubscribe: (() => void) | undefined;
  /** The plan before. */
  #told: Plan | undefined;
  /** What the speaker has taken of it: the same object when that is all. */
  #applied: Plan | undefined;
  #refusals: Problem[] = [];
  #listenProblem: Problem | undefined;
  #listenTimer: Timer | undefined;
  /** Sessions that an operator disabled, with his words. Bound: those of the plan. */
  readonly #disabled = new Map<string, string>();
  #isListening = false;
  #isClosed = false;

  /** @param retry called when it is worth calling apply() again */
  constructor(fib: Fib | undefined, io: SpeakerDriverIo, retry: () => void) {
    this.#fib = fib;
    this.#io = io;
    this.#retry = retry;
    const { openDetection: open } = io;
    this.bfd = open && new BfdNeighbours(open, io, (id, news) => this.#speaker?.heardBfd(id, news));
  }

  get speaker(): Speaker | undefined {
    return this.#speaker;
  }

  /** Every neighbour of the plan is there and has sent all its routes. */
  hasHeardAll(): boolean {
    return this.#told?.waiting.length === 0 && this.#speaker?.hasHeardAll() === true;
  }

  problems(): readonly Problem[] {
    const listening = this.#listenProblem === undefined ? [] : [this.#listenProblem];
    const doubts = this.#speaker?.nextHopDoubts() ?? [];
    const refused = [...listening, ...this.#refusals, ...this.#bfdProblems()];
    return [...refused, ...this.#ownClaims(), ...doubts.map(nextHopProblem)];
  }

  /** What keeps many from running is told once for each object: their thread may have died. */
  #bfdProblems(): Problem[] {
    const problems = this.bfd?.problems() ?? [];
    if (problems.length === 0) return [];
    const planned = new Map(this.#told?.peers.map((peer) => [peer.config.id, peer]));
    const alike = new Map<string, Problem & { readonly sessions: string[] }>();
    for (const { session, why } of problems) {
      const peer = planned.get(session) ?? planned.get(session.slice(0, session.lastIndexOf('/')));
      const [object, field] =
        peer?.kind === 'peer' ? [peer.from, 'spec.bfd'] : ['BGPConfiguration default', 'spec.nodeMeshBFD'];
      const known = alike.get(`${object} ${why}`);
      if (known === undefined)
        alike.set(`${object} ${why}`, { object, field, message: why, sessions: [session] });
      else known.sessions.push(session);
    }
    return [...alike.values()].map(({ object, field, message, sessions: [first, ...more] }) => {
      const rest = more.length === 0 ? '' : ` and ${more.length} more`;
      return { object, field, message: `session ${first}${rest}: BFD does not run: ${message}` };
    });
  }

  /** Somebody else announces what is ours: traffic to pods here goes astray, or the block has two owners. */
  #ownClaims(): Problem[] {
    return (this.#speaker?.ownClaims() ?? []).map(({ id, remote, description, prefixes }) => {
      const rest = prefixes.length === 1 ? '' : ` and ${prefixes.length - 1} more`;
      const message = `neighbour ${remote} announces our block: ${prefixes[0]}${rest}, not used here; find who originates it, and stop it there`;
      return { object: description ?? `session ${id}`, field: '', message, cause: 'OwnBlockHeard' };
    });
  }

  /** Can be called with the same plan again: what was refused is tried once more. True: it differs from the one before. */
  async apply(wanted: Plan): Promise<boolean> {
    const plan = this.#withoutDisabled(wanted);
    const speaker = (this.#speaker ??= this.#makeSpeaker(plan));
    const old = this.#applied;
    const difference = planDifference(old, plan);
    const told = old === this.#told ? difference : planDifference(this.#told, plan);
    const isNew = !isEmpty(told) || !same(this.#told?.waiting, plan.waiting);
    const accepted = new Map(old?.peers.map((peer) => [peer.config.id, peer]));
    this.#refusals = [];

    // Blocks are held before anybody is told of them, and until nobody is.
    if (difference.unreachable !== undefined) {
      this.#fib?.holdBlocks([...new Set([...(old?.kernel.unreachable ?? []), ...difference.unreachable])]);
    }
    // Before a neighbour is dialled, and until nobody is who is reached so.
    if (difference.gateways !== undefined)
      this.#reachThrough({ ...old?.kernel.gateways, ...difference.gateways });
    let config = plan.speaker;
    if (old !== undefined && difference.speaker !== undefined && !(await this.#reconfigure(speaker, plan))) {
      config = old.speaker;
    }
    const moved = difference.updatedPeers.filter((config) =>
      isMoved(accepted.get(config.id)?.config, config),
    );
    const movedPeers = new Set(moved);
    const updated = difference.updatedPeers.filter((config) => !movedPeers.has(config));
    const plannedOf = new Map(plan.peers.map((peer) => [peer.config.id, peer]));
    const attempt = (peer: PeerConfig, act: (peer: PeerConfig) => void) => {
      const { from = '', kind = 'peer' } = plannedOf.get(peer.id) ?? {};
      try {
        act(peer);
        accepted.set(peer.id, { config: peer, kind, from });
      } catch (error) {
        this.#refusals.push({ object: from, field: '', message: `session ${peer.id}: ${messageOf(error)}` });
      }
    };
    speaker.together(() => {
      for (const id of [...difference.removedPeers, ...moved.map((config) => config.id)]) {
        speaker.removePeer(id, 'no longer configured');
        accepted.delete(id);
      }
      for (const peer of updated.slice(0, AT_ONCE)) attempt(peer, (c) => speaker.updatePeer(c));
      for (const peer of [...moved, ...difference.addedPeers]) attempt(peer, (c) => speaker.addPeer(c));
    });
    for (let i = AT_ONCE; i < updated.length && !this.#isClosed; i += AT_ONCE) {
      await new Promise<void>((resolve) => this.#io.scheduler.soon(resolve));
      speaker.together(() => {
        for (const peer of updated.slice(i, i + AT_ONCE)) attempt(peer, (c) => speaker.updatePeer(c));
      });
    }
    this.bfd?.plan(plan);
    if (difference.withdrawn.length > 0) speaker.withdraw(difference.withdrawn);
    if (difference.originated.length > 0) speaker.originate(difference.originated);
    if (difference.unreachable !== undefined) this.#fib?.holdBlocks(difference.unreachable);
    if (difference.gateways !== undefined) this.#reachThrough(difference.gateways);
    const isAll = config === plan.speaker && this.#refusals.length === 0;
    this.#applied = isAll ? plan : { ...plan, speaker: config, peers: [...accepted.values()] };
    this.#told = plan;
    if (!this.#isListening) this.#isListening = await this.#listening(() => speaker.start());
    return isNew;
  }

  #reachThrough(gateways: Plan['kernel']['gateways']): void {
    this.#fib?.reachThrough(new Map(Object.entries(gateways)));
  }

  ids(): readonly string[] {
    return this.#told?.peers.map(({ config }) => config.id) ?? [];
  }

  /** What an operator does to a session of the plan; see SessionDesk. */
  act(id: string, action: SessionAction, message: string): string | { readonly refused: string } | undefined {
    const speaker = this.#speaker;
    const peer = this.#told?.peers.find(({ config }) => config.id === id);
    if (speaker === undefined || peer === undefined) return undefined;
    if (this.#disabled.has(id) && action !== 'enable' && action !== 'disable')
      return { refused: `is disabled: podroute session ${id} enable lets it come up` };
    switch (action) {
      case 'disable':
        this.#disabled.set(id, message);
        this.#retry();
        return 'goes down and stays so until it is enabled or the agent starts anew';
      case 'enable':
        if (!this.#disabled.delete(id)) return 'was not disabled';
        this.#retry();
        return 'follows its object again';
      case 'reset':
        speaker.resetPeer(id, 'hard', message === '' ? undefined : message);
        return 'is closed and begins anew';
      case 'refresh-in':
        speaker.resetPeer(id, 'soft-in');
        return 'has its received routes go through import policy again';
      case 'refresh-out':
        speaker.resetPeer(id, 'soft-out');
        return 'gets all routes again';
    }
  }

  #withoutDisabled(plan: Plan): Plan {
    const ids = new Set(plan.peers.map(({ config }) => config.id));
    for (const id of this.#disabled.keys()) if (!ids.has(id)) this.#disabled.delete(id);
    if (this.#disabled.size === 0) return plan;
    const peers = plan.peers.map((peer) => {
      const message = this.#disabled.get(peer.config.id);
      if (message === undefined || peer.config.shutdown !== undefined) return peer;
      return { ...peer, config: { ...peer.config, shutdown: { message, because: 'operator' as const } } };
    });
    return { ...plan, peers };
  }

  #makeSpeaker(plan: Plan): Speaker {
    const { clock, random, scheduler, transport, log } = this.#io;
    const fib = this.#fib;
    // Who forwards nothing has lost nothing of it.
    const ofReflector = this.#io.hasRunBefore === true ? FAMILIES : [];
    const forwardingKept = fib === undefined ? ofReflector : fib.adoptedFamilies;
    const expected = () => (this.#told ?? plan).waiting.map(({ id }) => id);
    const bfd = this.bfd && { bfd: this.bfd };
    const io = { clock, random, scheduler, transport, log, forwardingKept, expected, ...bfd };
    const speaker = new Speaker(plan.speaker, io);
    if (fib !== undefined) {
      speaker.setNextHopTracker(fib);
      this.#unsubscribe = fib.follow(speaker.forwarding);
    }
    return speaker;
  }

  /** False when the new configuration is not in force, so that it is tried again. */
  async #reconfigure(speaker: Speaker, plan: Plan): Promise<boolean> {
    return this.#listening(() => speaker.reconfigure(plan.speaker));
  }

  async #listening(act: () => Promise<void>): Promise<boolean> {
    this.#listenTimer?.cancel();
    try {
      await act();
      this.#listenProblem = undefined;
      return true;
    } catch (error) {
      this.#listenProblem = cannotListen(error);
      if (!this.#isClosed) this.#listenTimer = this.#io.clock.setTimer(LISTEN_RETRY_MS, this.#retry);
      return false;
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop({ hasPods: true, isNodeGone: false });
  }

  /**
   * Kernel routes stay: the FIB hears nothing of the routes that go with the sessions.
   * @param node hasPods: somebody is still reached through this node; isNodeGone: it was taken out of the cluster
   */
  async stop(node: { readonly hasPods: boolean; readonly isNodeGone: boolean }): Promise<void> {
    this.#isClosed = true;
    this.#listenTimer?.cancel();
    this.#unsubscribe?.();
    this.#speaker?.setNextHopTracker(undefined);
    const { isLeaving: isTold, isCordoned } = this.#told?.node ?? {};
    const isLeaving = isTold === true || node.isNodeGone || (isCordoned === true && !node.hasPods);
    if (this.#speaker === undefined) {
      await this.bfd?.[Symbol.asyncDispose]();
      return;
    }
    const because = isTold === true ? 'annotation' : node.isNodeGone ? 'no Node any more' : 'drained';
    if (isLeaving)
      this.#io.log.info(
        { because },
        'the node is leaving: neighbours are told farewell, and drop its routes',
      );
    else
      this.#io.log.info(
        {},
        'the agent stops: neighbours with graceful restart keep its routes until it is back',
      );
    // Before the connection closes, so that no neighbour takes it for a failure (RFC 5882 section 4.3).
    await this.bfd?.[Symbol.asyncDispose]();
    await this.#speaker.stop({
      graceful: !isLeaving,
      message: isLeaving ? 'the node is leaving' : 'the agent stops',
    });
  }
}

/** Another neighbour under the same id: the old one's address may be wanted by a third, so it goes first. */
function isMoved(old: PeerConfig | undefined, next: PeerConfig): boolean {
  if (old === undefined) return true;
  const who = ({ remote }: PeerConfig) =>
    remote.kind === 'range' ? remote.prefix : withZone(remote.address, remote.device);
  return who(old) !== who(next);
}

function cannotListen(error: unknown): Problem {
  return {
    object: 'BGPConfiguration default',
    field: 'spec.listenPort',
    message: `${messageOf(error)}; this node dials its neighbours, and they cannot connect to it until it can listen`,
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What brings a speaker from one plan to the next, and nothing else: a peer that did not change is not mentioned. */
export interface PlanDifference {
  /** Undefined: unchanged. */
  readonly speaker: SpeakerConfig | undefined;
  readonly removedPeers: readonly string[];
  readonly addedPeers: readonly PeerConfig[];
  readonly updatedPeers: readonly PeerConfig[];
  readonly withdrawn: readonly string[];
  /** New ones, and those whose attributes changed. */
  readonly originated: readonly PlannedOrigination[];
  /** Undefined: unchanged. */
  readonly unreachable: readonly string[] | undefined;
  /** Sessions, old and new ones, whose BFD is to be otherwise than before. */
  readonly bfd: readonly string[];
  /** Undefined: unchanged. */
  readonly gateways: Plan['kernel']['gateways'] | undefined;
}

/** What of it concerns own routes. */
export function originationsDifference(
  old: Plan | undefined,
  next: Plan,
): Pick<PlanDifference, 'withdrawn' | 'originated'> {
  const oldRoutes = new Map(old?.originations.map((route) => [route.prefix, route]));
  const nextPrefixes = new Set(next.originations.map((route) => route.prefix));
  return {
    withdrawn: [...oldRoutes.keys()].filter((prefix) => !nextPrefixes.has(prefix)),
    originated: next.originations.filter((route) => !same(oldRoutes.get(route.prefix), route)),
  };
}

/** @param old undefined at the start */
export function planDifference(old: Plan | undefined, next: Plan): PlanDifference {
  const oldPeers = new Map(old?.peers.map(({ config }) => [config.id, config]));
  const nextIds = new Set(next.peers.map(({ config }) => config.id));
  const bfdOf = (plan: Plan | undefined) => new Map(plan?.peers.map(({ config, bfd }) => [config.id, bfd]));
  const [oldBfd, nextBfd] = [bfdOf(old), bfdOf(next)];
  const configs = next.peers.map(({ config }) => config);
  return {
    speaker: same(old?.speaker, next.speaker) ? undefined : next.speaker,
    removedPeers: [...oldPeers.keys()].filter((id) => !nextIds.has(id)),
    addedPeers: configs.filter(({ id }) => !oldPeers.has(id)),
    updatedPeers: configs.filter((config) => {
      const before = oldPeers.get(config.id);
      return before !== undefined && !samePeer(before, config);
    }),
    ...originationsDifference(old, next),
    bfd: [...next.peers, ...(old?.peers.filter(({ config }) => !nextIds.has(config.id)) ?? [])].flatMap(
      ({ config: { id } }) => (same(oldBfd.get(id), nextBfd.get(id)) ? [] : [id]),
    ),
    unreachable: same(old?.kernel.unreachable, next.kernel.unreachable) ? undefined : next.kernel.unreachable,
    gateways: same(old?.kernel.gateways ?? {}, next.kernel.gateways) ? undefined : next.kernel.gateways,
  };
}

function isEmpty(difference: PlanDifference): boolean {
  return Object.values(difference).every(
    (part) => part === undefined || (Array.isArray(part) && part.length === 0),
  );
}

function samePeer(a: PeerConfig, b: PeerConfig): boolean {
  const { import: importA, export: exportA, ...restA } = a;
  const { import: importB, export: exportB, ...restB } = b;
  return samePolicy(importA, importB) && samePolicy(exportA, exportB) && same(restA, restB);
}

/** By value, for plain data. */
function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  for (const key of keys) {
    if (!(key in b) || !same((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]))
      return false;
  }
  return true;
}
