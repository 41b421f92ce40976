// What a plan is made from, and nothing else: same inputs, same plan. And the plan of one node as plain data: which
// sessions it should have, what it originates, which policies hold, and what it puts into its kernel; each part with the
// object that asked for it.
import type { BfdSettings } from '#agent-api';
import type { BfdAuthentication } from '#bfd';
import type { PeerConfig, SpeakerConfig } from '#bgp';
import type {
  BFDProfile,
  BGPConfiguration,
  BGPFilter,
  BGPPeer,
  IPAMBlock,
  IPPool,
  Node,
  Problem,
  Refused,
  Secret,
} from '#api';

/** The store's objects by name, as far as the plan reads them. */
export interface PlanResources {
  readonly nodes: ReadonlyMap<string, Node>;
  readonly bgpConfigurations: ReadonlyMap<string, BGPConfiguration>;
  readonly bgpPeers: ReadonlyMap<string, BGPPeer>;
  readonly bgpFilters: ReadonlyMap<string, BGPFilter>;
  readonly bfdProfiles: ReadonlyMap<string, BFDProfile>;
  readonly ipPools: ReadonlyMap<string, IPPool>;
  readonly ipamBlocks: ReadonlyMap<string, IPAMBlock>;
  readonly secrets: ReadonlyMap<string, Secret>;
}

export interface PlanInput {
  readonly resources: PlanResources;
  /** Leaves the sessions out that no object names: they are many, and what is wrong with one is so with all. */
  readonly withoutMesh?: true;
  /** Documents without any version in force; undefined: none. */
  readonly refused?: Refused;
  readonly nodeName: string;
  /** Blocks that this node holds, from ipam. */
  readonly localBlocks: readonly LocalBlock[];
  /** From the agent's environment: an IPv4 address, or 'hash' (of the node's name). Goes before the BGPConfiguration's. */
  readonly routerId?: string;
  /** Kernel routing table for learned routes; default 254, main. */
  readonly table?: number;
  /** Of the node's default routes, for peerFrom.defaultGateway; undefined: not known to who asks for the plan. */
  readonly defaultGateways?: DefaultGateways;
  /**
   * Who advertises itself as a router, by link, for peerInterface; undefined: not known to who asks for the plan. A link
   * that is wanted (interfacesOf) and not there: nobody listens on any.
   */
  readonly heardLinks?: ReadonlyMap<string, HeardLink>;
  /** Addresses and connected networks of this node; undefined: not known to who asks for the plan. */
  readonly hostNetworks?: readonly HostNetwork[];
  /** Ids of sessions of the plan in force: of two objects that ask for the same neighbour, the running one stays. */
  readonly inForce?: ReadonlySet<string>;
}

export interface LocalBlock {
  readonly cidr: string;
  /** Undefined for a block from Node.spec.podCIDRs. */
  readonly pool?: string;
}

export interface HostNetwork {
  readonly prefix: string;
  /** 'the network of link eth0', 'an address of this node' */
  readonly what: string;
}

export interface DefaultGateways {
  readonly ipv4?: Gateway;
  readonly ipv6?: Gateway;
}

export interface Gateway {
  readonly address: string;
  /** Needed when the address is link-local. */
  readonly device: string;
}

/** What is heard of routers on one link (RFC 4861); since: ISO 8601. */
export type HeardLink =
  /** This node has no link of that name. */
  | { readonly state: 'absent' }
  | { readonly state: 'deaf'; readonly why: string }
  | {
      readonly state: 'listening' | 'down';
      readonly since: string;
      /** The link-local address that is believed to be the neighbour's, also of before the link was down. */
      readonly neighbour?: string;
      /** Another router on the same link. */
      readonly other?: string;
    };

export interface Plan {
  readonly node: PlannedNode;
  readonly speaker: SpeakerConfig;
  /** By id, in this order. */
  readonly peers: readonly PlannedPeer[];
  /** Neighbours that no address is known of, by id. */
  readonly waiting: readonly WaitingPeer[];
  readonly originations: readonly PlannedOrigination[];
  readonly kernel: KernelPolicy;
}

/** What makePlan answers: without a plan the last good one stays in force. */
export interface PlanResult {
  readonly plan?: Plan;
  readonly problems: readonly Problem[];
}

export interface PlannedNode {
  readonly name: string;
  readonly asNumber: number;
  readonly routerId: string;
  /** Set on a route reflector. */
  readonly clusterId?: string;
  /** Source of sessions and next hop of own routes. */
  readonly addresses: NodeAddresses;
  /** podroute.io/GracefulShutdown: when its agent stops it says farewell. */
  readonly isLeaving?: true;
  /** No new pods come (spec.unschedulable). Without any left it is drained, and leaving, too. */
  readonly isCordoned?: true;
}

export interface NodeAddresses {
  readonly ipv4?: string;
  readonly ipv6?: string;
}

export interface PlannedPeer {
  readonly config: PeerConfig;
  /** What asked for it: a BGPPeer, or podroute by itself. */
  readonly kind: 'peer' | 'mesh' | 'reflector';
  /** 'BGPPeer tor-a', 'node-to-node mesh, Node node-2' */
  readonly from: string;
  /** What a document of Calico means beside what it says: 'import: All (everything …)'. */
  readonly implied?: readonly string[];
  /** The gateway through which it is reached; undefined: as the kernel's routes say. */
  readonly reachableBy?: string;
  /** Of a range: of each neighbour that connects. Undefined: none is asked for, or none can be (which is a Problem). */
  readonly bfd?: PlannedBfd;
}

/** How BFD watches the neighbour (RFC 5880). Addresses and link of both ends are those of the BGP session. */
export interface PlannedBfd extends Omit<BfdSettings, 'authentication'> {
  readonly authentication?: BfdAuthentication;
}

/** A session that is wanted with whoever is found on a link. */
export interface WaitingPeer {
  readonly id: string;
  /** 'BGPPeer tor-a' */
  readonly from: string;
  readonly device: string;
  /** Why nobody is found. */
  readonly why: string;
}

export interface PlannedOrigination {
  readonly prefix: string;
  readonly communities: readonly string[];
  readonly largeCommunities: readonly string[];
  readonly localPref?: number;
  /** Only for neighbours that ask for a default route (defaultOriginate): neither used here nor told to others. */
  readonly onRequest?: true;
  /** 'block of IPPool pods-ipv4' */
  readonly why: string;
}

export interface KernelPolicy {
  readonly table: number;
  readonly protocol: number;
  readonly metric: number;
  /** Blocks of this node, each held by an `unreachable` route (also those that are not advertised). */
  readonly unreachable: readonly string[];
  /** Neighbours that are reached through a gateway (reachableBy), by address. */
  readonly gateways: Readonly<Record<string, string>>;
  /** What `import: Cluster` lets in: pools, or podCIDRs when there is no pool. */
  readonly clusterPrefixes: readonly string[];
}
