// The kernel of one network namespace as this project sees it: links, addresses, routes, neighbours and rules
// to read, change and follow. Types only: real-kernel.ts speaks rtnetlink, memory-kernel.ts keeps it in memory.
import type { Family, FamilyIndex } from '#ip';
import type { KernelError } from './kernel-error.ts';

/** rtm_protocol of every route that podroute makes (not FRR's 186 nor BIRD's 12). */
export const PODROUTE_PROTOCOL = 179;
/** Metric of podroute's routes: an operator's own route to the same prefix (a lower one) wins. */
export const PODROUTE_METRIC = 1024;
export const MAIN_TABLE = 254;
export const LOCAL_TABLE = 255;

export interface Link {
  readonly index: number;
  readonly name: string;
  /** 'veth', 'bridge', …; undefined for physical devices and lo */
  readonly kind?: string;
  /** 'aa:bb:cc:dd:ee:ff'; undefined for devices without one */
  readonly mac?: string;
  readonly mtu: number;
  /** IFF_UP: an administrator switched it on */
  readonly up: boolean;
  /** IFF_LOWER_UP: there is carrier */
  readonly carrier: boolean;
  readonly loopback: boolean;
  readonly group: number;
  /** IFLA_LINK: the index of a veth's other end (in its own namespace) */
  readonly peerIndex?: number;
  /** true when the other end is in another namespace */
  readonly peerElsewhere: boolean;
  /** index of the bridge or bond it belongs to */
  readonly master?: number;
}

export interface Address {
  readonly family: Family;
  /** address and length of its network, '10.0.0.1/24' */
  readonly address: string;
  readonly deviceIndex: number;
  readonly device?: string;
  readonly scope: Scope;
  /** the other end of a point-to-point address */
  readonly peer?: string;
  /** IPv6 duplicate address detection is still running (or failed) */
  readonly tentative: boolean;
  readonly permanent: boolean;
}

export type Scope = 'global' | 'site' | 'link' | 'host' | 'nowhere';
export type RouteType =
  | 'unicast'
  | 'local'
  | 'broadcast'
  | 'anycast'
  | 'multicast'
  | 'blackhole'
  | 'unreachable'
  | 'prohibit'
  | 'throw'
  | 'other';

export interface NextHop {
  /** may be IPv6 for an IPv4 route (RTA_VIA, RFC 5549) */
  readonly gateway?: string;
  readonly device?: string;
  /** wins over device */
  readonly deviceIndex?: number;
  /** share of the traffic, 1..256; default 1 */
  readonly weight?: number;
  /** the gateway is on this link although no address says so */
  readonly onlink?: boolean;
}

/** A route to make: what is left out has the default that is written beside it. */
export interface RouteSpec {
  /** canonical prefix, '10.0.0.0/24', '::/0' */
  readonly destination: string;
  /** none for unreachable, blackhole, throw, prohibit */
  readonly nextHops?: readonly NextHop[];
  /** default 'unicast' */
  readonly type?: RouteType;
  /** default 254, main */
  readonly table?: number;
  /** default 179, ours */
  readonly protocol?: number;
  /** default 0 for IPv4; for IPv6 the kernel makes it 1024 */
  readonly metric?: number;
  /** default: 'link' for an IPv4 route without gateway, else 'global' */
  readonly scope?: Scope;
  /** preferred source address */
  readonly source?: string;
  readonly mtu?: number;
}

/** Which route to delete; every field that is left out matches any. */
export interface RouteKey {
  readonly destination: string;
  readonly table?: number;
  readonly protocol?: number;
  readonly metric?: number;
  readonly type?: RouteType;
  readonly nextHops?: readonly NextHop[];
}

export interface Route {
  readonly family: Family;
  readonly destination: string;
  readonly table: number;
  readonly protocol: number;
  readonly scope: Scope;
  readonly type: RouteType;
  readonly metric: number;
  readonly source?: string;
  readonly mtu?: number;
  readonly nextHops: readonly NextHop[];
}

