// Lists of prefixes (NLRI and withdrawn routes) of both families: check, walk, write.
//
//   +--------------------------+   only with ADD-PATH (RFC 7911)
//   | path identifier (4)      |
//   +--------------------------+
//   | length in bits (1)       |
//   | prefix (length+7)/8      |   bits after the length mean nothing: they are masked, not refused
//   +--------------------------+

import { isLinkLocalIpv6, isMulticastIpv6 } from '#ip';
import { readU32 } from './big-endian.ts';

/** Walks over a list without allocating. One object is reused for all messages. */
export class NlriCursor {
  buf: Uint8Array = new Uint8Array(0);
  position = 0;
  end = 0;
  addPath = false;
  /** 0 without ADD-PATH. These start large so that V8 keeps them as doubles and never changes the shape. */
  pathId = 4294967295;
  /** Prefix length in bits. */
  length = 0;
  /** IPv4: the address as an unsigned 32-bit number, host bits cleared. */
  address = 4294967295;
  /** IPv6: the address as four unsigned 32-bit numbers, most significant first, host bits cleared. */
  word0 = 4294967295;
  word1 = 4294967295;
  word2 = 4294967295;
  word3 = 4294967295;
}

/** Sets the cursor before the first prefix of buf[start, end). */
export function startNlri(
  cursor: NlriCursor,
  buf: Uint8Array,
  start: number,
  end: number,
  addPath: boolean,
): void {
  cursor.buf = buf;
  cursor.position = start;
  cursor.end = end;
  cursor.addPath = addPath;
  cursor.pathId = 0;
}

/**
 * Checks a whole list before anything of it is used.
 * @param maxLength 32 or 128
 * @returns the number of prefixes, or the bitwise complement (~) of the offset of the wrong one
 */
export function checkNlri(
  buf: Uint8Array,
  start: number,
  end: number,
  maxLength: number,
  addPath: boolean,
): number {
  let at = start;
  let count = 0;
  const skip = addPath ? 4 : 0;
  while (at < end) {
    const lengthAt = at + skip;
    if (lengthAt >= end) return ~at;
    const length = buf[lengthAt]!;
    const next = lengthAt + 1 + ((length + 7) >> 3);
    if (length > maxLength || next > end) return ~at;
    at = next;
    count++;
  }
  return count;
}

/** Steps to the next IPv4 prefix. False at the end (or, in a list that was not checked, at a wrong prefix). */
export function nextIpv4(cursor: NlriCursor): boolean {
  const buf = cursor.buf;
  let at = cursor.position;
  if (cursor.addPath) {
    if (at + 4 >= cursor.end) return false;
    cursor.pathId = readU32(buf, at);
    at += 4;
  } else if (at >= cursor.end) {
    return false;
  }
  const length = buf[at]!;
  const next = at + 1 + ((length + 7) >> 3);
  if (length > 32 || next > cursor.end) return false;
  let bits: number;
  if (at + 5 <= buf.length) {
    // reads into the next prefix; the mask takes that away again
    bits = (buf[at + 1]! << 24) | (buf[at + 2]! << 16) | (buf[at + 3]! << 8) | buf[at + 4]!;
  } else {
    bits = tailBits(buf, at + 1, next);
  }
  cursor.address = length === 0 ? 0 : (bits & (-1 << (32 - length))) >>> 0;
  cursor.length = length;
  cursor.position = next;
  return true;
}

/** Steps to the next IPv6 prefix. False at the end (or, in a list that was not checked, at a wrong prefix). */
export function nextIpv6(cursor: NlriCursor): boolean {
  const buf = cursor.buf;
  let at = cursor.position;
  if (cursor.addPath) {
    if (at + 4 >= cursor.end) return false;
    cursor.pathId = readU32(buf, at);
    at += 4;
  } else if (at >= cursor.end) {
    return false;
  }
  const length = buf[at]!;
  const next = at + 1 + ((length + 7) >> 3);
  if (length > 128 || next > cursor.end) return false;
  cursor.word0 = wordOf(buf, at + 1, next, length);
  cursor.word1 = wordOf(buf, at + 5, next, length - 32);
  cursor.word2 = wordOf(buf, at + 9, next, length - 64);
  cursor.word3 = wordOf(buf, at + 13, next, length - 96);
  cursor.length = length;
  cursor.position = next;
  return true;
}

