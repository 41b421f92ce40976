// Questions about a canonical block of attributes that policy, loop checks and export ask: they find the attribute
// themselves, so that nothing but the bytes needs to be kept.

import {
  ATTR_AS_PATH,
  ATTR_CLUSTER_LIST,
  ATTR_COMMUNITIES,
  ATTR_LARGE_COMMUNITIES,
  ATTR_NEXT_HOP,
  FLAG_EXTENDED_LENGTH,
} from '../constants.ts';
import { readU16, readU32 } from '../octets.ts';
import { containsCommunity, containsLargeCommunity } from './communities.ts';

/** Where the value of an attribute is. Reused. */
export class AttributeRange {
  start = 0;
  end = 0;
}

const range = new AttributeRange();

/** Finds an attribute in bytes[start, end), whose types ascend. False (and an empty range) when it is not there. */
export function findAttribute(
  bytes: Uint8Array,
  start: number,
  end: number,
  type: number,
  out: AttributeRange,
): boolean {
  let at = start;
  while (at + 3 <= end && bytes[at + 1]! <= type) {
    const extended = (bytes[at]! & FLAG_EXTENDED_LENGTH) !== 0;
    const value = extended ? at + 4 : at + 3;
    const next = value + (extended ? readU16(bytes, at + 2) : bytes[at + 2]!);
    if (bytes[at + 1] === type) {
      out.start = value;
      out.end = next;
      return true;
    }
    at = next;
  }
  out.start = 0;
  out.end = 0;
  return false;
}

/** How often an AS stands in AS_PATH, sets and confederation segments included (loop check). */
export function countAs(bytes: Uint8Array, start: number, end: number, as: number): number {
  if (!findAttribute(bytes, start, end, ATTR_AS_PATH, range)) return 0;
  let count = 0;
  let at = range.start;
  while (at < range.end) {
    const next = at + 2 + bytes[at + 1]! * 4;
    for (let number = at + 2; number < next; number += 4) {
      if (readU32(bytes, number) === as) count++;
    }
    at = next;
  }
  return count;
}

/** True when AS_PATH begins with these AS numbers, the leftmost first, whatever its segments. */
export function startsWithAs(
  bytes: Uint8Array,
  start: number,
  end: number,
  wanted: readonly number[],
): boolean {
  if (wanted.length === 0) return true;
  if (!findAttribute(bytes, start, end, ATTR_AS_PATH, range)) return false;
  let i = 0;
  let at = range.start;
  while (at < range.end) {
    const next = at + 2 + bytes[at + 1]! * 4;
    for (let number = at + 2; number < next; number += 4) {
      if (readU32(bytes, number) !== wanted[i]!) return false;
      i++;
      if (i === wanted.length) return true;
    }
    at = next;
  }
  return false;
}

export function clusterListContains(
  bytes: Uint8Array,
  start: number,
  end: number,
  clusterId: number,
): boolean {
  return (
    findAttribute(bytes, start, end, ATTR_CLUSTER_LIST, range) &&
    containsCommunity(bytes, range.start, range.end, clusterId)
  );
}

export function hasCommunity(bytes: Uint8Array, start: number, end: number, community: number): boolean {
  return (
    findAttribute(bytes, start, end, ATTR_COMMUNITIES, range) &&
    containsCommunity(bytes, range.start, range.end, community)
  );
}

export function hasLargeCommunity(
  bytes: Uint8Array,
  start: number,
  end: number,
  global: number,
  local1: number,
  local2: number,
): boolean {
  return (
    findAttribute(bytes, start, end, ATTR_LARGE_COMMUNITIES, range) &&
    containsLargeCommunity(bytes, range.start, range.end, global, local1, local2)
  );
}

/** Offset of the four octets of NEXT_HOP in an outgoing block (to write another one in place), -1 without one. */
export function nextHopOffset(bytes: Uint8Array, start: number, end: number): number {
  return findAttribute(bytes, start, end, ATTR_NEXT_HOP, range) ? range.start : -1;
}