export type NeighbourState =
  | 'none'
  | 'incomplete'
  | 'reachable'
  | 'stale'
  | 'delay'
  | 'probe'
  | 'failed'
  | 'noarp'
  | 'permanent';
export interface Neighbour {
  readonly family: Family;
  readonly address: string;
  readonly mac?: string;
  readonly deviceIndex: number;
  readonly device?: string;
  readonly state: NeighbourState;
}

export type RuleAction = 'lookup' | 'blackhole' | 'unreachable' | 'prohibit' | 'other';
export interface RuleSpec {
  readonly family: Family;
  /** lower is asked first */
  readonly priority: number;
  /** default 'lookup' */
  readonly action?: RuleAction;
  /** for action lookup */
  readonly table?: number;
  /** prefix of the packet's source */
  readonly from?: string;
  /** prefix of the packet's destination */
  readonly to?: string;
  readonly fwMark?: number;
  readonly fwMask?: number;
  readonly inputDevice?: string;
  readonly outputDevice?: string;
  /** who made it, as for routes */
  readonly protocol?: number;
}
export interface Rule extends RuleSpec {
  readonly action: RuleAction;
  readonly table: number;
}

/** A device by name or by index; a name is looked up when the request is sent. */
export type Device = string | number;

export interface AddLink {
  readonly type: 'addLink';
  /** 'veth', 'bridge', 'dummy', … */
  readonly kind: string;
  readonly name: string;
  readonly mtu?: number;
  readonly mac?: string;
  readonly group?: number;
  readonly up?: boolean;
  /** for veth: the other end; netns is an open namespace's fd and the peer is born there */
  readonly peer?: {
    readonly name: string;
    readonly mac?: string;
    readonly mtu?: number;
    readonly netnsFd?: number;
  };
}

export type Request =
  | AddLink
  | { readonly type: 'deleteLink'; readonly device: Device }
  /** every link whose group number it is, in one kernel transaction (much cheaper than one by one) */
  | { readonly type: 'deleteLinkGroup'; readonly group: number }
  | {
      readonly type: 'setLink';
      readonly device: Device;
      readonly name?: string;
      readonly up?: boolean;
      readonly mtu?: number;
      readonly mac?: string;
      readonly group?: number;
      readonly netnsFd?: number;
      readonly master?: number;
    }
  | {
      readonly type: 'addAddress';
      readonly device: Device;
      /** '10.0.0.1/24' */
      readonly address: string;
      readonly noDad?: boolean;
      /** do not make the connected route */
      readonly noPrefixRoute?: boolean;
      readonly scope?: Scope;
      /** an address that is there already is no error */
      readonly replace?: boolean;
    }
  | { readonly type: 'deleteAddress'; readonly device: Device; readonly address: string }
  /** without replace an existing route with the same prefix, table and metric is EEXIST, whoever made it */
  | { readonly type: 'addRoute'; readonly route: RouteSpec; readonly replace?: boolean }
  | { readonly type: 'deleteRoute'; readonly route: RouteKey }
  | {
      readonly type: 'addNeighbour';
      readonly device: Device;
      readonly address: string;
      readonly mac: string;
      readonly replace?: boolean;
    }
  | { readonly type: 'deleteNeighbour'; readonly device: Device; readonly address: string }
  | { readonly type: 'addRule'; readonly rule: RuleSpec }
  | { readonly type: 'deleteRule'; readonly rule: RuleSpec };

export type Change = 'new' | 'deleted';
export type KernelEvent =
  | { readonly type: 'link'; readonly change: Change; readonly link: Link }
  | { readonly type: 'address'; readonly change: Change; readonly address: Address }
  | { readonly type: 'route'; readonly change: Change; readonly route: Route }
  | { readonly type: 'neighbour'; readonly change: Change; readonly neighbour: Neighbour }
  | { readonly type: 'rule'; readonly change: Change; readonly rule: Rule }
  /** the socket lost notifications (ENOBUFS): read everything again */
  | { readonly type: 'overrun' };

export interface WatchOptions {
  /** default: link, address and route */
  readonly kinds?: readonly ('link' | 'address' | 'route' | 'neighbour' | 'rule')[];
  /** leave out what this Kernel changed itself; such messages are dropped before they are decoded */
  readonly skipOwn?: boolean;
}

