// The texts by which policies name communities of all three kinds: one, or many, where '*' stands for any number.
//
//   65000:1   65000:*   no-export        COMMUNITIES              1 word
//   65000:1:2   65000:*:*                LARGE_COMMUNITIES        3 words
//   rt:65000:1   ro:192.0.2.1:*          EXTENDED COMMUNITIES     2 words
//   generic:0x4306:0x000000000001        any other of these, as they are printed; generic:*:* all of them

import { parseIpv4 } from '#ip';
import { ATTR_COMMUNITIES, ATTR_EXT_COMMUNITIES, ATTR_LARGE_COMMUNITIES } from '../../constants.ts';
import { parseCommunity } from './communities.ts';
import type { CommunityPattern } from '../export-plan.ts';

const ALL = 0xffffffff;

/** Undefined when the text is none. */
export function parseCommunityPattern(text: string): CommunityPattern | undefined {
  const standard = parseCommunity(text);
  if (standard !== undefined) return { type: ATTR_COMMUNITIES, words: [standard], masks: [ALL] };
  const parts = text.split(':');
  const [first = '', second = '', third = ''] = parts;
  if (first === 'generic') return parts.length === 3 ? parseGeneric(second, third) : undefined;
  if (first === 'rt' || first === 'ro') {
    return parts.length === 3 ? parseRoute(first === 'rt' ? 0x02 : 0x03, second, third) : undefined;
  }
  if (parts.length === 2) {
    const [high, low] = [partOf(first, 0xffff), partOf(second, 0xffff)];
    if (high === undefined || low === undefined) return undefined;
    const mask = ((high === '*' ? 0 : 0xffff0000) | (low === '*' ? 0 : 0xffff)) >>> 0;
    return { type: ATTR_COMMUNITIES, words: [(valueOf(high) * 0x10000 + valueOf(low)) >>> 0], masks: [mask] };
  }
  if (parts.length !== 3) return undefined;
  const words = parts.map((part) => partOf(part, ALL));
  if (words.includes(undefined)) return undefined;
  return {
    type: ATTR_LARGE_COMMUNITIES,
    words: words.map((word) => valueOf(word!)),
    masks: words.map((word) => (word === '*' ? 0 : ALL)),
  };
}

/** RFC 4360 section 4, RFC 5668: by what stands first it is of an AS (two or four octets) or of an address. */
function parseRoute(subtype: number, administrator: string, number: string): CommunityPattern | undefined {
  const type = ATTR_EXT_COMMUNITIES;
  if (administrator === '*') {
    // Any of the three forms.
    return number === '*' ? { type, words: [subtype << 16, 0], masks: [0xfcff0000, 0] } : undefined;
  }
  const address = parseIpv4(administrator);
  const as = address === undefined ? partOf(administrator, ALL) : undefined;
  if (address === undefined && typeof as !== 'number') return undefined;
  const isShort = typeof as === 'number' && as <= 0xffff;
  const local = partOf(number, isShort ? ALL : 0xffff);
  if (local === undefined) return undefined;
  const value = valueOf(local);
  if (isShort) {
    return { type, words: [((subtype << 16) | as) >>> 0, value], masks: [ALL, local === '*' ? 0 : ALL] };
  }
  const form = address === undefined ? 0x02 : 0x01;
  const high = Number(as ?? address) >>> 0;
  return {
    type,
    words: [((form << 24) | (subtype << 16) | (high >>> 16)) >>> 0, (((high & 0xffff) << 16) | value) >>> 0],
    masks: [ALL, local === '*' ? 0xffff0000 : ALL],
  };
}

function parseGeneric(kind: string, value: string): CommunityPattern | undefined {
  const type = ATTR_EXT_COMMUNITIES;
  if (kind === '*') return value === '*' ? { type, words: [0, 0], masks: [0, 0] } : undefined;
  if (!/^0x[0-9a-f]{4}$/i.test(kind)) return undefined;
  const high = Number(kind) * 0x10000;
  if (value === '*') return { type, words: [high, 0], masks: [0xffff0000, 0] };
  if (!/^0x[0-9a-f]{12}$/i.test(value)) return undefined;
  return {
    type,
    words: [high + Number(value.slice(0, 6)), Number(`0x${value.slice(6)}`)],
    masks: [ALL, ALL],
  };
}

function partOf(text: string, most: number): number | '*' | undefined {
  if (text === '*') return '*';
  return /^\d{1,10}$/.test(text) && Number(text) <= most ? Number(text) : undefined;
}

const valueOf = (part: number | '*'): number => (part === '*' ? 0 : part);

/** It stands for one community, which can be added. */
export const isOneCommunity = ({ masks }: CommunityPattern): boolean => masks.every((mask) => mask === ALL);

/** Every community of all three kinds. */
export const EVERY_COMMUNITY = ['*:*', '*:*:*', 'generic:*:*'] as const;

/** Is a community, as text, among those that a pattern is about? False when one of them is none. */
export function isCommunityOf(text: string, pattern: string): boolean {
  const [one, asked] = [parseCommunityPattern(text), parseCommunityPattern(pattern)];
  return one !== undefined && asked !== undefined && isWithin(one, asked);
}

export function isWithin({ type, words }: CommunityPattern, asked: CommunityPattern): boolean {
  return type === asked.type && words.every((word, i) => (word & asked.masks[i]!) >>> 0 === asked.words[i]);
}
