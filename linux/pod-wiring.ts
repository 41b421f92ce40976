// What a pod's link consists of, as plain data. pod-wirer.ts makes it so.
import type { KernelError } from './kernel-error.ts';

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
