// One attachment: who it belongs to, how its link is named, which addresses it asks for; and what is answered for it, in the
// form of each version of the specification (inside it is kept in the newest), with what an earlier plugin of the chain
// said. Pure.
import { canonicalAddress, type Family, familyOf } from '#ip';
import { type Addresses, hostLinkName, type Owner, ownerKey } from '#ipam';
import type { CniCall } from './call.ts';
import { CniError, codes } from './cni-error.ts';
import {
  type CniVersion,
  type Dns,
  isAtLeast,
  type NetworkConfig,
  readIps,
  readMac,
} from './network-config.ts';

/** Next hops of a pod's default routes. No host has these addresses: neighbour entries lead to the link's other end. */
export const GATEWAYS: Readonly<Record<Family, string>> = { ipv4: '169.254.1.1', ipv6: 'fe80::1' };
export const DEFAULT_ROUTES: Readonly<Record<Family, string>> = { ipv4: '0.0.0.0/0', ipv6: '::/0' };
/** Pod annotations that ask for addresses: a JSON list. Ours first. */
const ADDRESS_ANNOTATIONS = ['podroute.io/ips', 'cni.projectcalico.org/ipAddrs'];

export interface AttachmentNames {
  readonly key: string;
  readonly hostName: string;
  readonly hostMac: string;
  readonly podMac: string;
}

/** The same in every run, so that a restarted agent finds what an earlier one made. */
export function attachmentNames(of: Pick<Owner, 'containerId' | 'ifname'>): AttachmentNames {
  const key = ownerKey(of);
  const digits = key.slice(-10).match(/../g)!.join(':');
  return { key, hostName: hostLinkName(key), podMac: `02:${digits}`, hostMac: `${OF_DERIVED}:${digits}` };
}

// Locally administered addresses: 02 the pod's end; the host's end says whether the pod has the one that belongs to it.
const OF_DERIVED = '06';
const OF_REQUESTED = '0a';

/** Of the host's end of a pod that asked for a MAC address of its own. */
export function hostMacBesideRequested(hostMac: string): string {
  return OF_REQUESTED + hostMac.slice(2);
}

/** The pod's MAC address, from that of the host's end; undefined when the pod asked for another. */
export function derivedPodMac(hostMac: string | undefined): string | undefined {
  return hostMac?.startsWith(`${OF_DERIVED}:`) ? `02${hostMac.slice(2)}` : undefined;
}

export function ownerOf(call: CniCall, config: Pick<NetworkConfig, 'name'>): Owner {
  const podNamespace = call.args.get('K8S_POD_NAMESPACE');
  const podName = call.args.get('K8S_POD_NAME');
  const podUid = call.args.get('K8S_POD_UID');
  return {
    containerId: call.containerId,
    ifname: call.ifname,
    network: config.name,
    ...(podNamespace === undefined ? {} : { podNamespace }),
    ...(podName === undefined ? {} : { podName }),
    ...(podUid === undefined ? {} : { podUid }),
  };
}

/** For log lines and messages: 'pod default/web-0' or 'container 3f2a…'. */
export function subjectOf(owner: Pick<Owner, 'containerId' | 'podNamespace' | 'podName'>): string {
  return owner.podName === undefined
    ? `container ${owner.containerId}`
    : `pod ${owner.podNamespace ?? ''}/${owner.podName}`;
}

/**
 * Addresses asked for: runtimeConfig.ips and args.cni.ips win over CNI_ARGS IP, which wins over the pod's annotation.
 * Throws CniError 7 for one that is not an address or of a family that the network does not have.
 */
export function requestedAddresses(
  call: CniCall,
  config: NetworkConfig,
  families: readonly Family[],
): Addresses {
  const list =
    config.ips.length > 0
      ? config.ips
      : call.args.has('IP')
        ? readIps((call.args.get('IP') ?? '').split(','), 'CNI_ARGS IP')
        : annotatedIps(config);
  const requested: { -readonly [family in Family]?: string } = {};
  for (const address of list) {
    const family = familyOf(address);
    if (!families.includes(family)) {
      throw new CniError(
        codes.invalidConfig,
        `requested address ${address}: this network has no ${family} addresses on this node`,
      );
    }
    requested[family] = address;
  }
  return requested;
}

function annotatedIps({ podAnnotations }: NetworkConfig): string[] {
  for (const key of ADDRESS_ANNOTATIONS) {
    const text = podAnnotations[key];
    if (text === undefined || text === '') continue;
    const single = canonicalAddress(text);
    if (single !== undefined) return [single];
    try {
      return readIps(JSON.parse(text), `pod annotation ${key}`);
    } catch (error) {
      if (error instanceof CniError) throw error;
      throw new CniError(
        codes.invalidConfig,
        `pod annotation ${key} is ${JSON.stringify(text)}`,
        'wanted: a JSON list such as ["10.0.0.9", "fd00::9"]',
      );
    }
  }
  return [];
}

export function requestedMac(call: CniCall, config: NetworkConfig): string | undefined {
  if (config.mac !== undefined) return config.mac;
  const text = call.args.get('MAC');
  return text === undefined || text === '' ? undefined : readMac(text, 'CNI_ARGS MAC');
}

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
