// UPDATE (RFC 4271 section 4.3, RFC 4760): finds the parts of a message and judges its framing by RFC 7606.
// It looks at no attribute's value but MP_REACH_NLRI and MP_UNREACH_NLRI; attributes/validate.ts does the rest,
// once per distinct attribute bytes.
//
//   header (19) | withdrawn length (2) | withdrawn | attributes length (2) | attributes | NLRI to the end

import { AFI_IPV4, AFI_IPV6, IPV4, IPV6 } from '#ip';
import {
  ACTION_OK,
  ACTION_RESET,
  ACTION_TREAT_AS_WITHDRAW,
  ATTR_MP_REACH,
  ATTR_MP_UNREACH,
  FAMILY_BIT_IPV4,
  FAMILY_BIT_IPV6,
  FLAG_EXTENDED_LENGTH,
  FLAG_OPTIONAL,
  FLAG_TRANSITIVE,
  HEADER_LENGTH,
  SAFI_UNICAST,
} from './constants.ts';
import type { SessionCodecContext } from './context.ts';
import { checkNlri } from './nlri.ts';
import { readU16 } from './big-endian.ts';
import {
  clearScan,
  IGNORED_CLASSIC,
  IGNORED_MP_REACH,
  IGNORED_MP_UNREACH,
  type UpdateScan,
} from './update-scan.ts';

/**
 * Finds the parts of the UPDATE at buf[start, end) (header included, length checked by the framer).
 * Order of processing for the caller: withdrawn routes first, then NLRI, so that a prefix in both is announced.
 * @returns out.action
 */
export function scanUpdate(
  buf: Uint8Array,
  start: number,
  end: number,
  ctx: SessionCodecContext,
  out: UpdateScan,
): number {
  clearScan(out, buf);
  const body = start + HEADER_LENGTH;
  if (body + 4 > end) return malformedList(out, start, end);
  const withdrawnStart = body + 2;
  const withdrawnEnd = withdrawnStart + readU16(buf, body);
  if (withdrawnEnd + 2 > end) return malformedList(out, start, end);
  const attributesStart = withdrawnEnd + 2;
  const attributesEnd = attributesStart + readU16(buf, withdrawnEnd);
  if (attributesEnd > end) return malformedList(out, start, end);
  out.attributesStart = attributesStart;
  out.attributesEnd = attributesEnd;
  if (!scanClassic(buf, withdrawnStart, withdrawnEnd, attributesEnd, end, ctx, out)) return ACTION_RESET;
  if (attributesStart === attributesEnd) {
    if (withdrawnStart === withdrawnEnd && attributesEnd === end && (ctx.families & FAMILY_BIT_IPV4) !== 0) {
      out.endOfRib = IPV4;
    }
    return settle(out);
  }

  let at = attributesStart;
  let others = 0;
  let scattered = false;
  let seenReach = false;
  let seenUnreach = false;
  while (at < attributesEnd) {
    const room = attributesEnd - at;
    const flags = buf[at]!;
    const extended = (flags & FLAG_EXTENDED_LENGTH) !== 0;
    const type = room > 1 ? buf[at + 1]! : 0;
    if (room < 3 || (extended && room < 4)) return truncated(out, at, attributesEnd, type);
    const value = extended ? at + 4 : at + 3;
    const next = value + (extended ? readU16(buf, at + 2) : buf[at + 2]!);
    if (next > attributesEnd) return truncated(out, at, attributesEnd, type);
    if (type === ATTR_MP_REACH) {
      if (seenReach) return fail(out, ACTION_RESET, 1, type, at, next);
      seenReach = true;
      checkMpFlags(flags, type, at, next, out);
      if (!scanReach(buf, value, next, ctx, out)) return fail(out, ACTION_RESET, 9, type, at, next);
    } else if (type === ATTR_MP_UNREACH) {
      if (seenUnreach) return fail(out, ACTION_RESET, 1, type, at, next);
      seenUnreach = true;
      checkMpFlags(flags, type, at, next, out);
      if (!scanUnreach(buf, value, next, ctx, out)) return fail(out, ACTION_RESET, 9, type, at, next);
    } else {
      if (others === 0) out.blobStart = at;
      else if (at !== out.blobEnd) scattered = true;
      out.blobEnd = next;
      others++;
    }
    at = next;
  }
  if (scattered) gather(buf, attributesStart, attributesEnd, out);
  if (
    seenUnreach &&
    others === 0 &&
    !seenReach &&
    out.mpUnreachFamily >= 0 &&
    out.mpUnreachCount === 0 &&
    withdrawnStart === withdrawnEnd &&
    attributesEnd === end &&
    out.action === ACTION_OK
  ) {
    out.endOfRib = out.mpUnreachFamily;
  }
  return settle(out);
}

