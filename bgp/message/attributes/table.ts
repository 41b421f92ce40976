// The table of path attributes: one row a type says its flags, its wire checks, what an error does (RFC 7606
// section 7 and the attribute's own RFC), what becomes of it on export, and how people read it.
// validate.ts, rewrite.ts and format.ts only execute it. It has no state.

import { formatIpv4, formatIpv6At } from '../address-text.ts';
import * as c from '../constants.ts';
import type { SessionCodecContext } from '../context.ts';
import { isUnicastIpv4 } from '../next-hop.ts';
import { hex, readU16, readU32 } from '../octets.ts';
import { formatAsPath, isAs4PathValid, isAsPathValid } from './as-path.ts';
import { formatCommunities, formatLargeCommunities } from './communities.ts';
import { formatExtCommunities, formatIpv6ExtCommunities } from './ext-communities.ts';
import {
  aigpOf,
  isAigpValid,
  isLinkStateValid,
  isNextHopCharacteristicsValid,
  isPrefixSidValid,
  isTunnelEncapValid,
} from './tlv.ts';
import * as present from './verdict.ts';

const { ACTION_DISCARD_ATTRIBUTE: DISCARD, ACTION_TREAT_AS_WITHDRAW: WITHDRAW } = c;

/** NOTIFICATION subcodes of UPDATE errors that a check may give; 0 means well-formed. */
const WELL_FORMED = 0;
const BAD_LENGTH = 5;
const BAD_ORIGIN = 6;
const BAD_NEXT_HOP = 8;
const BAD_OPTIONAL = 9;
const BAD_AS_PATH = 11;
/** A check's answer: not wrong, but not for this session; dropped without a word. */
export const NOT_WANTED = -1;

const WELL_KNOWN = c.FLAG_TRANSITIVE;
const OPTIONAL = c.FLAG_OPTIONAL;
const OPTIONAL_TRANSITIVE = c.FLAG_OPTIONAL | c.FLAG_TRANSITIVE;

type Check = (buf: Uint8Array, start: number, end: number, ctx: SessionCodecContext) => number;
type Print = (buf: Uint8Array, start: number, end: number) => string | number | readonly string[];

/** 'rewrite': rewrite.ts has a rule of its own for the type. */
export type ExportRule = 'keep' | 'strip' | 'rewrite';

export interface AttributeRow {
  readonly type: number;
  readonly name: string;
  /** Optional and transitive bits that it must have. */
  readonly flags: number;
  /** The wire checks. */
  readonly check: Check;
  /** ACTION_* when a check fails. */
  readonly onError: number;
  /** ACTION_* when the flags are wrong (RFC 7606 section 3 (c)). */
  readonly onWrongFlags: number;
  /** From eBGP it is discarded, right or wrong. */
  readonly internalOnly: boolean;
  readonly toIbgp: ExportRule;
  readonly toEbgp: ExportRule;
  readonly print: Print;
  /** Its bit in `AttributeVerdict.present`, 0 for none. */
  readonly present: number;
}

type RowInput = Pick<AttributeRow, 'type' | 'name' | 'flags' | 'check' | 'onError' | 'print'> &
  Partial<AttributeRow>;

function row(input: RowInput): AttributeRow {
  return {
    onWrongFlags: WITHDRAW,
    internalOnly: false,
    toIbgp: 'keep',
    toEbgp: 'keep',
    present: 0,
    ...input,
  };
}

