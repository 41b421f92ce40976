// EXTENDED COMMUNITIES (RFC 4360, 5668) and their IPv6 form (RFC 5701): transitivity, link bandwidth, text.
//
//   type (1; 0x80 IANA, 0x40 non-transitive) | subtype (1) | value (6, or 18 in the IPv6 form)

import { formatIpv4, formatOctets } from '#ip';
import {
  ACTION_TREAT_AS_WITHDRAW,
  AS_TRANS,
  ATTR_EXT_COMMUNITIES,
  ATTR_IPV6_EXT_COMMUNITIES,
} from '../../constants.ts';
import { hex, readU16, readU32, writeU32 } from '../../big-endian.ts';
import { addsTo, changeCommunities } from './community-list.ts';
import { isOneCommunity, parseCommunityPattern } from './community-pattern.ts';
import {
  append,
  type AttributeRow,
  keep,
  multipleOf,
  OPTIONAL_TRANSITIVE,
  type OutgoingBlock,
  row,
  writeValue,
} from '../row.ts';
import { PRESENT_EXT_COMMUNITIES, PRESENT_LINK_BANDWIDTH } from '../verdict.ts';

const EXT_COMMUNITIES = row({
  type: ATTR_EXT_COMMUNITIES,
  name: 'ext_communities',
  flags: OPTIONAL_TRANSITIVE,
  check: (_buf, start, end) => multipleOf(8, start, end),
  onError: ACTION_TREAT_AS_WITHDRAW,
  accept(block, type, start, end, flags) {
    const bandwidth = linkBandwidthOf(block.buf, start, end);
    if (bandwidth >= 0) {
      block.out.hasLinkBandwidth = true;
      block.out.linkBandwidth = bandwidth;
      block.out.present |= PRESENT_LINK_BANDWIDTH;
    }
    append(block, type, start, end, flags);
  },
  adds: (plan) => addsTo(ATTR_EXT_COMMUNITIES, plan),
  toIbgp: (block, type, start, end, to) => changeCommunities(block, type, start, end, to, 8),
  // Policies change what is stored; what leaves the AS is chosen from that.
  toEbgp: (block, type, start, end, to) => (start < 0 ? to : sendTransitive(block, type, start, end, to, 8)),
  print: formatExtCommunities,
  present: PRESENT_EXT_COMMUNITIES,
});

const IPV6_EXT_COMMUNITIES = row({
  type: ATTR_IPV6_EXT_COMMUNITIES,
  name: 'ipv6_ext_communities',
  flags: OPTIONAL_TRANSITIVE,
  check: (_buf, start, end) => multipleOf(20, start, end),
  onError: ACTION_TREAT_AS_WITHDRAW,
  toEbgp: (block, type, start, end, to) => sendTransitive(block, type, start, end, to, 20),
  print: formatIpv6ExtCommunities,
});

export const EXT_COMMUNITY_ROWS: readonly AttributeRow[] = [EXT_COMMUNITIES, IPV6_EXT_COMMUNITIES];

const NON_TRANSITIVE = 0x40;
const SUBTYPE_LINK_BANDWIDTH = 0x04;

const floatBytes = new Uint8Array(4);
const floatView = new DataView(floatBytes.buffer);

/** Octets a second of the first link bandwidth community (draft-ietf-idr-link-bandwidth), -1 without a usable one. */
function linkBandwidthOf(buf: Uint8Array, start: number, end: number): number {
  for (let at = start; at + 8 <= end; at += 8) {
    if (isLinkBandwidth(buf, at)) {
      const bandwidth = readFloat(buf, at + 4);
      if (bandwidth >= 0 && bandwidth < Infinity) return bandwidth;
    }
  }
  return -1;
}

/** 0x40 by the draft; 0x00 is sent by routers that want it to cross AS borders. */
function isLinkBandwidth(buf: Uint8Array, at: number): boolean {
  return (buf[at]! & ~NON_TRANSITIVE) === 0 && buf[at + 1] === SUBTYPE_LINK_BANDWIDTH;
}

/**
 * The text by which a policy adds one.
 * @param as of four octets: AS_TRANS stands for it
 * @param isTransitive the form that leaves the AS
 */
