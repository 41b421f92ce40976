// A Kernel in memory, for tests: links, addresses, routes and what follows from them (connected routes, carrier of a
// veth's two ends, routes that go with their link). It has no neighbours' or rules' effects, and one handle: what
// apply() changes is told to every watcher, what a RouteBatch changes only to those that do not skip their own.
import { describeRequest } from './describe.ts';
import { errnos } from './errno.ts';
import { formatAddress, parseAddress, parsePrefix } from './ip-text.ts';
import {
  type Address,
  type Device,
  type Family,
  type Kernel,
  type KernelEvent,
  type Link,
  LOCAL_TABLE,
  type Lookup,
  MAIN_TABLE,
  type Neighbour,
  type NextHop,
  PODROUTE_METRIC,
  PODROUTE_PROTOCOL,
  type Request,
  type Route,
  type RouteBatch,
  type RouteBatchOptions,
  type RouteFilter,
  type RouteKey,
  type RouteSpec,
  type Rule,
  type WatchOptions,
} from './kernel.ts';
import { KernelError } from './kernel-error.ts';
import { MemoryRouteBatch } from './memory-route-batch.ts';

const KERNEL_PROTOCOL = 2;
const CONNECTED_METRIC_IPV6 = 256;

type StoredHop = NextHop & { readonly deviceIndex: number };
type StoredRoute = Omit<Route, 'nextHops'> & { readonly nextHops: readonly StoredHop[] };
interface Watcher {
  readonly handler: (event: KernelEvent) => void;
  readonly kinds: ReadonlySet<string>;
  readonly skipOwn: boolean;
}

export class MemoryKernel implements Kernel {
  readonly #links = new Map<number, Link>();
  #addresses: Address[] = [];
  #routes: StoredRoute[] = [];
  #neighbours: Neighbour[] = [];
  #rules: Rule[] = [];
  readonly #watchers = new Set<Watcher>();
  #nextIndex = 1;

  constructor() {
    this.#addLink('lo', undefined, { loopback: true, mtu: 65_536 });
  }

