// A Kernel in memory for tests and simulation: same results, errors and notifications as the real one for what podroute
// asks of it (kernel-contract.test.ts runs both). Not there: traffic (walk.ts says where it would go), IPv6 link-local
// addresses, timers of any kind. A test has one handle for podroute and for everybody else: what apply() changes counts as
// somebody else's, what a RouteBatch changes as own (WatchOptions.skipOwn). Kernels are wired together by addPair.
import { familyOf, parseOctets } from '#ip';
import { describeRequest } from '../describe.ts';
import { errnos } from '../errno.ts';
import { KernelError } from '../kernel-error.ts';
import type {
  AddLink,
  Address,
  Kernel,
  KernelEvent,
  Link,
  Lookup,
  Neighbour,
  Request,
  Route,
  RouteBatch,
  RouteBatchOptions,
  RouteFilter,
  Rule,
  WatchOptions,
} from '../kernel.ts';
import { MemoryLinks } from './memory-links.ts';
import { MemoryPodTable } from './memory-pod-sources.ts';
import { MemoryRouteBatch } from './memory-route-batch.ts';
import { MemoryRoutes, Refusal } from './memory-routes.ts';
import { MemorySysctl } from './memory-sysctl.ts';

interface Watcher {
  readonly handler: (event: KernelEvent) => void;
  readonly kinds: ReadonlySet<string>;
  readonly skipOwn: boolean;
}

/** Whose links they are: the other end of a veth leads to its kernel. */
const kernels = new WeakMap<MemoryLinks, MemoryKernel>();

