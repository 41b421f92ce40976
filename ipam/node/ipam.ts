// Addresses of this node's pods. Blocks come from pools, claimed through the store before they are needed, or from
// Node.spec.podCIDRs; an address inside a block is picked in memory and is the owner's once the journal has it on
// disk. What is held where stands in state.ts, which blocks in block-ledger.ts; here an ADD meets both.
import {
  contains,
  FAMILIES,
  type Family,
  familyOf,
  formatPrefix,
  parseAddress,
  parsePrefix,
  type Prefix,
  truncate,
} from '#ip';
import type { Clock, Disk } from '#world';
import { BlockLedger } from './block-ledger.ts';
import { enabledPools } from './claims.ts';
import { Journal } from './journal.ts';
import { hostLinkName, ownerKey } from './owner-key.ts';
import type { OrphanBlock } from './orphan-blocks.ts';
import { addressesOf, IpamState } from './state.ts';
import {
  type Addresses,
  type Allocation,
  type Block,
  type BlockRelease,
  type BlockStore,
  type CheckReport,
  type IpamInputs,
  type IpamLog,
  type IpamTuning,
  type IpamUsage,
  type Owner,
  type Refusal,
  type Reservation,
} from './types.ts';

export interface IpamIo {
  readonly clock: Clock;
  readonly disk: Disk;
  readonly store: BlockStore;
  readonly log: IpamLog;
}

export interface IpamOptions {
  readonly node: string;
  /** Folder of the journal; made when missing. */
  readonly stateDir: string;
  readonly tuning?: Partial<IpamTuning>;
}

const DEFAULT_TUNING: IpamTuning = {
  lowWaterShare: 0.25,
  cooldownMs: 30_000,
  emptyBlockGraceMs: 300_000,
  maxBlocks: 64,
  orphanGraceMs: 600_000,
  journalRewriteAt: 1024,
};
/** Blocks claimed for one ADD before it is refused: others may take what was claimed for it. */
const CLAIMS_PER_ADD = 4;

export class Ipam implements AsyncDisposable {
  readonly #io: IpamIo;
  readonly #options: IpamOptions;
  readonly #tuning: IpamTuning;
  readonly #state = new IpamState();
  readonly #journal: Journal;
  readonly #ledger: BlockLedger;
  /** Owner key → the end of its journal write, while that runs. */
  readonly #writing = new Map<string, Promise<Error | undefined>>();
  #damage: string | undefined;

