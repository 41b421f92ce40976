// The cluster's duties, done by one of many controllers: whoever holds the lease. Level-triggered: every second everything
// is compared with what it should be, and nothing is done without the lease, before each write. All that it knows of the
// past are grace times, which begin anew with a new leader: losing one loses nothing.
import { mayHide, type IPPoolStatus, type Kind, usablePools } from '#api';
import { LeaseCandidate, type Store } from '#store';
import type { Clock, Random, Timer } from '#world';
import type { DutyLog } from './duty-log.ts';
import { GoneNodes } from './gone-nodes.ts';
import { type NodeReport, NodeReports } from './node-reports.ts';
import { countPeers, peerStatus } from './peer-sum.ts';
import { PoolFinalizers } from './pool-finalizers.ts';
import { countPools, overlapsOf, poolStatus } from './pool-sum.ts';
import { Retries } from './retries.ts';
import { StatusKeeper } from './status-keeper.ts';

/** Also the least time between two writes of one object. */
const LOOK_MS = 1_000;
/** A server that is back is asked again within this. */
const LONGEST_REST_MS = 15_000;
/** A lease is renewed so often while it lasts. */
const RENEWALS = 3;

export interface ControllerSettings {
  /** Nobody else's. */
  readonly identity: string;
  /** Of the lease. */
  readonly namespace: string;
  readonly leaseSeconds: number;
  /** How long a Node must have been away before what it had is freed. */
  readonly nodeGraceMs: number;
}

export interface ControllerIo {
  readonly clock: Clock;
  readonly random: Random;
  /** Started by the caller. */
  readonly store: Store;
  readonly log: DutyLog;
}

export const LEASE_NAME = 'podroute-controller';

export class Controller implements AsyncDisposable {
  readonly #settings: ControllerSettings;
  readonly #io: ControllerIo;
  readonly #candidate: LeaseCandidate;
  readonly #reports = new NodeReports();
  readonly #peers: StatusKeeper<'BGPPeer'>;
  readonly #pools: StatusKeeper<'IPPool'>;
  readonly #finalizers: PoolFinalizers;
  #gone: GoneNodes;
  readonly #timers = new Map<string, Timer>();
  readonly #running = new Map<string, Promise<void>>();
  /** By duty. */
  readonly #retries: Retries;
  #isLeading = false;
  #isClosed = false;

