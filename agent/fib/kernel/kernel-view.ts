// What the FIB knows of the kernel: links, the routes of others, and which of its own routes are there. Read whole at
// the start and whenever notifications may have been lost (overrun; a link that went down, for which the kernel drops
// IPv4 routes without a word), and kept by notifications in between.
import { type FamilyIndex, WIDTHS } from '#ip';
import { type Kernel, type KernelEvent, type Link, MAIN_TABLE, type Route } from '#linux';
import type { DefaultGateways, Gateway, HostNetwork } from '../../plan/index.ts';
import type { Columns } from '../fib-columns.ts';
import { ForeignRoutes } from '../foreign-routes.ts';
import { tablePrefix } from '../table-prefix.ts';
import { isFibRoute, isForeignRoute } from './ownership.ts';
import { NO_TARGET, type Targets } from '../targets.ts';

const LOCAL_TABLE = 255;
/** Protocols of routes that come with an address: the kernel's own, and of router advertisements. */
const CONNECTED: readonly number[] = [2, 9];

export interface KernelViewOptions {
  readonly kernel: Kernel;
  readonly table: number;
  readonly protocol: number;
  /** Of pods' routes. */
  readonly metric: number;
}

/** What a notification means for the rest of the FIB. */
export interface EventEffect {
  /** How next hops are reached may have changed. */
  readonly facts?: boolean;
  /** Everything must be read again. */
  readonly reread?: boolean;
  /** A prefix must be looked at. */
  readonly work?: boolean;
  /** An own route was deleted or changed by somebody else. */
  readonly touched?: { readonly family: 0 | 1; readonly id: number };
}

export class KernelView {
  readonly links = new Map<number, Link>();
  readonly foreign: ForeignRoutes;
  readonly #options: KernelViewOptions;
  readonly #tables: readonly number[];

  constructor(options: KernelViewOptions) {
    this.#options = options;
    this.#tables = [...new Set([LOCAL_TABLE, options.table, MAIN_TABLE])];
    this.foreign = new ForeignRoutes(this.#tables);
  }

  /** Reads links and routes; returns the FIB's own routes, for reconcile(). */
  async read(): Promise<Route[]> {
    const { kernel, table, protocol } = this.#options;
    const [links, ...dumps] = await Promise.all([
      kernel.links(),
      ...this.#tables.map((t) => kernel.routes({ table: t })),
    ]);
    this.links.clear();
    for (const link of links) this.links.set(link.index, link);
    this.foreign.clear();
    const own: Route[] = [];
    for (const route of dumps.flat()) {
      if (isForeignRoute(route, protocol)) this.foreign.apply('new', route);
      else if (isFibRoute(route, table, protocol)) own.push(route);
    }
    return own;
  }

  /** Of the kernel's default routes that somebody else made, where the best one of each family leads. */
  defaultGateways(): DefaultGateways {
    const ipv4 = this.#gatewayOf(0, '0.0.0.0/0');
    const ipv6 = this.#gatewayOf(1, '::/0');
    return { ...(ipv4 === undefined ? {} : { ipv4 }), ...(ipv6 === undefined ? {} : { ipv6 }) };
  }

  /** This node's addresses and connected networks, but for those that every node has. */
  hostNetworks(): HostNetwork[] {
    const networks: HostNetwork[] = [];
    for (const { type, destination } of this.foreign.all(LOCAL_TABLE)) {
      if (type === 'local' && !isLoopback(destination))
        networks.push({ prefix: destination, what: 'an address of this node' });
    }
    for (const { type, destination, protocol, nextHops } of this.foreign.all(MAIN_TABLE)) {
      const isConnected = type === 'unicast' && nextHops.every((hop) => hop.gateway === undefined);
      if (!isConnected || !CONNECTED.includes(protocol)) continue;
      const links = nextHops.map((hop) => this.links.get(hop.deviceIndex ?? 0)?.name ?? hop.deviceIndex);
      networks.push({ prefix: destination, what: `the network of link ${links.join(', ')}` });
    }
    return networks;
  }

  #gatewayOf(family: FamilyIndex, destination: string): Gateway | undefined {
    for (const route of this.foreign.match(family, new Uint8Array(WIDTHS[family]))) {
      if (route.destination !== destination || route.type !== 'unicast') continue;
      for (const { gateway, deviceIndex } of route.nextHops) {
        const device = deviceIndex === undefined ? undefined : this.links.get(deviceIndex)?.name;
        if (gateway !== undefined && device !== undefined) return { address: gateway, device };
      }
    }
    return undefined;
  }