const ROWS: readonly AttributeRow[] = [
  row({
    type: c.ATTR_ORIGIN,
    name: 'origin',
    flags: WELL_KNOWN,
    check: (buf, start, end) => (end - start !== 1 ? BAD_LENGTH : buf[start]! > 2 ? BAD_ORIGIN : WELL_FORMED),
    onError: WITHDRAW,
    print: (buf, start) => ORIGINS[buf[start]!] ?? `origin ${buf[start]}`,
    present: present.PRESENT_ORIGIN,
  }),
  row({
    type: c.ATTR_AS_PATH,
    name: 'as_path',
    flags: WELL_KNOWN,
    check: (buf, start, end, ctx) =>
      isAsPathValid(buf, start, end, ctx.fourByteAs ? 4 : 2, ctx) ? WELL_FORMED : BAD_AS_PATH,
    onError: WITHDRAW,
    toIbgp: 'rewrite',
    toEbgp: 'rewrite',
    print: formatAsPath,
    present: present.PRESENT_AS_PATH,
  }),
  row({
    type: c.ATTR_NEXT_HOP,
    name: 'next_hop',
    flags: WELL_KNOWN,
    check: (buf, start, end) =>
      end - start !== 4 ? BAD_LENGTH : isUnicastIpv4(readU32(buf, start)) ? WELL_FORMED : BAD_NEXT_HOP,
    onError: WITHDRAW,
    toIbgp: 'rewrite',
    toEbgp: 'rewrite',
    print: printIpv4,
    present: present.PRESENT_NEXT_HOP,
  }),
  row({
    type: c.ATTR_MED,
    name: 'med',
    flags: OPTIONAL,
    check: fourOctets,
    onError: WITHDRAW,
    toIbgp: 'rewrite',
    toEbgp: 'rewrite',
    print: readU32,
    present: present.PRESENT_MED,
  }),
  row({
    type: c.ATTR_LOCAL_PREF,
    name: 'local_pref',
    flags: WELL_KNOWN,
    check: fourOctets,
    onError: WITHDRAW,
    internalOnly: true,
    toIbgp: 'rewrite',
    toEbgp: 'strip',
    print: readU32,
    present: present.PRESENT_LOCAL_PREF,
  }),
  row({
    type: c.ATTR_ATOMIC_AGGREGATE,
    name: 'atomic_aggregate',
    flags: WELL_KNOWN,
    check: (_buf, start, end) => (start === end ? WELL_FORMED : BAD_LENGTH),
    onError: DISCARD,
    print: () => 'true',
    present: present.PRESENT_ATOMIC_AGGREGATE,
  }),
  row({
    type: c.ATTR_AGGREGATOR,
    name: 'aggregator',
    flags: OPTIONAL_TRANSITIVE,
    check: checkAggregator,
    onError: DISCARD,
    toIbgp: 'rewrite',
    toEbgp: 'rewrite',
    print: printAggregator,
    present: present.PRESENT_AGGREGATOR,
  }),
  row({
    type: c.ATTR_COMMUNITIES,
    name: 'communities',
    flags: OPTIONAL_TRANSITIVE,
    check: (_buf, start, end) => multipleOf(4, start, end),
    onError: WITHDRAW,
    toIbgp: 'rewrite',
    toEbgp: 'rewrite',
    print: formatCommunities,
    present: present.PRESENT_COMMUNITIES,
  }),
  row({
    type: c.ATTR_ORIGINATOR_ID,
    name: 'originator_id',
    flags: OPTIONAL,
    check: fourOctets,
    onError: WITHDRAW,
    internalOnly: true,
    toEbgp: 'strip',
    print: printIpv4,
    present: present.PRESENT_ORIGINATOR_ID,
  }),
  row({
    type: c.ATTR_CLUSTER_LIST,
    name: 'cluster_list',
    flags: OPTIONAL,
    check: (_buf, start, end) => multipleOf(4, start, end),
    onError: WITHDRAW,
    internalOnly: true,
    toIbgp: 'rewrite',
    toEbgp: 'strip',
    print: printIpv4List,
    present: present.PRESENT_CLUSTER_LIST,
  }),
  row({
    type: c.ATTR_EXT_COMMUNITIES,
    name: 'ext_communities',
    flags: OPTIONAL_TRANSITIVE,
    check: (_buf, start, end) => multipleOf(8, start, end),
    onError: WITHDRAW,
    toEbgp: 'rewrite',
    print: formatExtCommunities,
    present: present.PRESENT_EXT_COMMUNITIES,
  }),
  row({
    type: c.ATTR_AS4_PATH,
    name: 'as4_path',
    flags: OPTIONAL_TRANSITIVE,
    // a speaker of four-octet AS numbers must not send it (RFC 6793 section 4.1)
    check: (buf, start, end, ctx) =>
      !ctx.fourByteAs && isAs4PathValid(buf, start, end) ? WELL_FORMED : BAD_AS_PATH,
    onError: DISCARD,
    onWrongFlags: DISCARD,
    toIbgp: 'rewrite',
    toEbgp: 'rewrite',
    print: formatAsPath,
  }),
  row({
    type: c.ATTR_AS4_AGGREGATOR,
    name: 'as4_aggregator',
    flags: OPTIONAL_TRANSITIVE,
    check: (buf, start, end, ctx) =>
      end - start !== 8
        ? BAD_LENGTH
        : ctx.fourByteAs || readU32(buf, start) === 0
          ? BAD_OPTIONAL
          : WELL_FORMED,
    onError: DISCARD,
    onWrongFlags: DISCARD,
    toIbgp: 'rewrite',
    toEbgp: 'rewrite',
    print: printAggregator,
  }),
  row({
    type: c.ATTR_PMSI_TUNNEL,
    name: 'pmsi_tunnel',
    flags: OPTIONAL_TRANSITIVE,
    check: (_buf, start, end) => (end - start < 5 ? BAD_LENGTH : WELL_FORMED),
    onError: WITHDRAW,
    print: printHex,
  }),
  row({
    type: c.ATTR_TUNNEL_ENCAP,
    name: 'tunnel_encap',
    flags: OPTIONAL_TRANSITIVE,
    check: (buf, start, end) => tlv(isTunnelEncapValid(buf, start, end)),
    onError: DISCARD,
    print: printHex,
  }),
  row({
    type: c.ATTR_IPV6_EXT_COMMUNITIES,
    name: 'ipv6_ext_communities',
    flags: OPTIONAL_TRANSITIVE,
    check: (_buf, start, end) => multipleOf(20, start, end),
    onError: WITHDRAW,
    toEbgp: 'rewrite',
    print: formatIpv6ExtCommunities,
  }),
  row({
    type: c.ATTR_AIGP,
    name: 'aigp',
    flags: OPTIONAL,
    check: (buf, start, end, ctx) => (!ctx.aigp ? NOT_WANTED : tlv(isAigpValid(buf, start, end))),
    onError: DISCARD,
    onWrongFlags: DISCARD,
    toEbgp: 'rewrite',
    print: aigpOf,
    present: present.PRESENT_AIGP,
  }),
  row({
    type: c.ATTR_LINK_STATE,
    name: 'link_state',
    flags: OPTIONAL,
    check: (buf, start, end) => tlv(isLinkStateValid(buf, start, end)),
    onError: DISCARD,
    toEbgp: 'strip',
    print: printHex,
  }),
  row({
    type: c.ATTR_LARGE_COMMUNITIES,
    name: 'large_communities',
    flags: OPTIONAL_TRANSITIVE,
    check: (_buf, start, end) => multipleOf(12, start, end),
    onError: WITHDRAW,
    toIbgp: 'rewrite',
    toEbgp: 'rewrite',
    print: formatLargeCommunities,
    present: present.PRESENT_LARGE_COMMUNITIES,
  }),
  row({
    type: c.ATTR_OTC,
    name: 'otc',
    flags: OPTIONAL_TRANSITIVE,
    check: fourOctets,
    onError: WITHDRAW,
    print: readU32,
    present: present.PRESENT_OTC,
  }),
  row({
    type: c.ATTR_NEXT_HOP_CHARACTERISTICS,
    name: 'next_hop_characteristics',
    flags: OPTIONAL_TRANSITIVE,
    check: (buf, start, end) => tlv(isNextHopCharacteristicsValid(buf, start, end)),
    onError: DISCARD,
    print: printHex,
  }),
  row({
    type: c.ATTR_PREFIX_SID,
    name: 'prefix_sid',
    flags: OPTIONAL_TRANSITIVE,
    check: (buf, start, end) => tlv(isPrefixSidValid(buf, start, end)),
    onError: DISCARD,
    print: printHex,
  }),
];