export class MemoryKernel implements Kernel {
  /** For people: the host, or the path of the namespace. */
  readonly name: string;
  readonly sysctl = new MemorySysctl();
  readonly podTable = new MemoryPodTable();
  readonly #watchers = new Set<Watcher>();
  readonly #links: MemoryLinks;
  readonly #routes: MemoryRoutes;
  readonly #neighbours = new Map<string, Neighbour>();
  #rules: Rule[] = [
    { family: 'ipv4', priority: 0, action: 'lookup', table: 255, protocol: 2 },
    { family: 'ipv4', priority: 32766, action: 'lookup', table: 254, protocol: 2 },
    { family: 'ipv4', priority: 32767, action: 'lookup', table: 253, protocol: 2 },
    { family: 'ipv6', priority: 0, action: 'lookup', table: 255, protocol: 2 },
    { family: 'ipv6', priority: 32766, action: 'lookup', table: 254, protocol: 2 },
  ];
  #isOwn = false;
  /** Set by a test: gives an errno to refuse a request with, or undefined. */
  refuse: ((request: Request) => number | undefined) | undefined;

  constructor(name = 'host') {
    this.name = name;
    const tell = (event: KernelEvent) => this.#tell(event);
    this.#routes = new MemoryRoutes(tell, (device) => this.#links.find(device));
    this.#links = new MemoryLinks(tell, this.#routes, this.#neighbours, this.sysctl);
    kernels.set(this.#links, this);
  }

  async links(): Promise<Link[]> {
    return this.#links.list();
  }
  async addresses(): Promise<Address[]> {
    return this.#links.addresses();
  }
  async routes(filter: RouteFilter = {}): Promise<Route[]> {
    return this.#routes.list(filter);
  }
  async neighbours(): Promise<Neighbour[]> {
    return [...this.#neighbours.values()];
  }
  async rules(): Promise<Rule[]> {
    return [...this.#rules];
  }

  async apply(requests: readonly Request[]): Promise<(KernelError | undefined)[]> {
    return requests.map((request) => this.change(request));
  }

  /** One request, at once. */
  change(request: Request): KernelError | undefined {
    return this.#attempt(request, () => this.#change(request));
  }

  /** As addLink with a peer that is born in another kernel; both ends are there at once. */
  addPair(request: AddLink, there: MemoryKernel): KernelError | undefined {
    return this.#attempt(request, () => this.#links.add(request, there.#links));
  }

  /** The namespace ends, or its machine: its links go, and their other ends with them. Nobody hears of it here. */
  end(): void {
    this.#watchers.clear();
    for (const link of this.#links.list())
      if (!link.loopback && this.linkAt(link.index)) this.#links.delete(link);
  }

  /** Synchronous views. 0: no such link. */
  indexOf(name: string): number {
    return this.#links.list().find((link) => link.name === name)?.index ?? 0;
  }
  linkAt(index: number): Link | undefined {
    return this.#links.at(index);
  }
  portsOf(bridge: number): Link[] {
    return this.#links.list().filter((link) => link.master === bridge);
  }
  otherEnd(index: number): { readonly kernel: MemoryKernel; readonly link: Link } | undefined {
    const end = this.#links.otherEnd(index);
    const link = end?.links.at(end.index);
    return end === undefined || link === undefined ? undefined : { kernel: kernels.get(end.links)!, link };
  }
  hasAddress(address: string): boolean {
    return this.#links.hasAddress(address);
  }
  linkLocalOf(index: number): string | undefined {
    return this.#links.linkLocalOf(index);
  }
  /** Of a neighbour entry. */
  macOf(deviceIndex: number, address: string): string | undefined {
    return this.#neighbours.get(`${deviceIndex} ${address}`)?.mac;
  }
  routeTo(address: string): Route | undefined {
    return this.#routes.lookup(address, this.#rules);
  }

  /** The source address of a packet to there, when its sender has no wish. */
  sourceTo(address: string): string | undefined {
    const route = this.routeTo(address);
    if (route?.type === 'local') return address;
    return route && this.#sourceOf(route);
  }
  #sourceOf({ source, nextHops: [hop], family }: Route): string | undefined {
    if (source !== undefined || hop?.deviceIndex === undefined) return source;
    return this.#links.sourceOf(hop.deviceIndex, family);
  }

  /** For tests: as when the notification socket lost some. */
  overrun(): void {
    for (const watcher of this.#watchers) this.#deliver(watcher, { type: 'overrun' });
  }

  routeBatch(options: RouteBatchOptions = {}): RouteBatch {
    const apply = (request: Request) => {
      this.#isOwn = true;
      try {
        return this.change(request);
      } finally {
        this.#isOwn = false;
      }
    };
    return new MemoryRouteBatch(apply, (device) => this.#links.find(device), options);
  }

  async lookup(address: string): Promise<Lookup | KernelError> {
    if (parseOctets(address) === undefined) {
      return new KernelError('look up route', address, errnos.EINVAL, 'no IP address');
    }
    const route = this.routeTo(address);
    if (route === undefined) return new KernelError('look up route', `to ${address}`, errnos.ENETUNREACH);
    const [hop] = route.nextHops;
    if (hop?.deviceIndex === undefined) return { kind: route.type };
    const source = this.#sourceOf(route);
    const isLocal = route.type === 'local';
    return {
      kind: route.type,
      deviceIndex: isLocal ? 1 : hop.deviceIndex,
      ...(hop.gateway === undefined ? {} : { gateway: hop.gateway }),
      ...(isLocal ? { device: 'lo' } : hop.device === undefined ? {} : { device: hop.device }),
      ...(isLocal ? { source: address } : source === undefined ? {} : { source }),
    };
  }

  watch(handler: (event: KernelEvent) => void, options: WatchOptions = {}): Disposable {
    const watcher: Watcher = {
      handler,
      kinds: new Set(options.kinds ?? ['link', 'address', 'route']),
      skipOwn: options.skipOwn ?? false,
    };
    this.#watchers.add(watcher);
    return { [Symbol.dispose]: () => void this.#watchers.delete(watcher) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#watchers.clear();
  }

  #tell(event: KernelEvent): void {
    for (const watcher of this.#watchers) {
      if (!watcher.kinds.has(event.type) || (watcher.skipOwn && this.#isOwn)) continue;
      this.#deliver(watcher, event);
    }
  }

  /** Later, as from a socket. */
  #deliver(watcher: Watcher, event: KernelEvent): void {
    queueMicrotask(() => {
      if (this.#watchers.has(watcher)) watcher.handler(event);
    });
  }

  #attempt(request: Request, act: () => void): KernelError | undefined {
    const { operation, object } = describeRequest(request);
    try {
      const refused = this.refuse?.(request);
      if (refused !== undefined) throw new Refusal(refused);
      act();
      return undefined;
    } catch (error) {
      if (error instanceof Refusal) return new KernelError(operation, object, error.errno, error.message);
      throw error;
    }
  }

  #change(request: Request): void {
    switch (request.type) {
      case 'addLink':
        return this.#links.add(request);
      case 'deleteLink':
        return this.#links.delete(this.#links.find(request.device));
      case 'deleteLinkGroup':
        return this.#links.deleteGroup(request.group);
      case 'setLink':
        return this.#links.set(this.#links.find(request.device), request);
      case 'addAddress':
        return this.#links.addAddress(this.#links.find(request.device), request);
      case 'deleteAddress':
        return this.#links.deleteAddress(this.#links.find(request.device), request.address);
      case 'addRoute':
        return this.#routes.add(request.route, request.replace ?? false);
      case 'deleteRoute':
        return this.#routes.delete(request.route);
      case 'addNeighbour':
        return this.#addNeighbour(request);
      case 'deleteNeighbour': {
        const key = `${this.#links.find(request.device).index} ${request.address}`;
        const neighbour = this.#neighbours.get(key);
        if (neighbour === undefined) throw new Refusal(errnos.ENOENT);
        this.#neighbours.delete(key);
        return this.#tell({ type: 'neighbour', change: 'deleted', neighbour });
      }
      case 'addRule': {
        const rule: Rule = { action: 'lookup', table: 0, ...request.rule };
        if (this.#rules.some((other) => isSameRule(other, rule))) throw new Refusal(errnos.EEXIST);
        this.#rules = [...this.#rules, rule].sort((a, b) => a.priority - b.priority);
        return this.#tell({ type: 'rule', change: 'new', rule });
      }
      case 'deleteRule': {
        const wanted: Rule = { action: 'lookup', table: 0, ...request.rule };
        const rule = this.#rules.find((other) => isSameRule(other, wanted));
        if (rule === undefined) throw new Refusal(errnos.ENOENT);
        this.#rules = this.#rules.filter((other) => other !== rule);
        return this.#tell({ type: 'rule', change: 'deleted', rule });
      }
    }
  }

  #addNeighbour(request: Request & { type: 'addNeighbour' }): void {
    const link = this.#links.find(request.device);
    const key = `${link.index} ${request.address}`;
    if (this.#neighbours.has(key) && !request.replace) throw new Refusal(errnos.EEXIST);
    const neighbour: Neighbour = {
      family: familyOf(request.address),
      address: request.address,
      mac: request.mac,
      deviceIndex: link.index,
      device: link.name,
      state: 'permanent',
    };
    this.#neighbours.set(key, neighbour);
    this.#tell({ type: 'neighbour', change: 'new', neighbour });
  }
}

function isSameRule(a: Rule, b: Rule): boolean {
  return (
    a.family === b.family &&
    a.priority === b.priority &&
    a.table === b.table &&
    a.action === b.action &&
    a.from === b.from &&
    a.to === b.to &&
    a.fwMark === b.fwMark &&
    a.inputDevice === b.inputDevice &&
    a.outputDevice === b.outputDevice
  );
}
