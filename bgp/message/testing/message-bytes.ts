// Wire bytes for tests, put together from hexadecimal text by the RFC's figures, not by our own encoder.

export const MARKER = 'ff'.repeat(16);

/** Bytes of hexadecimal text; blanks and everything after '#' in a line do not count. */
export function bytes(text: string): Uint8Array {
  const digits = text.replace(/#.*$/gm, '').replace(/\s+/g, '');
  return new Uint8Array(Buffer.from(digits, 'hex'));
}

export function u16(value: number): string {
  return value.toString(16).padStart(4, '0');
}

export function u32(value: number): string {
  return value.toString(16).padStart(8, '0');
}

/** Octets that a hexadecimal text stands for. */
export function octetsOf(text: string): number {
  return bytes(text).length;
}

/** A whole message: marker, length, type, body. */
export function message(type: number, body: string): Uint8Array {
  return bytes(`${MARKER} ${u16(19 + octetsOf(body))} ${type.toString(16).padStart(2, '0')} ${body}`);
}

/** An UPDATE of its three parts. */
export function update(parts: { withdrawn?: string; attributes?: string; nlri?: string }): Uint8Array {
  const withdrawn = parts.withdrawn ?? '';
  const attributes = parts.attributes ?? '';
  return message(
    2,
    `${u16(octetsOf(withdrawn))} ${withdrawn} ${u16(octetsOf(attributes))} ${attributes} ${parts.nlri ?? ''}`,
  );
}

/** Flags, type, length (two octets with flag 0x10), value. */
export function attribute(flags: number, type: number, value: string): string {
  const length = octetsOf(value);
  const extended = (flags & 0x10) !== 0;
  const octets = extended ? u16(length) : length.toString(16).padStart(2, '0');
  return `${flags.toString(16).padStart(2, '0')}${type.toString(16).padStart(2, '0')} ${octets} ${value} `;
}

/** Lower-case hexadecimal text of bytes. */
export function hexOf(buf: Uint8Array, start = 0, end: number = buf.length): string {
  return Buffer.from(buf.subarray(start, end)).toString('hex');
}

// Attributes that many tests use.
export const ORIGIN_IGP = '4001 01 00 ';
/** AS_SEQUENCE 65001 65002 with four octets an AS. */
export const AS_PATH = '4002 0a 02 02 0000fde9 0000fdea ';
/** The same with two octets an AS. */
export const AS_PATH_OLD = '4002 06 02 02 fde9 fdea ';
export const NEXT_HOP = '4003 04 c0000201 ';
export const MED_50 = '8004 04 00000032 ';
export const LOCAL_PREF_100 = '4005 04 00000064 ';
export const MANDATORY = ORIGIN_IGP + AS_PATH + NEXT_HOP;
export const IPV6_NEXT_HOP = '20010db8000000000000000000000001';
export const LINK_LOCAL = 'fe800000000000000000000000000002';
/** MP_REACH_NLRI for 2001:db8:1::/48. */
export const MP_REACH_IPV6 = `800e 1c 0002 01 10 ${IPV6_NEXT_HOP} 00 30 20010db80001 `;
/** MP_UNREACH_NLRI for 2001:db8:2::/48. */
export const MP_UNREACH_IPV6 = '800f 0a 0002 01 30 20010db80002 ';

/** Deterministic numbers for fuzzing: xorshift32 (the state must not be 0). */
export class Xorshift {
  #state: number;
  constructor(seed: number) {
    this.#state = seed | 0 || 1;
  }

  /** An integer in [0, below). */
  below(below: number): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return (x >>> 0) % below;
  }
}
