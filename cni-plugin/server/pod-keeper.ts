// Keeps the host's side of pods' links: for each address that a pod has here a route and a permanent neighbour entry.
// networkd, NetworkManager and people flush what they did not make; without these a pod is cut off while all looks well.
// Told by the kernel, and looked at whole at start and when notifications were lost. Bounds: the pods of the node; one
// line in the log for a link and a repair.
import { familyOf, hostPrefix } from '#ip';
import { hostLinkName, type Ipam, ownerKey, POD_LINK } from '#ipam';
import {
  type Kernel,
  type KernelEvent,
  type Link,
  PODROUTE_METRIC,
  PODROUTE_PROTOCOL,
  type Request,
} from '#linux';
import type { Clock } from '#world';
import type { CniLog } from '../outside.ts';
import { derivedPodMac } from './attachment.ts';

/** A flush comes as a burst of notifications. */
const REPAIR_DELAY_MS = 20;
const RETRY_MS = 1_000;
/** The link goes away at this moment, and everything with it. */
const GONE: readonly string[] = ['ENODEV', 'ENETDOWN'];

export interface PodKeeperIo {
  readonly clock: Clock;
  readonly kernel: Kernel;
  readonly ipam: Pick<Ipam, 'usage'>;
  readonly log: CniLog;
}

export class PodKeeper implements AsyncDisposable {
  readonly #io: PodKeeperIo;
  /** Host link → the MAC address of its pod, as its entries said. */
  readonly #macs = new Map<string, string>();
  /** Host links that are up, and those that were. */
  readonly #up = new Set<string>();
  readonly #down = new Set<string>();
  readonly #broken = new Set<string>();
  #mustLook = false;
  #watch: Disposable | undefined;
  #timer: { cancel(): void } | undefined;
  #working: Promise<void> | undefined;
  #isClosed = false;

  constructor(io: PodKeeperIo) {
    this.#io = io;
  }

