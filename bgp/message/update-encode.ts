// Writes UPDATE messages into a buffer of the caller, piece by piece: begin, prefixes (nlri.ts), end.
// All functions return the offset behind what they wrote. The caller keeps to the message's maximum length:
// before a prefix is written there must be room for it and, in MP_REACH_NLRI, for the attributes that follow.

import { AFI_IPV4, AFI_IPV6, type FamilyIndex, IPV4 } from '#ip';
import {
  ATTR_MP_REACH,
  ATTR_MP_UNREACH,
  FLAG_EXTENDED_LENGTH,
  FLAG_OPTIONAL,
  HEADER_LENGTH,
  SAFI_UNICAST,
  UPDATE,
} from './constants.ts';
import { setMessageLength, writeHeader } from './frame.ts';
import { copyOctets, writeU16 } from './big-endian.ts';

/** Octets of an UPDATE with classic NLRI that are neither attributes nor NLRI; the same for withdrawn routes. */
export const CLASSIC_OVERHEAD = HEADER_LENGTH + 4;
/** Octets of an UPDATE with MP_REACH_NLRI besides next hop, NLRI and other attributes. */
export const MP_REACH_OVERHEAD = HEADER_LENGTH + 4 + 4 + 5;

const MP_FLAGS = FLAG_OPTIONAL | FLAG_EXTENDED_LENGTH;

/** Begins a message that withdraws classic IPv4 prefixes; the prefixes follow. */
export function beginWithdraw(out: Uint8Array, at: number): number {
  return writeHeader(out, at, UPDATE, 0) + 2;
}

/** Ends it: `prefixesEnd` is the offset behind the last prefix. */
export function endWithdraw(out: Uint8Array, at: number, prefixesEnd: number): number {
  writeU16(out, at + HEADER_LENGTH, prefixesEnd - at - HEADER_LENGTH - 2);
  const end = writeU16(out, prefixesEnd, 0);
  setMessageLength(out, at, end);
  return end;
}

/** Begins a message that announces classic IPv4 prefixes with these attributes (NEXT_HOP among them). */
export function beginAnnounce(
  out: Uint8Array,
  at: number,
  attributes: Uint8Array,
  attributesStart: number,
  attributesEnd: number,
): number {
  const lengths = writeU16(out, writeHeader(out, at, UPDATE, 0), 0);
  const values = writeU16(out, lengths, attributesEnd - attributesStart);
  return copyOctets(attributes, attributesStart, attributesEnd, out, values);
}

export function endAnnounce(out: Uint8Array, at: number, prefixesEnd: number): number {
  setMessageLength(out, at, prefixesEnd);
  return prefixesEnd;
}

/** Begins a message whose first attribute is MP_REACH_NLRI; the prefixes follow, then `endMpReach`. */
export function beginMpReach(
  out: Uint8Array,
  at: number,
  family: FamilyIndex,
  nextHop: Uint8Array,
  nextHopStart: number,
  nextHopLength: number,
): number {
  let to = writeU16(out, writeHeader(out, at, UPDATE, 0), 0) + 2;
  out[to] = MP_FLAGS;
  out[to + 1] = ATTR_MP_REACH;
  to = writeU16(out, to + 4, family === IPV4 ? AFI_IPV4 : AFI_IPV6);
  out[to] = SAFI_UNICAST;
  out[to + 1] = nextHopLength;
  to = copyOctets(nextHop, nextHopStart, nextHopStart + nextHopLength, out, to + 2);
  out[to] = 0;
  return to + 1;
}

/** Ends MP_REACH_NLRI behind its prefixes, appends the other attributes, and ends the message. */
export function endMpReach(
  out: Uint8Array,
  at: number,
  prefixesEnd: number,
  attributes: Uint8Array,
  attributesStart: number,
  attributesEnd: number,
): number {
  writeU16(out, at + CLASSIC_OVERHEAD + 2, prefixesEnd - at - CLASSIC_OVERHEAD - 4);
  const end = copyOctets(attributes, attributesStart, attributesEnd, out, prefixesEnd);
  writeU16(out, at + HEADER_LENGTH + 2, end - at - CLASSIC_OVERHEAD);
  setMessageLength(out, at, end);
  return end;
}

/** Begins a message whose only attribute is MP_UNREACH_NLRI; the prefixes follow. */
export function beginMpUnreach(out: Uint8Array, at: number, family: FamilyIndex): number {
  let to = writeU16(out, writeHeader(out, at, UPDATE, 0), 0) + 2;
  out[to] = MP_FLAGS;
  out[to + 1] = ATTR_MP_UNREACH;
  to = writeU16(out, to + 4, family === IPV4 ? AFI_IPV4 : AFI_IPV6);
  out[to] = SAFI_UNICAST;
  return to + 1;
}

export function endMpUnreach(out: Uint8Array, at: number, prefixesEnd: number): number {
  writeU16(out, at + CLASSIC_OVERHEAD + 2, prefixesEnd - at - CLASSIC_OVERHEAD - 4);
  writeU16(out, at + HEADER_LENGTH + 2, prefixesEnd - at - CLASSIC_OVERHEAD);
  setMessageLength(out, at, prefixesEnd);
  return prefixesEnd;
}

/** End-of-RIB (RFC 4724 section 2): an empty UPDATE for IPv4, an empty MP_UNREACH_NLRI otherwise. */
export function writeEndOfRib(out: Uint8Array, at: number, family: FamilyIndex): number {
  if (family === IPV4) return endWithdraw(out, at, beginWithdraw(out, at));
  return endMpUnreach(out, at, beginMpUnreach(out, at, family));
}
