// What interop asks of any BGP daemon, ours included: plain objects in, plain objects out. One adapter file a
// daemon turns them into its configuration and reads its answers back.
import type { Family } from '#ip';
import type { Host } from '#lab';
import type { Installed } from '../../testing/routers.ts';

export type DaemonName = 'podroute' | 'bird' | 'frr' | 'gobgp' | 'openbgpd' | 'exabgp';

export interface DaemonConfig {
  readonly host: Host;
  /** An empty folder for configuration, sockets and logs. */
  readonly folder: string;
  readonly asNumber: number;
  readonly routerId: string;
  /** It reflects to those that are its clients, under this ID (RFC 4456). */
  readonly clusterId?: string;
  readonly peers: readonly PeerSetup[];
  /** It runs again after it was killed, in the same folder: with these to announce from the start. */
  readonly again?: readonly Announcement[];
  /** Equal paths of a prefix are used together, and are in the kernel. */
  readonly sharesTraffic?: boolean;
}

export interface PeerSetup {
  readonly remoteAddress: string;
  readonly localAddress: string;
  readonly remoteAs: number;
  readonly families: readonly Family[];
  readonly holdTimeSeconds: number;
  /** TCP MD5 key (RFC 2385). */
  readonly md5Key?: string;
  /** RFC 5082, one hop. */
  readonly gtsm?: boolean;
  /** IPv4 routes with IPv6 next hops (RFC 8950). */
  readonly extendedNextHop?: boolean;
  /** Wait for the other side to connect. */
  readonly passive?: boolean;
  /** More prefixes than this of a family end the session. */
  readonly maxPrefixes?: number;
  /** RFC 4724, in both roles, with the N bit where it has one (RFC 8538). */
  readonly restart?: { readonly seconds: number; readonly longLivedSeconds?: number };
  /** Several paths of a prefix, both ways (RFC 7911). */
  readonly addPaths?: boolean;
  /** iBGP: routes are reflected to it (RFC 4456). */
  readonly isClient?: boolean;
  /** That of the speaker itself towards the other (RFC 9234). */
  readonly role?: 'provider' | 'customer';
  /** Over one hop (RFC 5881). */
  readonly bfd?: BfdSetup;
  /** Of podroute only: more fields of its BGPPeer. */
  readonly spec?: Readonly<Record<string, unknown>>;
  /** Beside the link that the daemon's own address belongs to. */
  readonly isOtherLink?: boolean;
}

export interface BfdSetup {
  /** In both directions. */
  readonly intervalMs: number;
  readonly multiplier: number;
  /** Meticulous Keyed SHA1 with this key, of number 7 (RFC 5880 section 6.7.4). */
  readonly key?: string;
  /** Of foreign daemons: one that restarts gracefully keeps its routes, although its BFD ends (RFC 5882 section 4.3). */
  readonly isGraceful?: boolean;
  /** Of podroute only: a session begins only when it is up. */
  readonly isRequired?: boolean;
}

/** A session as the daemon sees it. What it does not tell is undefined. */
export interface SessionView {
  readonly remoteAddress: string;
  readonly isEstablished: boolean;
  /** The daemon's own word. */
  readonly state: string;
  readonly remoteAs?: number;
  readonly remoteRouterId?: string;
  /** Negotiated. */
  readonly holdTimeSeconds?: number;
  /** Of these, what the daemon tells about the neighbour's or the negotiated set. */
  readonly capabilities?: readonly Capability[];
  /** What the neighbour's newest graceful restart capability says (RFC 4724); undefined: it has sent none. */
  readonly restart?: RestartView;
  /** Where it is asked for: the state of BFD with the neighbour. */
  readonly bfd?: string;
}

export interface RestartView {
  /** The R bit. */
  readonly isRestarting: boolean;
  /** Families with the F bit. */
  readonly kept: readonly Family[];
}

export type Capability = 'four-byte-as' | 'route-refresh' | 'extended-next-hop' | 'ipv4' | 'ipv6';

/** A route with its attributes in canonical text; sets are sorted. */
export interface Route {
  readonly prefix: string;
  readonly nextHop: string;
  /** '65001 4200000001 {65002 65003}' */
  readonly asPath: string;
  readonly origin: 'igp' | 'egp' | 'incomplete';
  readonly med?: number;
  readonly localPref?: number;
  /** '65001:100' */
  readonly communities: readonly string[];
  /** '65001:1:2' */
  readonly largeCommunities: readonly string[];
  /** 'rt:65001:100', 'lb:23456:125000000' */
  readonly extendedCommunities: readonly string[];
  readonly originatorId?: string;
  readonly clusterList?: readonly string[];
  /** Only to customer (RFC 9234): the AS that it came from sideways or from above. */
  readonly otc?: number;
}