  /**
   * Compares what a dump showed with what the columns believe, and marks the differences.
   * @param keepUnwanted own routes that nobody wants are adopted (a restart that has not converged yet), not deleted
   * @returns how many wanted routes were missing or different
   */
  reconcile(
    own: readonly Route[],
    columns: readonly [Columns, Columns],
    targets: Targets,
    keepUnwanted: boolean,
  ): number {
    let differences = 0;
    for (const column of columns) for (const id of column.leftovers.clear()) column.markDirty(id);
    for (const route of own) {
      const { family, bytes, length } = tablePrefix(route.destination);
      const column = columns[family];
      const id = column.add(bytes, 0, length);
      const target = takeTarget(route, targets);
      if (!takesPlace(column, id, target, route.metric)) column.leftovers.add(id, route.metric);
      else {
        if (column.isSeen(id)) column.leftovers.add(id, column.installedMetricOf(id));
        if (column.installedOf(id) !== target) {
          if (column.isWanted(id) && column.installedOf(id) !== NO_TARGET) differences++;
          column.setInstalled(id, target);
        }
        column.setSeen(id, true);
      }
      targets.release(target);
      if (!column.isWanted(id) && keepUnwanted) column.setAdopted(id, true);
      else column.markDirty(id);
    }
    for (const column of columns) differences += forgetUnseen(column);
    return differences;
  }

  /** @param isUsed whether the FIB has routes or next hops on a link */
  apply(
    event: KernelEvent,
    columns: readonly [Columns, Columns],
    isUsed: (link: Link) => boolean,
  ): EventEffect {
    switch (event.type) {
      case 'overrun':
        return { reread: true };
      case 'link':
        return this.#applyLink(event.change === 'new' ? event.link : undefined, event.link, isUsed);
      case 'route': {
        const { route, change } = event;
        if (isForeignRoute(route, this.#options.protocol)) {
          return this.foreign.apply(change, route) ? { facts: true } : {};
        }
        return this.#applyOwn(change === 'deleted', route, columns);
      }
      case 'address':
      case 'neighbour':
      case 'rule':
        return {};
    }
  }

  #applyLink(now: Link | undefined, link: Link, isUsed: (link: Link) => boolean): EventEffect {
    const before = this.links.get(link.index);
    const matters =
      (before !== undefined && isUsed(before)) || isUsed(link) || this.foreign.usesLink(link.index);
    if (now === undefined) this.links.delete(link.index);
    else this.links.set(link.index, now);
    if (!matters) return {};
    if (now === undefined || (before?.up === true && !now.up)) return { facts: true, reread: true };
    const isSame = before?.up === now.up && before.carrier === now.carrier && before.name === now.name;
    return isSame ? {} : { facts: true };
  }

  #applyOwn(isDeleted: boolean, route: Route, columns: readonly [Columns, Columns]): EventEffect {
    const { table, protocol, metric } = this.#options;
    if (route.table !== table) return {};
    const { family, bytes, length } = tablePrefix(route.destination);
    const column = columns[family];
    if (!isFibRoute(route, table, protocol)) {
      if (route.metric !== metric) return {};
      // A pod's: it takes the place of a route of ours, such as the hold of a block of one address, and leaves it again.
      const held = column.prefixes.findBytes(bytes, 0, length);
      if (held < 0) return {};
      column.setInstalled(held, NO_TARGET);
      if (!isDeleted && column.isHeld(held)) return {};
      column.markDirty(held);
      return { work: true };
    }
    const id = isDeleted ? column.prefixes.findBytes(bytes, 0, length) : column.add(bytes, 0, length);
    if (id < 0) return {};
    const isInstalled = column.installedMetricOf(id) === route.metric;
    if (isDeleted && !isInstalled && !column.leftovers.has(id, route.metric)) return {};
    if (isInstalled) column.setInstalled(id, NO_TARGET);
    if (isDeleted) column.leftovers.drop(id, route.metric);
    else column.leftovers.add(id, route.metric);
    column.markDirty(id);
    return { touched: { family, id } };
  }
}

/**
 * Of several own routes to one prefix one counts: what is wanted, else the one that the kernel uses.
 * @param target NO_TARGET when what the route says cannot be named
 */
function takesPlace(column: Columns, id: number, target: number, metric: number): boolean {
  if (target === NO_TARGET) return false;
  if (!column.isSeen(id)) return true;
  const want = column.targetOf(id);
  return target === want || (column.installedOf(id) !== want && metric < column.installedMetricOf(id));
}

function isLoopback(destination: string): boolean {
  return destination.startsWith('127.') || destination === '::1/128';
}

/** The target that a route in the kernel comes to, or NO_TARGET; one use of it is the caller's. */
function takeTarget(route: Route, targets: Targets): number {
  if (route.type === 'unreachable') return targets.takeUnreachable(route.metric);
  const hops = route.nextHops.map(({ gateway, deviceIndex = 0, weight = 1, onlink = false }) => ({
    ...(gateway === undefined ? {} : { gateway }),
    deviceIndex,
    ...(weight === 1 ? {} : { weight }),
    ...(onlink ? { onlink } : {}),
  }));
  try {
    return targets.takeHops(route.family === 'ipv4' ? 0 : 1, hops, route.metric);
  } catch {
    return NO_TARGET;
  }
}

/** What is believed to be installed but was not in the dump is gone. */
function forgetUnseen(column: Columns): number {
  let missing = 0;
  for (let id = 0; id < column.prefixes.ids.end; id++) {
    if (!column.prefixes.ids.has(id)) continue;
    if (!column.isSeen(id) && column.installedOf(id) !== NO_TARGET) {
      if (column.isWanted(id)) missing++;
      column.setInstalled(id, NO_TARGET);
      column.setAdopted(id, false);
      column.markDirty(id);
    }
    column.setSeen(id, false);
  }
  return missing;
}
