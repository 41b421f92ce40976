// Shutdown communication (RFC 9003): the text an operator sends with Cease/2 and Cease/4.
//
//   length (1) | UTF-8 text

import { hex } from './octets.ts';

const MAX_OCTETS = 255;
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** Data for the NOTIFICATION; text of more than 255 octets is cut between two characters. */
export function encodeShutdownText(text: string): Uint8Array {
  if (text === '') return new Uint8Array(0);
  const out = new Uint8Array(1 + MAX_OCTETS);
  const { written } = encoder.encodeInto(text, out.subarray(1));
  out[0] = written;
  return out.slice(0, 1 + written);
}

/**
 * Text fit for a log line: control and direction characters become U+FFFD, so that a peer cannot forge lines.
 * Data with a wrong length or bad UTF-8 is given in hexadecimal (RFC 9003 section 4: never an error).
 */
export function decodeShutdownText(data: Uint8Array): { text: string } | { hex: string } {
  if (data.length === 0) return { text: '' };
  const length = data[0]!;
  if (1 + length > data.length) return { hex: hex(data, 0, data.length) };
  try {
    return { text: printable(decoder.decode(data.subarray(1, 1 + length))) };
  } catch {
    return { hex: hex(data, 0, data.length) };
  }
}

/** Replaces what must not reach a terminal: C0, DEL, C1, line separators, bidirectional controls. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '\ufffd');
}