  /** Puts back what went while no agent ran, and follows from then on. */
  async start(): Promise<void> {
    this.#watch = this.#io.kernel.watch((event) => this.#heard(event), {
      kinds: ['link', 'route', 'neighbour'],
      skipOwn: true,
    });
    await this.#look();
  }

  #heard(event: KernelEvent): void {
    switch (event.type) {
      case 'overrun':
        this.#mustLook = true;
        this.#soon(REPAIR_DELAY_MS);
        return;
      case 'link':
        this.#heardLink(event.link, event.change === 'new' && event.link.up);
        return;
      case 'route': {
        const [hop] = event.route.nextHops;
        const isPods = event.route.protocol === PODROUTE_PROTOCOL && hop?.gateway === undefined;
        if (isPods && event.change === 'deleted') this.#doubt(hop?.device);
        return;
      }
      case 'neighbour': {
        const { device = '', mac, state } = event.neighbour;
        if (event.change === 'new' && state === 'permanent') {
          if (POD_LINK.test(device) && mac !== undefined) this.#macs.set(device, mac);
        } else if (this.#isHeld(event.neighbour.address)) this.#doubt(device);
        return;
      }
      case 'address':
      case 'rule':
    }
  }

  /** The kernel takes IPv4 routes and all neighbours away with a link that goes down. */
  #heardLink({ name }: Link, isUp: boolean): void {
    if (!POD_LINK.test(name)) return;
    if (!isUp) {
      // One that is being made is not up yet, and lacks nothing.
      if (this.#up.delete(name)) this.#down.add(name);
      return;
    }
    this.#up.add(name);
    if (this.#down.delete(name)) this.#doubt(name);
  }

  /** Neighbour entries of others on the link (the pod's link-local address) come and go. */
  #isHeld(address: string): boolean {
    const { allocations, adopted } = this.#io.ipam.usage();
    return (
      allocations.some(({ addresses }) => addresses[familyOf(address)] === address) ||
      adopted.some((one) => one.address === address)
    );
  }

  #doubt(link: string | undefined): void {
    if (link === undefined || !POD_LINK.test(link)) return;
    this.#broken.add(link);
    this.#soon(REPAIR_DELAY_MS);
  }

  #soon(delayMs: number): void {
    if (this.#isClosed) return;
    this.#timer ??= this.#io.clock.setTimer(delayMs, () => {
      this.#timer = undefined;
      this.#working = this.#work();
    });
  }

  async #work(): Promise<void> {
    try {
      if (this.#mustLook) await this.#look();
      else await this.#repair();
    } catch (error) {
      this.#io.log.error('cni', `pods' routes cannot be looked at: ${String(error)}; trying again`);
      this.#mustLook = true;
      this.#soon(RETRY_MS);
    }
  }

  /** Everything, against what the kernel has. */
  async #look(): Promise<void> {
    this.#mustLook = false;
    const { kernel } = this.#io;
    const [links, neighbours, routes] = await Promise.all([
      kernel.links(),
      kernel.neighbours(),
      kernel.routes({ protocol: PODROUTE_PROTOCOL }),
    ]);
    this.#up.clear();
    this.#down.clear();
    for (const { name, up } of links) if (POD_LINK.test(name)) (up ? this.#up : this.#down).add(name);
    const known = new Set<string>();
    for (const { address, device = '', mac, state } of neighbours) {
      if (state !== 'permanent' || !POD_LINK.test(device)) continue;
      known.add(`${address} ${device}`);
      if (mac !== undefined) this.#macs.set(device, mac);
    }
    const routed = new Set(
      routes.map(({ destination, metric, nextHops: [hop] }) => `${destination} ${metric} ${hop?.device}`),
    );
    for (const [link, addresses] of this.#wanted()) {
      const isWhole = addresses.every(
        (address) =>
          known.has(`${address} ${link}`) && routed.has(`${hostPrefix(address)} ${PODROUTE_METRIC} ${link}`),
      );
      if (!isWhole) this.#broken.add(link);
    }
    await this.#repair();
  }

  /** Host link → addresses of its pod. */
  #wanted(): Map<string, string[]> {
    const { allocations, adopted } = this.#io.ipam.usage();
    const wanted = new Map<string, string[]>();
    for (const { owner, addresses } of allocations)
      wanted.set(hostLinkName(ownerKey(owner)), Object.values(addresses));
    for (const { address, link } of adopted) wanted.set(link, [...(wanted.get(link) ?? []), address]);
    return wanted;
  }

  /** Makes again what is there, too: which of it is missing is not worth a question. */
  async #repair(): Promise<void> {
    const broken = [...this.#broken];
    this.#broken.clear();
    const wanted = this.#wanted();
    const links = new Map((await this.#io.kernel.links()).map((link) => [link.name, link]));
    for (const name of this.#macs.keys()) if (!links.has(name)) this.#macs.delete(name);
    for (const name of this.#down) if (!links.has(name)) this.#down.delete(name);
    for (const name of broken) {
      const link = links.get(name);
      const addresses = wanted.get(name);
      if (link === undefined || !link.up || addresses === undefined) continue;
      const mac = this.#macs.get(name) ?? derivedPodMac(link.mac);
      const results = await this.#io.kernel.apply(
        addresses.flatMap((address) => requests(link, address, mac)),
      );
      const [error] = results.filter((result) => result !== undefined);
      if (error === undefined) {
        this.#io.log.warn(name, `routes or neighbours of ${addresses.join(' and ')} were gone: put back`);
      } else if (!GONE.includes(error.code)) {
        this.#io.log.error(name, `${error.message}; trying again`);
        this.#broken.add(name);
        this.#soon(RETRY_MS);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#watch?.[Symbol.dispose]();
    this.#timer?.cancel();
    await this.#working;
  }
}

/** @param mac undefined: the kernel asks the pod for it */
function requests(link: Link, address: string, mac: string | undefined): Request[] {
  const route = {
    destination: hostPrefix(address),
    nextHops: [{ deviceIndex: link.index }],
    metric: PODROUTE_METRIC,
  };
  const entry = { type: 'addNeighbour', device: link.index, address, mac: mac ?? '', replace: true } as const;
  return [{ type: 'addRoute', route, replace: true }, ...(mac === undefined ? [] : [entry])];
}
