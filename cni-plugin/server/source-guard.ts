// Keeps the kernel's check of where pods' packets come from (linux/pod-sources.ts) as the addresses given out say: one
// small change with each ADD and DEL, everything anew at start, and when somebody else was at the table. A pod with several
// links may send from all its addresses by each of them. Where the kernel cannot check, pods run, and an operator is told.
// Bounds: the pods of the node; what others change is put back at most once a second, and said once a minute.
import { type Addresses, hostLinkName, type Ipam, type Owner, ownerKey } from '#ipam';
import {
  type DroppedPackets,
  KernelError,
  type PodSource,
  type PodSources,
  type SourceChange,
  type TableNews,
} from '#linux';
import type { Clock } from '#world';
import type { CniLog } from '../outside.ts';

/** A flush comes as a burst of notifications. */
const REPAIR_DELAY_MS = 20;
const REPAIR_EVERY_MS = 1_000;
const SAY_EVERY_MS = 60_000;

export interface SourceGuardIo {
  readonly clock: Clock;
  readonly sources: PodSources;
  readonly ipam: Pick<Ipam, 'usage'>;
  readonly log: CniLog;
}

/** An attachment's addresses. */
interface Held {
  /** Of the pod: links of one pod have the same. */
  readonly pod: string;
  readonly addresses: readonly string[];
}

export class SourceGuard implements AsyncDisposable {
  readonly #io: SourceGuardIo;
  /** Host link → what it was given. */
  #held = new Map<string, Held>();
  #watch: Disposable | undefined;
  #timer: { cancel(): void } | undefined;
  #working: Promise<void> | undefined;
  #replacedMs = Number.NEGATIVE_INFINITY;
  /** By somebody else, as far as it is known. */
  #isChanged = false;
  #saidMs = Number.NEGATIVE_INFINITY;
  /** Undefined: the kernel checks. */
  #problem: string | undefined;
  #dropped: DroppedPackets = { source: 0, advertisement: 0, linkLocal: 0 };
  #isClosed = false;

  constructor(io: SourceGuardIo) {
    this.#io = io;
  }

  /** Once the addresses of running pods are known. What an earlier agent left is in force until then. */
  async start(): Promise<void> {
    await this.#replace();
    this.#listen();
  }

  /** Before the link is there: nothing comes by it unseen. Never fails: what is missing is made good later. */
  async admit(owner: Owner, allocated: Addresses): Promise<void> {
    const link = linkOf(owner);
    const addresses = Object.values(allocated);
    await this.#change(owner.containerId, () => this.#held.set(link, { pod: owner.containerId, addresses }));
  }

  /** When the link is gone. */
  async forget(owner: Pick<Owner, 'containerId' | 'ifname'>): Promise<void> {
    const link = linkOf(owner);
    const held = this.#held.get(link);
    if (held !== undefined) await this.#change(held.pod, () => this.#held.delete(link));
  }

