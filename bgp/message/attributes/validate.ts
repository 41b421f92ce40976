// Judges a block of path attributes by RFC 7606 and makes its canonical form. Runs once per distinct block of
// bytes: the caller keeps the result under (bytes, verdictKey(ctx)).
//
// Canonical: types ascend; each type once (the first); four octets an AS, with AS4_PATH and AS4_AGGREGATOR merged
// in; no MP_REACH_NLRI, MP_UNREACH_NLRI and NEXT_HOP (its value is in the verdict); nothing that was discarded;
// no duplicate large communities; extended length only above 255 octets; no flag bits that mean nothing.

import * as c from '../constants.ts';
import type { SessionCodecContext } from '../context.ts';
import { copyOctets, readU16, readU32, writeU32 } from '../octets.ts';
import { firstAs, mergePaths, neighbourAs, pathLength, widenPath } from './as-path.ts';
import { AttributeList, listAttributes, writeAttributeHeader } from './attribute-list.ts';
import { communityFlags, copyLargeCommunities } from './communities.ts';
import { linkBandwidthOf } from './ext-communities.ts';
import { ATTRIBUTE_TABLE, NOT_WANTED } from './table.ts';
import { aigpOf } from './tlv.ts';
import { type AttributeVerdict, PRESENT_LINK_BANDWIDTH, PRESENT_UNKNOWN } from './verdict.ts';

const { ACTION_OK, ACTION_DISCARD_ATTRIBUTE, ACTION_TREAT_AS_WITHDRAW } = c;
const MALFORMED_LIST = 1;
const UNRECOGNIZED_WELL_KNOWN = 2;
const MISSING_WELL_KNOWN = 3;
const WRONG_FLAGS = 4;
const BAD_AS_PATH = 11;

const OPTIONAL_TRANSITIVE = c.FLAG_OPTIONAL | c.FLAG_TRANSITIVE;

/** Scratch of one call. */
const list = new AttributeList();
const dropped = new Uint8Array(256);
/** A two-octet path of a full extended message, widened and merged. */
const pathScratch = new Uint8Array(4 * 65536);

/**
 * Fills `out` from the attributes at buf[start, end): the `blob` of an UpdateScan, or any block of attributes.
 * With ACTION_TREAT_AS_WITHDRAW only the error fields of `out` mean something. NEXT_HOP is not mandatory here:
 * that depends on the message (judgeUpdate).
 */
export function validateAttributes(
  buf: Uint8Array,
  start: number,
  end: number,
  ctx: SessionCodecContext,
  out: AttributeVerdict,
): void {
  clear(out);
  const overrun = listAttributes(list, buf, start, end);
  if (overrun >= 0) {
    note(out, ACTION_TREAT_AS_WITHDRAW, MALFORMED_LIST, 0, overrun, end);
    return;
  }
  const internal = !ctx.external || ctx.confederation;
  for (let i = 0; i < list.count; i++) {
    const type = list.types[i]!;
    dropped[type] = check(buf, type, ctx, internal, out) ? 0 : 1;
  }
  if (list.valueStart[c.ATTR_ORIGIN] === -1) missing(out, c.ATTR_ORIGIN, start);
  if (list.valueStart[c.ATTR_AS_PATH] === -1) missing(out, c.ATTR_AS_PATH, start);
  if (out.action === ACTION_TREAT_AS_WITHDRAW) return;
  if (!ctx.fourByteAs) reconcileAggregators(buf);
  for (let i = 0; i < list.count; i++) {
    const type = list.types[i]!;
    if (dropped[type] === 0) emit(buf, type, ctx, out);
  }
}

