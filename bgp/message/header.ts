// The header that begins every message (RFC 4271 section 4.1), for writing (frame.ts reads it), and KEEPALIVE, which
// is a header and nothing else (section 4.4).
//
//   marker (16, all ones) | length of the whole message (2) | type (1)

import { HEADER_LENGTH, KEEPALIVE } from './constants.ts';
import { writeU16 } from './big-endian.ts';

/** Marker, length and type; the length may be set later by `setMessageLength`. */
export function writeHeader(out: Uint8Array, at: number, type: number, length: number): number {
  for (let i = 0; i < 16; i++) out[at + i] = 0xff;
  out[at + 16] = length >>> 8;
  out[at + 17] = length;
  out[at + 18] = type;
  return at + HEADER_LENGTH;
}

export function setMessageLength(out: Uint8Array, at: number, end: number): void {
  writeU16(out, at + 16, end - at);
}

export function encodeKeepalive(): Uint8Array {
  const out = new Uint8Array(HEADER_LENGTH);
  writeHeader(out, 0, KEEPALIVE, HEADER_LENGTH);
  return out;
}