  constructor(options: IpamOptions, io: IpamIo) {
    this.#io = io;
    this.#options = options;
    this.#tuning = { ...DEFAULT_TUNING, ...options.tuning };
    this.#journal = new Journal(io.disk, {
      path: `${options.stateDir}/ipam.journal`,
      snapshot: () => this.#state.snapshot(options.node, io.clock.wall()),
      rewriteAt: this.#tuning.journalRewriteAt,
      changed: (problem) => {
        if (problem === undefined) io.log.info('journal', 'can be written again');
        else {
          io.log.error('journal', problem);
          this.#ledger.journalFailed();
        }
        this.#ledger.tell();
      },
    });
    this.#ledger = new BlockLedger(options.node, this.#tuning, this.#state, this.#journal, io);
  }

  /**
   * Reads the journal, so that everything given out before is held again; the store is asked in the background. A disk
   * that fails is a problem, and no address is given out, while blocks stand. Rejects when the journal is another node's.
   */
  async start(): Promise<void> {
    // What cannot be made is told when it is written to.
    await this.#io.disk.makeFolder(this.#options.stateDir).catch(() => undefined);
    const { records, damage, unreadable } = await this.#journal.replay();
    const node = this.#state.replay(records, this.#io.clock.now());
    if (node !== undefined && node !== this.#options.node) {
      await this.#journal.close();
      throw new Error(
        `journal ${this.#options.stateDir}/ipam.journal is of node ${node}, not ${this.#options.node}: give each node its own --state-dir`,
      );
    }
    if (damage !== undefined) {
      this.#damage = `journal ${this.#options.stateDir}/ipam.journal was ${damage}`;
      this.#io.log.warn('journal', this.#damage);
    }
    if (unreadable === undefined && (records.length === 0 || damage !== undefined)) {
      await this.#journal.append([{ type: 'head', node: this.#options.node, atMs: this.#io.clock.wall() }]);
    }
    this.#ledger.start();
  }

  /** Where addresses come from, level-triggered: call it with the whole on every change. */
  setInputs(inputs: IpamInputs): void {
    this.#ledger.setInputs(inputs);
  }

  /** Resolves when nothing is being claimed or given back. */
  settled(): Promise<void> {
    return this.#ledger.settled();
  }

  /** Families that this node has, or can claim, blocks of. */
  families(): Family[] {
    return FAMILIES.filter(
      (family) =>
        enabledPools(this.#ledger.inputs.pools, family).length > 0 ||
        this.#state.blocksOf(family).some((block) => block.state === 'active'),
    );
  }

  /** Blocks of this node, for the plan. */
  blocks(): Block[] {
    return this.#ledger.blocks();
  }

  /** Called when blocks() changed. */
  subscribe(listener: () => void): () => void {
    return this.#ledger.subscribe(listener);
  }

  /** What the owner holds. */
  allocationOf(owner: Pick<Owner, 'containerId' | 'ifname'>): Allocation | undefined {
    return this.#state.allocations.get(ownerKey(owner));
  }

  /**
   * Picks one address in each family, all or none; those in `requested` as asked. The same owner gets the same again.
   * The addresses may be used for wiring at once, but nobody may be told of them before `durable` has resolved.
   */
  async reserve(
    owner: Owner,
    families: readonly Family[],
    requested: Addresses = {},
  ): Promise<Reservation | Refusal> {
    const key = ownerKey(owner);
    for (let claims = 0; ; claims++) {
      const held = this.#state.allocations.get(key);
      if (held !== undefined) return this.#reserveAgain(key, held, families, requested);
      const { picked, lacking } = this.#pick(families, requested);
      if (lacking === undefined) {
        const now = this.#io.clock;
        const record = this.#state.allocate(owner, picked, now.wall());
        const durable = this.#journal.append([record], () => {
          this.#state.release(key, now.now(), now.wall());
          this.#ledger.returnUnneeded();
        });
        this.#writing.set(key, durable);
        void durable.then(() => {
          if (this.#writing.get(key) === durable) this.#writing.delete(key);
        });
        for (const family of families) this.#ledger.ensureSpare(family);
        return { kind: 'reserved', allocation: this.#state.allocations.get(key)!, isNew: true, durable };
      }
      this.#state.putBack(picked, Number.NEGATIVE_INFINITY);
      const refusal =
        claims >= CLAIMS_PER_ADD
          ? refuse(100, `no ${lacking} address is free on node ${this.#options.node}`)
          : await this.#makeRoom(lacking, requested[lacking]);
      if (refusal !== undefined) {
        this.#ledger.returnUnneeded();
        return refusal;
      }
    }
  }

  /** reserve, and the record on disk. */
  async allocate(
    owner: Owner,
    families: readonly Family[],
    requested: Addresses = {},
  ): Promise<Allocation | Refusal> {
    const reservation = await this.reserve(owner, families, requested);
    if (reservation.kind === 'refused') return reservation;
    const error = await reservation.durable;
    return error === undefined ? reservation.allocation : refuse(104, error.message);
  }

  /** Frees what the owner holds; nothing is fine too. Resolves when the journal has it on disk, with the error when not. */
  async release(owner: Pick<Owner, 'containerId' | 'ifname'>): Promise<Error | undefined> {
    const key = ownerKey(owner);
    const { clock } = this.#io;
    const record = this.#state.release(key, clock.now(), clock.wall());
    this.#ledger.returnUnneeded();
    // Without a record still wait for the disk: the release that failed before may be repeated by its caller.
    return this.#journal.append(record === undefined ? [] : [record]);
  }

  /** Holds an address that a host link uses although the journal does not know its owner. False when it does. */
  adopt(address: string, link: string): boolean {
    const isNew = this.#state.adopt(address, link);
    if (isNew)
      this.#io.log.warn(address, `is in use by ${link}, which the journal does not know: kept until its DEL`);
    return isNew;
  }

  /** Gives back an adopted address whose link is gone: no DEL will come for it. False when there is none. */
  abandon(address: string): boolean {
    const isFreed = this.#state.abandon(address, this.#io.clock.now());
    this.#ledger.returnUnneeded();
    return isFreed;
  }

  /** Blocks of nodes that have no Node object any more. */
  orphanBlocks(): readonly Pick<OrphanBlock, 'cidr' | 'node'>[] {
    return this.#ledger.orphanBlocks();
  }

  /** Takes one of these back. Rejects when the store does not answer. */
  releaseBlock(cidr: string): Promise<BlockRelease> {
    return this.#ledger.releaseBlock(cidr);
  }

  usage(): IpamUsage {
    return {
      pools: this.#ledger.inputs.pools.map(({ name, cidr }) => ({ name, cidr })),
      blocks: this.#state.blocks.map((block) => block.usage()),
      allocations: [...this.#state.allocations.values()],
      adopted: [...this.#state.adopted].map(([address, link]) => ({ address, link })),
      problems: [
        ...[this.#damage, this.#journal.problem].filter((problem) => problem !== undefined),
        ...this.#ledger.problems(),
      ],
    };
  }

  /** Compares with the attachments that are alive (of one network, or of all). */
  check(live: readonly Pick<Owner, 'containerId' | 'ifname'>[], network?: string): CheckReport {
    return this.#state.compare(live, network);
  }

  /** Undefined when an ADD can be served now; else why not. */
  whyUnready(): string | undefined {
    if (this.#journal.problem !== undefined) return this.#journal.problem;
    const families = this.families();
    if (families.length === 0) {
      return `node ${this.#options.node} has no addresses to give: no enabled IPPool selects it and its Node object has no podCIDRs`;
    }
    for (const family of families) {
      const active = this.#state.blocksOf(family).filter((block) => block.state === 'active');
      if (active.length === 0) {
        const why = this.#ledger.problems()[0];
        return `node ${this.#options.node} has no ${family} block yet${why === undefined ? '' : `: ${why}`}`;
      }
      if (this.#ledger.isUsedUp(family) && active.every((block) => block.free === 0)) {
        return `no ${family} address is free on node ${this.#options.node}, and no further block can be had`;
      }
    }
    return undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ledger.stop();
    await this.#journal.close();
  }

  #reserveAgain(
    key: string,
    allocation: Allocation,
    families: readonly Family[],
    requested: Addresses,
  ): Reservation | Refusal {
    for (const family of families) {
      const has = allocation.addresses[family];
      const wants = requested[family];
      if (has === undefined || (wants !== undefined && wants !== has)) {
        const holds = addressesOf(allocation.addresses).join(' and ');
        return refuse(
          102,
          `${hostLinkName(key)} holds ${holds} already, not ${wants ?? `an ${family} address`}: DEL it first`,
        );
      }
    }
    const durable = this.#writing.get(key) ?? Promise.resolve(undefined);
    return { kind: 'reserved', allocation, isNew: false, durable };
  }

  /** lacking: the first family that has nothing to pick. */
  #pick(families: readonly Family[], requested: Addresses): { picked: Addresses; lacking?: Family } {
    const picked: { -readonly [family in Family]?: string } = {};
    for (const family of families) {
      const wanted = requested[family];
      const address =
        wanted === undefined
          ? this.#state.takeFree(family, this.#io.clock.now(), this.#tuning.cooldownMs)
          : this.#takeRequested(wanted);
      if (address === undefined) return { picked, lacking: family };
      picked[family] = address;
    }
    return { picked };
  }

  #takeRequested(address: string): string | undefined {
    const place = this.#state.blockWith(address);
    return place !== undefined && place.block.take(place.index) ? address : undefined;
  }

  /** Claims what an ADD lacks. Undefined when it is worth trying again. */
  async #makeRoom(family: Family, wanted: string | undefined): Promise<Refusal | undefined> {
    if (wanted !== undefined) return this.#claimFor(wanted);
    if (!this.families().includes(family)) {
      return refuse(
        101,
        `no enabled ${family} IPPool selects node ${this.#options.node}, and it has no ${family} podCIDR`,
      );
    }
    const outcome = await this.#ledger.claimNext(family);
    switch (outcome.kind) {
      case 'claimed':
      case 'taken':
      case 'unreadable':
        return undefined;
      case 'exhausted':
        return refuse(100, `no ${family} address is free on node ${this.#options.node}: ${outcome.why}`);
      case 'failed':
        return refuse(
          outcome.code ?? 11,
          `no ${family} address is free on node ${this.#options.node} and the next block cannot be claimed: ${outcome.message}`,
        );
    }
  }

  async #claimFor(wanted: string): Promise<Refusal | undefined> {
    const address = parseAddress(wanted);
    if (address === undefined) return refuse(102, `requested address ${wanted} is not an IP address`);
    const place = this.#state.blockWith(wanted);
    if (place !== undefined)
      return refuse(102, `requested address ${wanted} is in use${this.#holderText(wanted)}`);
    const inPool = (prefix: Prefix | undefined): boolean => prefix !== undefined && contains(prefix, address);
    const pool = this.#ledger.inputs.pools.find((p) => !p.disabled && inPool(parsePrefix(p.cidr)));
    if (pool === undefined)
      return refuse(101, `requested address ${wanted} is in no enabled pool of node ${this.#options.node}`);
    const block = truncate(address, pool.blockSize);
    if (this.#ledger.isGuarded(block)) {
      return refuse(
        102,
        `requested address ${wanted}: its block ${formatPrefix(block)} overlaps an address or a network of nodes or routers`,
      );
    }
    const outcome = await this.#ledger.claimExactly(block, pool.name);
    const asked = `requested address ${wanted}`;
    switch (outcome.kind) {
      case 'claimed':
        return undefined;
      case 'failed':
        return refuse(outcome.code ?? 11, `${asked}: ${outcome.message}`);
      case 'exhausted':
        return refuse(102, `${asked}: its block ${formatPrefix(block)} cannot be had: ${outcome.why}`);
      case 'taken':
        return refuse(102, `${asked}: its block ${formatPrefix(block)} belongs to node ${outcome.node}`);
      case 'unreadable':
        return refuse(
          102,
          `${asked}: its block ${formatPrefix(block)} has an object in the store that cannot be read: ${outcome.why}`,
        );
    }
  }

  #holderText(address: string): string {
    const family = familyOf(address);
    for (const { owner, addresses } of this.#state.allocations.values()) {
      if (addresses[family] !== address) continue;
      return owner.podName === undefined
        ? ` by container ${owner.containerId}`
        : ` by pod ${owner.podNamespace ?? ''}/${owner.podName}`;
    }
    return '';
  }
}

function refuse(code: Refusal['code'], message: string): Refusal {
  return { kind: 'refused', code, message };
}
