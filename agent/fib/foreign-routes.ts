// Kernel routes that podroute did not make, with longest-prefix match: what resolves next hops. Kept from dumps and
// notifications. Bound: the routes of others in the asked tables; a change costs one map entry.
import {
  clearHostBits,
  type FamilyIndex,
  formatPrefixOctets,
  IPV4,
  isLinkLocalIpv6,
  isMulticastIpv6,
  WIDTHS,
} from '#ip';
import type { Change, NextHop, Route } from '#linux';
import { type TablePrefix, tablePrefix } from './table-prefix.ts';

/** Routes of one table and family: by prefix text, each list with the lowest metric first. */
interface Level {
  readonly byPrefix: Map<string, Route[]>;
  /** How many prefixes there are of each length: only lengths in use are tried. */
  readonly lengths: Uint32Array;
}

export class ForeignRoutes {
  /** How many IPv4 routes lead through each link: the kernel drops these silently when the link goes down. */
  readonly #ipv4ByDevice = new Map<number, number>();
  readonly #tables: ReadonlyMap<number, readonly [Level, Level]>;

  /** @param tables in the order in which the kernel asks them */
  constructor(tables: readonly number[]) {
    this.#tables = new Map(tables.map((table) => [table, [newLevel(), newLevel()]]));
  }

  /** False when the route can resolve nothing: another table, link-local or multicast (every link has those). */
  apply(change: Change, route: Route): boolean {
    const levels = this.#tables.get(route.table);
    if (levels === undefined) return false;
    const prefix = tablePrefix(route.destination);
    if (isOnEveryLink(prefix)) return false;
    const level = levels[prefix.family];
    const before = level.byPrefix.get(route.destination) ?? [];
    const after = change === 'new' ? withRoute(before, route) : withoutRoute(before, route);
    if (after.length > 0) level.byPrefix.set(route.destination, after);
    else level.byPrefix.delete(route.destination);
    level.lengths[prefix.length]! += sign(after.length) - sign(before.length);
    if (route.family === 'ipv4') {
      this.#count(before, -1);
      this.#count(after, 1);
    }
    return true;
  }

  /** True when an IPv4 route of others leads through the link. */
  usesLink(index: number): boolean {
    return (this.#ipv4ByDevice.get(index) ?? 0) > 0;
  }

  #count(routes: readonly Route[], by: 1 | -1): void {
    for (const route of routes) {
      if (route.type !== 'unicast') continue;
      for (const { deviceIndex = 0 } of route.nextHops) {
        const count = (this.#ipv4ByDevice.get(deviceIndex) ?? 0) + by;
        if (count > 0) this.#ipv4ByDevice.set(deviceIndex, count);
        else this.#ipv4ByDevice.delete(deviceIndex);
      }
    }
  }

  clear(): void {
    this.#ipv4ByDevice.clear();
    for (const levels of this.#tables.values()) {
      for (const level of levels) {
        level.byPrefix.clear();
        level.lengths.fill(0);
      }
    }
  }

  /** One table's routes, of each prefix the one with the lowest metric. */
  *all(table: number): Iterable<Route> {
    for (const level of this.#tables.get(table) ?? [])
      for (const [route] of level.byPrefix.values()) if (route) yield route;
  }

  /**
   * The routes of the longest prefix that holds the address, in the first table that has one; lowest metric first.
   * @param address 4 or 16 bytes
   */
  match(family: FamilyIndex, address: Uint8Array): readonly Route[] {
    const masked = new Uint8Array(address);
    for (const levels of this.#tables.values()) {
      const level = levels[family];
      masked.set(address);
      for (let length = WIDTHS[family] * 8; length >= 0; length--) {
        clearHostBits(masked, length);
        if (level.lengths[length] === 0) continue;
        const found = level.byPrefix.get(formatPrefixOctets(family, masked, 0, length));
        if (found !== undefined) return found;
      }
    }
    return [];
  }
}

function newLevel(): Level {
  return { byPrefix: new Map(), lengths: new Uint32Array(129) };
}

function isOnEveryLink({ family, bytes }: TablePrefix): boolean {
  if (family === IPV4) return false;
  const word0 = new DataView(bytes.buffer).getUint32(0);
  return isLinkLocalIpv6(word0) || isMulticastIpv6(word0);
}

/** The kernel keeps one route a metric (appended doubles come after it and change nothing here). */
function withRoute(routes: readonly Route[], route: Route): Route[] {
  return [...routes.filter((r) => r.metric !== route.metric), route].sort((a, b) => a.metric - b.metric);
}

function withoutRoute(routes: readonly Route[], route: Route): Route[] {
  return routes.flatMap((r) => (r.metric === route.metric ? withoutHops(r, route) : [r]));
}

function sign(count: number): number {
  return count > 0 ? 1 : 0;
}

/** IPv6 tells of each lost next hop of a multipath route by itself; IPv4 of the whole route. */
function withoutHops(route: Route, lost: Route): Route[] {
  if (route.family === 'ipv4' || lost.nextHops.length >= route.nextHops.length) return [];
  const nextHops = route.nextHops.filter((hop) => !lost.nextHops.some((l) => sameHop(hop, l)));
  return nextHops.length === 0 ? [] : [{ ...route, nextHops }];
}

function sameHop(a: NextHop, b: NextHop): boolean {
  return a.gateway === b.gateway && a.deviceIndex === b.deviceIndex;
}
