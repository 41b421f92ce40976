// One node's agent: the loop from objects to sessions and kernel routes. Level-triggered: whatever changed, the plan is
// made anew from everything, and only its difference is applied. Inputs that give no plan leave the last good one in
// force. Everything outside the process comes in through AgentIo, so that many agents can run in one test.
import type { Problem, Refused, Resources } from '#api';
import type { Transport } from '#bgp';
import { type Ipam, POD_LINK } from '#ipam';
import type { Kernel, Sysctl } from '#linux';
import type { StoreContact } from '#store';
import type { Clock, Random, Scheduler, Timer } from '#world';
import type { Detection } from './detection/detection.ts';
import { Fib } from './fib/fib.ts';
import { ensureForwarding, refusePodsAdvertisements } from './fib/kernel/ip-forwarding.ts';
import { ipamInputs } from './pods/ipam-inputs.ts';
import type { Log } from './log.ts';
import {
  guardedOf,
  interfacesOf,
  makePlan,
  type Plan,
  type PlanInput,
  type PlanResult,
} from './plan/index.ts';
import { ProblemBoard } from './status/problem-board.ts';
import { type Rehearse, Rehearsal } from './speaker/rehearsal.ts';
import type { RouterWatch } from './speaker/router-watch.ts';
import { SpeakerDriver } from './speaker/speaker-driver.ts';

/** Stale kernel routes of an earlier run go when every session has sent all its routes, or after this … */
const SETTLE_LIMIT_MS = 60_000;
/** … and when all of that has been chosen from, or after this: longer than the speaker waits for neighbours. */
const CHOSEN_LIMIT_MS = 150_000;
const SETTLE_CHECK_MS = 500;
/** RTPROT_RA: routes of router advertisements. */
const RA_PROTOCOL = 9;
/** How often it is asked whether a neighbour announces what is ours. */
const CLAIMS_CHECK_MS = 1_000;

export interface AgentIo {
  readonly clock: Clock;
  readonly random: Random;
  readonly scheduler: Scheduler;
  readonly transport: Transport;
  readonly log: Log;
  readonly store: AgentStore;
  /** With --fib none: an agent of this node has reflected routes before, and what it reflected goes on. */
  readonly hasRunBefore?: boolean;
  /** Looks whether neighbours are there, by BFD; undefined: BFD cannot be had. Called when the first is wanted. */
  readonly openDetection?: () => Detection;
  /** Prepares the process for large tables; undefined: nothing is prepared. */
  readonly rehearse?: Rehearse;
  /** Undefined with --fib none: no kernel routes, and no pods. */
  readonly host?: {
    readonly kernel: Kernel;
    readonly sysctl: Sysctl;
    readonly ipam: AgentIpam;
    readonly routers: RouterWatch;
  };
}

/** What of ipam the loop and the status need. */
export type AgentIpam = Pick<Ipam, 'setInputs' | 'blocks' | 'subscribe' | 'usage'>;

/** What of the store the loop needs. */
export interface AgentStore {
  snapshot(): Resources;
  refused(): Refused;
  problems(): readonly Problem[];
  contact?(): StoreContact;
  /** Adds file and line of the object that a Problem is about. */
  locate?(problem: Problem): Problem;
  subscribe(changed: () => void): () => void;
}

export interface AgentSettings {
  readonly nodeName: string;
  /** An IPv4 address or 'hash', from the agent's environment. */
  readonly routerId?: string;
  readonly table: number;
}

export interface PlanInForce {
  readonly plan: Plan;
  /** Counts plans that differ. */
  readonly generation: number;
  readonly madeAtMs: number;
}

export class Agent implements AsyncDisposable {
  readonly nodeName: string;
  readonly board: ProblemBoard;
  readonly fib: Fib | undefined;
  readonly driver: SpeakerDriver;
  readonly ipam: AgentIpam | undefined;
  readonly #settings: AgentSettings;
  readonly #io: AgentIo;
  readonly #rehearsal: Rehearsal;
  readonly #subscriptions: (() => void)[] = [];
  #inForce: PlanInForce | undefined;
  #isStale = false;
  #isWanted = false;
  #loop: Promise<void> | undefined;
  #isClosed = false;
  #startedAtMs = 0;
  #isSettled = false;
  #settleTimer: Timer | undefined;
  #claimsTimer: Timer | undefined;

