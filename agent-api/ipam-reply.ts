// Pod addresses of the node: what is given out, whether the kernel agrees, and giving back what was left over.
import type { Family } from '#ip';
import type { PerFamily } from './session-reply.ts';

/** GET /v1/ipam */
export interface IpamReply {
  readonly summary: IpamSummary;
  /** Absent on an agent without pods. */
  readonly usage?: AddressUsage | undefined;
}

export interface IpamSummary {
  readonly blocks: PerFamily;
  readonly addressesInUse: PerFamily;
  readonly addressesFree: PerFamily;
}

export interface AddressUsage {
  /** IPPools that this node may use. */
  readonly pools: readonly { readonly name: string; readonly cidr: string }[];
  readonly blocks: readonly BlockStatus[];
  readonly allocations: readonly {
    readonly owner: AddressOwner;
    readonly addresses: { readonly ipv4?: string; readonly ipv6?: string };
    readonly allocatedAt: string;
    /** The same in milliseconds since 1970 in UTC. */
    readonly allocatedAtMs: number;
  }[];
  /** In use by a link whose owner is not known. */
  readonly adopted: readonly { readonly address: string; readonly link: string }[];
  readonly problems: readonly string[];
}

export interface BlockStatus {
  readonly family: Family;
  readonly cidr: string;
  /** The IPPool; absent for a block from the Node's podCIDRs. */
  readonly pool?: string;
  /** 'frozen': its pool is disabled or gone; 'releasing': being given back. */
  readonly state: 'active' | 'frozen' | 'releasing';
  readonly capacity: number;
  readonly used: number;
  readonly reserved: number;
  readonly free: number;
  /** Of those in use: of Pods that are gone; absent: none. */
  readonly leaked?: number;
}

/** One network interface of one container. */
export interface AddressOwner {
  readonly containerId: string;
  readonly ifname: string;
  /** CNI network name. */
  readonly network: string;
  readonly podNamespace?: string;
  readonly podName?: string;
  /** Where the runtime gave it. */
  readonly podUid?: string;
}

/** GET /v1/ipam/check */
export interface AddressAuditReply {
  /** Addresses looked at. */
  readonly checked: number;
  readonly findings: readonly AddressFindingStatus[];
}

export interface AddressFindingStatus {
  /**
   * leaked: held for an attachment whose link is gone · unrouted: its link is there, its route is not · outside: in no
   * block of this node · ownerless: a link uses it, nobody knows for whom · unheld: a link uses it, nobody holds it ·
   * orphan: a block of a node that has no Node object any more
   */
  readonly kind: 'leaked' | 'unrouted' | 'outside' | 'ownerless' | 'unheld' | 'orphan';
  /** Of an orphan its CIDR. */
  readonly address: string;
  /** Empty for an orphan. */
  readonly link: string;
  /** Who holds it, when that is known. */
  readonly owner?: string;
  readonly text: string;
  /** What to do about it. */
  readonly next: string;
}

/** POST /v1/ipam/release?address=A, when it was freed; a refusal is an ErrorReply. */
export interface AddressReleaseReply {
  readonly kind: 'freed';
  readonly address: string;
  readonly owner?: string;
}

/** POST /v1/ipam/release?block=CIDR, when it was taken back from a node that is gone; a refusal is an ErrorReply. */
export interface BlockReleaseReply {
  readonly kind: 'freed';
  readonly cidr: string;
  /** Whose it was. */
  readonly node: string;
}