  constructor(settings: ControllerSettings, io: ControllerIo) {
    const { clock, store } = io;
    const { identity, namespace, leaseSeconds } = settings;
    this.#settings = settings;
    this.#io = io;
    this.#candidate = new LeaseCandidate(store, clock, {
      namespace,
      name: LEASE_NAME,
      identity,
      durationSeconds: leaseSeconds,
    });
    this.#peers = new StatusKeeper('BGPPeer', store, clock);
    this.#pools = new StatusKeeper('IPPool', store, clock);
    this.#retries = new Retries(io, { firstMs: LOOK_MS, longestMs: LONGEST_REST_MS });
    this.#finalizers = new PoolFinalizers(io);
    this.#gone = new GoneNodes(settings.nodeGraceMs, io);
  }

  start(): void {
    const renewMs = (this.#settings.leaseSeconds * 1000) / RENEWALS;
    this.#every('lease', renewMs, () => this.#elect());
    this.#every('duties', LOOK_MS, () => this.#work());
  }

  /** It holds the lease now. */
  get isLeader(): boolean {
    return this.#candidate.isHeld;
  }

  /** The next controller need not wait for the lease to end. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    for (const timer of this.#timers.values()) timer.cancel();
    await Promise.all(this.#running.values());
    await this.#try('give the lease back', () => this.#candidate.release());
  }

  /** At once, and again so long after each end. */
  #every(name: string, delayMs: number, work: () => Promise<void>): void {
    if (this.#isClosed) return;
    const run = work().finally(() => {
      this.#running.delete(name);
      if (this.#isClosed) return;
      this.#timers.set(
        name,
        this.#io.clock.setTimer(delayMs, () => this.#every(name, delayMs, work)),
      );
    });
    this.#running.set(name, run);
  }

  async #elect(): Promise<void> {
    await this.#try('take or renew the lease', async () => {
      const state = await this.#candidate.acquire();
      if (state.kind === 'taken' && this.#isLeading)
        this.#io.log.warn({ holder: state.holder }, 'another controller leads now');
    });
  }

  async #work(): Promise<void> {
    const isLeader = this.isLeader;
    if (isLeader !== this.#isLeading) this.#changeRole(isLeader);
    if (!isLeader) return;
    const resources = this.#io.store.snapshot();
    const refused = this.#io.store.refused();
    const mayWrite = () => this.isLeader && !this.#isClosed;
    const nodes = mayHide(refused, 'Node') ? undefined : new Set(resources.nodes.keys());
    const reports = this.#reports.of(resources.bgpNodeStatuses.values(), nodes, this.#io.clock.now());
    // What was never heard of would look as if nobody had it.
    const knows = (...kinds: readonly Kind[]) => kinds.every((kind) => !refused.kinds.has(kind));
    if (knows('BGPPeer', 'BGPNodeStatus'))
      await this.#do('write the status of BGPPeers', () => this.#keepPeers(reports, mayWrite));
    if (knows('IPPool', 'IPAMBlock', 'BGPNodeStatus')) {
      await this.#do('write the status of IPPools', () => this.#keepPools(reports, mayWrite));
      const ours = [...resources.ipPools.values()].filter(({ metadata: { name } }) => this.#pools.has(name));
      await this.#do('hold the IPPools that are in use', () =>
        this.#finalizers.keep(ours, resources.ipamBlocks.values(), {
          mayWrite,
          // A block that cannot be read may be one of a pool that seems to have none.
          mayRelease: !mayHide(refused, 'IPAMBlock'),
        }),
      );
    }
    await this.#do('free what nodes left behind', () => this.#gone.free(resources, nodes, mayWrite));
  }

  #changeRole(isLeader: boolean): void {
    this.#isLeading = isLeader;
    const { identity, nodeGraceMs } = this.#settings;
    this.#io.log.info({ identity }, isLeader ? 'leading' : 'not leading any more');
    this.#peers.forget();
    this.#pools.forget();
    this.#gone = new GoneNodes(nodeGraceMs, this.#io);
  }

  async #keepPeers(reports: readonly NodeReport[], mayWrite: () => boolean): Promise<void> {
    const counts = countPeers(reports);
    const now = this.#now();
    await this.#peers.keep(
      [...this.#io.store.snapshot().bgpPeers.values()],
      (peer, before) => peerStatus(peer, counts.get(peer.metadata.name), reports.length, before, now),
      (status) => status,
      mayWrite,
    );
  }

  async #keepPools(reports: readonly NodeReport[], mayWrite: () => boolean): Promise<void> {
    const resources = this.#io.store.snapshot();
    const counts = countPools(resources.ipamBlocks.values(), reports);
    const pools = [...resources.ipPools.values()];
    const overlapping = overlapsOf(pools);
    const { pools: usable, problems } = usablePools(resources);
    const now = this.#now();
    await this.#pools.keep(
      pools,
      (pool, before) => {
        const { name } = pool.metadata;
        const facts = {
          count: counts.get(name),
          overlapping: overlapping.get(name) ?? [],
          isUsable: usable.includes(pool),
          problems: problems.filter(({ object }) => object === `IPPool ${name}`),
        };
        return poolStatus(pool, facts, before, now);
      },
      poolTelling,
      mayWrite,
    );
  }

  #now(): string {
    return new Date(this.#io.clock.wall()).toISOString();
  }

  /** As often as it is called for, and more seldom while it fails. */
  async #do(duty: string, work: () => Promise<void>): Promise<void> {
    if (this.#retries.isDue(duty)) await this.#try(duty, work);
  }

  async #try(duty: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.#retries.end(duty);
    } catch (error) {
      const told = this.#retries.note(duty, error);
      if (told !== undefined) this.#io.log.warn({}, `cannot ${duty}: ${told}; tried again`);
    }
  }
}

/** Addresses come and go with every pod. */
function poolTelling({ total, conditions, blocks, observedGeneration }: IPPoolStatus): unknown {
  const said = conditions?.map(({ type, status, reason }) => [type, status, reason]);
  return [total, blocks, observedGeneration, said];
}
