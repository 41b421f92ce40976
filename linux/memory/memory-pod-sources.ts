// PodSources in memory: the table that a kernel in memory has, what it does to a packet, and the hands of podroute and of
// others on it (pod-sources-contract.test.ts asks Linux the same).
import { contains, familyOf, parseAddress, parsePrefix } from '#ip';
import { errnos } from '../errno.ts';
import { KernelError } from '../kernel-error.ts';
import type { DroppedPackets, PodSource, PodSources, SourceChange, TableNews } from '../pod-sources.ts';

const LINK_LOCAL = parsePrefix('fe80::/10')!;
const ON_LINK = parsePrefix('ff02::/16')!;

export class MemoryPodTable {
  /** Undefined: there is none. */
  #links: Map<string, ReadonlySet<string>> | undefined;
  #dropped: { -readonly [name in keyof DroppedPackets]: number } = { source: 0, advertisement: 0 };
  readonly #watchers = new Set<(news: TableNews) => void>();
  /** Set by a test: the errno of every request. */
  refuse: number | undefined;

  looksAt(link: string): boolean {
    return this.#links?.has(link) ?? false;
  }

  /** What it does to a packet that comes in by the link: the counter that it is dropped by. */
  take(link: string, source: string, destination: string, isAdvertisement = false) {
    const addresses = this.#links?.get(link);
    if (addresses === undefined || addresses.has(source)) return undefined;
    const isOnLink = familyOf(destination) === 'ipv6' && staysOnLink(source, destination);
    const why = isAdvertisement ? 'advertisement' : isOnLink ? undefined : 'source';
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
    this.#dropped = { source: 0, advertisement: 0 };
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

  dropped(): DroppedPackets | undefined {
    return this.#links && { ...this.#dropped };
  }

  watch(heard: (news: TableNews) => void): Disposable {
    this.#watchers.add(heard);
    return { [Symbol.dispose]: () => void this.#watchers.delete(heard) };
  }
}

/** Between addresses of the link, or from nobody yet to the link's groups. */
function staysOnLink(source: string, destination: string): boolean {
  const isWithin = (address: string, prefix: typeof ON_LINK) => contains(prefix, parseAddress(address)!);
  if (source === '::') return isWithin(destination, ON_LINK);
  return (
    familyOf(source) === 'ipv6' &&
    isWithin(source, LINK_LOCAL) &&
    (isWithin(destination, LINK_LOCAL) || isWithin(destination, ON_LINK))
  );
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

  async change(changes: readonly SourceChange[]): Promise<KernelError | undefined> {
    return this.#attempt('change elements', (table) => table.change(changes));
  }

  #attempt(operation: string, act: (table: MemoryPodTable) => boolean): KernelError | undefined {
    const table = this.#table;
    const errno = table.refuse ?? (act(table) ? 0 : errnos.ENOENT);
    return errno === 0 ? undefined : new KernelError(operation, 'in nftables table inet podroute', errno);
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