/**
 * The verdict over a whole message: framing (scan), attributes (`attributeAction` and `present` of the
 * AttributeVerdict of its blob), and what only both together tell. Cheap: run it on each message.
 *  - NEXT_HOP is mandatory only with classic NLRI (RFC 7606 section 3 (d), RFC 4760 section 3).
 *  - Withdrawals alone need no attributes: beside them none is missing (`isOnlyIncomplete`).
 *  - Treat-as-withdraw without a route that is announced is a session reset, also beside withdrawals: nobody can be
 *    sure that the announcement was found (RFC 7606 section 5.2).
 * Sets out.action and, when NEXT_HOP is what is missing, the error fields.
 */
export function judgeUpdate(
  scan: UpdateScan,
  attributeAction: number,
  hasNextHop: boolean,
  isOnlyIncomplete: boolean,
): number {
  if (scan.action === ACTION_RESET) return ACTION_RESET;
  if (!scan.hasReachable) {
    if (scan.blobStart === scan.blobEnd || attributeAction !== ACTION_TREAT_AS_WITHDRAW) return scan.action;
    if (scan.hasWithdrawals && isOnlyIncomplete) return scan.action;
    return fail(scan, ACTION_RESET, 1, 0, scan.attributesStart, scan.attributesEnd);
  }
  if (attributeAction > scan.action) scan.action = attributeAction;
  if (!hasNextHop && scan.nlriCount > 0 && scan.action < ACTION_TREAT_AS_WITHDRAW) {
    scan.action = ACTION_TREAT_AS_WITHDRAW;
    scan.errorCode = 3;
    scan.errorSubcode = 3;
    scan.errorType = 3;
    scan.errorOffset = scan.attributesStart;
    scan.errorLength = 0;
  }
  return scan.action;
}

/** Withdrawn routes and NLRI of the fixed fields: always IPv4 unicast. */
function scanClassic(
  buf: Uint8Array,
  withdrawnStart: number,
  withdrawnEnd: number,
  nlriStart: number,
  end: number,
  ctx: SessionCodecContext,
  out: UpdateScan,
): boolean {
  if ((ctx.families & FAMILY_BIT_IPV4) === 0) {
    if (withdrawnStart < withdrawnEnd || nlriStart < end) out.ignored |= IGNORED_CLASSIC;
    out.hasWithdrawals = withdrawnStart < withdrawnEnd;
    out.hasReachable = nlriStart < end;
    return true;
  }
  const withdrawn = checkNlri(buf, withdrawnStart, withdrawnEnd, 32, ctx.addPathIpv4);
  if (withdrawn < 0) {
    fail(out, ACTION_RESET, 10, 0, ~withdrawn, withdrawnEnd);
    return false;
  }
  const nlri = checkNlri(buf, nlriStart, end, 32, ctx.addPathIpv4);
  if (nlri < 0) {
    fail(out, ACTION_RESET, 10, 0, ~nlri, end);
    return false;
  }
  out.withdrawnStart = withdrawnStart;
  out.withdrawnEnd = withdrawnEnd;
  out.withdrawnCount = withdrawn;
  out.nlriStart = nlriStart;
  out.nlriEnd = end;
  out.nlriCount = nlri;
  out.hasWithdrawals = withdrawn > 0;
  out.hasReachable = nlri > 0;
  return true;
}

/** AFI (2) | SAFI (1) | next hop length (1) | next hop | reserved (1) | NLRI */
function scanReach(
  buf: Uint8Array,
  start: number,
  end: number,
  ctx: SessionCodecContext,
  out: UpdateScan,
): boolean {
  if (end - start < 5) return false;
  const afi = readU16(buf, start);
  const safi = buf[start + 2]!;
  const nextHopLength = buf[start + 3]!;
  const nlri = start + 5 + nextHopLength;
  out.mpReachAfi = afi;
  out.mpReachSafi = safi;
  if (nlri > end) return false;
  out.nextHopStart = start + 4;
  out.nextHopLength = nextHopLength;
  out.mpReachStart = nlri;
  out.mpReachEnd = end;
  if (nlri < end) out.hasReachable = true;
  const family = familyOf(afi, safi, ctx);
  if (family < 0) {
    out.ignored |= IGNORED_MP_REACH;
    return true;
  }
  const isV6 = nextHopLength === 16 || nextHopLength === 32;
  if (family === IPV6 ? !isV6 : nextHopLength !== 4 && !(isV6 && ctx.extendedNextHop)) return false;
  const count =
    family === IPV6
      ? checkNlri(buf, nlri, end, 128, ctx.addPathIpv6)
      : checkNlri(buf, nlri, end, 32, ctx.addPathIpv4);
  if (count < 0) return false;
  out.mpReachFamily = family;
  out.mpReachCount = count;
  return true;
}

