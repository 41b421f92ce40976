// What `validateAttributes` finds out about one block of path attributes: the action, the canonical bytes, and
// the columns that the decision process compares. One object is reused for all blocks.

import { ACTION_OK, ACTION_TREAT_AS_WITHDRAW, MAX_EXTENDED_MESSAGE_LENGTH } from '../constants.ts';

// Bits of `AttributeVerdict.flags`: well-known communities that the route carries.
export const HAS_NO_EXPORT = 1;
export const HAS_NO_ADVERTISE = 2;
export const HAS_NO_EXPORT_SUBCONFED = 4;
export const HAS_LLGR_STALE = 8;
export const HAS_NO_LLGR = 16;
export const HAS_GRACEFUL_SHUTDOWN = 32;
export const HAS_BLACKHOLE = 64;

// Bits of `AttributeVerdict.present`, kept in 32-bit words.
export const PRESENT_ORIGIN = 1 << 0;
export const PRESENT_AS_PATH = 1 << 1;
export const PRESENT_NEXT_HOP = 1 << 2;
export const PRESENT_MED = 1 << 3;
export const PRESENT_LOCAL_PREF = 1 << 4;
export const PRESENT_ATOMIC_AGGREGATE = 1 << 5;
export const PRESENT_AGGREGATOR = 1 << 6;
export const PRESENT_COMMUNITIES = 1 << 7;
export const PRESENT_ORIGINATOR_ID = 1 << 8;
export const PRESENT_CLUSTER_LIST = 1 << 9;
export const PRESENT_EXT_COMMUNITIES = 1 << 10;
export const PRESENT_LARGE_COMMUNITIES = 1 << 11;
export const PRESENT_OTC = 1 << 12;
export const PRESENT_AIGP = 1 << 13;
export const PRESENT_LINK_BANDWIDTH = 1 << 14;
/** Attributes that podroute does not know but must carry. */
export const PRESENT_UNKNOWN = 1 << 15;

/** NOTIFICATION subcode (RFC 4271 section 6.3). */
export const MISSING_WELL_KNOWN = 3;

/** Numbers that may pass 2^31 start as this, so that V8 keeps the fields as doubles and never changes the shape. */
const WIDE = 4294967295;

export class AttributeVerdict {
  /** ACTION_OK, ACTION_DISCARD_ATTRIBUTE (the route stays, something was removed), ACTION_TREAT_AS_WITHDRAW. */
  action = ACTION_OK;
  /** Of the strongest error, for log and status: NOTIFICATION subcode (code is 3), attribute type, its place in the input. */
  errorSubcode = 0;
  errorType = 0;
  errorOffset = 0;
  errorLength = 0;

  /** Canonical attributes: bytes[0, length). See validate.ts for what that means. */
  readonly bytes: Uint8Array = new Uint8Array(MAX_EXTENDED_MESSAGE_LENGTH + 1);
  length = 0;
  /** Value of AS_PATH inside `bytes` (four octets an AS). */
  asPathStart = 0;
  asPathEnd = 0;
  /** Value of CLUSTER_LIST inside `bytes`; an empty range without one. */
  clusterListStart = 0;
  clusterListEnd = 0;

  /** PRESENT_* bits. */
  present = 0;
  /** HAS_* bits. */
  flags = 0;
  /** 0 IGP, 1 EGP, 2 INCOMPLETE. */
  origin = 0;
  hasLocalPref = false;
  localPref = WIDE;
  hasMed = false;
  med = WIDE;
  /** AS_SET counts 1, confederation segments 0 (RFC 4271 section 9.1.2.2, RFC 5065 section 5.3). */
  pathLength = 0;
  /** Leftmost AS outside confederation segments, for comparing MED; 0 for an empty path or when an AS_SET is first. */
  neighbourAs = WIDE;
  /** Leftmost AS of the path whatever its segment, for "first AS must be the peer's"; 0 as above. */
  firstAs = WIDE;
  /** NEXT_HOP attribute (3) as an unsigned number. */
  hasNextHop = false;
  nextHop = WIDE;
  hasOriginatorId = false;
  originatorId = WIDE;
  /** Number of cluster IDs. */
  clusterListLength = 0;
  hasOtc = false;
  otc = WIDE;
  /** RFC 7311; saturates at 2^53 - 1. */
  hasAigp = false;
  aigp = WIDE;
  /** Octets a second (draft-ietf-idr-link-bandwidth). */
  hasLinkBandwidth = false;
  linkBandwidth = 0.5;
}

/** Back to "nothing found". */
export function clearVerdict(out: AttributeVerdict): void {
  out.action = ACTION_OK;
  out.errorSubcode = 0;
  out.errorType = 0;
  out.errorOffset = 0;
  out.errorLength = 0;
  out.length = 0;
  out.asPathStart = 0;
  out.asPathEnd = 0;
  out.clusterListStart = 0;
  out.clusterListEnd = 0;
  out.present = 0;
  out.flags = 0;
  out.origin = 0;
  out.hasLocalPref = false;
  out.localPref = 0;
  out.hasMed = false;
  out.med = 0;
  out.pathLength = 0;
  out.neighbourAs = 0;
  out.firstAs = 0;
  out.hasNextHop = false;
  out.nextHop = 0;
  out.hasOriginatorId = false;
  out.originatorId = 0;
  out.clusterListLength = 0;
  out.hasOtc = false;
  out.otc = 0;
  out.hasAigp = false;
  out.aigp = 0;
  out.hasLinkBandwidth = false;
  out.linkBandwidth = 0;
}

/** Is nothing wrong but that a mandatory attribute is missing? Of several errors the first is kept, and that is the last. */
export function isOnlyIncomplete(verdict: AttributeVerdict): boolean {
  return verdict.action === ACTION_TREAT_AS_WITHDRAW && verdict.errorSubcode === MISSING_WELL_KNOWN;
}

/** Keeps the strongest error, and of equal ones the first. */
export function noteError(
  out: AttributeVerdict,
  action: number,
  subcode: number,
  type: number,
  offset: number,
  end: number,
): void {
  if (action <= out.action) return;
  out.action = action;
  out.errorSubcode = subcode;
  out.errorType = type;
  out.errorOffset = offset;
  out.errorLength = end - offset;
}
