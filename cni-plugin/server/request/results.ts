// An ADD's result in the form of each version of the specification, and what an earlier plugin of the chain said. Pure.
// Inside it is kept in the newest form.
import { type Family, familyOf } from '#ip';
import { CniError, codes } from './cni-error.ts';
import type { Dns } from './network-config.ts';
import { type CniVersion, isAtLeast } from './network-config.ts';

interface ResultInterface {
  readonly name: string;
  readonly mac?: string;
  readonly mtu?: number;
  /** '' on the host, else CNI_NETNS. */
  readonly sandbox?: string;
  readonly socketPath?: string;
  readonly pciID?: string;
}
interface ResultIp {
  readonly address: string;
  readonly gateway?: string;
  /** Index into interfaces. */
  readonly interface?: number;
}
interface ResultRoute {
  readonly dst: string;
  readonly gw?: string;
  readonly mtu?: number;
  readonly advmss?: number;
  readonly priority?: number;
  readonly table?: number;
  readonly scope?: number;
}
export interface CniResult {
  readonly interfaces: readonly ResultInterface[];
  readonly ips: readonly ResultIp[];
  readonly routes: readonly ResultRoute[];
  readonly dns: Dns;
}

/** One line of JSON in the version's form. */
export function resultJson(result: CniResult, cniVersion: CniVersion): string {
  return `${JSON.stringify({ cniVersion, ...inVersion(result, cniVersion) })}\n`;
}

function inVersion(result: CniResult, version: CniVersion): object {
  const { interfaces, ips, routes, dns } = result;
  if (isAtLeast(version, '1.1.0')) return { interfaces, ips, routes, dns };
  const oldRoutes = routes.map(({ dst, gw }) => ({ dst, ...(gw === undefined ? {} : { gw }) }));
  if (!isAtLeast(version, '0.3.0')) return beforeInterfaces(ips, oldRoutes, dns);
  const oldInterfaces = interfaces.map(({ name, mac, sandbox }) => ({
    name,
    ...(mac === undefined ? {} : { mac }),
    ...(sandbox === undefined ? {} : { sandbox }),
  }));
  const oldIps = isAtLeast(version, '1.0.0')
    ? ips
    : ips.map((ip) => ({ version: familyOf(ip.address) === 'ipv6' ? '6' : '4', ...ip }));
  return { interfaces: oldInterfaces, ips: oldIps, routes: oldRoutes, dns };
}

/** 0.1.0 and 0.2.0: one address a family, with its routes. */
function beforeInterfaces(ips: readonly ResultIp[], routes: readonly ResultRoute[], dns: Dns): object {
  const of = (family: Family): object | undefined => {
    const ip = ips.find((candidate) => familyOf(candidate.address) === family);
    if (ip === undefined) return undefined;
    const own = routes.filter((route) => familyOf(route.dst) === family);
    return { ip: ip.address, ...(ip.gateway === undefined ? {} : { gateway: ip.gateway }), routes: own };
  };
  const ip4 = of('ipv4');
  const ip6 = of('ipv6');
  return { ...(ip4 === undefined ? {} : { ip4 }), ...(ip6 === undefined ? {} : { ip6 }), dns };
}

/** Reads prevResult of 0.3.0 or later; undefined when there is none. Throws CniError 6. */
export function readPrevResult(value: unknown): CniResult | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'object' || Array.isArray(value)) throw unreadable('it is not an object');
  const { interfaces, ips, routes, dns } = value as Partial<Record<keyof CniResult, unknown>>;
  const list = <T>(name: string, given: unknown, has: string): readonly T[] => {
    if (given === undefined || given === null) return [];
    const isGood =
      Array.isArray(given) &&
      given.every((item) => typeof (item as Record<string, unknown> | null)?.[has] === 'string');
    if (!isGood) throw unreadable(`${name} is not a list of objects with ${has}`);
    return given as T[];
  };
  return {
    interfaces: list<ResultInterface>('interfaces', interfaces, 'name'),
    // Without the version that 0.3 and 0.4 have.
    ips: list<ResultIp>('ips', ips, 'address').map((ip) => ({
      address: ip.address,
      ...(ip.gateway === undefined ? {} : { gateway: ip.gateway }),
      ...(ip.interface === undefined ? {} : { interface: ip.interface }),
    })),
    routes: list<ResultRoute>('routes', routes, 'dst'),
    dns: (dns ?? {}) as Dns,
  };
}

/** Ours behind what an earlier plugin of the chain made. */
export function appendResult(before: CniResult, ours: CniResult): CniResult {
  const shift = before.interfaces.length;
  return {
    interfaces: [...before.interfaces, ...ours.interfaces],
    ips: [
      ...before.ips,
      ...ours.ips.map((ip) => (ip.interface === undefined ? ip : { ...ip, interface: ip.interface + shift })),
    ],
    routes: [...before.routes, ...ours.routes],
    dns: Object.keys(ours.dns).length > 0 ? ours.dns : before.dns,
  };
}

function unreadable(why: string): CniError {
  return new CniError(codes.decoding, 'prevResult cannot be read', why);
}
