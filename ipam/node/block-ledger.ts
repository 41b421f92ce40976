// Which blocks the node has: those of its podCIDRs, those it claimed, when to claim one more and when to give one
// back. All work with the store is done one after the other, so that a claim never meets a give-back half-way.
import { contains, FAMILIES, type Family, formatPrefix, overlaps, parsePrefix, type Prefix } from '#ip';
import type { Clock } from '#world';
import { BlockClaims, type ClaimFailure, type ClaimResult, enabledPools } from './claims.ts';
import { BlockComparison } from './block-comparison.ts';
import { Exhaustion } from './exhaustion.ts';
import type { Journal } from './journal.ts';
import type { LocalBlock } from './local-block.ts';
import type { OrphanBlock } from './orphan-blocks.ts';
import { SerialWork } from './serial-work.ts';
import { BlockReturns, blockToReturn, wantsSpare } from './spare-blocks.ts';
import type { IpamState } from './state.ts';
import type { Block, BlockRelease, BlockStore, IpamInputs, IpamLog, IpamTuning } from './types.ts';

export type ClaimOutcome =
  | Exclude<ClaimResult, { kind: 'exhausted' | 'claimed' }>
  | { readonly kind: 'claimed' }
  | { readonly kind: 'exhausted'; readonly why: string };

const SWEEP_MS = 60_000;
const RETRY_MS = 5_000;
/** From what the store told to a comparison with what it holds now: our own claims are told late, too. */
const COMPARE_MS = 200;

export class BlockLedger {
  readonly #tuning: IpamTuning;
  readonly #state: IpamState;
  readonly #journal: Journal;
  readonly #io: { readonly clock: Clock; readonly store: BlockStore; readonly log: IpamLog };
  readonly #claims: BlockClaims;
  readonly #listeners = new Set<() => void>();
  /** One running claim a family, shared by all who wait for it. */
  readonly #claiming = new Map<Family, Promise<ClaimOutcome>>();
  readonly #exhaustion: Exhaustion;
  readonly #returns: BlockReturns;
  readonly #comparison: BlockComparison;
  /** Blocks that were claimed because somebody asked for one address: they go when that is free again. */
  readonly #forOne = new Set<string>();
  readonly #work: SerialWork;
  readonly #compareSoon: () => void;
  readonly #retryLater: () => void;
  readonly #claimLater: () => void;
  #storeProblem: string | undefined;
  #inputs: IpamInputs | undefined;
  #guarded: readonly Prefix[] = [];

