// COMMUNITIES (RFC 1997) and LARGE_COMMUNITIES (RFC 8092): flags for the well-known ones, duplicates, text.

import {
  ACTION_TREAT_AS_WITHDRAW,
  ATTR_COMMUNITIES,
  ATTR_LARGE_COMMUNITIES,
  COMMUNITY_BLACKHOLE,
  COMMUNITY_GRACEFUL_SHUTDOWN,
  COMMUNITY_LLGR_STALE,
  COMMUNITY_NO_ADVERTISE,
  COMMUNITY_NO_EXPORT,
  COMMUNITY_NO_EXPORT_SUBCONFED,
  COMMUNITY_NO_LLGR,
} from '../../constants.ts';
import { readU32 } from '../../big-endian.ts';
import { addsTo, changeCommunities } from './community-list.ts';
import { append, appendValue, type AttributeRow, multipleOf, OPTIONAL_TRANSITIVE, row } from '../row.ts';
import {
  HAS_BLACKHOLE,
  HAS_GRACEFUL_SHUTDOWN,
  HAS_LLGR_STALE,
  HAS_NO_ADVERTISE,
  HAS_NO_EXPORT,
  HAS_NO_EXPORT_SUBCONFED,
  HAS_NO_LLGR,
  PRESENT_COMMUNITIES,
  PRESENT_LARGE_COMMUNITIES,
} from '../verdict.ts';

/** Global administrator and the two local data parts, u32 each. */
export type LargeCommunity = readonly [number, number, number];

const COMMUNITIES = row({
  type: ATTR_COMMUNITIES,
  name: 'communities',
  flags: OPTIONAL_TRANSITIVE,
  check: (_buf, start, end) => multipleOf(4, start, end),
  onError: ACTION_TREAT_AS_WITHDRAW,
  accept(block, type, start, end, flags) {
    block.out.flags |= communityFlags(block.buf, start, end);
    append(block, type, start, end, flags);
  },
  adds: (plan) => addsTo(ATTR_COMMUNITIES, plan),
  toIbgp: (block, type, start, end, to) => changeCommunities(block, type, start, end, to, 4),
  toEbgp: (block, type, start, end, to) => changeCommunities(block, type, start, end, to, 4),
  print: formatCommunities,
  present: PRESENT_COMMUNITIES,
});

const LARGE_COMMUNITIES = row({
  type: ATTR_LARGE_COMMUNITIES,
  name: 'large_communities',
  flags: OPTIONAL_TRANSITIVE,
  check: (_buf, start, end) => multipleOf(12, start, end),
  onError: ACTION_TREAT_AS_WITHDRAW,
  accept({ buf, out, scratch, ctx }, type, start, end, flags) {
    appendValue(out, type, flags, scratch, 0, copyLargeCommunities(buf, start, end, scratch, 0, ctx.seed));
  },
  adds: (plan) => addsTo(ATTR_LARGE_COMMUNITIES, plan),
  toIbgp: (block, type, start, end, to) => changeCommunities(block, type, start, end, to, 12),
  toEbgp: (block, type, start, end, to) => changeCommunities(block, type, start, end, to, 12),
  print: formatLargeCommunities,
  present: PRESENT_LARGE_COMMUNITIES,
});

export const COMMUNITY_ROWS: readonly AttributeRow[] = [COMMUNITIES, LARGE_COMMUNITIES];

const WELL_KNOWN: ReadonlyMap<string, number> = new Map([
  ['graceful-shutdown', COMMUNITY_GRACEFUL_SHUTDOWN],
  ['accept-own', 0xffff0001],
  ['llgr-stale', COMMUNITY_LLGR_STALE],
  ['no-llgr', COMMUNITY_NO_LLGR],
  ['blackhole', COMMUNITY_BLACKHOLE],
  ['no-export', COMMUNITY_NO_EXPORT],
  ['no-advertise', COMMUNITY_NO_ADVERTISE],
  ['no-export-subconfed', COMMUNITY_NO_EXPORT_SUBCONFED],
  ['no-peer', 0xffffff04],
]);
const NAMES: ReadonlyMap<number, string> = new Map([...WELL_KNOWN].map(([name, value]) => [value, name]));

/** HAS_* bits of the well-known communities in a list. */
function communityFlags(buf: Uint8Array, start: number, end: number): number {
  let flags = 0;
  for (let at = start; at < end; at += 4) {
    if (buf[at] === 0xff && buf[at + 1] === 0xff) flags |= flagOf(readU32(buf, at));
  }
  return flags;
}