  /**
   * Where the kernel does not look at what an attachment sends as it should; nothing on a node whose kernel cannot, which
   * problems() tells of.
   */
  async missing(owner: Pick<Owner, 'containerId' | 'ifname'>): Promise<string[]> {
    if (this.#problem !== undefined) return [];
    const link = linkOf(owner);
    const wanted = this.#sourcesOf(owner.containerId).get(link) ?? [];
    const listed = await this.#io.sources.list();
    if (listed instanceof KernelError) return [`what it sends is not checked: ${listed.message}`];
    const found = listed.find((source) => source.link === link);
    if (found === undefined)
      return [`nftables table inet podroute lacks ${link}: what it sends is not checked`];
    return [
      ...wanted
        .filter((address) => !found.addresses.includes(address))
        .map((address) => `nftables table inet podroute lacks ${link} . ${address}: it cannot send from it`),
      ...found.addresses
        .filter((address) => !wanted.includes(address))
        .map((address) => `nftables table inet podroute has ${link} . ${address}, which is not its address`),
    ];
  }

  /** Level-triggered, now and then: everything against what it should be. */
  async look(): Promise<void> {
    const wanted = this.#wanted();
    const isSame =
      wanted.size === this.#held.size &&
      [...wanted].every(
        ([link, { addresses }]) => this.#held.get(link)?.addresses.join() === addresses.join(),
      );
    const dropped = await this.#io.sources.dropped();
    if (!(dropped instanceof KernelError)) this.#dropped = dropped;
    if (!isSame || dropped instanceof KernelError) await this.#replace();
    this.#listen();
  }

  /** As of the last look; undefined while the kernel does not check. */
  get dropped(): DroppedPackets | undefined {
    return this.#problem === undefined ? this.#dropped : undefined;
  }

  problems(): string[] {
    return this.#problem === undefined ? [] : [this.#problem];
  }

  async #change(pod: string, act: () => unknown): Promise<void> {
    const before = this.#sourcesOf(pod);
    act();
    // Nothing to build on: look() tries again.
    if (this.#problem !== undefined) return;
    const after = this.#sourcesOf(pod);
    const changes = [...new Set([...before.keys(), ...after.keys()])].map(
      (link): SourceChange => ({
        link,
        ...(before.has(link) && { before: before.get(link)! }),
        ...(after.has(link) && { after: after.get(link)! }),
      }),
    );
    const error = await this.#io.sources.change(changes);
    // Somebody was at the table, and the news of it is still on its way.
    if (error !== undefined) await this.#replace();
  }

  #sourcesOf(pod: string): Map<string, readonly string[]> {
    return sourcesOf([...this.#held].filter(([, held]) => held.pod === pod));
  }

  #wanted(): Map<string, Held> {
    const { allocations, adopted } = this.#io.ipam.usage();
    const wanted = new Map<string, Held>();
    for (const { owner, addresses } of allocations)
      wanted.set(linkOf(owner), { pod: owner.containerId, addresses: Object.values(addresses) });
    // Whose link it is nobody knows: a pod of its own.
    for (const { address, link } of adopted) {
      const addresses = [...(wanted.get(link)?.addresses ?? []), address];
      wanted.set(link, { pod: wanted.get(link)?.pod ?? link, addresses });
    }
    return wanted;
  }

  async #replace(): Promise<void> {
    const { clock, log, sources } = this.#io;
    this.#replacedMs = clock.now();
    this.#held = this.#wanted();
    const pods = Map.groupBy(this.#held, ([, { pod }]) => pod);
    const all: PodSource[] = [...pods.values()].flatMap((links) =>
      [...sourcesOf(links)].map(([link, addresses]) => ({ link, addresses })),
    );
    const error = await sources.replace(all);
    const problem = error && sourceProblem(error);
    if (problem === undefined && this.#problem !== undefined)
      log.info('cni', "pods' source addresses are checked");
    this.#problem = problem;
    this.#dropped = { source: 0, advertisement: 0, linkLocal: 0 };
  }

  /** What is not told of is seen by look(). */
  #listen(): void {
    if (this.#isClosed) return;
    try {
      this.#watch ??= this.#io.sources.watch((news) => this.#repairSoon(news));
    } catch (error) {
      if (!(error instanceof KernelError)) throw error;
      this.#problem ??= sourceProblem(error);
    }
  }

  /** What was lost may have been of our table: making it anew costs no more than a look at all of it. */
  #repairSoon(news: TableNews): void {
    if (this.#isClosed) return;
    this.#isChanged ||= news === 'changed';
    const { clock, log } = this.#io;
    const delayMs = Math.max(REPAIR_DELAY_MS, this.#replacedMs + REPAIR_EVERY_MS - clock.now());
    this.#timer ??= clock.setTimer(delayMs, () => {
      this.#timer = undefined;
      this.#working = this.#replace().then(() => {
        const isChanged = this.#isChanged;
        this.#isChanged = false;
        if (!isChanged || this.#problem !== undefined || clock.now() - this.#saidMs < SAY_EVERY_MS) return;
        this.#saidMs = clock.now();
        log.warn('cni', 'nftables table inet podroute was changed by somebody else: put back');
      });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#watch?.[Symbol.dispose]();
    this.#timer?.cancel();
    await this.#working;
  }
}

const linkOf = (owner: Pick<Owner, 'containerId' | 'ifname'>): string => hostLinkName(ownerKey(owner));

/** Of the links of one pod: by each of them it may send from all its addresses. */
function sourcesOf(links: readonly (readonly [link: string, Held])[]): Map<string, readonly string[]> {
  const addresses = links.flatMap(([, held]) => held.addresses);
  return new Map(links.map(([link]) => [link, addresses]));
}

function sourceProblem(error: KernelError): string {
  return (
    `the kernel does not check from which addresses pods send: ${error.message}; IPv4 is left to rp_filter, and IPv6 to ` +
    `nobody; ${error.code === 'EPERM' ? 'the agent needs CAP_NET_ADMIN, and the table must not be owned by another program' : 'it needs nf_tables (modprobe nf_tables)'}`
  );
}
