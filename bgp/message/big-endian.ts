// Big-endian integers in a byte array. Plain shifts: measured faster in V8 than DataView on unaligned bytes.
// No bounds are checked here; a read past the end gives zeros.

export function readU16(buf: Uint8Array, at: number): number {
  return (buf[at]! << 8) | buf[at + 1]!;
}

export function readU32(buf: Uint8Array, at: number): number {
  return ((buf[at]! << 24) | (buf[at + 1]! << 16) | (buf[at + 2]! << 8) | buf[at + 3]!) >>> 0;
}

export function writeU16(buf: Uint8Array, at: number, value: number): number {
  buf[at] = value >>> 8;
  buf[at + 1] = value;
  return at + 2;
}

export function writeU32(buf: Uint8Array, at: number, value: number): number {
  buf[at] = value >>> 24;
  buf[at + 1] = value >>> 16;
  buf[at + 2] = value >>> 8;
  buf[at + 3] = value;
  return at + 4;
}

/** Copies bytes; a loop for the short runs that attributes are made of, where calling into C++ costs more. */
export function copyOctets(src: Uint8Array, start: number, end: number, out: Uint8Array, at: number): number {
  const length = end - start;
  if (length <= 64) {
    for (let i = 0; i < length; i++) out[at + i] = src[start + i]!;
  } else {
    out.set(src.subarray(start, end), at);
  }
  return at + length;
}

/** Lower-case hexadecimal digits of bytes, without separators. */
export function hex(buf: Uint8Array, start: number, end: number): string {
  let text = '';
  for (let at = start; at < end; at++) text += buf[at]!.toString(16).padStart(2, '0');
  return text;
}

/**
 * Octets that outlive the call: what is received stands in a buffer that is written again.
 * `slice` will not do: that of a Buffer, unlike a Uint8Array's, copies nothing.
 */
export function copyOf(buf: Uint8Array, start: number, end: number): Uint8Array {
  return new Uint8Array(buf.subarray(start, end));
}

/** Replaces what must not reach a terminal: C0, DEL, C1, line separators, bidirectional controls. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '\ufffd');
}
