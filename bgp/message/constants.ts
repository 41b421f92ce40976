// Numbers that the wire gives: message types, address families, attribute types, well-known communities.
// Plain constants where a hot loop compares with them, tables of names where people read them.

export const HEADER_LENGTH = 19;
/** RFC 4271 section 4.1: longest message, unless both sides sent the capability of RFC 8654. */
export const MAX_MESSAGE_LENGTH = 4096;
export const MAX_EXTENDED_MESSAGE_LENGTH = 65535;

export const OPEN = 1;
export const UPDATE = 2;
export const NOTIFICATION = 3;
export const KEEPALIVE = 4;
export const ROUTE_REFRESH = 5;

export const MESSAGE_NAMES: readonly string[] = [
  'type 0',
  'OPEN',
  'UPDATE',
  'NOTIFICATION',
  'KEEPALIVE',
  'ROUTE-REFRESH',
];

/** RFC 4760 section 6. */
export const SAFI_UNICAST = 1;

/** Bits of `SessionCodecContext.families`. */
export const FAMILY_BIT_IPV4 = 1;
export const FAMILY_BIT_IPV6 = 2;

/** RFC 6793: stands in a 2-byte field for an AS number that does not fit. */
export const AS_TRANS = 23456;

export const AS_SET = 1;
export const AS_SEQUENCE = 2;
export const AS_CONFED_SEQUENCE = 3;
export const AS_CONFED_SET = 4;

export const ATTR_ORIGIN = 1;
export const ATTR_AS_PATH = 2;
export const ATTR_NEXT_HOP = 3;
export const ATTR_MED = 4;
export const ATTR_LOCAL_PREF = 5;
export const ATTR_ATOMIC_AGGREGATE = 6;
export const ATTR_AGGREGATOR = 7;
export const ATTR_COMMUNITIES = 8;
export const ATTR_ORIGINATOR_ID = 9;
export const ATTR_CLUSTER_LIST = 10;
export const ATTR_MP_REACH = 14;
export const ATTR_MP_UNREACH = 15;
export const ATTR_EXT_COMMUNITIES = 16;
export const ATTR_AS4_PATH = 17;
export const ATTR_AS4_AGGREGATOR = 18;
export const ATTR_PMSI_TUNNEL = 22;
export const ATTR_TUNNEL_ENCAP = 23;
export const ATTR_IPV6_EXT_COMMUNITIES = 25;
export const ATTR_AIGP = 26;
export const ATTR_LINK_STATE = 29;
export const ATTR_LARGE_COMMUNITIES = 32;
export const ATTR_OTC = 35;
export const ATTR_NEXT_HOP_CHARACTERISTICS = 39;
export const ATTR_PREFIX_SID = 40;

export const FLAG_OPTIONAL = 0x80;
export const FLAG_TRANSITIVE = 0x40;
export const FLAG_PARTIAL = 0x20;
export const FLAG_EXTENDED_LENGTH = 0x10;

// Well-known communities, as unsigned 32-bit numbers.
export const COMMUNITY_GRACEFUL_SHUTDOWN = 0xffff0000; // RFC 8326
export const COMMUNITY_LLGR_STALE = 0xffff0006; // RFC 9494
export const COMMUNITY_NO_LLGR = 0xffff0007; // RFC 9494
export const COMMUNITY_BLACKHOLE = 0xffff029a; // RFC 7999
export const COMMUNITY_NO_EXPORT = 0xffffff01; // RFC 1997
export const COMMUNITY_NO_ADVERTISE = 0xffffff02; // RFC 1997
export const COMMUNITY_NO_EXPORT_SUBCONFED = 0xffffff03; // RFC 1997

/** What becomes of an UPDATE (RFC 7606 section 2), weakest first: of several errors the strongest action wins. */
export const ACTION_OK = 0;
export const ACTION_DISCARD_ATTRIBUTE = 1;
export const ACTION_TREAT_AS_WITHDRAW = 2;
export const ACTION_RESET = 3;

export const ACTION_NAMES: readonly string[] = [
  'ok',
  'attribute discard',
  'treat as withdraw',
  'session reset',
];