export interface Lookup {
  readonly kind: RouteType;
  /** absent when the destination is on the link itself */
  readonly gateway?: string;
  readonly device?: string;
  readonly deviceIndex?: number;
  /** the source address that the kernel would choose */
  readonly source?: string;
}

export interface RouteFilter {
  readonly table?: number;
  readonly protocol?: number;
  readonly family?: Family;
}

export interface RouteBatchOptions {
  /** default 254 */
  readonly table?: number;
  /** default 179 */
  readonly protocol?: number;
  /** Of requests that name none; default 1024 */
  readonly metric?: number;
}

/**
 * Thousands of route changes without an object or a string a route. Requests are encoded at once into one
 * buffer; commit sends them in pieces of at most 500, off the main thread. One batch can be used again and again
 * and holds one table and protocol.
 */
export interface RouteBatch {
  /**
   * Gives the number of a next-hop group (equal groups have equal numbers). family is that of the routes. Devices
   * that are named must exist: throws KernelError ENODEV. The pool holds at most 65,536 groups; let go of those
   * no longer wanted with releaseNextHops.
   */
  internNextHops(family: FamilyIndex, nextHops: readonly NextHop[]): number;
  /** the same for a route without next hops */
  internType(type: 'unreachable' | 'blackhole' | 'throw' | 'prohibit'): number;
  releaseNextHops(id: number): void;
  /** EEXIST when the prefix has a route of the same table and metric, whoever made it. address: 4 or 16 bytes at offset. */
  add(
    family: FamilyIndex,
    address: Uint8Array,
    offset: number,
    prefixLength: number,
    nextHopsId: number,
    metric?: number,
  ): void;
  /** Makes or overwrites the route of the same prefix, table and metric, whoever made it: for routes known as ours. */
  replace(
    family: FamilyIndex,
    address: Uint8Array,
    offset: number,
    prefixLength: number,
    nextHopsId: number,
    metric?: number,
  ): void;
  /** Deletes a route of the batch's table and protocol and of this metric only; ESRCH when there is none. */
  delete(
    family: FamilyIndex,
    address: Uint8Array,
    offset: number,
    prefixLength: number,
    metric?: number,
  ): void;
  /** requests not yet committed */
  readonly length: number;
  /**
   * Sends all and empties the batch. result[i] is 0 or the errno (positive, e.g. 17) of the i-th request since the last
   * commit. Rejects only when the socket itself fails. One commit at a time; new requests may be added while it runs.
   */
  commit(): Promise<Int32Array>;
  /** The KernelError for one request of the last commit, with prefix and reason; for logs. */
  explain(index: number): KernelError | undefined;
}

/**
 * Kernel switches of one network namespace, below /proc/sys: read('net/ipv4/ip_forward') gives '1'. Synchronous. Both
 * throw KernelError, ENOENT when there is no such switch.
 */
export interface Sysctl {
  read(name: string): string;
  write(name: string, value: string): void;
}

/** One network namespace. Reads and changes never block the caller's thread on the kernel's locks. */
export interface Kernel extends AsyncDisposable {
  links(): Promise<Link[]>;
  addresses(): Promise<Address[]>;
  routes(filter?: RouteFilter): Promise<Route[]>;
  neighbours(): Promise<Neighbour[]>;
  rules(): Promise<Rule[]>;
  /**
   * All requests in one send, in order; a failed one does not stop the rest. One result per request: undefined, or why
   * not. (A request that names a device which an earlier one of the same call makes starts a second send.)
   */
  apply(requests: readonly Request[]): Promise<(KernelError | undefined)[]>;
  /** Hot path of the FIB. */
  routeBatch(options?: RouteBatchOptions): RouteBatch;
  /** What the kernel would do with a packet to this address (RTM_GETROUTE). */
  lookup(address: string): Promise<Lookup | KernelError>;
  /** Notifications from now on, until disposed. */
  watch(handler: (event: KernelEvent) => void, options?: WatchOptions): Disposable;
}
