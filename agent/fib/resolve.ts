// From a BGP next hop to what the kernel can use: a gateway and a device. A connected next hop is taken as it is;
// another goes through the routes of others (connected, static, an IGP's), never through podroute's own, so that no
// route resolves through itself. Pure.
import { isUnspecified, needsZone } from '#ip';
import type { Link, NextHop, Route } from '#linux';
import type { ForeignRoutes } from './foreign-routes.ts';
import { tablePrefix } from './table-prefix.ts';

export interface Resolution {
  readonly isReachable: boolean;
  /** No router is between: it is a neighbour on a link. */
  readonly isOnLink: boolean;
  /** Cost of getting there, for the decision process (RFC 4271 §9.1.2.2 e): 0 when connected. */
  readonly metric: number;
  /** Where the kernel sends packets; empty when unreachable. */
  readonly hops: readonly NextHop[];
  /** 'connected on eth0', 'via 10.1.1.1 dev eth0', or why it cannot be reached. */
  readonly how: string;
}

export interface KernelFacts {
  readonly links: ReadonlyMap<number, Link>;
  readonly foreign: ForeignRoutes;
}

/** @param device for a link-local next hop, the link of its session */
export function resolve(address: string, device: string | undefined, facts: KernelFacts): Resolution {
  const { family, bytes } = tablePrefix(address);
  if (isUnspecified(bytes)) return unreachable('is the unspecified address');
  if (needsZone(address)) return resolveLinkLocal(address, device, facts.links);
  const routes = facts.foreign.match(family, bytes);
  let refusal = 'no route leads to it';
  for (const route of routes) {
    const resolution = through(route, address, facts.links);
    if (resolution.isReachable) return resolution;
    refusal = resolution.how;
  }
  return unreachable(refusal);
}

function through(route: Route, address: string, links: ReadonlyMap<number, Link>): Resolution {
  if (route.type === 'local') return unreachable('is an address of this node');
  if (route.type !== 'unicast') return unreachable(`the route ${route.destination} to it is ${route.type}`);
  const usable: NextHop[] = [];
  let refusal = `the route ${route.destination} to it has no next hop`;
  for (const hop of route.nextHops) {
    const trouble = linkTrouble(links, hop.deviceIndex);
    if (trouble !== undefined) refusal = trouble;
    else usable.push(asGateway(hop, address));
  }
  if (usable.length === 0) return unreachable(refusal);
  const isConnected = route.nextHops.every((hop) => hop.gateway === undefined);
  const metric = isConnected ? 0 : route.metric;
  const names = usable.map((hop) => nameOf(links, hop));
  const how = isConnected
    ? `connected on ${names.join(', ')}`
    : usable.map((hop, i) => `via ${hop.gateway} dev ${names[i]}`).join(', ');
  return { isReachable: true, isOnLink: isConnected, metric, hops: usable, how };
}

/** Without a gateway the next hop itself is the neighbour on the link. */
function asGateway(hop: NextHop, address: string): NextHop {
  const base = { gateway: hop.gateway ?? address, deviceIndex: hop.deviceIndex ?? 0 };
  return hop.onlink ? { ...base, onlink: true } : base;
}

function resolveLinkLocal(
  address: string,
  device: string | undefined,
  links: ReadonlyMap<number, Link>,
): Resolution {
  if (device === undefined) return unreachable('is link-local and its link is not known');
  const link = [...links.values()].find((l) => l.name === device);
  const trouble = link === undefined ? `link ${device} does not exist` : linkTrouble(links, link.index);
  if (link === undefined || trouble !== undefined) return unreachable(trouble ?? 'no link');
  const hops = [{ gateway: address, deviceIndex: link.index }];
  return { isReachable: true, isOnLink: true, metric: 0, hops, how: `connected on ${device}` };
}

/** A link without carrier swallows packets although the kernel keeps its routes. */
function linkTrouble(links: ReadonlyMap<number, Link>, index: number | undefined): string | undefined {
  const link = index === undefined ? undefined : links.get(index);
  if (link === undefined) return 'its link is gone';
  if (!link.up) return `link ${link.name} is down`;
  return link.carrier || link.loopback ? undefined : `link ${link.name} has no carrier`;
}

function nameOf(links: ReadonlyMap<number, Link>, hop: NextHop): string {
  return links.get(hop.deviceIndex ?? 0)?.name ?? `link ${hop.deviceIndex}`;
}

function unreachable(how: string): Resolution {
  return { isReachable: false, isOnLink: false, metric: 0, hops: [], how };
}

/** True when the speaker or the kernel would see a difference. */
export function sameResolution(a: Resolution, b: Resolution): boolean {
  return (
    a.isReachable === b.isReachable &&
    a.isOnLink === b.isOnLink &&
    a.metric === b.metric &&
    a.hops.length === b.hops.length &&
    a.hops.every((hop, i) => {
      const other = b.hops[i]!;
      return (
        hop.gateway === other.gateway &&
        hop.deviceIndex === other.deviceIndex &&
        (hop.onlink ?? false) === (other.onlink ?? false)
      );
    })
  );
}
