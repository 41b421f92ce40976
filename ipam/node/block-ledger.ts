// Which blocks the node has: those of its podCIDRs, those it claimed, when to claim one more and when to give one
// back. All work with the store is done one after the other, so that a claim never meets a give-back half-way.
import { FAMILIES, type Family, formatPrefix, parsePrefix, type Prefix } from '#ip';
import type { Clock } from '#world';
import { BlockClaims, type ClaimResult, enabledPools } from './claims.ts';
import type { Journal } from './journal.ts';
import type { LocalBlock } from './local-block.ts';
import { BlockReturns, blockToReturn, wantsSpare } from './spare-blocks.ts';
import type { IpamState } from './state.ts';
import type { Block, BlockStore, IpamInputs, IpamLog, IpamTuning } from './types.ts';

export type ClaimOutcome =
  | Exclude<ClaimResult, { kind: 'exhausted' }>
  | { readonly kind: 'exhausted'; readonly why: string };

/** A pool that was found used up is not asked again for so long. */
const EXHAUSTED_MS = 5_000;
const SWEEP_MS = 60_000;
const RETRY_MS = 5_000;

export class BlockLedger {
  readonly #node: string;
  readonly #tuning: IpamTuning;
  readonly #state: IpamState;
  readonly #journal: Journal;
  readonly #io: { readonly clock: Clock; readonly store: BlockStore; readonly log: IpamLog };
  readonly #claims: BlockClaims;
  readonly #listeners = new Set<() => void>();
  /** One running claim a family, shared by all who wait for it. */
  readonly #claiming = new Map<Family, Promise<ClaimOutcome>>();
  readonly #exhausted = new Map<Family, { readonly untilMs: number; readonly why: string }>();
  readonly #returns: BlockReturns;
  /** Blocks whose object in the store is another node's. */
  readonly #lost = new Map<string, string>();
  readonly #timers = new Set<{ cancel(): void }>();
  #storeWork: Promise<void> = Promise.resolve();
  #storeProblem: string | undefined;
  #inputs: IpamInputs | undefined;
  #isStopped = false;

  constructor(
    node: string,
    tuning: IpamTuning,
    state: IpamState,
    journal: Journal,
    io: { readonly clock: Clock; readonly store: BlockStore; readonly log: IpamLog },
  ) {
    this.#node = node;
    this.#tuning = tuning;
    this.#state = state;
    this.#journal = journal;
    this.#io = io;
    this.#claims = new BlockClaims(node, io.store);
    this.#returns = new BlockReturns(this.#claims, journal, io.log);
  }

  get inputs(): IpamInputs {
    return this.#inputs ?? { pools: [], podCidrs: [], reservations: [] };
  }

  start(): void {
    void this.#serially(() => this.#reconcile());
    this.#every(SWEEP_MS, () => this.#sweep());
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const timer of this.#timers) timer.cancel();
    await this.settled();
  }

  async settled(): Promise<void> {
    for (let work: Promise<void> | undefined; work !== this.#storeWork; ) {
      work = this.#storeWork;
      await work;
    }
  }

