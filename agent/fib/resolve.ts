// From a BGP next hop to what the kernel can use: a gateway and a device. A connected next hop is taken as it is;
// another goes through the routes of others (connected, static, an IGP's), never through podroute's own, so that no
// route resolves through itself. Pure.
import { isUnspecified, needsZone } from '#ip';
import type { Link, NextHop, Route } from '#linux';
import type { ForeignRoutes } from './foreign-routes.ts';
import { tablePrefix } from './table-prefix.ts';

/** As the kernel takes it: a gateway on a link. */
export type LinkedHop = NextHop & { readonly deviceIndex: number };

/** The same for the same gateway, whatever its weight. */
export function gatewayKey({ gateway, deviceIndex, onlink }: LinkedHop): string {
  return `${gateway}%${deviceIndex}${onlink ? '!' : ''}`;
}

export interface Resolution {
  readonly isReachable: boolean;
  /** No router is between: it is a neighbour on a link. */
  readonly isOnLink: boolean;
  /** Cost of getting there, for the decision process (RFC 4271 §9.1.2.2 e): 0 when connected. */
  readonly metric: number;
  /** Where the kernel sends packets; empty when unreachable. */
  readonly hops: readonly LinkedHop[];
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
  const hops: LinkedHop[] = [];
  const names: string[] = [];
  let refusal = `the route ${route.destination} to it has no next hop`;
  for (const { gateway, deviceIndex, onlink, weight } of route.nextHops) {
    const link = working(deviceIndex === undefined ? undefined : links.get(deviceIndex));
    if (typeof link === 'string') {
      refusal = link;
      continue;
    }
    // Without a gateway the next hop itself is the neighbour on the link.
    hops.push({
      ...{ gateway: gateway ?? address, deviceIndex: link.index },
      ...(onlink && { onlink }),
      ...(weight !== undefined && weight !== 1 && { weight }),
    });
    names.push(link.name);
  }
  if (hops.length === 0) return unreachable(refusal);
  const isOnLink = route.nextHops.every((hop) => hop.gateway === undefined);
  const metric = isOnLink ? 0 : route.metric;
  const how = isOnLink
    ? `connected on ${names.join(', ')}`
    : hops.map((hop, i) => `via ${hop.gateway} dev ${names[i]}`).join(', ');
  return { isReachable: true, isOnLink, metric, hops, how };
}

function resolveLinkLocal(
  address: string,
  device: string | undefined,
  links: ReadonlyMap<number, Link>,
): Resolution {
  if (device === undefined) return unreachable('is link-local and its link is not known');
  const known = [...links.values()].find((l) => l.name === device);
  const link = known === undefined ? `link ${device} does not exist` : working(known);
  if (typeof link === 'string') return unreachable(link);
  const hops = [{ gateway: address, deviceIndex: link.index }];
  return { isReachable: true, isOnLink: true, metric: 0, hops, how: `connected on ${device}` };
}

/** The link, or why packets do not get through it: without carrier it swallows them although the kernel keeps its routes. */
function working(link: Link | undefined): Link | string {
  if (link === undefined) return 'its link is gone';
  if (!link.up) return `link ${link.name} is down`;
  return link.carrier || link.loopback ? link : `link ${link.name} has no carrier`;
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
        hop.onlink === other.onlink &&
        hop.weight === other.weight
      );
    })
  );
}
