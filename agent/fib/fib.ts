// The forwarding table: makes the kernel's routes agree with the RIB's best paths and with the blocks of this node.
//
//   speaker ──changes──► columns (wish, kernel, queue) ──► flush ──► kernel
//   kernel ──notifications──► view ──► next hops ──► speaker (reachable? metric?)
//
// Level-triggered: whatever the order of events, work goes on until wish and kernel agree, and may be repeated. Routes
// left by an earlier run are adopted: they keep forwarding, and those still unwanted go when settle() is called.
// Bounds: the RIB's prefixes; one batch on its way to the kernel at a time.
import type { ForwardingChange, ForwardingSource, ForwardingView } from '#bgp';
import { type Kernel, type KernelEvent, type Link, PODROUTE_METRIC, PODROUTE_PROTOCOL } from '#linux';
import { FAMILIES, type Family, familyIndex, hostPrefix } from '#ip';
import type { Clock, Timer } from '#world';
import type { Log } from '../log.ts';
import type { DefaultGateways, HostNetwork } from '../plan/index.ts';
import { Columns } from './fib-columns.ts';
import { Failures } from './kernel/failures.ts';
import { Flusher } from './kernel/flush.ts';
import { KernelView } from './kernel/kernel-view.ts';
import { type HopEntry, NextHops } from './tracked-hops.ts';
import type { FibState } from './report.ts';
import { isHostPrefix, tablePrefix } from './table-prefix.ts';
import { HopSets, NO_SET } from './hop-sets.ts';
import { NO_TARGET, Targets } from './targets.ts';

/** Notifications of links and routes come in bursts: next hops are resolved again after this. */
const RESOLVE_DELAY_MS = 10;
const SOCKET_RETRY_MS = 1_000;

export interface FibOptions {
  readonly kernel: Kernel;
  readonly clock: Clock;
  readonly log: Log;
  readonly table: number;
  /** Secret 31-bit number, for hash tables that neighbours fill. */
  readonly seed: number;
  /** Told once for each tracked next hop, and again when the answer changes. */
  /** `device` as it was given to track(). */
  readonly nextHopChanged: (
    address: string,
    isReachable: boolean,
    metric: number,
    device: string | undefined,
    interfaces: readonly string[],
    isOnLink: boolean,
  ) => void;
  /** Called when defaultGateways() or hostNetworks() may answer differently. */
  readonly hostChanged: () => void;
}

export class Fib implements AsyncDisposable {
  readonly table: number;
  readonly #options: FibOptions;
  readonly #view: KernelView;
  readonly #targets: Targets;
  readonly #hops: NextHops;
  readonly #sets: HopSets;
  readonly #columns: readonly [Columns, Columns];
  readonly #failures = new Failures();
  readonly #flusher: Flusher;
  /** Blocks that are held, by prefix text. */
  readonly #held = new Map<string, { family: 0 | 1; id: number }>();
  /** Neighbours that are reached through a gateway, by address. */
  readonly #behind = new Map<string, { family: 0 | 1; id: number }>();
  readonly #untold = new Set<HopEntry>();
  #watch: Disposable | undefined;
  /** While a dump is on its way notifications wait here, to be applied on top of it. */
  #events: KernelEvent[] | undefined;
  #loop: Promise<void> | undefined;
  #resolveTimer: Timer | undefined;
  #retryTimer: Timer | undefined;
  #mustRead = false;
  /** What the next reading finds missing was somebody's doing. */
  #isSurprise = false;
  #isSettled = false;
  #isClosed = false;
  #repaired = 0;
  #toldHost = '';

