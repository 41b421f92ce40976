// KEEPALIVE (RFC 4271 section 4.4): a header and nothing else.

import { HEADER_LENGTH, KEEPALIVE } from './constants.ts';
import { writeHeader } from './header.ts';

export function encodeKeepalive(): Uint8Array {
  const out = new Uint8Array(HEADER_LENGTH);
  writeHeader(out, 0, KEEPALIVE, HEADER_LENGTH);
  return out;
}