/** False when the attribute is to be left out. Notes what is wrong. */
function check(
  buf: Uint8Array,
  type: number,
  ctx: SessionCodecContext,
  internal: boolean,
  out: AttributeVerdict,
): boolean {
  if (type === c.ATTR_MP_REACH || type === c.ATTR_MP_UNREACH) return false;
  const row = ATTRIBUTE_TABLE[type];
  const flags = list.flags[type]!;
  const header = list.header[type]!;
  const valueEnd = list.valueEnd[type]!;
  if (row === undefined) {
    if ((flags & c.FLAG_OPTIONAL) === 0) {
      note(out, ACTION_TREAT_AS_WITHDRAW, UNRECOGNIZED_WELL_KNOWN, type, header, valueEnd);
      return false;
    }
    return (flags & c.FLAG_TRANSITIVE) !== 0;
  }
  if (row.internalOnly && !internal) {
    note(out, ACTION_DISCARD_ATTRIBUTE, MALFORMED_LIST, type, header, valueEnd);
    return false;
  }
  const partialWellKnown = (flags & c.FLAG_PARTIAL) !== 0 && (row.flags & c.FLAG_OPTIONAL) === 0;
  if ((flags & OPTIONAL_TRANSITIVE) !== row.flags || partialWellKnown) {
    note(out, row.onWrongFlags, WRONG_FLAGS, type, header, valueEnd);
    return false;
  }
  const subcode = row.check(buf, list.valueStart[type]!, valueEnd, ctx);
  if (subcode === 0) return true;
  if (subcode !== NOT_WANTED) note(out, row.onError, subcode, type, header, valueEnd);
  return false;
}

