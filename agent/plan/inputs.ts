// Everything that a plan is made from. The plan depends on nothing else: same inputs, same plan.
import type { BGPConfiguration, BGPFilter, BGPPeer, IPAMBlock, IPPool, Node, Refused, Secret } from '#api';

/** The store's objects by name, as far as the plan reads them. */
export interface PlanResources {
  readonly nodes: ReadonlyMap<string, Node>;
  readonly bgpConfigurations: ReadonlyMap<string, BGPConfiguration>;
  readonly bgpPeers: ReadonlyMap<string, BGPPeer>;
  readonly bgpFilters: ReadonlyMap<string, BGPFilter>;
  readonly ipPools: ReadonlyMap<string, IPPool>;
  readonly ipamBlocks: ReadonlyMap<string, IPAMBlock>;
  readonly secrets: ReadonlyMap<string, Secret>;
}

export interface PlanInput {
  readonly resources: PlanResources;
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
  /** Ids of sessions of the plan in force: of two objects that ask for the same neighbour, the running one stays. */
  readonly inForce?: ReadonlySet<string>;
}

export interface LocalBlock {
  readonly cidr: string;
  /** Undefined for a block from Node.spec.podCIDRs. */
  readonly pool?: string;
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