  constructor(
    node: string,
    tuning: IpamTuning,
    state: IpamState,
    journal: Journal,
    io: { readonly clock: Clock; readonly store: BlockStore; readonly log: IpamLog },
  ) {
    this.#work = new SerialWork(io.clock);
    this.#compareSoon = this.#work.once(COMPARE_MS, () => this.#reconcile());
    this.#retryLater = this.#work.once(RETRY_MS, () => this.#returnBlocks());
    this.#claimLater = this.#work.once(RETRY_MS, () => this.#claimAgain());
    this.#tuning = tuning;
    this.#state = state;
    this.#journal = journal;
    this.#io = io;
    this.#claims = new BlockClaims(node, io.store);
    this.#returns = new BlockReturns(this.#claims, journal, io.log);
    this.#exhaustion = new Exhaustion(io);
    this.#comparison = new BlockComparison(node, tuning.orphanGraceMs, state, this.#claims, io, {
      hold: (prefix, pool) => this.#hold(prefix, pool, undefined),
      drop: (block) => this.#drop(block),
      giveBack: (block) => this.#giveBack(block),
      isLeaving: (cidr) => this.#returns.has(cidr),
    });
  }

  get inputs(): IpamInputs {
    return this.#inputs ?? { pools: [], podCidrs: [], reservations: [] };
  }

  start(): void {
    void this.#work.run(() => this.#reconcile());
    this.#work.every(SWEEP_MS, () => this.#sweep());
  }

  stop(): Promise<void> {
    return this.#work.stop();
  }

  settled(): Promise<void> {
    return this.#work.settled();
  }

  blocks(): Block[] {
    return this.#state.blocks
      .filter((block) => !this.#comparison.isLost(block) && !this.isGuarded(block.prefix))
      .map((block) => block.describe());
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  problems(): string[] {
    return [
      ...(this.#storeProblem === undefined ? [] : [this.#storeProblem]),
      ...this.#exhaustion.problems(),
      ...this.#comparison.problems(),
    ];
  }

  /** The pools have no further block. */
  isUsedUp(family: Family): boolean {
    return this.#exhaustion.isUsedUp(family);
  }

  setInputs(inputs: IpamInputs): void {
    const before = this.#fingerprint();
    this.#inputs = inputs;
    this.#guarded = (inputs.guarded ?? []).map(parsePrefix).filter((prefix) => prefix !== undefined);
    this.#exhaustion.mayAsk();
    this.#state.setReservations(inputs.reservations);
    for (const family of FAMILIES) this.#applyPodCidrs(family, inputs);
    this.#applyPools(inputs);
    this.#ensureBlocks();
    this.#notifyIfChanged(before);
    if (this.#comparison.differsFrom(inputs.stored, inputs.nodes)) this.#compareSoon();
  }

  /** The first block is claimed before the first pod asks for it, and the next one before it is needed. */
  #ensureBlocks(): void {
    for (const family of FAMILIES) {
      if (this.#hasActive(family)) this.ensureSpare(family);
      else if (enabledPools(this.inputs.pools, family).length > 0) void this.claimNext(family);
      else this.#exhaustion.end(family);
    }
  }

  /** Claims in the background when free addresses run low. */
  ensureSpare(family: Family): void {
    if (enabledPools(this.inputs.pools, family).length === 0) return;
    if (wantsSpare(this.#state.blocksOf(family), this.#tuning)) void this.claimNext(family);
  }

  /** One more block; calls while one is being claimed share it. Never rejects. */
  claimNext(family: Family): Promise<ClaimOutcome> {
    const running = this.#claiming.get(family);
    if (running !== undefined) return running;
    const why = this.#exhaustion.whyNotAsk(family);
    if (why !== undefined) return Promise.resolve({ kind: 'exhausted', why });
    const claim = this.#work.run(() => this.#claimNow(family));
    this.#claiming.set(family, claim);
    void claim.then(() => this.#claiming.delete(family));
    return claim;
  }

  /** Nodes, routers or a network of theirs have addresses in there. */
  isGuarded(prefix: Prefix): boolean {
    return this.#guarded.some((guarded) => overlaps(guarded, prefix));
  }

  claimExactly(prefix: Prefix, pool: string): Promise<ClaimOutcome> {
    return this.#work.run(async () => {
      const full = this.#whyFull(prefix.family);
      if (full !== undefined) return { kind: 'exhausted', why: full };
      const result = await this.#claims.claimExactly(prefix, pool);
      if (result.kind === 'exhausted') return { kind: 'exhausted', why: 'there is no such block' };
      if (result.kind !== 'claimed') return result;
      const held = await this.#hold(result.prefix, result.pool, result);
      if (held.kind === 'claimed') this.#forOne.add(formatPrefix(prefix));
      return held;
    });
  }

  #whyFull(family: Family): string | undefined {
    const active = this.#state.blocksOf(family).filter((block) => block.state === 'active');
    if (active.length < this.#tuning.maxBlocks) return undefined;
    return `the node holds ${active.length} blocks, the most it may`;
  }

  /** An address was freed: a block that was claimed for it alone goes back at once, but for the last one. */
  returnUnneeded(): void {
    const before = this.#fingerprint();
    for (const cidr of this.#forOne) {
      const block = this.#state.holdsBlock(cidr);
      if (block !== undefined && block.used > 0) continue;
      this.#forOne.delete(cidr);
      if (block === undefined || block.state !== 'active') continue;
      const active = this.#state.blocksOf(block.family).filter(({ state }) => state === 'active');
      if (active.length < 2) continue;
      this.#giveBack(block);
    }
    this.#notifyIfChanged(before);
  }

  orphanBlocks(): readonly OrphanBlock[] {
    return this.#comparison.orphans();
  }

  /** Takes back at once what a node without a Node object still owns. Rejects when the store does not answer. */
  releaseBlock(cidr: string): Promise<BlockRelease> {
    return this.#work.run(async () => {
      const before = this.#fingerprint();
      const outcome = await this.#comparison.release(cidr, this.inputs.nodes);
      if (outcome.kind === 'freed') {
        this.#exhaustion.mayAsk();
        this.#ensureBlocks();
      }
      this.#notifyIfChanged(before);
      return outcome;
    });
  }

  async #claimNow(family: Family): Promise<ClaimOutcome> {
    const pools = enabledPools(this.inputs.pools, family);
    if (pools.length === 0)
      return this.#exhaust(family, 'the podCIDR is used up, and no IPPool serves this node');
    // Meanwhile the store may have told of blocks that are this node's.
    const blocks = this.#state.blocksOf(family);
    const open = blocks.find((block) => block.state === 'active' && block.free > 0);
    if (open !== undefined && !wantsSpare(blocks, this.#tuning)) return { kind: 'claimed' };
    const full = this.#whyFull(family);
    if (full !== undefined) return this.#exhaust(family, full);
    const held = (prefix: Prefix): boolean => this.#state.holdsBlock(formatPrefix(prefix)) !== undefined;
    const result = await this.#claims.claim(pools, held, this.#guarded);
    if (result.kind === 'claimed') return this.#hold(result.prefix, result.pool, result);
    if (result.kind === 'exhausted') {
      return this.#exhaust(
        family,
        `every block of ${pools.map((p) => `IPPool ${p.name} (${p.cidr})`).join(', ')} is taken`,
      );
    }
    if (result.kind === 'failed') this.#claimFailed(family, result.message);
    return result;
  }

  /** Also of a refusal: an API server refuses every block (422) until its policies have read the pools. */
  #claimFailed(family: Family, message: string): void {
    const before = this.#fingerprint();
    this.#exhaustion.noteFailure(family, `${message}; asked again every ${RETRY_MS / 1000} s`);
    this.#notifyIfChanged(before);
    this.#claimLater();
  }

  async #claimAgain(): Promise<void> {
    const before = this.#fingerprint();
    this.#forgetUnwanted();
    this.#ensureBlocks();
    this.#notifyIfChanged(before);
  }

  #exhaust(family: Family, why: string): ClaimOutcome {
    const before = this.#fingerprint();
    this.#exhaustion.note(family, why);
    this.#notifyIfChanged(before);
    return { kind: 'exhausted', why };
  }

  /**
   * A claimed block is this node's, and announced, whether the journal can be written or not: the store knows it. No
   * address is given out of it before the journal has it too, since that is rewritten whole after any failure.
   */
  async #hold<R>(prefix: Prefix, pool: string, result: R): Promise<R | ClaimFailure> {
    const cidr = formatPrefix(prefix);
    this.#returns.cancel(cidr);
    if (this.#state.holdsBlock(cidr) !== undefined) return result;
    const block = this.#state.addBlock(prefix, pool, this.#io.clock.now());
    block.state = 'frozen';
    const error = await this.#journal.append([
      { type: 'holdBlock', cidr, pool, atMs: this.#io.clock.wall() },
    ]);
    if (!this.isGuarded(prefix)) block.state = 'active';
    this.#exhaustion.end(block.family);
    if (this.#inputs !== undefined) this.#applyPools(this.#inputs);
    this.#io.log.info(cidr, `block of pool ${pool} claimed`);
    this.tell();
    return error === undefined ? result : { kind: 'failed', message: error.message, code: 104 };
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
      block.state = isWanted && !this.isGuarded(block.prefix) ? 'active' : 'frozen';
      if (!isWanted && block.used === 0) this.#drop(block);
    }
  }

  #applyPools(inputs: IpamInputs): void {
    for (const block of this.#state.blocks) {
      if (block.pool === undefined) continue;
      const pool = inputs.pools.find(({ name, disabled }) => name === block.pool && !disabled);
      const isServed = pool !== undefined && contains(parsePrefix(pool.cidr)!, block.prefix);
      const isOurs = !this.#comparison.isLost(block) && !this.isGuarded(block.prefix);
      block.state = isServed && isOurs ? 'active' : 'frozen';
    }
  }

  #giveBack(block: LocalBlock): void {
    this.#drop(block);
    this.#returns.add(block.cidr, block.prefix);
    void this.#work.run(() => this.#returnBlocks());
  }

  /** Takes the block out of use here; the store hears of it afterwards. */
  #drop(block: LocalBlock): void {
    block.state = 'releasing';
    this.#state.removeBlock(block);
    this.#comparison.forget(block);
    void this.#journal.append([
      { type: 'returnBlock', cidr: block.cidr, pool: block.pool, atMs: this.#io.clock.wall() },
    ]);
    this.#io.log.info(
      block.cidr,
      block.pool === undefined ? 'podCIDR no longer used' : `block given back to pool ${block.pool}`,
    );
  }

  /** Compares with the store's objects: at start, after changes, at every sweep, and again while it does not answer. */
  async #reconcile(): Promise<void> {
    const before = this.#fingerprint();
    try {
      await this.#comparison.run(this.inputs);
      this.#storeProblem = undefined;
      if (this.#inputs !== undefined) this.#applyPools(this.#inputs);
      this.#ensureBlocks();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#storeProblem = `blocks could not be compared with the store's: ${reason}; asked again every ${RETRY_MS / 1000} s`;
      this.#io.log.warn('store', this.#storeProblem);
      this.#work.after(RETRY_MS, () => this.#reconcile());
    } finally {
      this.#notifyIfChanged(before);
    }
  }

  async #sweep(): Promise<void> {
    const before = this.#fingerprint();
    for (const family of FAMILIES) {
      const block = blockToReturn(this.#state.blocksOf(family), this.#io.clock.now(), this.#tuning);
      if (block === undefined) continue;
      const isLost = this.#comparison.isLost(block);
      this.#drop(block);
      if (!isLost) this.#returns.add(block.cidr, block.prefix);
    }
    for (const block of this.#state.blocks.filter((b) => b.pool === undefined && b.state === 'frozen')) {
      if (block.used === 0) this.#drop(block);
    }
    this.#forgetUnwanted();
    this.#notifyIfChanged(before);
    await this.#returnBlocks();
    await this.#reconcile();
  }

  /** That no block is to be had where none is wanted any more. */
  #forgetUnwanted(): void {
    for (const family of FAMILIES) {
      if (!wantsSpare(this.#state.blocksOf(family), this.#tuning) && this.#hasActive(family)) {
        this.#exhaustion.end(family);
      }
    }
  }

  #hasActive(family: Family): boolean {
    return this.#state.blocksOf(family).some((block) => block.state === 'active');
  }

  async #returnBlocks(): Promise<void> {
    if (!(await this.#returns.tell())) this.#retryLater();
  }

  /** The journal's disk failed: it is tried again until it does not. */
  journalFailed(): void {
    this.#retryLater();
  }

  /** What listeners want to hear of. */
  #fingerprint(): string {
    return [...this.blocks().map((block) => block.cidr), ...this.problems()].join();
  }

  #notifyIfChanged(before: string): void {
    if (this.#fingerprint() !== before) this.tell();
  }

  /** That blocks or problems changed. */
  tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
