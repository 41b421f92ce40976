// Prefixes as octets, as the kernel and the FIB's tables hold them: text in and out, host bits, containment.
import { type Family, type FamilyIndex, WIDTHS } from './family.ts';
import { formatOctets, parseOctets, prefixLengthFrom } from './text.ts';

export interface PrefixOctets {
  readonly family: Family;
  /** 4 or 16, with the host bits as given: an interface's address has some. */
  readonly bytes: Uint8Array;
  readonly length: number;
}

/** 'address/length', or an address alone for a host prefix; undefined when it is neither. */
export function parsePrefixOctets(text: string): PrefixOctets | undefined {
  const slash = text.indexOf('/');
  const bytes = parseOctets(slash < 0 ? text : text.slice(0, slash));
  if (bytes === undefined) return undefined;
  const most = bytes.length * 8;
  const length = slash < 0 ? most : prefixLengthFrom(text, slash + 1, most);
  if (length < 0) return undefined;
  return { family: bytes.length === 4 ? 'ipv4' : 'ipv6', bytes, length };
}

/** @param at where the 4 or 16 octets begin */
export function formatPrefixOctets(
  family: FamilyIndex,
  bytes: Uint8Array,
  at: number,
  length: number,
): string {
  return `${formatOctets(bytes, at, WIDTHS[family])}/${length}`;
}

/** In place: an address becomes the network of that length. */
export function clearHostBits(bytes: Uint8Array, length: number): void {
  const index = length >> 3;
  if (index >= bytes.length) return;
  bytes[index]! &= 0xff00 >> (length & 7);
  bytes.fill(0, index + 1);
}

/** Whether two addresses of one family have the same first `length` bits. */
export function sameBits(a: Uint8Array, aAt: number, b: Uint8Array, bAt: number, length: number): boolean {
  const whole = length >> 3;
  for (let i = 0; i < whole; i++) if (a[aAt + i] !== b[bAt + i]) return false;
  const rest = length & 7;
  return rest === 0 || ((a[aAt + whole]! ^ b[bAt + whole]!) & (0xff00 >> rest) & 255) === 0;
}
