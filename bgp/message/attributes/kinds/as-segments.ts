// The segments that AS_PATH and AS4_PATH are made of (RFC 4271 section 4.3, RFC 6793, RFC 5065): check, measure,
// widen, merge, print. Inside podroute a path always has four octets an AS; two-octet paths exist only on the wire.
//
//   segment: type (1) | number of AS (1) | AS numbers (2 or 4 octets each)

import { AS_CONFED_SEQUENCE, AS_CONFED_SET, AS_SEQUENCE, AS_SET } from '../../constants.ts';
import type { SessionCodecContext } from '../../context.ts';
import { readU16, readU32, writeU32 } from '../../big-endian.ts';

/**
 * @param width octets an AS number: 2 or 4
 * @returns true for a well-formed path: known segment types, none empty, no overrun, no AS 0 (RFC 7607),
 * confederation segments only inside a confederation (RFC 5065 section 5)
 */
export function isAsPathValid(
  buf: Uint8Array,
  start: number,
  end: number,
  width: number,
  ctx: SessionCodecContext,
): boolean {
  let at = start;
  while (at < end) {
    if (end - at < 2) return false;
    const type = buf[at]!;
    const count = buf[at + 1]!;
    const next = at + 2 + count * width;
    if (count === 0 || next > end) return false;
    if (type < AS_SET || type > AS_CONFED_SET) return false;
    if (type >= AS_CONFED_SEQUENCE && !ctx.confederation) return false;
    if (ctx.rejectAsSets && (type === AS_SET || type === AS_CONFED_SET)) return false;
    if (hasZero(buf, at + 2, next, width)) return false;
    at = next;
  }
  return true;
}

/** AS4_PATH: as above, but confederation segments are no error: they are skipped (RFC 6793 section 6). */
export function isAs4PathValid(buf: Uint8Array, start: number, end: number): boolean {
  if (end - start < 6) return false;
  let at = start;
  while (at < end) {
    if (end - at < 2) return false;
    const type = buf[at]!;
    const count = buf[at + 1]!;
    const next = at + 2 + count * 4;
    if (count === 0 || next > end || type < AS_SET || type > AS_CONFED_SET) return false;
    if (hasZero(buf, at + 2, next, 4)) return false;
    at = next;
  }
  return true;
}

function hasZero(buf: Uint8Array, start: number, end: number, width: number): boolean {
  for (let at = start; at < end; at += width) {
    if ((width === 4 ? readU32(buf, at) : readU16(buf, at)) === 0) return true;
  }
  return false;
}

/** Hops as the decision counts them: an AS_SET is one, confederation segments are none. The path is valid. */
export function pathLength(buf: Uint8Array, start: number, end: number, width: number): number {
  let at = start;
  let hops = 0;
  while (at < end) {
    const count = buf[at + 1]!;
    if (buf[at] === AS_SEQUENCE) hops += count;
    else if (buf[at] === AS_SET) hops++;
    at += 2 + count * width;
  }
  return hops;
}

/** Leftmost AS of a four-octet path, 0 when the path is empty or begins with a set. */
export function firstAs(buf: Uint8Array, start: number, end: number): number {
  if (end - start < 6) return 0;
  const type = buf[start];
  return type === AS_SEQUENCE || type === AS_CONFED_SEQUENCE ? readU32(buf, start + 2) : 0;
}

/** Leftmost AS outside confederation segments, 0 when there is none or a set comes first (for comparing MED). */
export function neighbourAs(buf: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end) {
    const type = buf[at];
    if (type === AS_SEQUENCE) return readU32(buf, at + 2);
    if (type === AS_SET) return 0;
    at += 2 + buf[at + 1]! * 4;
  }
  return 0;
}

/** Writes a valid two-octet path with four octets an AS; returns the offset behind it. */
export function widenPath(buf: Uint8Array, start: number, end: number, out: Uint8Array, to: number): number {
  return takeHops(buf, start, end, 0x7fffffff, out, to);
}

/**
 * RFC 6793 section 4.2.3: the leading hops that only the two-octet path has, then AS4_PATH. When AS4_PATH is
 * longer than AS_PATH it is not used. Both are valid. Returns the offset behind the result.
 */
