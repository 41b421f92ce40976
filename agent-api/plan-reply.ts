// The plan in force: which sessions the node should have, what it originates, and what it puts into its kernel; each
// part with the object that asked for it.
import type { StatusProblem, WaitingSession } from './status-reply.ts';

/** GET /v1/plan. Passwords are never in it. */
export interface PlanReply {
  /** Counts plans in force since start; 0 = none yet. */
  readonly generation: number;
  readonly madeAt?: string;
  /** True when the newest input was unusable, so that an older plan is in force. */
  readonly isStale: boolean;
  /** Absent while no plan could be made. */
  readonly plan?: NodePlan;
  readonly problems: readonly StatusProblem[];
}

export interface NodePlan {
  readonly node: {
    readonly name: string;
    readonly asNumber: number;
    readonly routerId: string;
    /** Set on a route reflector. */
    readonly clusterId?: string;
    /** Source of sessions and next hop of own routes. */
    readonly addresses: { readonly ipv4?: string; readonly ipv6?: string };
  };
  readonly speaker: {
    readonly asNumber: number;
    readonly routerId: string;
    readonly clusterId?: string;
    readonly listen: readonly { readonly address: string; readonly port: number }[];
    readonly multipath: {
      readonly ebgp: number;
      readonly ibgp: number;
      readonly relax: boolean;
      readonly weighted?: boolean;
    };
    readonly bestPath?: { readonly alwaysCompareMed: boolean; readonly missingMedAsWorst: boolean };
  };
  /** By id, in this order. */
  readonly peers: readonly {
    readonly config: SessionSettings;
    /** What asked for it: a BGPPeer, or podroute by itself. */
    readonly kind: 'peer' | 'mesh' | 'reflector';
    /** 'BGPPeer tor-a', 'node-to-node mesh, Node node-2' */
    readonly from: string;
    /** What its document, being one of Calico, means beside what it says: 'import: All (everything …)'. */
    readonly implied?: readonly string[];
    /** The gateway through which it is reached. */
    readonly reachableBy?: string;
    /** How BFD watches the neighbour; of a range: each of them. Absent: it does not. */
    readonly bfd?: BfdSettings;
  }[];
  /** Sessions that are wanted with whoever is found on a link, and nobody is. */
  readonly waiting: readonly WaitingSession[];
  readonly originations: readonly {
    readonly prefix: string;
    readonly communities: readonly string[];
    readonly largeCommunities: readonly string[];
    /** 'block of IPPool pods-ipv4' */
    readonly why: string;
  }[];
  readonly kernel: {
    readonly table: number;
    readonly protocol: number;
    readonly metric: number;
    /** Blocks of this node, each held by an `unreachable` route (also those that are not advertised). */
    readonly unreachable: readonly string[];
    /** Neighbours that are reached through a gateway (reachableBy), by address. */
    readonly gateways: Readonly<Record<string, string>>;
    /** What `import: Cluster` lets in: pools, or podCIDRs when there is no pool. */
    readonly clusterPrefixes: readonly string[];
  };
}

/** Times in microseconds, as BFD has them (RFC 5880 section 4.1). */
export interface BfdSettings {
  /** 'BFDProfile fast', 'defaults' */
  readonly profile: string;
  readonly transmitMicros: number;
  readonly receiveMicros: number;
  readonly multiplier: number;
  /** RFC 5881 or RFC 5883. */
  readonly hops: 'single' | 'multi';
  /** Packets with less are dropped. */
  readonly leastTtl: number;
  readonly isPassive?: true;
  readonly authentication?: {
    readonly type: string;
    readonly keyId: number;
    /** Of which only this is told: that there is one. */
    readonly key: '(secret)';
  };
  /** A BGP session begins only when BFD is up. */
  readonly isRequired?: true;
  /** That BFD fails may be a restart (RFC 5882 section 4.3). */
  readonly isGraceful?: true;
}

/** What one session is told. */
export interface SessionSettings {
  readonly id: string;
  readonly remote:
    | {
        readonly kind: 'address';
        readonly address: string;
        readonly port: number;
        readonly device?: string;
      }
    | { readonly kind: 'range'; readonly prefix: string; readonly maxPeers: number };
  readonly remoteAs: number | 'internal' | 'external';
  /** Its TCP MD5 password (RFC 2385), of which only this is told: that there is one. */
  readonly md5Key?: '(secret)';
  /** Every other setting of the BGP library, for people to read: names and values follow the library. */
  readonly [setting: string]: unknown;
}