/** AFI (2) | SAFI (1) | withdrawn routes */
function scanUnreach(
  buf: Uint8Array,
  start: number,
  end: number,
  ctx: SessionCodecContext,
  out: UpdateScan,
): boolean {
  if (end - start < 3) return false;
  const afi = readU16(buf, start);
  const safi = buf[start + 2]!;
  out.mpUnreachAfi = afi;
  out.mpUnreachSafi = safi;
  out.mpUnreachStart = start + 3;
  out.mpUnreachEnd = end;
  if (start + 3 < end) out.hasWithdrawals = true;
  const family = familyOf(afi, safi, ctx);
  if (family < 0) {
    out.ignored |= IGNORED_MP_UNREACH;
    return true;
  }
  const count =
    family === IPV6
      ? checkNlri(buf, start + 3, end, 128, ctx.addPathIpv6)
      : checkNlri(buf, start + 3, end, 32, ctx.addPathIpv4);
  if (count < 0) return false;
  out.mpUnreachFamily = family;
  out.mpUnreachCount = count;
  return true;
}

function familyOf(afi: number, safi: number, ctx: SessionCodecContext): number {
  if (safi !== SAFI_UNICAST) return -1;
  if (afi === AFI_IPV4) return (ctx.families & FAMILY_BIT_IPV4) !== 0 ? IPV4 : -1;
  if (afi === AFI_IPV6) return (ctx.families & FAMILY_BIT_IPV6) !== 0 ? IPV6 : -1;
  return -1;
}

/** Both MP attributes are optional non-transitive; a conflict is treat-as-withdraw (RFC 7606 section 3 (c)). */
function checkMpFlags(flags: number, type: number, at: number, next: number, out: UpdateScan): void {
  if ((flags & (FLAG_OPTIONAL | FLAG_TRANSITIVE)) !== FLAG_OPTIONAL && out.action === ACTION_OK) {
    fail(out, ACTION_TREAT_AS_WITHDRAW, 4, type, at, next);
  }
}

/** Moves the attributes around the MP ones together. The list was walked before: its lengths hold. */
function gather(buf: Uint8Array, start: number, end: number, out: UpdateScan): void {
  const scratch = out.scratch;
  let length = 0;
  let at = start;
  while (at < end) {
    const extended = (buf[at]! & FLAG_EXTENDED_LENGTH) !== 0;
    const type = buf[at + 1]!;
    const next = extended ? at + 4 + readU16(buf, at + 2) : at + 3 + buf[at + 2]!;
    if (type !== ATTR_MP_REACH && type !== ATTR_MP_UNREACH) {
      for (let i = at; i < next; i++) scratch[length++] = buf[i]!;
    }
    at = next;
  }
  out.blob = scratch;
  out.blobStart = 0;
  out.blobEnd = length;
}

/** An attribute runs past the list (RFC 7606 section 4). Fatal if its routes cannot be known. */
function truncated(out: UpdateScan, at: number, end: number, type: number): number {
  const lost = type === ATTR_MP_REACH || type === ATTR_MP_UNREACH;
  fail(out, lost ? ACTION_RESET : ACTION_TREAT_AS_WITHDRAW, 1, type, at, end);
  out.blobStart = 0;
  out.blobEnd = 0;
  return settle(out);
}

/** Treat-as-withdraw needs routes to withdraw, else nothing is sure any more (RFC 7606 section 5.2). */
function settle(out: UpdateScan): number {
  if (out.action === ACTION_TREAT_AS_WITHDRAW && !out.hasReachable) {
    out.action = ACTION_RESET;
    out.errorSubcode = 1;
  }
  return out.action;
}

function malformedList(out: UpdateScan, start: number, end: number): number {
  return fail(out, ACTION_RESET, 1, 0, start, end);
}

function fail(
  out: UpdateScan,
  action: number,
  subcode: number,
  type: number,
  start: number,
  end: number,
): number {
  out.action = action;
  out.errorCode = 3;
  out.errorSubcode = subcode;
  out.errorType = type;
  out.errorOffset = start;
  out.errorLength = end - start;
  return action;
}