/** Announced with origin IGP (bgpctl knows no other). */
export interface Announcement {
  readonly prefix: string;
  readonly nextHop: string;
  readonly med?: number;
  readonly communities?: readonly string[];
  readonly largeCommunities?: readonly string[];
  /** 'rt:65001:100' */
  readonly extendedCommunities?: readonly string[];
  /** Octets a second of a link bandwidth community, in the form that reaches the daemon's neighbours. */
  readonly linkBandwidth?: number;
}

export interface Daemon extends AsyncDisposable {
  readonly name: DaemonName;
  /** The process that speaks BGP, to stop and continue it. */
  readonly pid: number;
  /** That which speaks BFD, where it is another one. */
  readonly bfdPid?: number | undefined;
  sessions(): Promise<SessionView[]>;
  /** Everything learned from neighbours that is in use. */
  routes(family: Family): Promise<Route[]>;
  /** The address of the neighbour (which is the next hop, too) that each prefix's best path came from. */
  best?(family: Family): Promise<ReadonlyMap<string, string>>;
  announce(announcements: readonly Announcement[]): Promise<void>;
  withdraw(prefixes: readonly string[]): Promise<void>;
  /** UPDATEs of a neighbour so far; where it counts none, the routes that they announced and withdrew. */
  updatesFrom?(remoteAddress: string): Promise<number>;
  /** Asks the neighbour to send its routes again (RFC 2918). */
  refresh(remoteAddress: string): Promise<void>;
  /** BFD on all of its sessions, while it runs. */
  setBfd?(bfd: BfdSetup): Promise<void>;
  /** Ends the rest that it takes after errors, where that is long. */
  retry?(remoteAddress: string): Promise<void>;
  /** It dies without a word. */
  kill(): Promise<void>;
  /** An operator ends the session, and forwarding with it (RFC 8538 section 3). */
  hardReset?(remoteAddress: string): Promise<void>;
  /** What it printed, for messages. */
  log(): string;
}

export interface DaemonKind extends Installed {
  readonly name: DaemonName;
  readonly title: string;
  /** The user that it becomes, when it cannot stay root. */
  readonly dropsTo?: string;
  /** What this daemon cannot do, with the reason; scenarios that need it are skipped. */
  readonly lacks: Partial<Record<Feature, string>>;
  /** Starts and waits until it takes commands. */
  start(config: DaemonConfig): Promise<Daemon>;
}

export const ONE_FORM = 'shows both forms of the community alike';
export const NO_ROLES = 'has no RFC 9234';

export type Feature =
  | 'extendedNextHop'
  | 'refreshRequest'
  | 'gtsmDemand'
  | 'maxPrefixes'
  | 'ceaseOnStop'
  | 'notificationKeeps'
  | 'hardReset'
  | 'longLived'
  | 'reflectorPeer'
  | 'clusterCheck'
  | 'announcesExtended'
  | 'zeroBandwidth'
  | 'bandwidthForms'
  | 'weighedPaths'
  | 'roles'
  | 'oneSidedRole'
  | 'bfdKey'
  | 'passesOn';

/** By the names that some show, as numbers. */
const WELL_KNOWN: Readonly<Record<string, string>> = {
  'no-export': '65535:65281',
  no_export: '65535:65281',
  'no-advertise': '65535:65282',
  no_advertise: '65535:65282',
  'graceful-shutdown': '65535:0',
  graceful_shutdown: '65535:0',
  blackhole: '65535:666',
};

/** A route with its sets sorted and absent attributes left out, ready for deepEqual. */
export function canonicalRoute(route: { [K in keyof Route]: Route[K] | undefined }): Route {
  const clusterList = route.clusterList?.length === 0 ? undefined : route.clusterList;
  const all = {
    ...route,
    clusterList,
    // Several daemons show none as 0, and both mean the same (RFC 4271 §9.1.2.2).
    med: route.med === 0 ? undefined : route.med,
    asPath: (route.asPath ?? '').replaceAll(/\{[^}]*\}/g, (set) =>
      set
        .replaceAll(/[,\s]+/g, ' ')
        .replace('{ ', '{')
        .replace(' }', '}'),
    ),
    communities: (route.communities ?? []).map((text) => WELL_KNOWN[text.toLowerCase()] ?? text).sort(),
    largeCommunities: [...(route.largeCommunities ?? [])].sort(),
    extendedCommunities: [...(route.extendedCommunities ?? [])].sort(),
  };
  return Object.fromEntries(
    Object.entries(all).filter(([, value]) => value !== undefined),
  ) as unknown as Route;
}