  blocks(): Block[] {
    return this.#state.blocks.filter((block) => !this.#lost.has(block.cidr)).map((block) => block.describe());
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  problems(): string[] {
    const now = this.#io.clock.now();
    return [
      ...(this.#storeProblem === undefined ? [] : [this.#storeProblem]),
      ...[...this.#lost].map(
        ([cidr, node]) =>
          `block ${cidr} is held here, but the store says it is node ${node}'s: its pods keep their addresses, no new ones are given out`,
      ),
      ...[...this.#exhausted]
        .filter(([, e]) => e.untilMs > now)
        .map(([family, e]) => `no more ${family} blocks: ${e.why}`),
    ];
  }

  isExhausted(family: Family): boolean {
    const exhausted = this.#exhausted.get(family);
    return exhausted !== undefined && exhausted.untilMs > this.#io.clock.now();
  }

  setInputs(inputs: IpamInputs): void {
    this.#inputs = inputs;
    this.#exhausted.clear();
    this.#state.setReservations(inputs.reservations);
    const before = this.#fingerprint();
    for (const family of FAMILIES) this.#applyPodCidrs(family, inputs);
    this.#applyPools(inputs);
    for (const family of FAMILIES) {
      this.ensureSpare(family);
      // The first block is claimed before the first pod asks for it.
      const hasActive = this.#state.blocksOf(family).some((block) => block.state === 'active');
      if (!hasActive && enabledPools(inputs.pools, family).length > 0) void this.claimNext(family);
    }
    this.#notifyIfChanged(before);
  }

  /** Claims in the background when free addresses run low. */
  ensureSpare(family: Family): void {
    if (enabledPools(this.inputs.pools, family).length === 0 || this.isExhausted(family)) return;
    if (wantsSpare(this.#state.blocksOf(family), this.#tuning)) void this.claimNext(family);
  }

  /** One more block; calls while one is being claimed share it. Never rejects. */
  claimNext(family: Family): Promise<ClaimOutcome> {
    const running = this.#claiming.get(family);
    if (running !== undefined) return running;
    const known = this.#exhausted.get(family);
    if (known !== undefined && this.isExhausted(family))
      return Promise.resolve({ kind: 'exhausted', why: known.why });
    const claim = this.#serially(() => this.#claimNow(family));
    this.#claiming.set(family, claim);
    void claim.then(() => this.#claiming.delete(family));
    return claim;
  }

  claimExactly(prefix: Prefix, pool: string): Promise<ClaimResult> {
    return this.#serially(async () => {
      const result = await this.#claims.claimExactly(prefix, pool);
      return result.kind === 'claimed' ? this.#hold(result.prefix, result.pool, result) : result;
    });
  }

  async #claimNow(family: Family): Promise<ClaimOutcome> {
    const pools = enabledPools(this.inputs.pools, family);
    const active = this.#state.blocksOf(family).filter((block) => block.state === 'active');
    if (pools.length === 0)
      return this.#exhaust(family, 'the podCIDR is used up, and no IPPool serves this node');
    if (active.length >= this.#tuning.maxBlocks) {
      return this.#exhaust(family, `the node holds ${active.length} blocks, the most it may`);
    }
    const held = (prefix: Prefix): boolean => this.#state.holdsBlock(formatPrefix(prefix)) !== undefined;
    const result = await this.#claims.claim(pools, held);
    if (result.kind === 'claimed') return this.#hold(result.prefix, result.pool, result);
    if (result.kind === 'exhausted') {
      return this.#exhaust(
        family,
        `every block of ${pools.map((p) => `IPPool ${p.name} (${p.cidr})`).join(', ')} is taken`,
      );
    }
    return result;
  }

  #exhaust(family: Family, why: string): ClaimOutcome {
    if (!this.#exhausted.has(family)) this.#io.log.warn(family, `no more blocks: ${why}`);
    this.#exhausted.set(family, { untilMs: this.#io.clock.now() + EXHAUSTED_MS, why });
    return { kind: 'exhausted', why };
  }

  /** A claimed block is used once the journal has it: a restart without the store knows it then. */
  async #hold<R>(prefix: Prefix, pool: string, result: R): Promise<R | { kind: 'failed'; message: string }> {
    const cidr = formatPrefix(prefix);
    this.#returns.cancel(cidr);
    if (this.#state.holdsBlock(cidr) !== undefined) return result;
    const block = this.#state.addBlock(prefix, pool, this.#io.clock.now());
    block.state = 'frozen';
    const error = await this.#journal.append([
      { type: 'holdBlock', cidr, pool, atMs: this.#io.clock.wall() },
    ]);
    if (error !== undefined) {
      this.#state.removeBlock(block);
      this.#returns.add(cidr, prefix);
      this.#retryLater();
      return { kind: 'failed', message: error.message };
    }
    block.state = 'active';
    this.#exhausted.delete(block.family);
    if (this.#inputs !== undefined) this.#applyPools(this.#inputs);
    this.#io.log.info(cidr, `block of pool ${pool} claimed`);
    this.#notify();
    return result;
  }

  /** podCIDRs serve a family only while no pool does; one that is in use stays until it is empty. */
  #applyPodCidrs(family: Family, inputs: IpamInputs): void {
    const hasPool = inputs.pools.some((pool) => parsePrefix(pool.cidr)?.family === family);
    const wanted = hasPool
      ? []
      : inputs.podCidrs.map(parsePrefix).filter((p): p is Prefix => p?.family === family);
    for (const prefix of wanted) {
      const cidr = formatPrefix(prefix);
      if (this.#state.holdsBlock(cidr) !== undefined) continue;
      this.#state.addBlock(prefix, undefined, this.#io.clock.now());
      void this.#journal.append([{ type: 'holdBlock', cidr, pool: undefined, atMs: this.#io.clock.wall() }]);
      this.#io.log.info(cidr, 'block of Node.spec.podCIDRs');
    }
    for (const block of this.#state.blocksOf(family).filter((b) => b.pool === undefined)) {
      const isWanted = wanted.some((prefix) => formatPrefix(prefix) === block.cidr);
      block.state = isWanted ? 'active' : 'frozen';
      if (!isWanted && block.used === 0) this.#drop(block);
    }
  }

  #applyPools(inputs: IpamInputs): void {
    for (const block of this.#state.blocks) {
      if (block.pool === undefined || block.state === 'releasing') continue;
      const isServed = inputs.pools.some((pool) => pool.name === block.pool && !pool.disabled);
      block.state = isServed && !this.#lost.has(block.cidr) ? 'active' : 'frozen';
    }
  }

  /** Takes the block out of use here; the store hears of it afterwards. */
  #drop(block: LocalBlock): void {
    block.state = 'releasing';
    this.#state.removeBlock(block);
    void this.#journal.append([
      { type: 'returnBlock', cidr: block.cidr, pool: block.pool, atMs: this.#io.clock.wall() },
    ]);
    this.#io.log.info(
      block.cidr,
      block.pool === undefined ? 'podCIDR no longer used' : `block given back to pool ${block.pool}`,
    );
  }

  /** Compares with the store's objects once at start, and again while it does not answer. */
  async #reconcile(): Promise<void> {
    try {
      const objects = await this.#io.store.list('IPAMBlock');
      const before = this.#fingerprint();
      for (const { spec } of objects) {
        const prefix = parsePrefix(spec.cidr);
        if (prefix === undefined) continue;
        const held = this.#state.holdsBlock(formatPrefix(prefix));
        if (spec.node === this.#node) {
          if (held === undefined) await this.#hold(prefix, spec.pool ?? '', undefined);
        } else if (held !== undefined && held.pool !== undefined) this.#lose(held, spec.node);
      }
      const known = new Set(objects.map((object) => object.spec.cidr));
      const unknown = this.#state.blocks.filter((b) => b.pool !== undefined && !known.has(b.cidr));
      for (const block of unknown) {
        // Deleted behind our back: claim it again, or let it go.
        const result =
          block.used === 0 ? undefined : await this.#claims.claimExactly(block.prefix, block.pool ?? '');
        if (result === undefined) this.#drop(block);
        else if (result.kind === 'taken') this.#lose(block, result.node);
        else if (result.kind === 'failed') throw new Error(result.message);
      }
      this.#storeProblem = undefined;
      if (this.#inputs !== undefined) this.#applyPools(this.#inputs);
      this.#notifyIfChanged(before);
      for (const family of FAMILIES) this.ensureSpare(family);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#storeProblem = `blocks could not be compared with the store's: ${reason}; asked again every ${RETRY_MS / 1000} s`;
      this.#io.log.warn('store', this.#storeProblem);
      this.#after(RETRY_MS, () => this.#reconcile());
    }
  }

  #lose(block: LocalBlock, node: string): void {
    this.#io.log.error(
      block.cidr,
      `held here with ${block.used} addresses in use, but the store says it is node ${node}'s`,
    );
    block.state = 'frozen';
    if (block.used === 0) this.#drop(block);
    else this.#lost.set(block.cidr, node);
  }

  async #sweep(): Promise<void> {
    const before = this.#fingerprint();
    for (const family of FAMILIES) {
      const block = blockToReturn(this.#state.blocksOf(family), this.#io.clock.now(), this.#tuning);
      if (block === undefined) continue;
      const isLost = this.#lost.delete(block.cidr);
      this.#drop(block);
      if (!isLost) this.#returns.add(block.cidr, block.prefix);
    }
    for (const block of this.#state.blocks.filter((b) => b.pool === undefined && b.state === 'frozen')) {
      if (block.used === 0) this.#drop(block);
    }
    this.#notifyIfChanged(before);
    await this.#returnBlocks();
  }

  async #returnBlocks(): Promise<void> {
    if (!(await this.#returns.tell())) this.#retryLater();
  }

  #retryLater(): void {
    this.#after(RETRY_MS, () => this.#returnBlocks());
  }

  #serially<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#storeWork.then(work);
    this.#storeWork = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }

  #after(delayMs: number, work: () => Promise<void>): void {
    if (this.#isStopped) return;
    const timer = this.#io.clock.setTimer(delayMs, () => {
      this.#timers.delete(timer);
      if (!this.#isStopped) void this.#serially(work);
    });
    this.#timers.add(timer);
  }

  #every(delayMs: number, work: () => Promise<void>): void {
    this.#after(delayMs, async () => {
      this.#every(delayMs, work);
      await work();
    });
  }

  #fingerprint(): string {
    return this.blocks()
      .map((block) => block.cidr)
      .join();
  }

  #notifyIfChanged(before: string): void {
    if (this.#fingerprint() !== before) this.#notify();
  }

  #notify(): void {
    for (const listener of this.#listeners) listener();
  }
}
