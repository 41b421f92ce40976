// The routes of a kernel in memory: what may be added, what a deletion matches, and the longest match.
import {
  clearHostBits,
  type Family,
  familyIndex,
  familyOf,
  formatPrefixOctets,
  needsZone,
  parseOctets,
  parsePrefixOctets,
  type PrefixOctets,
  sameBits,
} from '#ip';
import { errnos } from '../errno.ts';
import {
  type Device,
  type KernelEvent,
  type Link,
  MAIN_TABLE,
  type NextHop,
  PODROUTE_PROTOCOL,
  type Route,
  type RouteFilter,
  type RouteKey,
  type RouteSpec,
  type Rule,
} from '../kernel.ts';
import { isDeadEnd } from '../netlink/names.ts';

/** What the kernel would answer instead of doing it. */
export class Refusal extends Error {
  readonly errno: number;
  constructor(errno: number, message = '') {
    super(message);
    this.errno = errno;
  }
}

/** Metric of an IPv6 route that is given none. */
const IPV6_METRIC = 1024;
const MOST_FOUND = 1000;

export class MemoryRoutes {
  /** by family, table, prefix and metric */
  readonly #routes = new Map<string, Route>();
  /** bounded by the destinations that a test ever uses */
  readonly #prefixes = new Map<string, PrefixOctets>();
  /** Where packets went since routes and rules last changed. Bound: MOST_FOUND. */
  readonly #found = new Map<string, { readonly bytes: Uint8Array; readonly route: Route | undefined }>();
  #foundBy: readonly Rule[] = [];
  readonly #tell: (event: KernelEvent) => void;
  readonly #find: (device: Device) => Link;

  constructor(tell: (event: KernelEvent) => void, find: (device: Device) => Link) {
    this.#tell = tell;
    this.#find = find;
  }

  list(filter: RouteFilter): Route[] {
    return [...this.#routes.values()].filter(
      (route) =>
        (filter.table === undefined || route.table === filter.table) &&
        (filter.protocol === undefined || route.protocol === filter.protocol) &&
        (filter.family === undefined || route.family === filter.family),
    );
  }

  add(spec: RouteSpec, replace: boolean): void {
    const prefix = prefixOf(spec.destination);
    const { family } = prefix;
    if (family === 'ipv4' && spec.destination !== networkOf(prefix)) {
      throw new Refusal(errnos.EINVAL, 'Invalid prefix for given prefix length');
    }
    const type = spec.type ?? 'unicast';
    const hops = isDeadEnd(type) ? [] : (spec.nextHops ?? []).map((hop) => this.#checkHop(hop, family));
    const isDirect = family === 'ipv4' && hops.length > 0 && hops.every((hop) => hop.gateway === undefined);
    const route: Route = {
      family,
      destination: networkOf(prefix),
      table: spec.table ?? MAIN_TABLE,
      protocol: spec.protocol ?? PODROUTE_PROTOCOL,
      scope: spec.scope ?? (type === 'local' && family === 'ipv4' ? 'host' : isDirect ? 'link' : 'global'),
      type,
      metric: spec.metric || (family === 'ipv6' ? IPV6_METRIC : 0),
      nextHops: hops,
      ...(spec.source === undefined ? {} : { source: spec.source }),
      ...(spec.mtu === undefined ? {} : { mtu: spec.mtu }),
    };
    const key = keyOf(route);
    if (!replace && this.#routes.has(key)) throw new Refusal(errnos.EEXIST);
    this.#put(key, route);
    this.#tell({ type: 'route', change: 'new', route });
  }

  /** What the kernel makes by itself for an address: no checks. */
  addOwn(route: Route): void {
    // Two addresses of one network have one connected route; the first keeps it.
    if (this.#routes.has(keyOf(route))) return;
    this.#put(keyOf(route), route);
    this.#tell({ type: 'route', change: 'new', route });
  }

  delete(wanted: RouteKey): void {
    const network = networkOf(prefixOf(wanted.destination));
    for (const [key, route] of this.#routes) {
      if (!matches(route, wanted, network, (device) => this.#find(device).index)) continue;
      this.#drop(key);
      this.#tell({ type: 'route', change: 'deleted', route });
      return;
    }
    throw new Refusal(errnos.ESRCH);
  }

  deleteOwn(match: (route: Route) => boolean): void {
    for (const [key, route] of this.#routes) {
      if (!match(route)) continue;
      this.#drop(key);
      this.#tell({ type: 'route', change: 'deleted', route });
    }
  }

  /** A link went down or away: IPv4 routes through it go without a word, IPv6 routes with notification. */
  flush(deviceIndex: number, gone: boolean): void {
    for (const [key, route] of this.#routes) {
      if (!route.nextHops.some((hop) => hop.deviceIndex === deviceIndex)) continue;
      if (!gone && route.type === 'local' && route.family === 'ipv4') continue;
      const left = route.nextHops.filter((hop) => hop.deviceIndex !== deviceIndex);
      if (left.length > 0 && route.family === 'ipv6') {
        this.#put(key, { ...route, nextHops: left });
        continue;
      }
      if (left.length > 0) continue;
      this.#drop(key);
      if (route.family === 'ipv6') this.#tell({ type: 'route', change: 'deleted', route });
    }
  }

  /** The route for a packet from this host, rules in their order; only rules without conditions on source or mark count. */
  lookup(address: string, rules: readonly Rule[]): Route | undefined {
    if (rules !== this.#foundBy || this.#found.size >= MOST_FOUND) this.#found.clear();
    this.#foundBy = rules;
    const known = this.#found.get(address);
    if (known !== undefined) return known.route;
    const bytes = parseOctets(address) as Uint8Array;
    const route = this.#lookup(bytes, familyOf(address), rules);
    this.#found.set(address, { bytes, route });
    return route;
  }

  #put(key: string, route: Route): void {
    this.#routes.set(key, route);
    this.#forget(route);
  }

  #drop(key: string): void {
    const route = this.#routes.get(key);
    this.#routes.delete(key);
    if (route !== undefined) this.#forget(route);
  }

  /** Whoever is inside may go another way now. */
  #forget({ destination }: Route): void {
    const prefix = this.#prefix(destination);
    for (const [address, { bytes }] of this.#found) if (contains(prefix, bytes)) this.#found.delete(address);
  }

  #lookup(bytes: Uint8Array, family: Family, rules: readonly Rule[]): Route | undefined {
    for (const rule of rules) {
      if (rule.family !== family || rule.action !== 'lookup') continue;
      if (rule.from !== undefined || rule.fwMark !== undefined || rule.inputDevice !== undefined) continue;
      if (rule.to !== undefined && !contains(prefixOf(rule.to), bytes)) continue;
      const best = this.#longest(bytes, family, rule.table);
      if (best !== undefined && best.type !== 'throw') return best;
    }
    return undefined;
  }

  #longest(bytes: Uint8Array, family: Family, table: number): Route | undefined {
    let best: Route | undefined;
    let bestLength = -1;
    for (const route of this.#routes.values()) {
      if (route.family !== family || route.table !== table) continue;
      const prefix = this.#prefix(route.destination);
      if (prefix.length < bestLength || !contains(prefix, bytes)) continue;
      if (prefix.length === bestLength && best !== undefined && best.metric <= route.metric) continue;
      best = route;
      bestLength = prefix.length;
    }
    return best;
  }

  /** Parsed once: every look-up passes all routes. */
  #prefix(destination: string): PrefixOctets {
    let prefix = this.#prefixes.get(destination);
    if (prefix === undefined) {
      prefix = prefixOf(destination);
      this.#prefixes.set(destination, prefix);
    }
    return prefix;
  }

  #checkHop(hop: NextHop, family: Family): NextHop {
    const named = hop.deviceIndex ?? hop.device;
    let link = named === undefined ? undefined : this.#find(named);
    if (link !== undefined && !link.up) {
      throw new Refusal(
        errnos.ENETDOWN,
        family === 'ipv4' ? 'Device for nexthop is not up' : 'Nexthop device is not up',
      );
    }
    if (hop.gateway !== undefined && !(hop.onlink && link !== undefined)) {
      link = this.#linkTowards(hop.gateway, link, family);
    }
    if (link === undefined) throw new Refusal(errnos.ENODEV, 'No such device');
    return {
      ...(hop.gateway === undefined ? {} : { gateway: hop.gateway }),
      deviceIndex: link.index,
      device: link.name,
      ...(hop.weight === undefined || hop.weight === 1 ? {} : { weight: hop.weight }),
      ...(hop.onlink ? { onlink: true } : {}),
    };
  }