export function mergePaths(
  buf: Uint8Array,
  start: number,
  end: number,
  as4Start: number,
  as4End: number,
  out: Uint8Array,
  to: number,
): number {
  const lead = pathLength(buf, start, end, 2) - pathLength(buf, as4Start, as4End, 4);
  if (lead < 0) return widenPath(buf, start, end, out, to);
  let write = takeHops(buf, start, end, lead, out, to);
  let last = lastSegment(out, to, write);
  for (let at = as4Start; at < as4End; ) {
    const type = buf[at]!;
    const count = buf[at + 1]!;
    const next = at + 2 + count * 4;
    if (type === AS_SEQUENCE || type === AS_SET) {
      // one sequence where both halves are sequences, as it was before the old speaker touched it
      const joins =
        type === AS_SEQUENCE && last >= 0 && out[last] === AS_SEQUENCE && out[last + 1]! + count <= 255;
      if (joins) {
        out[last + 1] = out[last + 1]! + count;
      } else {
        last = write;
        out[write++] = type;
        out[write++] = count;
      }
      for (let i = at + 2; i < next; i++) out[write++] = buf[i]!;
    }
    at = next;
  }
  return write;
}

/**
 * Widens the first `hops` hops. A confederation segment is taken with the segments it stands between or before
 * (RFC 6793 section 4.2.3: "leading or adjacent to a segment that is prepended").
 */
function takeHops(
  buf: Uint8Array,
  start: number,
  end: number,
  hops: number,
  out: Uint8Array,
  to: number,
): number {
  let left = hops;
  let write = to;
  let at = start;
  while (at < end) {
    const type = buf[at]!;
    const count = buf[at + 1]!;
    let take = count;
    if (type === AS_SEQUENCE) {
      take = count < left ? count : left;
      left -= take;
    } else if (type === AS_SET) {
      if (left === 0) take = 0;
      else left--;
    }
    if (take === 0) break;
    out[write++] = type;
    out[write++] = take;
    for (let i = 0; i < take; i++) write = writeU32(out, write, readU16(buf, at + 2 + i * 2));
    if (take < count) break;
    at += 2 + count * 2;
  }
  return write;
}

function lastSegment(buf: Uint8Array, start: number, end: number): number {
  let last = -1;
  for (let at = start; at < end; at += 2 + buf[at + 1]! * 4) last = at;
  return last;
}

/** '65001 65002 {1,2} (64512 64513) [64514,64515]': sequence, set, confederation sequence, confederation set. */
export function formatAsPath(buf: Uint8Array, start: number, end: number): string {
  const segments: string[] = [];
  for (let at = start; at + 2 <= end; ) {
    const type = buf[at]!;
    const next = at + 2 + buf[at + 1]! * 4;
    const numbers: number[] = [];
    for (let as = at + 2; as < next && as + 4 <= end; as += 4) numbers.push(readU32(buf, as));
    if (type === AS_SEQUENCE) segments.push(numbers.join(' '));
    else if (type === AS_SET) segments.push(`{${numbers.join(',')}}`);
    else if (type === AS_CONFED_SEQUENCE) segments.push(`(${numbers.join(' ')})`);
    else segments.push(`[${numbers.join(',')}]`);
    at = next;
  }
  return segments.join(' ');
}

/** A path as a list of ASes, a set being one. One object is reused: it grows to the longest path, 16,383 numbers. */
export class PathElements {
  numbers: Uint32Array = new Uint32Array(256);
  /** By element: where its numbers end. */
  ends: Uint32Array = new Uint32Array(256);
  count = 0;

  /** Reads the value of an AS_PATH at [start, end). */
  read(buf: Uint8Array, start: number, end: number): void {
    const most = (end - start) >> 2;
    if (most > this.numbers.length) {
      this.numbers = new Uint32Array(most * 2);
      this.ends = new Uint32Array(most * 2);
    }
    this.count = 0;
    let length = 0;
    let at = start;
    while (at < end) {
      const type = buf[at]!;
      const isSet = type === AS_SET || type === AS_CONFED_SET;
      const next = at + 2 + buf[at + 1]! * 4;
      for (let number = at + 2; number < next; number += 4) {
        this.numbers[length++] = readU32(buf, number);
        if (!isSet || number + 4 === next) this.ends[this.count++] = length;
      }
      at = next;
    }
  }
}