function flagOf(community: number): number {
  switch (community) {
    case COMMUNITY_NO_EXPORT:
      return HAS_NO_EXPORT;
    case COMMUNITY_NO_ADVERTISE:
      return HAS_NO_ADVERTISE;
    case COMMUNITY_NO_EXPORT_SUBCONFED:
      return HAS_NO_EXPORT_SUBCONFED;
    case COMMUNITY_LLGR_STALE:
      return HAS_LLGR_STALE;
    case COMMUNITY_NO_LLGR:
      return HAS_NO_LLGR;
    case COMMUNITY_GRACEFUL_SHUTDOWN:
      return HAS_GRACEFUL_SHUTDOWN;
    case COMMUNITY_BLACKHOLE:
      return HAS_BLACKHOLE;
    default:
      return 0;
  }
}

/** Above this many a hash table finds the duplicates: a full extended message holds 5,460. */
const FEW = 16;
const SLOTS = 16384;
/** Offsets into the output, plus one; slots are cleared before use, so that it holds nothing between calls. */
const slots = new Int32Array(SLOTS);
/** Slots that were looked at in vain since it was cleared. */
let collisions = 0;

/** Of the last long list: how well the hash spread it. */
export function largeCommunityCollisions(): number {
  return collisions;
}

/** Copies a list of large communities without its duplicates (RFC 8092 section 5), order kept; the offset behind. */
function copyLargeCommunities(
  buf: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  to: number,
  seed: number,
): number {
  const many = end - start > FEW * 12;
  if (many) {
    slots.fill(0);
    collisions = 0;
  }
  let write = to;
  for (let at = start; at < end; at += 12) {
    const seen = many ? isInTable(buf, at, out, write, seed) : isInList(buf, at, out, to, write);
    if (seen) continue;
    for (let i = 0; i < 12; i++) out[write + i] = buf[at + i]!;
    write += 12;
  }
  return write;
}

function isInList(buf: Uint8Array, at: number, out: Uint8Array, start: number, end: number): boolean {
  for (let other = start; other < end; other += 12) {
    if (isSame(buf, at, out, other)) return true;
  }
  return false;
}

/** Looks it up; when it is new, puts it in as the one that will stand at `write`. */
function isInTable(buf: Uint8Array, at: number, out: Uint8Array, write: number, seed: number): boolean {
  // The seed is in the multipliers too: with one that is only added, differences that collide do so under any seed.
  const first = Math.imul(seed, 0x9e3779b1) | 1;
  const second = Math.imul(seed ^ 0x5bd1e995, 0x85ebca6b) | 1;
  let hash = Math.imul(readU32(buf, at) ^ seed, first);
  hash = Math.imul(hash ^ (hash >>> 15) ^ readU32(buf, at + 4), second);
  hash = Math.imul(hash ^ (hash >>> 13) ^ readU32(buf, at + 8), first ^ (second << 1));
  let slot = (hash ^ (hash >>> 16)) & (SLOTS - 1);
  for (;;) {
    const known = slots[slot]!;
    if (known === 0) {
      slots[slot] = write + 1;
      return false;
    }
    if (isSame(buf, at, out, known - 1)) return true;
    collisions++;
    slot = (slot + 1) & (SLOTS - 1);
  }
}

function isSame(buf: Uint8Array, at: number, out: Uint8Array, other: number): boolean {
  for (let i = 0; i < 12; i++) {
    if (buf[at + i] !== out[other + i]) return false;
  }
  return true;
}

/** '65000:1', or the name of a well-known community. */
export function formatCommunity(community: number): string {
  return NAMES.get(community) ?? `${community >>> 16}:${community & 0xffff}`;
}

export function formatCommunities(buf: Uint8Array, start: number, end: number): string[] {
  const texts: string[] = [];
  for (let at = start; at + 4 <= end; at += 4) texts.push(formatCommunity(readU32(buf, at)));
  return texts;
}

export function formatLargeCommunities(buf: Uint8Array, start: number, end: number): string[] {
  const texts: string[] = [];
  for (let at = start; at + 12 <= end; at += 12) {
    texts.push(`${readU32(buf, at)}:${readU32(buf, at + 4)}:${readU32(buf, at + 8)}`);
  }
  return texts;
}

/** Reads '65000:1' or a well-known name; undefined when it is neither. */
export function parseCommunity(text: string): number | undefined {
  const known = WELL_KNOWN.get(text);
  if (known !== undefined) return known;
  const parts = numbersOf(text, 2, 0xffff);
  return parts === undefined ? undefined : parts[0]! * 0x10000 + parts[1]!;
}

/** Reads '65000:1:2'; undefined when it is no large community. */
export function parseLargeCommunity(text: string): LargeCommunity | undefined {
  const parts = numbersOf(text, 3, 0xffffffff);
  return parts === undefined ? undefined : [parts[0]!, parts[1]!, parts[2]!];
}

function numbersOf(text: string, count: number, max: number): number[] | undefined {
  const parts = text.split(':');
  if (parts.length !== count) return undefined;
  const numbers: number[] = [];
  for (const part of parts) {
    if (!/^\d{1,10}$/.test(part) || Number(part) > max) return undefined;
    numbers.push(Number(part));
  }
  return numbers;
}
