// What ipam is told and what it answers, as plain data, and the store and the log it speaks to.
// Addresses and prefixes are canonical text; times are milliseconds.
import type { IPAMBlock } from '#api';
import type { Family } from '#ip';

/** Who holds an address: one network interface of one container. Containers and interfaces name it, the rest is told to people. */
export interface Owner {
  readonly containerId: string;
  readonly ifname: string;
  /** CNI network name: garbage collection stays inside it. */
  readonly network: string;
  readonly podNamespace?: string;
  readonly podName?: string;
  /** Where the runtime gave it: a Pod that is made anew under its name is another. */
  readonly podUid?: string;
}

/** An IPPool that this node may use (its nodeSelector was evaluated by the caller). */
export interface Pool {
  readonly name: string;
  readonly cidr: string;
  /** Prefix length of a block: 26 and 122 by default. */
  readonly blockSize: number;
  /** Addresses in use stay, none is given out any more. */
  readonly disabled: boolean;
}

/** One block as the store has it. */
export interface StoredBlock {
  readonly cidr: string;
  readonly node: string;
  readonly pool?: string | undefined;
  /** Of the object. */
  readonly name?: string | undefined;
  /** RFC 3339, by the store's clock; undefined: it has none. */
  readonly createdAt?: string | undefined;
}

/** Everything that decides where addresses come from; replaced as a whole on every change. */
export interface IpamInputs {
  readonly pools: readonly Pool[];
  /** Node.spec.podCIDRs: the block of each family that no pool serves. */
  readonly podCidrs: readonly string[];
  /** IPReservation prefixes: never given out unless asked for by address. */
  readonly reservations: readonly string[];
  /** Blocks as last told of by the store: what differs from those held is looked at. Undefined: nothing was told. */
  readonly stored?: readonly StoredBlock[];
  /** The store tells of this node's blocks alone, by their label. */
  readonly isStoredOwnOnly?: boolean;
  /** Names of all Node objects, this node's among them; undefined: not known, and no block is taken for left over. */
  readonly nodes?: ReadonlySet<string>;
  /** Addresses and networks of nodes and routers: a block that overlaps one is neither claimed nor given out from. */
  readonly guarded?: readonly string[];
}

export type Addresses = { readonly [family in Family]?: string };

export interface Allocation {
  readonly owner: Owner;
  readonly addresses: Addresses;
  /** Wall clock. */
  readonly allocatedAtMs: number;
}

/**
 * CNI error codes: 11 the store does not give a block now (try again later); of ours 100 no free address, 101 no pool, 102
 * requested address taken or not to be had, 104 the disk does not take it.
 */
export type RefusalCode = 11 | 100 | 101 | 102 | 104;
export interface Refusal {
  readonly kind: 'refused';
  readonly code: RefusalCode;
  readonly message: string;
}

export interface Reservation {
  readonly kind: 'reserved';
  readonly allocation: Allocation;
  /** False when the owner held these addresses before. */
  readonly isNew: boolean;
  /** Resolves once the record is on disk; with the error when it could not be written (the addresses are free again). */
  readonly durable: Promise<Error | undefined>;
}

/** A block of this node, for the plan: its prefix is what the node originates and holds by an unreachable route. */
export interface Block {
  readonly family: Family;
  readonly cidr: string;
  /** Undefined for a block from Node.spec.podCIDRs. */
  readonly pool?: string;
}

export interface BlockUsage extends Block {
  /** 'frozen': its pool is disabled or gone; 'releasing': being given back. */
  readonly state: 'active' | 'frozen' | 'releasing';
  readonly capacity: number;
  readonly used: number;
  readonly reserved: number;
  readonly free: number;
}

export interface IpamUsage {
  /** IPPools that this node may use. */
  readonly pools: readonly Pick<Pool, 'name' | 'cidr'>[];
  readonly blocks: readonly BlockUsage[];
  readonly allocations: readonly Allocation[];
  /** In use by a link whose owner the journal does not know. */
  readonly adopted: readonly { readonly address: string; readonly link: string }[];
  readonly problems: readonly string[];
}

export interface CheckReport {
  /** Held, but no live attachment asks for them. */
  readonly leaked: readonly Allocation[];
  /** Alive, but without an address here. */
  readonly missing: readonly { readonly containerId: string; readonly ifname: string }[];
  /** Held, but in no block of this node. */
  readonly outside: readonly Allocation[];
}

/**
 * Where blocks are claimed: the first to create a name owns it. What of a store ipam needs; rejects when it does not
 * answer. Read at start and when many claims in a row failed, never per allocation.
 */
export interface BlockStore {
  /** A conflict is a block of the same name; unreadable: there is one, and nobody knows whose. */
  create(
    block: IPAMBlock,
  ): Promise<
    | { readonly kind: 'stored' }
    | { readonly kind: 'conflict'; readonly newest: IPAMBlock }
    | { readonly kind: 'unreadable'; readonly why: string }
  >;
  get(key: BlockKey): Promise<IPAMBlock | undefined>;
  /** @param labels only those that have all of these */
  list(kind: 'IPAMBlock', labels?: Readonly<Record<string, string>>): Promise<readonly IPAMBlock[]>;
  /** Only the version that the caller has seen. */
  update(block: IPAMBlock): Promise<{ readonly kind: 'stored' | 'conflict' | 'notFound' }>;
  /** Only the version that the caller has seen. */
  delete(
    key: BlockKey,
    resourceVersion: string,
  ): Promise<{ readonly kind: 'deleted' | 'conflict' | 'notFound' }>;
}

export interface BlockKey {
  readonly kind: 'IPAMBlock';
  readonly name: string;
}

export type BlockRelease =
  | { readonly kind: 'freed'; readonly cidr: string; readonly node: string }
  | { readonly kind: 'refused'; readonly why: string };

/** What is worth a line in the log; subject is an address, a block or 'journal'. */
export interface IpamLog {
  info(subject: string, message: string): void;
  warn(subject: string, message: string): void;
  error(subject: string, message: string): void;
}

export interface IpamTuning {
  /** Claim the next block when fewer than this share of one block is free. Default 0.25. */
  readonly lowWaterShare: number;
  /** An address freed less long ago is given out only when there is no other. Default 30,000. */
  readonly cooldownMs: number;
  /** An extra block is given back when it was empty for so long. Default 300,000. */
  readonly emptyBlockGraceMs: number;
  /** Blocks that this node may hold in each family, those that an address was asked for in included. Default 64. */
  readonly maxBlocks: number;
  /** A block whose node has no Node object is taken back after so long. Default 600,000. */
  readonly orphanGraceMs: number;
  /** The journal is rewritten when it has more records than this and four times those that are needed. Default 1,024. */
  readonly journalRewriteAt: number;
}
