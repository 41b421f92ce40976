// Numbers of nf_tables (linux/netfilter/nfnetlink.h, nf_tables.h, linux/netfilter.h), those that are used here.

/** The netlink family (protocol of the socket). */
export const NETLINK_NETFILTER = 12;
/** NFNLGRP_NFTABLES as a bit of sockaddr_nl.nl_groups. */
export const NFTABLES_GROUP = 1 << (7 - 1);

const NFNL_SUBSYS_NFTABLES = 10;
const SUBSYSTEM = NFNL_SUBSYS_NFTABLES << 8;
/** nfgen_family: IPv4 and IPv6 in one table. */
export const NFPROTO_INET = 1;
export const NFPROTO = { ipv4: 2, ipv6: 10 } as const;
export const IPPROTO_ICMPV6 = 58;

/** Types of messages, with their subsystem. */
export const nft = {
  newTable: SUBSYSTEM,
  deleteTable: SUBSYSTEM | 2,
  newChain: SUBSYSTEM | 3,
  newRule: SUBSYSTEM | 6,
  getRule: SUBSYSTEM | 7,
  newSet: SUBSYSTEM | 9,
  newElements: SUBSYSTEM | 12,
  getElements: SUBSYSTEM | 13,
  deleteElements: SUBSYSTEM | 14,
  newGeneration: SUBSYSTEM | 15,
  newObject: SUBSYSTEM | 18,
  getObject: SUBSYSTEM | 19,
} as const;
export const batchMessage = { begin: 0x10, end: 0x11 } as const;
/** res_id of a batch: which subsystem it is for. */
export const BATCH_OF_NFTABLES = NFNL_SUBSYS_NFTABLES;

/** Of every message that is about something in a table, NFTA_…_TABLE is 1. */
export const NFTA_TABLE = 1;
export const nftaTable = { name: 1, flags: 2 } as const;
export const nftaChain = { table: 1, name: 3, hook: 4, policy: 5, type: 7 } as const;
export const nftaHook = { number: 1, priority: 2 } as const;
export const nftaRule = { table: 1, chain: 2, expressions: 4 } as const;
export const nftaSet = {
  table: 1,
  name: 2,
  flags: 3,
  keyType: 4,
  keyLength: 5,
  id: 10,
  userData: 13,
} as const;
export const nftaElements = { table: 1, set: 2, elements: 3 } as const;
export const nftaElement = { key: 1 } as const;
export const nftaObject = { table: 1, name: 2, type: 3, data: 4 } as const;
export const nftaCounter = { bytes: 1, packets: 2 } as const;
export const NFTA_LIST_ELEMENT = 1;
export const nftaData = { value: 1, verdict: 2 } as const;
export const NFTA_VERDICT_CODE = 1;
export const NFT_OBJECT_COUNTER = 1;

export const nftaExpression = { name: 1, data: 2 } as const;
export const nftaMeta = { destination: 1, key: 2 } as const;
export const nftaPayload = { destination: 1, base: 2, offset: 3, length: 4 } as const;
export const nftaCompare = { source: 1, operation: 2, data: 3 } as const;
export const nftaBitwise = { source: 1, destination: 2, length: 3, mask: 4, xor: 5 } as const;
export const nftaLookup = { set: 1, source: 2, flags: 5 } as const;
export const nftaImmediate = { destination: 1, data: 2 } as const;
export const nftaObjectReference = { type: 1, name: 2 } as const;

export const metaKey = { inputName: 6, family: 15, protocol: 16 } as const;
export const payloadBase = { network: 1, transport: 2 } as const;
export const COMPARE_EQUAL = 0;
export const LOOKUP_INVERTED = 1;
/** NF_DROP and NF_ACCEPT */
export const verdictCode = { drop: 0, accept: 1 } as const;
/** The register that a verdict goes to; the others hold 16 octets each, and keys of several parts lie side by side. */
export const VERDICT_REGISTER = 0;
export type Register = 1 | 2;

/** NF_INET_PRE_ROUTING */
export const HOOK_PREROUTING = 0;
/** NF_IP_PRI_RAW: before connections are tracked. */
export const PRIORITY_RAW = -300;

/** Types of keys, which only `nft list` reads; those of several parts are six bits each, the first part highest. */
export const keyType = { ipv4: 7, ipv6: 8, interfaceName: 41 } as const;
export const KEY_TYPE_BITS = 6;
