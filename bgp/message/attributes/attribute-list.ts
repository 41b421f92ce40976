// A block of path attributes, walked once: where the value of each type is; how one is written; and how a single one
// is found. Shared by validation, export, print and the questions that policies ask.
//
//   flags (1) | type (1) | length (1, or 2 with the extended-length flag) | value
//
// At most 256 entries: of a type that stands twice the first counts (RFC 7606 section 3 (g)).

import { FLAG_EXTENDED_LENGTH } from '../constants.ts';
import { copyOctets, readU16 } from '../big-endian.ts';

const ABSENT = -1;

export class AttributeList {
  /** Types in ascending order: types[0, count). */
  readonly types: Uint8Array = new Uint8Array(256);
  count = 0;
  /** By type: offset of the flags octet, of the value, and behind the value; -1 when absent. */
  readonly header: Int32Array = new Int32Array(256).fill(ABSENT);
  readonly valueStart: Int32Array = new Int32Array(256).fill(ABSENT);
  readonly valueEnd: Int32Array = new Int32Array(256).fill(ABSENT);
  readonly flags: Uint8Array = new Uint8Array(256);
}

/**
 * Fills the list from buf[start, end).
 * @returns -1, or the offset of the attribute that runs past the end (what stands before it is in the list)
 */
export function listAttributes(list: AttributeList, buf: Uint8Array, start: number, end: number): number {
  const { types, header, valueStart, valueEnd, flags } = list;
  for (let i = 0; i < list.count; i++) {
    const type = types[i]!;
    header[type] = ABSENT;
    valueStart[type] = ABSENT;
    valueEnd[type] = ABSENT;
  }
  list.count = 0;
  let at = start;
  while (at < end) {
    const octet = buf[at]!;
    const extended = (octet & FLAG_EXTENDED_LENGTH) !== 0;
    if (end - at < (extended ? 4 : 3)) return at;
    const type = buf[at + 1]!;
    const value = extended ? at + 4 : at + 3;
    const next = value + (extended ? readU16(buf, at + 2) : buf[at + 2]!);
    if (next > end) return at;
    if (header[type] === ABSENT) {
      header[type] = at;
      valueStart[type] = value;
      valueEnd[type] = next;
      flags[type] = octet;
      insertType(list, type);
    }
    at = next;
  }
  return -1;
}

/** Adds a type without a value, in its place, unless it is there. */
export function insertType(list: AttributeList, type: number): void {
  const types = list.types;
  let i = list.count;
  while (i > 0 && types[i - 1]! > type) i--;
  if (i > 0 && types[i - 1] === type) return;
  for (let j = list.count; j > i; j--) types[j] = types[j - 1]!;
  types[i] = type;
  list.count++;
}

/** Writes flags, type and length (extended only when needed); returns the offset of the value. */
export function writeAttributeHeader(
  out: Uint8Array,
  at: number,
  flags: number,
  type: number,
  length: number,
): number {
  if (length > 255) {
    out[at] = flags | FLAG_EXTENDED_LENGTH;
    out[at + 1] = type;
    out[at + 2] = length >>> 8;
    out[at + 3] = length;
    return at + 4;
  }
  out[at] = flags & ~FLAG_EXTENDED_LENGTH;
  out[at + 1] = type;
  out[at + 2] = length;
  return at + 3;
}

/** Writes a whole attribute; the offset behind it, or -1 when it does not fit before `limit` or has no legal length. */
export function writeAttribute(
  out: Uint8Array,
  at: number,
  limit: number,
  flags: number,
  type: number,
  src: Uint8Array,
  start: number,
  end: number,
): number {
  const length = end - start;
  if (length > 65535 || at + length + (length > 255 ? 4 : 3) > limit) return -1;
  return copyOctets(src, start, end, out, writeAttributeHeader(out, at, flags, type, length));
}

/** Where the value of an attribute is. Reused. */
export class AttributeRange {
  start = 0;
  end = 0;
}

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