  async links(): Promise<Link[]> {
    return [...this.#links.values()];
  }

  async addresses(): Promise<Address[]> {
    return [...this.#addresses];
  }

  async routes(filter: RouteFilter = {}): Promise<Route[]> {
    return this.#routes.filter(
      (route) =>
        (filter.table === undefined || route.table === filter.table) &&
        (filter.protocol === undefined || route.protocol === filter.protocol) &&
        (filter.family === undefined || route.family === filter.family),
    );
  }

  async neighbours(): Promise<Neighbour[]> {
    return [...this.#neighbours];
  }

  async rules(): Promise<Rule[]> {
    return [...this.#rules];
  }

  async apply(requests: readonly Request[]): Promise<(KernelError | undefined)[]> {
    return requests.map((request) => {
      const errno = this.#one(request);
      if (errno === 0) return undefined;
      const { operation, object } = describeRequest(request);
      return new KernelError(operation, object, errno);
    });
  }

  routeBatch(options: RouteBatchOptions = {}): RouteBatch {
    return new MemoryRouteBatch(
      {
        table: options.table ?? MAIN_TABLE,
        protocol: options.protocol ?? PODROUTE_PROTOCOL,
        metric: options.metric ?? PODROUTE_METRIC,
      },
      (spec, replace) => this.#addRoute(spec, replace, true),
      (key) => this.#deleteRoute(key, true),
    );
  }

  async lookup(address: string): Promise<Lookup | KernelError> {
    for (const table of [LOCAL_TABLE, MAIN_TABLE]) {
      const route = longestMatch(this.#routes, table, address);
      if (route === undefined) continue;
      const [hop] = route.nextHops;
      return {
        kind: route.type,
        ...(hop?.gateway === undefined ? {} : { gateway: hop.gateway }),
        ...(hop?.device === undefined ? {} : { device: hop.device, deviceIndex: hop.deviceIndex }),
      };
    }
    return new KernelError('look up route to', address, errnos.ENETUNREACH);
  }

  watch(handler: (event: KernelEvent) => void, options: WatchOptions = {}): Disposable {
    const kinds = new Set<string>(options.kinds ?? ['link', 'address', 'route']);
    const watcher = { handler, kinds, skipOwn: options.skipOwn ?? false };
    this.#watchers.add(watcher);
    return { [Symbol.dispose]: () => void this.#watchers.delete(watcher) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#watchers.clear();
  }

  /** Later, as from a socket: never inside the call that caused it. */
  #tell(event: KernelEvent, isOwn = false): void {
    for (const watcher of this.#watchers) {
      if (event.type !== 'overrun' && !watcher.kinds.has(event.type)) continue;
      if (isOwn && watcher.skipOwn) continue;
      queueMicrotask(() => {
        if (this.#watchers.has(watcher)) watcher.handler(event);
      });
    }
  }

  /** 0 or the errno. */
  #one(request: Request): number {
    switch (request.type) {
      case 'addLink':
        if (this.#find(request.name) !== undefined) return errnos.EEXIST;
        return this.#addLinkPair(request);
      case 'deleteLink':
        return this.#withLink(request.device, (link) => this.#deleteLink(link));
      case 'deleteLinkGroup':
        for (const link of this.#links.values()) if (link.group === request.group) this.#deleteLink(link);
        return 0;
      case 'setLink':
        return this.#withLink(request.device, (link) => {
          const { name, up, mtu, mac, group, master } = request;
          const changes = { name, up, mtu, mac, group, master };
          const given = Object.entries(changes).filter(([, value]) => value !== undefined);
          this.#change({ ...link, ...(Object.fromEntries(given) as Partial<Link>) });
          return 0;
        });
      case 'addAddress':
        return this.#withLink(request.device, (link) => this.#addAddress(link, request));
      case 'deleteAddress':
        return this.#withLink(request.device, (link) => this.#deleteAddress(link, request.address));
      case 'addRoute':
        return this.#addRoute(request.route, request.replace ?? false, false);
      case 'deleteRoute':
        return this.#deleteRoute(request.route, false);
      case 'addNeighbour':
        return this.#withLink(request.device, (link) => {
          const { address, mac } = request;
          const family = familyOf(address);
          this.#neighbours = this.#neighbours.filter(
            (n) => n.address !== address || n.deviceIndex !== link.index,
          );
          this.#neighbours.push({
            family,
            address,
            mac,
            deviceIndex: link.index,
            device: link.name,
            state: 'permanent',
          });
          return 0;
        });
      case 'deleteNeighbour': {
        const before = this.#neighbours.length;
        this.#neighbours = this.#neighbours.filter((n) => n.address !== request.address);
        return this.#neighbours.length < before ? 0 : errnos.ENOENT;
      }
      case 'addRule':
        this.#rules.push({ action: 'lookup', table: MAIN_TABLE, ...request.rule });
        return 0;
      case 'deleteRule': {
        const before = this.#rules.length;
        this.#rules = this.#rules.filter((rule) => rule.priority !== request.rule.priority);
        return this.#rules.length < before ? 0 : errnos.ENOENT;
      }
    }
  }

  #find(device: Device): Link | undefined {
    if (typeof device === 'number') return this.#links.get(device);
    return [...this.#links.values()].find((link) => link.name === device);
  }

  #withLink(device: Device, action: (link: Link) => number): number {
    const link = this.#find(device);
    return link === undefined ? errnos.ENODEV : action(link);
  }

  #addLink(name: string, kind: string | undefined, more: Partial<Link>): Link {
    const link: Link = {
      index: this.#nextIndex++,
      name,
      ...(kind === undefined ? {} : { kind }),
      mtu: 1500,
      up: false,
      carrier: false,
      loopback: false,
      group: 0,
      peerElsewhere: false,
      ...more,
    };
    this.#links.set(link.index, link);
    return link;
  }

  #addLinkPair(request: Request & { type: 'addLink' }): number {
    const { name, kind, peer, up } = request;
    const shared = {
      ...(request.mtu === undefined ? {} : { mtu: request.mtu }),
      ...(request.group === undefined ? {} : { group: request.group }),
    };
    const link = this.#addLink(name, kind, {
      ...shared,
      ...(request.mac === undefined ? {} : { mac: request.mac }),
      peerElsewhere: peer?.netnsFd !== undefined,
      ...(peer === undefined || peer.netnsFd !== undefined ? {} : { peerIndex: this.#nextIndex + 1 }),
    });
    if (peer !== undefined && peer.netnsFd === undefined) {
      this.#change(this.#addLink(peer.name, kind, { ...shared, peerIndex: link.index }));
    }
    this.#change({ ...link, up: up ?? false });
    return 0;
  }

  #deleteLink(link: Link): number {
    this.#change({ ...link, up: false });
    this.#links.delete(link.index);
    this.#addresses = this.#addresses.filter((address) => address.deviceIndex !== link.index);
    this.#tell({ type: 'link', change: 'deleted', link });
    const peer = link.peerIndex === undefined ? undefined : this.#links.get(link.peerIndex);
    return peer === undefined ? 0 : this.#deleteLink(peer);
  }

  /** Stores a link, gives both ends of a veth their carrier, and makes or takes the routes that hang on it. */
  #change(link: Link): void {
    const peer = link.peerIndex === undefined ? undefined : this.#links.get(link.peerIndex);
    const hasCarrier = (end: Link, other: Link | undefined) =>
      end.up && (end.kind !== 'veth' || end.peerElsewhere || (other?.up ?? false));
    const ends = [{ ...link, carrier: hasCarrier(link, peer) }];
    if (peer !== undefined) ends.push({ ...peer, carrier: hasCarrier(peer, link) });
    for (const end of ends) {
      const before = this.#links.get(end.index);
      this.#links.set(end.index, end);
      this.#tell({ type: 'link', change: 'new', link: end });
      if (end.up && before?.up !== true) {
        for (const address of this.#addresses) if (address.deviceIndex === end.index) this.#connect(address);
      }
      if (!end.up && before?.up === true) this.#dropRoutesOf(end.index);
    }
  }

  #dropRoutesOf(index: number): void {
    const gone = this.#routes.filter((route) => route.nextHops.some((hop) => hop.deviceIndex === index));
    this.#routes = this.#routes.filter((route) => !gone.includes(route));
    for (const route of gone) {
      // Of a multipath route the other ways stay.
      const nextHops: StoredRoute['nextHops'] = route.nextHops.filter((hop) => hop.deviceIndex !== index);
      if (nextHops.length > 0) this.#routes.push({ ...route, nextHops });
      this.#tell({
        type: 'route',
        change: nextHops.length > 0 ? 'new' : 'deleted',
        route: { ...route, nextHops },
      });
    }
  }

  #addAddress(link: Link, request: Request & { type: 'addAddress' }): number {
    const known = this.#addresses.find((a) => a.address === request.address && a.deviceIndex === link.index);
    if (known !== undefined) return request.replace === true ? 0 : errnos.EEXIST;
    const address: Address = {
      family: familyOf(request.address),
      address: request.address,
      deviceIndex: link.index,
      device: link.name,
      scope: request.scope ?? 'global',
      tentative: false,
      permanent: true,
    };
    this.#addresses.push(address);
    this.#tell({ type: 'address', change: 'new', address });
    if (link.up && request.noPrefixRoute !== true) this.#connect(address);
    return 0;
  }

  #deleteAddress(link: Link, text: string): number {
    const address = this.#addresses.find((a) => a.address === text && a.deviceIndex === link.index);
    if (address === undefined) return errnos.EADDRNOTAVAIL;
    this.#addresses = this.#addresses.filter((a) => a !== address);
    this.#tell({ type: 'address', change: 'deleted', address });
    for (const key of connectedRoutes(address)) this.#deleteRoute(key, false);
    return 0;
  }

  #connect(address: Address): void {
    for (const route of connectedRoutes(address)) this.#addRoute(route, true, false);
  }

  #addRoute(spec: RouteSpec, replace: boolean, isOwn: boolean): number {
    const prefix = parsePrefix(spec.destination);
    if (prefix === undefined) return errnos.EINVAL;
    const nextHops: StoredHop[] = [];
    for (const hop of spec.nextHops ?? []) {
      const which = hop.deviceIndex ?? hop.device;
      const way = which === undefined && hop.gateway !== undefined ? this.#wayTo(hop.gateway) : undefined;
      const link = which === undefined ? way : this.#find(which);
      if (link === undefined) return which === undefined ? errnos.ENETUNREACH : errnos.ENODEV;
      if (!link.up) return errnos.ENETDOWN;
      if (
        hop.gateway !== undefined &&
        hop.onlink !== true &&
        this.#wayTo(hop.gateway)?.index !== link.index
      ) {
        return errnos.ENETUNREACH;
      }
      nextHops.push({ ...hop, device: link.name, deviceIndex: link.index });
    }
    const route = storedRoute(spec, prefix.family, nextHops);
    const same = (other: Route) =>
      other.destination === route.destination && other.table === route.table && other.metric === route.metric;
    if (this.#routes.some(same) && !replace) return errnos.EEXIST;
    this.#routes = [...this.#routes.filter((other) => !same(other)), route];
    this.#tell({ type: 'route', change: 'new', route }, isOwn);
    return 0;
  }

  #wayTo(gateway: string): Link | undefined {
    const route = longestMatch(this.#routes, MAIN_TABLE, gateway);
    const [hop] = route?.nextHops ?? [];
    return hop === undefined || hop.gateway !== undefined ? undefined : this.#links.get(hop.deviceIndex);
  }

  #deleteRoute(key: RouteKey, isOwn: boolean): number {
    const found = this.#routes.find(
      (route) =>
        route.destination === key.destination &&
        route.table === (key.table ?? MAIN_TABLE) &&
        (key.protocol === undefined || key.protocol === route.protocol) &&
        (key.metric === undefined || key.metric === route.metric) &&
        (key.type === undefined || key.type === route.type),
    );
    if (found === undefined) return errnos.ESRCH;
    this.#routes = this.#routes.filter((route) => route !== found);
    this.#tell({ type: 'route', change: 'deleted', route: found }, isOwn);
    return 0;
  }
}