function wordOf(buf: Uint8Array, at: number, end: number, bits: number): number {
  if (bits <= 0) return 0;
  const word =
    at + 4 <= end
      ? (buf[at]! << 24) | (buf[at + 1]! << 16) | (buf[at + 2]! << 8) | buf[at + 3]!
      : tailBits(buf, at, end);
  return bits >= 32 ? word >>> 0 : (word & (-1 << (32 - bits))) >>> 0;
}

/** Up to four bytes, left-aligned in a word. */
function tailBits(buf: Uint8Array, start: number, end: number): number {
  let word = 0;
  let shift = 24;
  for (let at = start; at < end && shift >= 0; at++) {
    word |= buf[at]! << shift;
    shift -= 8;
  }
  return word;
}

/**
 * True for IPv4 prefixes that no unicast table may hold (RFC 7606 section 5.3: ignore and log):
 * 0/8 longer than the default route, 127/8, 224/4, 255.255.255.255. Not the rest of 240/4: pools may lie there.
 */
export function isMartianIpv4(address: number, length: number): boolean {
  if (address >= 0xe0000000) return address < 0xf0000000 ? length >= 4 : address === 0xffffffff;
  const first = address >>> 24;
  return first === 127 || (first === 0 && length >= 8);
}

/** True for IPv6 prefixes that no unicast table may hold: unspecified, loopback, link-local, multicast. */
export function isMartianIpv6(
  word0: number,
  word1: number,
  word2: number,
  word3: number,
  length: number,
): boolean {
  if (isMulticastIpv6(word0)) return true;
  if (isLinkLocalIpv6(word0) && length >= 10) return true;
  return word0 === 0 && word1 === 0 && word2 === 0 && (word3 === 0 || word3 === 1) && length === 128;
}

/** Writes a path identifier; returns the offset behind it. */
export function writePathId(out: Uint8Array, at: number, pathId: number): number {
  out[at] = pathId >>> 24;
  out[at + 1] = pathId >>> 16;
  out[at + 2] = pathId >>> 8;
  out[at + 3] = pathId;
  return at + 4;
}

/** Writes an IPv4 prefix (at most 5 bytes) whose host bits are clear; returns the offset behind it. */
export function writeIpv4(out: Uint8Array, at: number, address: number, length: number): number {
  out[at] = length;
  if (length > 0) out[at + 1] = address >>> 24;
  if (length > 8) out[at + 2] = address >>> 16;
  if (length > 16) out[at + 3] = address >>> 8;
  if (length > 24) out[at + 4] = address;
  return at + 1 + ((length + 7) >> 3);
}

/** Writes an IPv6 prefix (at most 17 bytes) whose host bits are clear; returns the offset behind it. */
export function writeIpv6(
  out: Uint8Array,
  at: number,
  word0: number,
  word1: number,
  word2: number,
  word3: number,
  length: number,
): number {
  out[at] = length;
  const end = at + 1 + ((length + 7) >> 3);
  writeWord(out, at + 1, end, word0);
  if (length > 32) writeWord(out, at + 5, end, word1);
  if (length > 64) writeWord(out, at + 9, end, word2);
  if (length > 96) writeWord(out, at + 13, end, word3);
  return end;
}

function writeWord(out: Uint8Array, at: number, end: number, word: number): void {
  if (at < end) out[at] = word >>> 24;
  if (at + 1 < end) out[at + 1] = word >>> 16;
  if (at + 2 < end) out[at + 2] = word >>> 8;
  if (at + 3 < end) out[at + 3] = word;
}
