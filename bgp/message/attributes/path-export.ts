// AS_PATH on its way out: confederation segments and private AS numbers removed, own numbers prepended, narrowed
// to two octets for old speakers. Works in one scratch array, from the middle to the front.

import { AS_CONFED_SEQUENCE, AS_SEQUENCE, AS_SET, AS_TRANS } from '../constants.ts';
import { readU32, writeU32 } from '../octets.ts';

/** Room before the path for what is prepended: 680 AS numbers even if each needs a segment of its own. */
const FRONT = 4096;
const MAX_PATH = 65535;

/** A path with four octets an AS at bytes[start, end). Reused for all paths. */
export class PathBuffer {
  readonly bytes: Uint8Array = new Uint8Array(FRONT + MAX_PATH + 1);
  start = FRONT;
  end = FRONT;
}

/** Takes the path at src[start, end), without confederation segments or private AS numbers when asked to. */
export function loadPath(
  path: PathBuffer,
  src: Uint8Array,
  start: number,
  end: number,
  stripConfederation: boolean,
  removePrivateAs: boolean,
): void {
  const out = path.bytes;
  let to = FRONT;
  for (let at = start; at < end; ) {
    const type = src[at]!;
    const next = at + 2 + src[at + 1]! * 4;
    if (!stripConfederation || type < AS_CONFED_SEQUENCE) {
      const head = to;
      to += 2;
      for (let as = at + 2; as < next; as += 4) {
        const number = readU32(src, as);
        if (!removePrivateAs || !isPrivateAs(number)) to = writeU32(out, to, number);
      }
      out[head] = type;
      out[head + 1] = (to - head) >> 2;
      if (to === head + 2) to = head;
    }
    at = next;
  }
  path.start = FRONT;
  path.end = to;
}

/** Puts one AS before the path: into its first segment, or a new one when that is full or of another type. */
export function prependAs(path: PathBuffer, as: number, type: number): boolean {
  const bytes = path.bytes;
  const head = path.start;
  const count = path.end > head && bytes[head] === type ? bytes[head + 1]! : 255;
  if (count < 255) {
    if (head < 4) return false;
    path.start = head - 4;
    bytes[head - 4] = type;
    bytes[head - 3] = count + 1;
    writeU32(bytes, head - 2, as);
  } else {
    if (head < 6) return false;
    path.start = head - 6;
    bytes[head - 6] = type;
    bytes[head - 5] = 1;
    writeU32(bytes, head - 4, as);
  }
  return true;
}

/** True when an AS number outside confederation segments does not fit into two octets: AS4_PATH is needed. */
export function needsAs4(path: PathBuffer): boolean {
  for (let at = path.start; at < path.end; ) {
    const next = at + 2 + path.bytes[at + 1]! * 4;
    if (path.bytes[at]! < AS_CONFED_SEQUENCE) {
      for (let as = at + 2; as < next; as += 4) {
        if (path.bytes[as] !== 0 || path.bytes[as + 1] !== 0) return true;
      }
    }
    at = next;
  }
  return false;
}

/** Writes the path with two octets an AS (RFC 6793 section 4.2.2); returns the offset behind it. */
export function narrowPath(path: PathBuffer, out: Uint8Array, to: number): number {
  const bytes = path.bytes;
  let write = to;
  for (let at = path.start; at < path.end; ) {
    const next = at + 2 + bytes[at + 1]! * 4;
    out[write++] = bytes[at]!;
    out[write++] = bytes[at + 1]!;
    for (let as = at + 2; as < next; as += 4) {
      const number = readU32(bytes, as);
      const fitting = number > 65535 ? AS_TRANS : number;
      out[write++] = fitting >>> 8;
      out[write++] = fitting;
    }
    at = next;
  }
  return write;
}

/** Writes the value of AS4_PATH: the path without confederation segments (RFC 6793 section 3). */
export function writeAs4Path(path: PathBuffer, out: Uint8Array, to: number): number {
  const bytes = path.bytes;
  let write = to;
  for (let at = path.start; at < path.end; ) {
    const next = at + 2 + bytes[at + 1]! * 4;
    if (bytes[at] === AS_SEQUENCE || bytes[at] === AS_SET) {
      for (let i = at; i < next; i++) out[write++] = bytes[i]!;
    }
    at = next;
  }
  return write;
}

/** RFC 6996: 64512-65534 and 4200000000-4294967294. */
export function isPrivateAs(as: number): boolean {
  return (as >= 64512 && as <= 65534) || (as >= 4200000000 && as <= 4294967294);
}