export function linkBandwidthText(as: number, octets: number, isTransitive: boolean): string {
  floatView.setFloat32(0, octets);
  const type = isTransitive ? '0x0004' : '0x4004';
  return `generic:${type}:0x${(as > 0xffff ? AS_TRANS : as).toString(16).padStart(4, '0')}${hex(floatBytes, 0, 4)}`;
}

/** Of either form. */
export const LINK_BANDWIDTHS: readonly string[] = ['generic:0x4004:*', 'generic:0x0004:*'];

/** A community or pattern of a policy as routes show it, where that is not its text: a link bandwidth has the generic form. */
export function shownCommunity(text: string): string {
  const pattern = parseCommunityPattern(text);
  if (pattern?.type !== ATTR_EXT_COMMUNITIES) return text;
  const bytes = new Uint8Array(8);
  writeU32(bytes, writeU32(bytes, 0, pattern.words[0]!), pattern.words[1]!);
  if (!isLinkBandwidth(bytes, 0)) return text;
  return isOneCommunity(pattern) ? formatOne(bytes, 0) : `${linkBandwidthName(bytes[0]!)}:*`;
}

const linkBandwidthName = (type: number) => (type === NON_TRANSITIVE ? 'lb' : 'transitive-lb');

function readFloat(buf: Uint8Array, at: number): number {
  for (let i = 0; i < 4; i++) floatBytes[i] = buf[at + i]!;
  return floatView.getFloat32(0);
}

/** Those that may leave the AS (RFC 4360 section 6); without any the attribute goes. `size` is that of one. */
function sendTransitive(
  block: OutgoingBlock,
  type: number,
  start: number,
  end: number,
  to: number,
  size: number,
): number {
  if (block.plan.keepNonTransitive) return keep(block, type, start, end, to);
  const { plan, src, value } = block;
  let length = 0;
  for (let at = start; at + size <= end; at += size) {
    const isSent = plan.sendLinkBandwidth && size === 8 && isLinkBandwidth(src, at);
    if ((src[at]! & NON_TRANSITIVE) !== 0 && !isSent) continue;
    const head = length;
    for (let i = 0; i < size; i++) value[length++] = src[at + i]!;
    if (isSent) value[head] = src[at]! & ~NON_TRANSITIVE;
  }
  return length === 0 ? to : writeValue(block, type, block.list.flags[type]!, length, to);
}

function formatExtCommunities(buf: Uint8Array, start: number, end: number): string[] {
  const texts: string[] = [];
  for (let at = start; at + 8 <= end; at += 8) texts.push(formatOne(buf, at));
  return texts;
}

/** 'rt:65000:1', 'ro:192.0.2.1:5', 'lb:65000:125000000', else 'generic:0x4306:0x000000000001'. */
function formatOne(buf: Uint8Array, at: number): string {
  const type = buf[at]!;
  const subtype = buf[at + 1]!;
  if (isLinkBandwidth(buf, at)) {
    return `${linkBandwidthName(type)}:${readU16(buf, at + 2)}:${readFloat(buf, at + 4)}`;
  }
  const name = subtype === 0x02 ? 'rt' : subtype === 0x03 ? 'ro' : undefined;
  if (name !== undefined) {
    if (type === 0x00) return `${name}:${readU16(buf, at + 2)}:${readU32(buf, at + 4)}`;
    if (type === 0x01) return `${name}:${formatIpv4(readU32(buf, at + 2))}:${readU16(buf, at + 6)}`;
    if (type === 0x02) return `${name}:${readU32(buf, at + 2)}:${readU16(buf, at + 6)}`;
  }
  return `generic:0x${hex(buf, at, at + 2)}:0x${hex(buf, at + 2, at + 8)}`;
}

function formatIpv6ExtCommunities(buf: Uint8Array, start: number, end: number): string[] {
  const texts: string[] = [];
  for (let at = start; at + 20 <= end; at += 20) {
    const kind = readU16(buf, at);
    const name = kind === 0x0002 ? 'rt' : kind === 0x0003 ? 'ro' : `generic:0x${hex(buf, at, at + 2)}`;
    texts.push(`${name}:[${formatOctets(buf, at + 2, 16)}]:${readU16(buf, at + 18)}`);
  }
  return texts;
}
