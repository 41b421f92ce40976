// What a pod's link consists of, as plain data, and the requests that make it. The wirers send them: real/pod-wirer.ts to
// Linux, memory/memory-pod-wirer.ts to kernels in memory.
import { FAMILIES, familyOf, hostPrefix, parseOctets } from '#ip';
import type { KernelError } from './kernel-error.ts';
import { type AddLink, PODROUTE_METRIC, type Request } from './kernel.ts';

const MAX_NAME_BYTES = 15;
/** RTPROT_BOOT, as `ip route add` writes it */
const BOOT_PROTOCOL = 3;

export interface PodWiring {
  /** path of the pod's network namespace */
  readonly netns: string;
  /** name of the host's end, at most 15 bytes */
  readonly hostName: string;
  /** name of the pod's end, usually 'eth0' */
  readonly podName: string;
  readonly hostMac: string;
  readonly podMac: string;
  readonly mtu: number;
  /** the pod's addresses without length: '10.0.0.5', 'fd00::5' */
  readonly addresses: readonly string[];
  /** what the pod's default routes point to; nobody needs to own them, since neighbour entries are permanent */
  readonly gateways: { readonly ipv4: string; readonly ipv6: string };
  /** of the host's routes to the pod; defaults: main table, protocol 179, metric 1024 */
  readonly routes?: { readonly table?: number; readonly protocol?: number; readonly metric?: number };
  /** group of the host's end, so that many can be deleted at once; default 0 */
  readonly group?: number;
  /** rp_filter of the host's end: 1 strict (default; a pod cannot send from another's address), 2 loose, 0 off */
  readonly rpFilter?: 0 | 1 | 2;
}

export interface WiredPod {
  readonly hostIndex: number;
  readonly podIndex: number;
  readonly hostMac: string;
  readonly podMac: string;
}

/** Wires pods to the namespace that it was opened in. */
export interface PodWirer extends AsyncDisposable {
  /**
   * Makes the link, addresses, routes and neighbour entries at both ends, synchronously (about 0.7 ms). When a step fails
   * nothing stays (the link's deletion runs in the background) and the step's error is the result.
   */
  wire(spec: PodWiring): WiredPod | KernelError;
  /**
   * Deletes the host's end, and with it everything that wire made. Takes about 24 ms (the kernel waits for RCU), off
   * the main thread. ENODEV when it is gone already.
   */
  unwire(hostName: string): Promise<KernelError | undefined>;
  /** Deletes every link of the group (PodWiring.group, not 0) in one kernel transaction. */
  unwireGroup(group: number): Promise<KernelError | undefined>;
}

/** The veth, its host's end up; the pod's cannot be while it has no peer (ENOTCONN). netnsFd: of the pod's namespace. */
export function linkRequest(spec: PodWiring, netnsFd?: number): AddLink {
  return {
    type: 'addLink',
    kind: 'veth',
    name: spec.hostName,
    mac: spec.hostMac,
    mtu: spec.mtu,
    up: true,
    group: spec.group ?? 0,
    peer: {
      name: spec.podName,
      mac: spec.podMac,
      mtu: spec.mtu,
      ...(netnsFd === undefined ? {} : { netnsFd }),
    },
  };
}

/** What is to do inside the pod's namespace; again: some of it has been done. */
export function podRequests(spec: PodWiring, again: boolean): Request[] {
  const device = spec.podName;
  const replace = again;
  const requests: Request[] = [{ type: 'setLink', device, up: true }];
  for (const address of spec.addresses) {
    requests.push({ type: 'addAddress', device, address: hostPrefix(address), noDad: true, replace });
  }
  for (const family of FAMILIES) {
    if (!spec.addresses.some((address) => familyOf(address) === family)) continue;
    const gateway = spec.gateways[family];
    const destination = family === 'ipv4' ? '0.0.0.0/0' : '::/0';
    const route = { destination, nextHops: [{ gateway, device, onlink: true }], protocol: BOOT_PROTOCOL };
    requests.push(
      { type: 'addNeighbour', device, address: gateway, mac: spec.hostMac, replace: true },
      { type: 'addRoute', route, replace },
    );
  }
  return requests;
}

/** What is to do on the host, besides switches. */
export function hostRequests(spec: PodWiring): Request[] {
  const device = spec.hostName;
  return spec.addresses.flatMap((address): Request[] => {
    const destination = hostPrefix(address);
    const route = { destination, nextHops: [{ device }], metric: PODROUTE_METRIC, ...spec.routes };
    return [
      // Whatever stands there leads elsewhere: the address is this pod's.
      { type: 'addRoute', route, replace: true },
      { type: 'addNeighbour', device, address, mac: spec.podMac, replace: true },
    ];
  });
}

/** What the kernel would refuse less clearly. */
export function findMistake(spec: PodWiring): string | undefined {
  for (const name of [spec.hostName, spec.podName]) {
    if (name === '' || Buffer.byteLength(name) > MAX_NAME_BYTES || /[\s/:]/.test(name)) {
      return `link name '${name}': wanted 1 to ${MAX_NAME_BYTES} bytes without space, '/' and ':'`;
    }
  }
  for (const address of spec.addresses) {
    if (parseOctets(address) === undefined)
      return `'${address}' is no IP address (wanted one without length)`;
  }
  return undefined;
}
