// The plan of one node as plain data: which sessions it should have, what it originates, which policies hold, and what
// it puts into its kernel; each part with the object that asked for it.
import type { PeerConfig, SpeakerConfig } from '#bgp';
import type { Problem } from '#api';

export interface Plan {
  readonly node: PlannedNode;
  readonly speaker: SpeakerConfig;
  /** By id, in this order. */
  readonly peers: readonly PlannedPeer[];
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
}

export interface NodeAddresses {
  readonly ipv4?: string;
  readonly ipv6?: string;
}

export interface PlannedPeer {
  readonly config: PeerConfig;
  /** 'BGPPeer tor-a', 'node-to-node mesh, Node node-2' */
  readonly from: string;
  /** What a document of Calico means beside what it says: 'import: All (everything …)'. */
  readonly implied?: readonly string[];
}

export interface PlannedOrigination {
  readonly prefix: string;
  readonly communities: readonly string[];
  readonly largeCommunities: readonly string[];
  /** 'block of IPPool pods-ipv4' */
  readonly why: string;
}

export interface KernelPolicy {
  readonly table: number;
  readonly protocol: number;
  readonly metric: number;
  /** Blocks of this node, each held by an `unreachable` route (also those that are not advertised). */
  readonly unreachable: readonly string[];
  /** What `import: Cluster` lets in: pools, service ranges, or podCIDRs when there is no pool. */
  readonly clusterPrefixes: readonly string[];
}