  constructor(options: FibOptions) {
    const { kernel, table } = options;
    const own = { kernel, table, protocol: PODROUTE_PROTOCOL, metric: PODROUTE_METRIC };
    const batch = kernel.routeBatch({ table, protocol: own.protocol, metric: own.metric });
    this.table = table;
    this.#options = options;
    this.#view = new KernelView(own);
    this.#targets = new Targets(batch, own.metric);
    this.#hops = new NextHops(this.#view);
    this.#sets = new HopSets(this.#hops, this.#targets);
    const unreachable = this.#targets.takeUnreachable();
    this.#columns = [
      new Columns(0, options.seed, this.#sets, this.#targets, unreachable),
      new Columns(1, options.seed, this.#sets, this.#targets, unreachable),
    ];
    this.#flusher = new Flusher({
      ...own,
      batch,
      columns: this.#columns,
      targets: this.#targets,
      failures: this.#failures,
      now: () => options.clock.now(),
      log: options.log,
    });
  }

  /** Reads the kernel and adopts what an earlier run left. Call before the speaker starts. */
  async start(): Promise<void> {
    this.#watch = this.#options.kernel.watch((event) => this.#heard(event), {
      kinds: ['link', 'route'],
      skipOwn: true,
    });
    await this.#read();
    const adopted = this.#columns[0].adoptedCount + this.#columns[1].adoptedCount;
    if (adopted > 0) this.#options.log.info({ routes: adopted }, 'kernel routes of an earlier run adopted');
    this.#kick();
  }

  /** Families of which an earlier run left routes in the kernel: their forwarding has gone on. After start(). */
  get adoptedFamilies(): readonly Family[] {
    return FAMILIES.filter((family) => this.#columns[familyIndex(family)].adoptedCount > 0);
  }

  /** Of the kernel's default routes that somebody else made, the one with the lowest metric in each family. */
  defaultGateways(): DefaultGateways {
    return this.#view.defaultGateways();
  }

  /** Addresses and connected networks of this node. */
  readonly hostNetworks = (): HostNetwork[] => this.#view.hostNetworks();

  /** The blocks of this node: each is held by an `unreachable` route. */
  holdBlocks(prefixes: readonly string[]): void {
    const wanted = new Set(prefixes);
    for (const [prefix, { family, id }] of this.#held) {
      if (wanted.has(prefix)) continue;
      this.#columns[family].hold(id, false);
      this.#held.delete(prefix);
    }
    for (const prefix of wanted) {
      if (this.#held.has(prefix)) continue;
      const { family, bytes, length } = tablePrefix(prefix);
      const id = this.#columns[family].add(bytes, 0, length);
      this.#columns[family].hold(id, true);
      this.#held.set(prefix, { family, id });
    }
    this.#kick();
  }

  /**
   * Neighbours behind a gateway: each gets a route of its own, which no route that a neighbour announces replaces, and
   * is reached through it as a next hop, too. All of them, each time.
   */
  reachThrough(gateways: ReadonlyMap<string, string>): void {
    for (const [address, { family, id }] of this.#behind) {
      if (gateways.has(address)) continue;
      this.#columns[family].fix(id, NO_SET);
      this.#behind.delete(address);
    }
    for (const [address, gateway] of gateways) {
      const { family, bytes, length } = tablePrefix(hostPrefix(address));
      const id = this.#behind.get(address)?.id ?? this.#columns[family].add(bytes, 0, length);
      this.#columns[family].fix(id, this.#sets.ofAddress(gateway));
      this.#behind.set(address, { family, id });
    }
    this.#hops.gateways = gateways;
    this.#resolveAgain();
    this.#kick();
  }

  /** Wants what a speaker chooses from now on. Returns what ends it. */
  follow(source: ForwardingSource): () => void {
    return source.subscribe((change) => this.routesChanged(change, source));
  }

  /** A batch of changed prefixes. */
  routesChanged(change: ForwardingChange, rib: ForwardingView): void {
    this.#columns[change.family].take(change, rib);
    this.#kick();
  }

  /** For Speaker.setNextHopTracker. Answers come through nextHopChanged, never during the call. */
  track(address: string, device: string | undefined): void {
    this.#untold.add(this.#hops.track(address, device));
    queueMicrotask(() => this.#tell());
  }

  untrack(address: string, device: string | undefined): void {
    this.#hops.untrack(address, device);
  }

  #tell(): void {
    const entries = [...this.#untold];
    this.#untold.clear();
    for (const { address, device, resolution, isTracked } of entries) {
      if (!isTracked) continue;
      const { isReachable, metric, hops, isOnLink } = resolution;
      const links = hops.flatMap((hop) => this.#view.links.get(hop.deviceIndex)?.name ?? []);
      this.#options.nextHopChanged(address, isReachable, metric, device, links, isOnLink);
    }
  }

  /** The sessions have converged, or time is up: routes of an earlier run that nobody wants are deleted. */
  settle(): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    let stale = 0;
    for (const column of this.#columns) {
      for (let id = 0; id < column.prefixes.ids.end; id++) {
        if (!column.isAdopted(id)) continue;
        column.setAdopted(id, false);
        column.markDirty(id);
        stale++;
      }
    }
    if (stale > 0) this.#options.log.info({ routes: stale }, 'stale kernel routes of an earlier run deleted');
    this.#kick();
  }

  #heard(event: KernelEvent): void {
    if (this.#events !== undefined) {
      this.#events.push(event);
      return;
    }
    const effect = this.#view.apply(event, this.#columns, (link) => this.#isUsed(link));
    if (effect.reread) this.#readSoon(event.type === 'link' ? 'link' : 'lost');
    if (effect.facts) this.#resolveSoon();
    if (effect.touched !== undefined) this.#noteRepair(effect.touched.family, effect.touched.id);
    if (event.type === 'link' && event.change === 'deleted') this.#holdAgain();
    if (effect.reread || effect.work || effect.touched !== undefined) this.#kick();
  }

  /** A pod's route to the only address of a block goes with the pod's link, in IPv4 without a word. */
  #holdAgain(): void {
    for (const [prefix, { family, id }] of this.#held) {
      if (!isHostPrefix(prefix)) continue;
      this.#columns[family].setInstalled(id, NO_TARGET);
      this.#columns[family].markDirty(id);
    }
    this.#kick();
  }

  /** @param reason 'link': the kernel took routes away with a link, which is no surprise */
  #readSoon(reason: 'link' | 'lost'): void {
    if (reason === 'lost') {
      this.#isSurprise = true;
      this.#options.log.info({}, 'kernel notifications were lost: reading all again');
    }
    this.#mustRead = true;
  }

  #isUsed(link: Link): boolean {
    return this.#hops.dependsOn(link) || this.#targets.usesLink(link.index);
  }

  #noteRepair(family: 0 | 1, id: number): void {
    const column = this.#columns[family];
    if (!column.isWanted(id)) return;
    this.#repaired++;
    const prefix = column.textOf(id);
    this.#options.log.warn({ prefix }, 'somebody else deleted or changed the kernel route; putting it back');
  }

  #resolveSoon(): void {
    if (this.#isClosed) return;
    this.#resolveTimer ??= this.#options.clock.setTimer(RESOLVE_DELAY_MS, () => {
      this.#resolveTimer = undefined;
      this.#resolveAgain();
      this.#retryFailures(Number.POSITIVE_INFINITY);
      this.#kick();
      this.#compareHost();
    });
  }

  #compareHost(): void {
    const host = JSON.stringify([this.defaultGateways(), this.hostNetworks()]);
    if (host === this.#toldHost) return;
    this.#toldHost = host;
    this.#options.hostChanged();
  }

  #resolveAgain(): void {
    const changed = this.#hops.resolveAgain();
    if (changed.length === 0) return;
    for (const entry of changed) {
      const { isReachable, how } = entry.resolution;
      const state = isReachable ? 'reachable' : 'unreachable';
      this.#options.log.info({ nextHop: entry.address, how }, `next hop is ${state}`);
      this.#untold.add(entry);
    }
    const sets = this.#sets.hopsChanged(new Set(changed.map((entry) => entry.id)));
    if (sets.size > 0) for (const column of this.#columns) column.markSets(sets);
    this.#tell();
  }

  #retryFailures(upToMs: number): void {
    for (const { family, id, retryAtMs } of this.#failures.all()) {
      if (retryAtMs <= upToMs) this.#columns[family].markDirty(id);
    }
  }

  /** Starts the loop unless it runs. */
  #kick(): void {
    if (this.#loop !== undefined || this.#isClosed || this.#watch === undefined) return;
    this.#loop = this.#run().finally(() => {
      this.#loop = undefined;
      if (this.#hasWork()) this.#kick();
      else this.#armRetry();
    });
  }

  #hasWork(): boolean {
    return this.#mustRead || this.#columns.some((column) => column.pendingCount > 0);
  }

  async #run(): Promise<void> {
    // Whoever called is still handing over a batch.
    await Promise.resolve();
    try {
      while (!this.#isClosed) {
        if (this.#mustRead) await this.#read();
        if (!(await this.#flusher.flush())) break;
      }
    } catch (error) {
      this.#options.log.error(
        { error: String(error) },
        'the kernel does not answer; trying again in a second',
      );
      this.#mustRead = true;
      await new Promise<void>((resume) => this.#options.clock.setTimer(SOCKET_RETRY_MS, resume));
    }
  }

  #armRetry(): void {
    const next = this.#failures.nextRetryMs();
    if (next === undefined || this.#retryTimer !== undefined || this.#isClosed) return;
    const { clock } = this.#options;
    this.#retryTimer = clock.setTimer(Math.max(1, next - clock.now()), () => {
      this.#retryTimer = undefined;
      this.#retryFailures(clock.now());
      this.#kick();
    });
  }

  async #read(): Promise<void> {
    this.#mustRead = false;
    this.#events = [];
    let differences: number;
    try {
      const own = await this.#view.read();
      differences = this.#view.reconcile(own, this.#columns, this.#targets, !this.#isSettled);
    } finally {
      const events = this.#events;
      this.#events = undefined;
      for (const event of events) this.#heard(event);
    }
    const isSurprise = this.#isSurprise;
    this.#isSurprise = false;
    if (differences > 0 && isSurprise) {
      this.#repaired += differences;
      this.#options.log.warn(
        { routes: differences },
        'kernel routes were missing or different; putting them back',
      );
    }
    this.#resolveAgain();
  }

  /** Resolves when nothing is left to do (refused routes wait for their retry). */
  async idle(): Promise<void> {
    while (this.#loop !== undefined) await this.#loop;
  }

  /** What status and route pages read. */
  get state(): FibState {
    return {
      columns: this.#columns,
      targets: this.#targets,
      sets: this.#sets,
      hops: this.#hops,
      failures: this.#failures,
      figures: this.#flusher.figures,
      links: this.#view.links,
      repaired: this.#repaired,
      isSettled: this.#isSettled,
      nowMs: this.#options.clock.now(),
    };
  }

  /** Stops working; kernel routes stay, so that pods are reached while the agent restarts. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#watch?.[Symbol.dispose]();
    this.#resolveTimer?.cancel();
    this.#retryTimer?.cancel();
    await this.idle();
  }
}