/** By type; undefined for types that podroute does not know. */
const byType: (AttributeRow | undefined)[] = Array.from({ length: 256 });
for (const entry of ROWS) byType[entry.type] = entry;

export const ATTRIBUTE_TABLE: readonly (AttributeRow | undefined)[] = byType;

/** Name of a type in messages, `attribute 99` for an unknown one. */
export function attributeName(type: number): string {
  if (type === c.ATTR_MP_REACH) return 'mp_reach';
  if (type === c.ATTR_MP_UNREACH) return 'mp_unreach';
  return byType[type]?.name ?? `attribute ${type}`;
}

const ORIGINS: readonly string[] = ['igp', 'egp', 'incomplete'];

function fourOctets(_buf: Uint8Array, start: number, end: number): number {
  return end - start === 4 ? WELL_FORMED : BAD_LENGTH;
}

function multipleOf(size: number, start: number, end: number): number {
  return end > start && (end - start) % size === 0 ? WELL_FORMED : BAD_LENGTH;
}

function tlv(isValid: boolean): number {
  return isValid ? WELL_FORMED : BAD_OPTIONAL;
}

/** AS number (2 or 4) | router ID (4). AS 0 is malformed (RFC 7607). */
function checkAggregator(buf: Uint8Array, start: number, end: number, ctx: SessionCodecContext): number {
  if (end - start !== (ctx.fourByteAs ? 8 : 6)) return BAD_LENGTH;
  return (ctx.fourByteAs ? readU32(buf, start) : readU16(buf, start)) === 0 ? BAD_OPTIONAL : WELL_FORMED;
}

function printIpv4(buf: Uint8Array, start: number): string {
  return formatIpv4(readU32(buf, start));
}

function printIpv4List(buf: Uint8Array, start: number, end: number): string[] {
  const texts: string[] = [];
  for (let at = start; at + 4 <= end; at += 4) texts.push(formatIpv4(readU32(buf, at)));
  return texts;
}

function printAggregator(buf: Uint8Array, start: number): string {
  return `${readU32(buf, start)} ${formatIpv4(readU32(buf, start + 4))}`;
}

function printHex(buf: Uint8Array, start: number, end: number): string {
  return `0x${hex(buf, start, end)}`;
}

/** Text of the next hop of 4, 16 or 32 octets in MP_REACH_NLRI. */
export function printNextHop(buf: Uint8Array, start: number, length: number): string {
  if (length === 4) return printIpv4(buf, start);
  if (length === 16) return formatIpv6At(buf, start);
  if (length === 32) return `${formatIpv6At(buf, start)} ${formatIpv6At(buf, start + 16)}`;
  return printHex(buf, start, start + length);
}