function familyOf(text: string): Family {
  return text.includes(':') ? 'ipv6' : 'ipv4';
}

function storedRoute(spec: RouteSpec, family: Family, nextHops: readonly StoredHop[]): StoredRoute {
  const isDirect = nextHops.length > 0 && nextHops.every((hop) => hop.gateway === undefined);
  return {
    family,
    destination: spec.destination,
    table: spec.table ?? MAIN_TABLE,
    protocol: spec.protocol ?? PODROUTE_PROTOCOL,
    scope: spec.scope ?? (family === 'ipv4' && isDirect ? 'link' : 'global'),
    type: spec.type ?? 'unicast',
    metric: spec.metric ?? (family === 'ipv4' ? 0 : 1024),
    ...(spec.source === undefined ? {} : { source: spec.source }),
    ...(spec.mtu === undefined ? {} : { mtu: spec.mtu }),
    nextHops,
  };
}

/** What the kernel makes of an address: the route to its network, and the local one to itself. */
function connectedRoutes({ address, family, deviceIndex }: Address): RouteSpec[] {
  const prefix = parsePrefix(address);
  if (prefix === undefined) return [];
  const network = prefix.bytes.map(
    (byte, i) => byte & (0xff << Math.max(0, Math.min(8, 8 * (i + 1) - prefix.length))),
  );
  const metric = family === 'ipv6' ? CONNECTED_METRIC_IPV6 : 0;
  const nextHops = [{ deviceIndex }];
  const size = prefix.bytes.length;
  return [
    {
      destination: `${formatAddress(network, 0, size)}/${prefix.length}`,
      protocol: KERNEL_PROTOCOL,
      metric,
      nextHops,
    },
    {
      destination: `${formatAddress(prefix.bytes, 0, size)}/${size * 8}`,
      protocol: KERNEL_PROTOCOL,
      table: LOCAL_TABLE,
      type: 'local',
      metric: 0,
      nextHops,
    },
  ];
}

/** Longest prefix first, then the lowest metric. */
function longestMatch(
  routes: readonly StoredRoute[],
  table: number,
  address: string,
): StoredRoute | undefined {
  const bytes = parseAddress(address);
  let best: { route: StoredRoute; length: number } | undefined;
  for (const route of routes) {
    const prefix = parsePrefix(route.destination);
    if (route.table !== table || prefix === undefined || bytes?.length !== prefix.bytes.length) continue;
    const isInside = prefix.bytes.every((byte, i) => {
      const mask = 0xff & (0xff << Math.max(0, Math.min(8, 8 * (i + 1) - prefix.length)));
      return (byte & mask) === ((bytes[i] ?? 0) & mask);
    });
    if (!isInside) continue;
    const isBetter =
      best === undefined ||
      prefix.length > best.length ||
      (prefix.length === best.length && route.metric < best.route.metric);
    if (isBetter) best = { route, length: prefix.length };
  }
  return best?.route;
}