  /** Store and ipam are started by the caller. */
  constructor(settings: AgentSettings, io: AgentIo) {
    this.#settings = settings;
    this.#io = io;
    this.nodeName = settings.nodeName;
    this.board = new ProblemBoard(io.log);
    const { clock, log, host } = io;
    this.ipam = host?.ipam;
    this.fib =
      host === undefined
        ? undefined
        : new Fib({
            kernel: host.kernel,
            clock,
            log,
            table: settings.table,
            seed: Math.floor(io.random.next() * 0x7fffffff),
            nextHopChanged: (...told) => this.driver.speaker?.updateNextHop(...told),
            hostChanged: () => this.#kick(),
          });
    this.driver = new SpeakerDriver(this.fib, io, () => this.#kick());
    this.#rehearsal = new Rehearsal(io);
  }

  /** Resolves when the first plan is in force (or there is none to be made yet). */
  async start(): Promise<void> {
    const { store, host, clock } = this.#io;
    if (host !== undefined && this.fib !== undefined) {
      const troubles = await this.#prepareHost(host);
      const object = `Node ${this.nodeName}`;
      this.board.set(
        'agent',
        troubles.map((message) => ({ object, field: '', message })),
      );
      await this.fib.start();
      this.#subscriptions.push(
        host.ipam.subscribe(() => this.#kick()),
        host.routers.subscribe(() => this.#kick()),
      );
    }
    this.#startedAtMs = clock.now();
    this.#settleSoon();
    this.#subscriptions.push(store.subscribe(() => this.#kick()));
    this.#watchClaims();
    this.#kick();
    await this.#loop;
  }

  async #prepareHost({ kernel, sysctl }: NonNullable<AgentIo['host']>): Promise<string[]> {
    const { log } = this.#io;
    const routes = await kernel.routes({ family: 'ipv6', protocol: RA_PROTOCOL });
    const advertised = routes.flatMap(({ nextHops }) => nextHops.flatMap(({ device }) => device ?? []));
    const troubles = ensureForwarding(sysctl, [...new Set(advertised)], log);
    const pods = (await kernel.links()).map(({ name }) => name).filter((name) => POD_LINK.test(name));
    refusePodsAdvertisements(sysctl, pods, log);
    return troubles;
  }

  /** Undefined until there was a usable set of inputs. */
  get inForce(): PlanInForce | undefined {
    return this.#inForce;
  }

  /** Undefined: the store is a folder. */
  storeContact(): StoreContact | undefined {
    return this.#io.store.contact?.();
  }

  /** The newest inputs gave no plan: an older one is in force. */
  get isStale(): boolean {
    return this.#isStale;
  }

  /** Many changes in one turn make one plan; changes while one is applied make one more. */
  #kick(): void {
    this.#isWanted = true;
    this.#loop ??= this.#run().finally(() => {
      this.#loop = undefined;
    });
  }

  async #run(): Promise<void> {
    await Promise.resolve();
    while (this.#isWanted && !this.#isClosed) {
      this.#isWanted = false;
      try {
        await this.#reconcile();
        this.board.set('reconcile', []);
      } catch (error) {
        // A bug, or an outside that failed in an unknown way: what is in force stays, the next change tries again.
        const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
        this.#io.log.error({ error: text }, 'the plan could not be applied');
        this.board.set('reconcile', [{ object: `Node ${this.nodeName}`, field: '', message: String(error) }]);
      }
    }
  }

  async #reconcile(): Promise<void> {
    const { store, clock, host } = this.#io;
    const resources = store.snapshot();
    const refused = store.refused();
    const interfaces = interfacesOf({ resources, nodeName: this.nodeName });
    if (interfaces !== undefined) host?.routers.follow(interfaces);
    const input = this.#input(resources, refused);
    this.ipam?.setInputs(ipamInputs(resources, refused, this.nodeName, guardedOf(input)));
    const { plan, problems } = makePlan({ ...input, localBlocks: this.ipam?.blocks() ?? [] });
    this.board.set('store', store.problems());
    this.board.set(
      'plan',
      problems.map((problem) => store.locate?.(problem) ?? problem),
    );
    this.board.set('ipam', this.#ipamProblems());
    this.#isStale = plan === undefined && this.#inForce !== undefined;
    if (plan === undefined) return;
    if (await this.driver.apply(plan)) {
      const generation = (this.#inForce?.generation ?? 0) + 1;
      this.#inForce = { plan, generation, madeAtMs: clock.wall() };
      this.#io.log.info(
        { generation, peers: plan.peers.length, prefixes: plan.originations.map((route) => route.prefix) },
        'plan in force',
      );
    }
    this.#rehearsal.consider(plan);
    this.board.set('speaker', this.driver.problems());
  }

  #input(resources: Resources, refused: Refused): PlanInput {
    const { host } = this.#io;
    return {
      heardLinks: host?.routers.heard() ?? new Map<string, never>(),
      resources,
      refused,
      nodeName: this.nodeName,
      localBlocks: [],
      table: this.#settings.table,
      ...(this.#settings.routerId === undefined ? {} : { routerId: this.#settings.routerId }),
      ...(this.fib === undefined
        ? {}
        : { defaultGateways: this.fib.defaultGateways(), hostNetworks: this.fib.hostNetworks() }),
      inForce: new Set(this.#inForce?.plan.peers.map((peer) => peer.config.id)),
    };
  }

  /** What the plan would be with these objects; nothing of it is applied. */
  planWith(resources: Resources): PlanResult {
    const input = this.#input(resources, this.#io.store.refused());
    return makePlan({ ...input, localBlocks: this.ipam?.blocks() ?? [] });
  }

  /** The objects in force. */
  objects(): Resources {
    return this.#io.store.snapshot();
  }

  #watchClaims(): void {
    this.#claimsTimer = this.#io.clock.setTimer(CLAIMS_CHECK_MS, () => {
      this.board.set('speaker', this.driver.problems());
      this.#io.host?.routers.review((device) => this.#hasSessionOn(device));
      this.#watchClaims();
    });
  }

  #hasSessionOn(device: string): boolean {
    const peers = this.#inForce?.plan.peers ?? [];
    return peers.some(
      ({ config: { id, remote } }) =>
        remote.kind === 'address' && remote.device === device && this.driver.speaker?.isEstablished(id),
    );
  }

  #ipamProblems(): Problem[] {
    const object = `Node ${this.nodeName}`;
    return (this.ipam?.usage().problems ?? []).map((message) => ({ object, field: '', message }));
  }

  #settleSoon(): void {
    this.#settleTimer = this.#io.clock.setTimer(SETTLE_CHECK_MS, () => {
      if (!this.#mayBeSettled()) {
        this.#settleSoon();
        return;
      }
      this.fib?.settle();
      this.driver.speaker?.forwardingAgrees();
      this.#isSettled = true;
    });
  }

  /** The first routes are in: every session has sent all of them, or they were waited for long enough. */
  get isSettled(): boolean {
    return this.#isSettled;
  }

  /** Deleted; not one that is written wrong, or of which the store has not told yet. */
  #isNodeGone(): boolean {
    const { store } = this.#io;
    const { objects, files, kinds } = store.refused();
    const mayExist = objects.has(`Node ${this.nodeName}`) || files.size > 0 || kinds.has('Node');
    return this.#inForce !== undefined && !mayExist && !store.snapshot().nodes.has(this.nodeName);
  }

  #mayBeSettled(): boolean {
    const { speaker } = this.driver;
    const elapsedMs = this.#io.clock.now() - this.#startedAtMs;
    if (elapsedMs >= CHOSEN_LIMIT_MS) return true;
    if (speaker !== undefined && !speaker.isSettled) return false;
    if (elapsedMs >= SETTLE_LIMIT_MS) return true;
    return this.#inForce !== undefined && this.driver.hasHeardAll();
  }

  /**
   * Kernel routes and pods stay, and neighbours keep our routes until the next start (RFC 4724); those who would not,
   * and all of them when the node is leaving (podroute.io/GracefulShutdown, drained, or no Node any more), are told
   * farewell (Cease).
   */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#rehearsal[Symbol.dispose]();
    this.#settleTimer?.cancel();
    this.#claimsTimer?.cancel();
    for (const unsubscribe of this.#subscriptions) unsubscribe();
    await this.#loop;
    const hasPods = this.ipam === undefined || this.ipam.usage().allocations.length > 0;
    await this.driver.stop({ hasPods, isNodeGone: this.#isNodeGone() });
    await this.fib?.[Symbol.asyncDispose]();
  }
}
