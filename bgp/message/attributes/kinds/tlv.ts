// Attributes made of type-length-value lists: AIGP, tunnel encapsulation, link state, next-hop dependent
// characteristics, prefix SID; and PMSI tunnel, which is as little read. podroute carries them; it checks that no
// length runs past the end, because a neighbour that trusts them would be hurt.

import {
  ACTION_DISCARD_ATTRIBUTE,
  ACTION_TREAT_AS_WITHDRAW,
  ATTR_AIGP,
  ATTR_LINK_STATE,
  ATTR_NEXT_HOP_CHARACTERISTICS,
  ATTR_PMSI_TUNNEL,
  ATTR_PREFIX_SID,
  ATTR_TUNNEL_ENCAP,
} from '../../constants.ts';
import { readU16, readU32 } from '../../big-endian.ts';
import {
  append,
  type AttributeRow,
  BAD_LENGTH,
  BAD_OPTIONAL,
  keep,
  NOT_WANTED,
  OPTIONAL,
  OPTIONAL_TRANSITIVE,
  printHex,
  row,
  strip,
  WELL_FORMED,
} from '../row.ts';
import { PRESENT_AIGP } from '../verdict.ts';

const AIGP = row({
  type: ATTR_AIGP,
  name: 'aigp',
  flags: OPTIONAL,
  check: (buf, start, end, ctx) => (ctx.aigp ? checked(isAigpValid(buf, start, end)) : NOT_WANTED),
  onError: ACTION_DISCARD_ATTRIBUTE,
  onWrongFlags: ACTION_DISCARD_ATTRIBUTE,
  accept(block, type, start, end, flags) {
    block.out.hasAigp = true;
    block.out.aigp = aigpOf(block.buf, start, end);
    append(block, type, start, end, flags);
  },
  toEbgp: (block, type, start, end, to) => (block.plan.keepAigp ? keep(block, type, start, end, to) : to),
  print: aigpOf,
  present: PRESENT_AIGP,
});

export const CARRIED_ROWS: readonly AttributeRow[] = [
  AIGP,
  row({
    type: ATTR_PMSI_TUNNEL,
    name: 'pmsi_tunnel',
    flags: OPTIONAL_TRANSITIVE,
    check: (_buf, start, end) => (end - start < 5 ? BAD_LENGTH : WELL_FORMED),
    onError: ACTION_TREAT_AS_WITHDRAW,
    print: printHex,
  }),
  row({
    type: ATTR_TUNNEL_ENCAP,
    name: 'tunnel_encap',
    flags: OPTIONAL_TRANSITIVE,
    check: (buf, start, end) => checked(isTunnelEncapValid(buf, start, end)),
    onError: ACTION_DISCARD_ATTRIBUTE,
    print: printHex,
  }),
  row({
    type: ATTR_LINK_STATE,
    name: 'link_state',
    flags: OPTIONAL,
    check: (buf, start, end) => checked(isLinkStateValid(buf, start, end)),
    onError: ACTION_DISCARD_ATTRIBUTE,
    toEbgp: strip,
    print: printHex,
  }),
  row({
    type: ATTR_NEXT_HOP_CHARACTERISTICS,
    name: 'next_hop_characteristics',
    flags: OPTIONAL_TRANSITIVE,
    check: (buf, start, end) => checked(isNextHopCharacteristicsValid(buf, start, end)),
    onError: ACTION_DISCARD_ATTRIBUTE,
    print: printHex,
  }),
  row({
    type: ATTR_PREFIX_SID,
    name: 'prefix_sid',
    flags: OPTIONAL_TRANSITIVE,
    check: (buf, start, end) => checked(isPrefixSidValid(buf, start, end)),
    onError: ACTION_DISCARD_ATTRIBUTE,
    print: printHex,
  }),
];

function checked(isValid: boolean): number {
  return isValid ? WELL_FORMED : BAD_OPTIONAL;
}

/** Type (1) | length (2, of the value). PREFIX_SID, RFC 8669; the label index is 7 octets, an SRGB 2 + 6n. */
function isPrefixSidValid(buf: Uint8Array, start: number, end: number): boolean {
  let at = start;
  if (at === end) return false;
  while (at < end) {
    if (end - at < 3) return false;
    const type = buf[at]!;
    const length = readU16(buf, at + 1);
    const next = at + 3 + length;
    if (next > end) return false;
    if (type === 1 && length !== 7) return false;
    if (type === 3 && (length < 8 || (length - 2) % 6 !== 0)) return false;
    at = next;
  }
  return true;
}

/** Type (2) | length (2, of the value): BGP-LS (RFC 9552 section 5.3). */
function isLinkStateValid(buf: Uint8Array, start: number, end: number): boolean {
  let at = start;
  while (at < end) {
    if (end - at < 4) return false;
    at += 4 + readU16(buf, at + 2);
    if (at > end) return false;
  }
  return true;
}

/** AFI (2) | SAFI (1) | next hop length (1) | next hop | TLVs as above (draft-ietf-idr-entropy-label). */
function isNextHopCharacteristicsValid(buf: Uint8Array, start: number, end: number): boolean {
  if (end - start < 4) return false;
  const list = start + 4 + buf[start + 3]!;
  return list <= end && isLinkStateValid(buf, list, end);
}

/** Tunnel type (2) | length (2) | sub-TLVs: type (1) | length (1, or 2 from type 128) | value. RFC 9012. */
function isTunnelEncapValid(buf: Uint8Array, start: number, end: number): boolean {
  let at = start;
  while (at < end) {
    if (end - at < 4) return false;
    const next = at + 4 + readU16(buf, at + 2);
    if (next > end || !areSubTlvsValid(buf, at + 4, next)) return false;
    at = next;
  }
  return true;
}

function areSubTlvsValid(buf: Uint8Array, start: number, end: number): boolean {
  let at = start;
  while (at < end) {
    const wide = buf[at]! >= 128;
    if (end - at < (wide ? 3 : 2)) return false;
    at += wide ? 3 + readU16(buf, at + 1) : 2 + buf[at + 1]!;
    if (at > end) return false;
  }
  return true;
}

const AIGP_TLV = 1;
const AIGP_TLV_LENGTH = 11;

/** Type (1) | length (2, of the whole TLV) | metric (8). RFC 7311: other TLVs pass, an AIGP TLV has 11 octets. */
function isAigpValid(buf: Uint8Array, start: number, end: number): boolean {
  let at = start;
  let found = false;
  while (at < end) {
    if (end - at < 3) return false;
    const length = readU16(buf, at + 1);
    if (length < 3 || at + length > end) return false;
    if (buf[at] === AIGP_TLV) {
      if (length !== AIGP_TLV_LENGTH) return false;
      found = true;
    }
    at += length;
  }
  return found;
}

/** Metric of the first AIGP TLV; 2^53 - 1 stands for more, and for none (the text of an unchecked attribute). */
function aigpOf(buf: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at + AIGP_TLV_LENGTH <= end) {
    if (buf[at] === AIGP_TLV) {
      const metric = readU32(buf, at + 3) * 0x100000000 + readU32(buf, at + 7);
      return metric < Number.MAX_SAFE_INTEGER ? metric : Number.MAX_SAFE_INTEGER;
    }
    const length = readU16(buf, at + 1);
    if (length === 0) break;
    at += length;
  }
  return Number.MAX_SAFE_INTEGER;
}