/** Keeps the strongest error, and of equal ones the first. */
function note(
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

function missing(out: AttributeVerdict, type: number, offset: number): void {
  note(out, ACTION_TREAT_AS_WITHDRAW, MISSING_WELL_KNOWN, type, offset, offset);
}

/**
 * RFC 6793 section 4.2.3: an AGGREGATOR whose AS is not AS_TRANS was made by an old speaker after the AS4_*
 * attributes: then these are out of date. AS4_AGGREGATOR alone means nothing.
 */
function reconcileAggregators(buf: Uint8Array): void {
  const has4 = list.valueStart[c.ATTR_AS4_AGGREGATOR] !== -1 && dropped[c.ATTR_AS4_AGGREGATOR] === 0;
  const hasOld = list.valueStart[c.ATTR_AGGREGATOR] !== -1 && dropped[c.ATTR_AGGREGATOR] === 0;
  if (!has4 || !hasOld) {
    if (has4) dropped[c.ATTR_AS4_AGGREGATOR] = 1;
    return;
  }
  if (readU16(buf, list.valueStart[c.ATTR_AGGREGATOR]!) !== c.AS_TRANS) {
    dropped[c.ATTR_AS4_AGGREGATOR] = 1;
    dropped[c.ATTR_AS4_PATH] = 1;
  }
}

/** Appends one attribute to the canonical bytes and fills its columns. */
function emit(buf: Uint8Array, type: number, ctx: SessionCodecContext, out: AttributeVerdict): void {
  const start = list.valueStart[type]!;
  const end = list.valueEnd[type]!;
  const row = ATTRIBUTE_TABLE[type];
  if (row === undefined) {
    out.present |= PRESENT_UNKNOWN;
    append(out, list.flags[type]! & (OPTIONAL_TRANSITIVE | c.FLAG_PARTIAL), type, buf, start, end);
    return;
  }
  out.present |= row.present;
  const partial = row.flags === OPTIONAL_TRANSITIVE ? list.flags[type]! & c.FLAG_PARTIAL : 0;
  const flags = row.flags | partial;
  switch (type) {
    case c.ATTR_AS_PATH:
      emitPath(buf, start, end, ctx, out);
      return;
    case c.ATTR_NEXT_HOP:
      out.hasNextHop = true;
      out.nextHop = readU32(buf, start);
      return;
    case c.ATTR_AGGREGATOR:
      emitAggregator(buf, start, end, flags, ctx, out);
      return;
    case c.ATTR_AS4_PATH:
    case c.ATTR_AS4_AGGREGATOR:
      return;
    case c.ATTR_LARGE_COMMUNITIES: {
      const length = copyLargeCommunities(buf, start, end, pathScratch, 0);
      append(out, flags, type, pathScratch, 0, length);
      return;
    }
    case c.ATTR_ORIGIN:
      out.origin = buf[start]!;
      break;
    case c.ATTR_MED:
      out.hasMed = true;
      out.med = readU32(buf, start);
      break;
    case c.ATTR_LOCAL_PREF:
      out.hasLocalPref = true;
      out.localPref = readU32(buf, start);
      break;
    case c.ATTR_COMMUNITIES:
      out.flags |= communityFlags(buf, start, end);
      break;
    case c.ATTR_ORIGINATOR_ID:
      out.hasOriginatorId = true;
      out.originatorId = readU32(buf, start);
      break;
    case c.ATTR_CLUSTER_LIST:
      out.clusterListLength = (end - start) >> 2;
      break;
    case c.ATTR_EXT_COMMUNITIES: {
      const bandwidth = linkBandwidthOf(buf, start, end);
      if (bandwidth >= 0) {
        out.hasLinkBandwidth = true;
        out.linkBandwidth = bandwidth;
        out.present |= PRESENT_LINK_BANDWIDTH;
      }
      break;
    }
    case c.ATTR_AIGP:
      out.hasAigp = true;
      out.aigp = aigpOf(buf, start, end);
      break;
    case c.ATTR_OTC:
      out.hasOtc = true;
      out.otc = readU32(buf, start);
      break;
    default:
      break;
  }
  append(out, flags, type, buf, start, end);
  if (type === c.ATTR_CLUSTER_LIST) {
    out.clusterListEnd = out.length;
    out.clusterListStart = out.length - (end - start);
  }
}

function emitPath(
  buf: Uint8Array,
  start: number,
  end: number,
  ctx: SessionCodecContext,
  out: AttributeVerdict,
): void {
  let path = buf;
  let from = start;
  let to = end;
  if (!ctx.fourByteAs) {
    const as4Start = list.valueStart[c.ATTR_AS4_PATH]!;
    const useAs4 = as4Start !== -1 && dropped[c.ATTR_AS4_PATH] === 0;
    path = pathScratch;
    from = 0;
    to = useAs4
      ? mergePaths(buf, start, end, as4Start, list.valueEnd[c.ATTR_AS4_PATH]!, pathScratch, 0)
      : widenPath(buf, start, end, pathScratch, 0);
    // could not be passed on to anybody: one block must fit into one message
    const others = totalLength() - (end - start);
    if (others + to > c.MAX_EXTENDED_MESSAGE_LENGTH) {
      note(out, ACTION_TREAT_AS_WITHDRAW, BAD_AS_PATH, c.ATTR_AS_PATH, list.header[c.ATTR_AS_PATH]!, end);
      to = 0;
    }
  }
  append(out, c.FLAG_TRANSITIVE, c.ATTR_AS_PATH, path, from, to);
  out.asPathEnd = out.length;
  out.asPathStart = out.length - (to - from);
  out.pathLength = pathLength(path, from, to, 4);
  out.neighbourAs = neighbourAs(path, from, to);
  out.firstAs = firstAs(path, from, to);
}

/** Upper bound of what all attributes take in canonical form, AS_PATH unwidened. */
function totalLength(): number {
  let length = 8;
  for (let i = 0; i < list.count; i++) {
    const type = list.types[i]!;
    if (dropped[type] === 0) length += list.valueEnd[type]! - list.header[type]!;
  }
  return length;
}

/** Always with four octets of AS. */
function emitAggregator(
  buf: Uint8Array,
  start: number,
  end: number,
  flags: number,
  ctx: SessionCodecContext,
  out: AttributeVerdict,
): void {
  const as4Start = list.valueStart[c.ATTR_AS4_AGGREGATOR]!;
  if (ctx.fourByteAs) {
    append(out, flags, c.ATTR_AGGREGATOR, buf, start, end);
  } else if (as4Start !== -1 && dropped[c.ATTR_AS4_AGGREGATOR] === 0) {
    append(out, flags, c.ATTR_AGGREGATOR, buf, as4Start, as4Start + 8);
  } else {
    const value = writeAttributeHeader(out.bytes, out.length, flags, c.ATTR_AGGREGATOR, 8);
    out.length = copyOctets(buf, start + 2, end, out.bytes, writeU32(out.bytes, value, readU16(buf, start)));
  }
}

function append(
  out: AttributeVerdict,
  flags: number,
  type: number,
  src: Uint8Array,
  start: number,
  end: number,
): void {
  const value = writeAttributeHeader(out.bytes, out.length, flags, type, end - start);
  out.length = copyOctets(src, start, end, out.bytes, value);
}

function clear(out: AttributeVerdict): void {
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