  /** A gateway must be a neighbour: its route is a connected one, through the device that was named. */
  #linkTowards(gateway: string, named: Link | undefined, family: Family): Link {
    const bytes = parseOctets(gateway);
    if (bytes === undefined) throw new Refusal(errnos.EINVAL, `'${gateway}' is no IP address`);
    if (needsZone(gateway)) {
      if (named === undefined)
        throw new Refusal(errnos.EINVAL, 'Gateway address is link-local, but no device');
      return named;
    }
    const route = this.#longest(bytes, familyOf(gateway), MAIN_TABLE);
    const [hop] = route?.nextHops ?? [];
    const isNeighbour =
      hop?.deviceIndex !== undefined && hop.gateway === undefined && route?.type === 'unicast';
    if (!isNeighbour || (named !== undefined && named.index !== hop.deviceIndex)) {
      if (family === 'ipv4' && bytes.length === 4) {
        throw new Refusal(errnos.ENETUNREACH, 'Nexthop has invalid gateway');
      }
      throw new Refusal(errnos.EHOSTUNREACH);
    }
    return this.#find(hop.deviceIndex);
  }
}

function matches(
  route: Route,
  wanted: RouteKey,
  network: string,
  indexOf: (device: Device) => number,
): boolean {
  if (route.destination !== network || route.table !== (wanted.table ?? MAIN_TABLE)) return false;
  if (wanted.protocol !== undefined && wanted.protocol !== route.protocol) return false;
  if (wanted.metric && wanted.metric !== route.metric) return false;
  if (wanted.type !== undefined && wanted.type !== route.type) return false;
  return (wanted.nextHops ?? []).every((hop) => {
    const device = hop.deviceIndex ?? hop.device;
    return route.nextHops.some(
      (own) =>
        (hop.gateway === undefined || own.gateway === hop.gateway) &&
        (device === undefined || own.deviceIndex === indexOf(device)),
    );
  });
}

function keyOf(route: Route): string {
  const local = route.table === 255 || route.protocol === 2 ? route.nextHops[0]?.deviceIndex : '';
  return `${route.family} ${route.table} ${route.destination} ${route.metric} ${local}`;
}

export function prefixOf(text: string): PrefixOctets {
  const prefix = parsePrefixOctets(text);
  if (prefix === undefined) throw new Refusal(errnos.EINVAL, `'${text}' is no address with a length`);
  return prefix;
}

/** The prefix with its host bits cleared, as text. */
export function networkOf({ family, bytes, length }: PrefixOctets): string {
  const network = new Uint8Array(bytes);
  clearHostBits(network, length);
  return formatPrefixOctets(familyIndex(family), network, 0, length);
}

export function contains(prefix: PrefixOctets, address: Uint8Array): boolean {
  return prefix.bytes.length === address.length && sameBits(prefix.bytes, 0, address, 0, prefix.length);
}
