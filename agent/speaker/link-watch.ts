// Tells sessions when the link under them goes down, so that they need not wait for their hold timer, and which of our
// addresses are on it. Follows the kernel's links and addresses. Bound: the links and addresses of the host.
import type { OwnLink } from '#bgp';
import { type Family, formatPrefix, isLinkLocal, parseAddress, truncate } from '#ip';
import type { Address, Kernel, KernelEvent, Link } from '#linux';
import type { Log } from '../log.ts';

export class LinkWatch implements Disposable {
  readonly #kernel: Kernel;
  readonly #log: Log;
  readonly #links = new Map<number, Link>();
  /** By link index, then by address without length, in the kernel's order. */
  readonly #addresses = new Map<number, Map<string, Address>>();
  readonly #listeners = new Map<string, Set<() => void>>();
  readonly #followers = new Set<(device: string) => void>();
  #watch: Disposable | undefined;

  constructor(kernel: Kernel, log: Log) {
    this.#kernel = kernel;
    this.#log = log;
  }

  async start(): Promise<void> {
    this.#watch = this.#kernel.watch((event) => this.#heard(event), { kinds: ['link', 'address'] });
    await this.#read();
  }

  /**
   * The link that carries the address, with what else may be a next hop on it; undefined: not known, or none that can
   * go down (lo).
   */
  linkOf(address: string, device?: string): OwnLink | undefined {
    for (const [index, addresses] of this.#addresses) {
      const name = this.#links.get(index)?.name;
      const found = addresses.get(address);
      if (name === undefined || found === undefined) continue;
      if (device !== undefined && device !== name) continue;
      const network = networkOf(found);
      if (network === undefined) return undefined;
      const ipv4 = usable(addresses, 'ipv4');
      const ipv6 = usable(addresses, 'ipv6');
      return { device: name, network, ...(ipv4 && { ipv4 }), ...(ipv6 && { ipv6 }) };
    }
    return undefined;
  }

  /** Undefined: there is none of that name (lo does not count). */
  link(device: string): Link | undefined {
    for (const link of this.#links.values()) if (link.name === device) return link;
    return undefined;
  }

  hasAddress(deviceIndex: number, address: string): boolean {
    return this.#addresses.get(deviceIndex)?.has(address) ?? false;
  }

  /** Called when a link comes, goes or changes. */
  follow(changed: (device: string) => void): Disposable {
    this.#followers.add(changed);
    return { [Symbol.dispose]: () => void this.#followers.delete(changed) };
  }

  watchLink(device: string, down: () => void): { cancel(): void } {
    let listeners = this.#listeners.get(device);
    if (listeners === undefined) this.#listeners.set(device, (listeners = new Set()));
    const known = listeners;
    // One entry a call, also when the same function comes twice.
    const entry = () => down();
    known.add(entry);
    return {
      cancel: () => {
        known.delete(entry);
        if (known.size === 0 && this.#listeners.get(device) === known) this.#listeners.delete(device);
      },
    };
  }

  async #read(): Promise<void> {
    const [links, addresses] = await Promise.all([this.#kernel.links(), this.#kernel.addresses()]);
    const there = new Set(links.map(({ index }) => index));
    for (const link of this.#links.values()) if (!there.has(link.index)) this.#gone(link);
    for (const link of links) this.#note(link);
    this.#addresses.clear();
    for (const address of addresses) this.#noteAddress(address);
  }

  #heard(event: KernelEvent): void {
    switch (event.type) {
      case 'link':
        if (event.change === 'new') this.#note(event.link);
        else this.#gone(event.link);
        break;
      case 'address':
        if (event.change === 'new') this.#noteAddress(event.address);
        else this.#addresses.get(event.address.deviceIndex)?.delete(bare(event.address.address));
        break;
      case 'overrun':
        this.#read().catch((error: unknown) => {
          this.#log.warn(
            { error: String(error) },
            'cannot read the links again: link failures are noticed by hold timer',
          );
        });
        break;
      case 'route':
      case 'neighbour':
      case 'rule':
        break;
    }
  }

  #note(link: Link): void {
    if (link.loopback) return;
    const before = this.#links.get(link.index);
    this.#links.set(link.index, link);
    if (before !== undefined && isUp(before) && !isUp(link)) this.#tell(link.name);
    if (before !== undefined && before.name !== link.name) this.#changed(before);
    this.#changed(link);
  }

  #noteAddress(address: Address): void {
    const { deviceIndex } = address;
    let addresses = this.#addresses.get(deviceIndex);
    if (addresses === undefined) this.#addresses.set(deviceIndex, (addresses = new Map()));
    addresses.set(bare(address.address), address);
  }

  #gone(link: Link): void {
    const before = this.#links.get(link.index);
    this.#links.delete(link.index);
    this.#addresses.delete(link.index);
    if (before !== undefined && isUp(before)) this.#tell(link.name);
    this.#changed(before);
  }

  #tell(device: string): void {
    for (const listener of Array.from(this.#listeners.get(device) ?? [])) listener();
  }

  #changed(link: Link | undefined): void {
    if (link !== undefined) for (const changed of this.#followers) changed(link.name);
  }

  [Symbol.dispose](): void {
    this.#watch?.[Symbol.dispose]();
  }
}

function isUp({ up, carrier }: Link): boolean {
  return up && carrier;
}

/** The first of a family that a neighbour may send to: no other host may have it (duplicate detection has ended). */
function usable(addresses: ReadonlyMap<string, Address>, family: Family): string | undefined {
  for (const [text, address] of addresses) {
    if (address.tentative || address.family !== family) continue;
    if (family === 'ipv4' || !isLinkLocal(text)) return text;
  }
  return undefined;
}

/** What is on-link by an address: its network, or the other end of its wire. */
function networkOf({ address, peer }: Address): string | undefined {
  const end = parseAddress(bare(peer ?? address));
  const length = Number(address.slice(address.indexOf('/') + 1));
  return end === undefined ? undefined : formatPrefix(truncate(end, length));
}

function bare(address: string): string {
  const slash = address.indexOf('/');
  return slash < 0 ? address : address.slice(0, slash);
}
