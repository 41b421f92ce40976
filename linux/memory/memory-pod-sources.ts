// PodSources in memory: the table that a kernel in memory has, what it does to a packet, and the hands of podroute and of
// others on it (pod-sources-contract.test.ts asks Linux the same).
import { contains, familyOf, parseAddress, parsePrefix } from '#ip';
import { errnos } from '../errno.ts';
import { ROUTER_ADVERTISEMENT } from '../router-messages.ts';
import { KernelError } from '../kernel-error.ts';
import type { DroppedPackets, PodSource, PodSources, SourceChange, TableNews } from '../pod-sources.ts';

const LINK_LOCAL = parsePrefix('fe80::/10')!;
const ON_LINK = parsePrefix('ff02::/16')!;
const MULTICAST_LISTENER: ReadonlySet<number> = new Set([131, 132, 143]);

export class MemoryPodTable {
  /** Undefined: there is none. */
  #links: Map<string, ReadonlySet<string>> | undefined;
  #dropped: { -readonly [name in keyof DroppedPackets]: number } = {
    source: 0,
    advertisement: 0,
    linkLocal: 0,
  };
  readonly #watchers = new Set<(news: TableNews) => void>();
  /** Set by a test: the errno of every request. */
  refuse: number | undefined;

  looksAt(link: string): boolean {
    return this.#links?.has(link) ?? false;
  }

  /** What it does to a packet that comes in by the link: the counter that it is dropped by. */
  take(link: string, source: string, destination: string, icmpv6?: number) {
    const addresses = this.#links?.get(link);
    if (addresses === undefined || addresses.has(source)) return undefined;
    const why = whyDropped(source, destination, icmpv6);
    if (why !== undefined) this.#dropped[why]++;
    return why;
  }

  /** Somebody flushes the ruleset. */
  flush(): void {
    if (this.#links === undefined) return;
    this.#links = undefined;
    this.#tell('changed');
  }

  /** For tests: as when the notification socket lost some. */
  overrun(): void {
    this.#tell('lost');
  }

  #tell(news: TableNews): void {
    for (const heard of this.#watchers) queueMicrotask(() => this.#watchers.has(heard) && heard(news));
  }

  replace(sources: readonly PodSource[]): void {
    this.#links = new Map(sources.map(({ link, addresses }) => [link, new Set(addresses)]));
    this.#dropped = { source: 0, advertisement: 0, linkLocal: 0 };
  }

  change(changes: readonly SourceChange[]): boolean {
    const links = this.#links;
    const builds = (change: SourceChange) => {
      const held = links?.get(change.link);
      return change.before === undefined
        ? true
        : held !== undefined && change.before.every((address) => held.has(address));
    };
    if (links === undefined || !changes.every(builds)) return false;
    for (const { link, after } of changes) {
      if (after === undefined) links.delete(link);
      else links.set(link, new Set(after));
    }
    return true;
  }

  list(): PodSource[] | undefined {
    return this.#links && [...this.#links].map(([link, addresses]) => ({ link, addresses: [...addresses] }));
  }

  dropped(): DroppedPackets | undefined {
    return this.#links && { ...this.#dropped };
  }

  watch(heard: (news: TableNews) => void): Disposable {
    this.#watchers.add(heard);
    return { [Symbol.dispose]: () => void this.#watchers.delete(heard) };
  }
}

/** Of a packet that is from none of the pod's addresses. */
function whyDropped(
  source: string,
  destination: string,
  icmpv6: number | undefined,
): keyof DroppedPackets | undefined {
  if (icmpv6 === ROUTER_ADVERTISEMENT) return 'advertisement';
  const isWithin = (address: string, prefix: typeof ON_LINK) => contains(prefix, parseAddress(address)!);
  if (familyOf(source) === 'ipv4') return 'source';
  const isToGroup = isWithin(destination, ON_LINK);
  if (source === '::') return isToGroup ? undefined : 'source';
  if (!isWithin(source, LINK_LOCAL)) return 'source';
  return isToGroup && MULTICAST_LISTENER.has(icmpv6 ?? 0) ? undefined : 'linkLocal';
}

export class MemoryPodSources implements PodSources {
  readonly #table: MemoryPodTable;

  constructor(table: MemoryPodTable) {
    this.#table = table;
  }

  async replace(sources: readonly PodSource[]): Promise<KernelError | undefined> {
    return this.#attempt('add table inet podroute', (table) => {
      table.replace(sources);
      return true;
    });
  }

  async remove(): Promise<KernelError | undefined> {
    return this.#attempt('delete table inet podroute', (table) => {
      table.flush();
      return true;
    });
  }

  async change(changes: readonly SourceChange[]): Promise<KernelError | undefined> {
    return this.#attempt('change elements', (table) => table.change(changes));
  }

  #attempt(operation: string, act: (table: MemoryPodTable) => boolean): KernelError | undefined {
    const table = this.#table;
    const errno = table.refuse ?? (act(table) ? 0 : errnos.ENOENT);
    return errno === 0 ? undefined : new KernelError(operation, 'in nftables table inet podroute', errno);
  }

  async list(): Promise<readonly PodSource[] | KernelError> {
    const table = this.#table;
    const found = table.refuse === undefined ? table.list() : undefined;
    const errno = table.refuse ?? errnos.ENOENT;
    return found ?? new KernelError('list', 'set links of nftables table inet podroute', errno);
  }

  async dropped(): Promise<DroppedPackets | KernelError> {
    const table = this.#table;
    const errno = table.refuse ?? errnos.ENOENT;
    return table.dropped() ?? new KernelError('read counters of', 'nftables table inet podroute', errno);
  }

  watch(heard: (news: TableNews) => void): Disposable {
    return this.#table.watch(heard);
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
