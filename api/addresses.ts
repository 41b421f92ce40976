// Address and prefix arithmetic at the rooms' edges: canonical text (RFC 5952 lower case), containment,
// sub-blocks, bytes. Values are a family and a bigint. Not for hot paths: those keep bytes of their own.
import { Address4, Address6 } from 'ip-address';

export type Family = 'ipv4' | 'ipv6';

export interface Address {
  readonly family: Family;
  readonly value: bigint;
}

/** `value` is the network address: bits behind `length` are zero. */
export interface Prefix {
  readonly family: Family;
  readonly value: bigint;
  readonly length: number;
}

export const addressBits = (family: Family): 32 | 128 => (family === 'ipv4' ? 32 : 128);

/** Reads one address without mask or zone; undefined when the text is not one. */
export function parseAddress(text: string): Address | undefined {
  if (text.includes('/') || text.includes('%')) return undefined;
  if (text.includes(':')) {
    if (!Address6.isValid(text)) return undefined;
    return { family: 'ipv6', value: new Address6(text).bigInt() };
  }
  if (!Address4.isValid(text)) return undefined;
  return { family: 'ipv4', value: new Address4(text).bigInt() };
}

export function formatAddress(address: Address): string {
  return address.family === 'ipv4'
    ? Address4.fromBigInt(address.value).correctForm()
    : Address6.fromBigInt(address.value).correctForm();
}

/** RFC 5952 text of an address, undefined when the text is not an address. */
export function canonicalAddress(text: string): string | undefined {
  const address = parseAddress(text);
  return address && formatAddress(address);
}

export const familyOf = (text: string): Family => (text.includes(':') ? 'ipv6' : 'ipv4');

export type PrefixResult =
  | { readonly prefix: Prefix }
  | { readonly error: string; readonly network?: string };

/**
 * Reads 'address/length'. Host bits must be zero: the error then carries the network that was probably meant.
 */
export function readPrefix(text: string): PrefixResult {
  const slash = text.indexOf('/');
  if (slash < 0) {
    return parseAddress(text)
      ? { error: `has no prefix length`, network: `${text}/${addressBits(familyOf(text))}` }
      : { error: 'is not a CIDR' };
  }
  const address = parseAddress(text.slice(0, slash));
  if (!address) return { error: `is not a CIDR: "${text.slice(0, slash)}" is not an IP address` };
  const bits = addressBits(address.family);
  const lengthText = text.slice(slash + 1);
  const length = /^(0|[1-9][0-9]{0,2})$/.test(lengthText) ? Number(lengthText) : Number.NaN;
  if (!(length <= bits)) {
    return {
      error: `has the prefix length "${lengthText}", not 0 to ${bits} (${familyName(address.family)})`,
    };
  }
  const prefix = truncate(address, length);
  if (prefix.value !== address.value) {
    return { error: 'has bits set behind the prefix length', network: formatPrefix(prefix) };
  }
  return { prefix };
}

/** The prefix, or undefined when the text is not one or has host bits set. */
export function parsePrefix(text: string): Prefix | undefined {
  const result = readPrefix(text);
  return 'prefix' in result ? result.prefix : undefined;
}

export const formatPrefix = (prefix: Prefix): string => `${formatAddress(prefix)}/${prefix.length}`;

/** Canonical text of a prefix, undefined when the text is not one or has host bits set. */
export function canonicalPrefix(text: string): string | undefined {
  const prefix = parsePrefix(text);
  return prefix && formatPrefix(prefix);
}

export const familyName = (family: Family): 'IPv4' | 'IPv6' => (family === 'ipv4' ? 'IPv4' : 'IPv6');

/** The prefix of that length that an address lies in. */
export function truncate(address: Address, length: number): Prefix {
  const hostBits = BigInt(addressBits(address.family) - length);
  return { family: address.family, value: (address.value >> hostBits) << hostBits, length };
}

/** The address as a /32 or /128. */
export const hostPrefix = (address: Address): Prefix => ({ ...address, length: addressBits(address.family) });

/** Whether `outer` holds all of `inner` (also when they are equal); never across families. */
export function contains(outer: Prefix, inner: Prefix | Address): boolean {
  if (outer.family !== inner.family) return false;
  if ('length' in inner && inner.length < outer.length) return false;
  const hostBits = BigInt(addressBits(outer.family) - outer.length);
  return inner.value >> hostBits === outer.value >> hostBits;
}

export const overlaps = (a: Prefix, b: Prefix): boolean => contains(a, b) || contains(b, a);

/** How many addresses a prefix holds. */
export const addressCount = (prefix: Prefix): bigint =>
  1n << BigInt(addressBits(prefix.family) - prefix.length);

/** How many blocks of `length` a prefix holds; 0 when the block is larger than the prefix. */
export function blockCount(prefix: Prefix, length: number): bigint {
  if (length < prefix.length || length > addressBits(prefix.family)) return 0n;
  return 1n << BigInt(length - prefix.length);
}

/** The n-th (from 0) block of `length` inside a prefix; undefined when there are not so many. */
export function nthBlock(prefix: Prefix, length: number, n: bigint | number): Prefix | undefined {
  const index = BigInt(n);
  if (index < 0n || index >= blockCount(prefix, length)) return undefined;
  const shift = BigInt(addressBits(prefix.family) - length);
  return { family: prefix.family, value: prefix.value + (index << shift), length };
}

/** Which block of its own length `block` is inside `prefix`; undefined when it is not inside. */
export function blockIndex(prefix: Prefix, block: Prefix): bigint | undefined {
  if (!contains(prefix, block)) return undefined;
  return (block.value - prefix.value) >> BigInt(addressBits(prefix.family) - block.length);
}

/** The n-th (from 0) address of a prefix; undefined when there are not so many. */
export function nthAddress(prefix: Prefix, n: bigint | number): Address | undefined {
  const block = nthBlock(prefix, addressBits(prefix.family), n);
  return block && { family: block.family, value: block.value };
}

/** 4 or 16 bytes in network order. */
export function addressToBytes(address: Address): Uint8Array {
  const bytes = new Uint8Array(addressBits(address.family) / 8);
  let rest = address.value;
  for (let i = bytes.length - 1; i >= 0; i--) {
    bytes[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}

/** The address of 4 (IPv4) or 16 (IPv6) bytes in network order. Throws RangeError on any other length. */
export function addressFromBytes(bytes: Uint8Array): Address {
  if (bytes.length !== 4 && bytes.length !== 16) {
    throw new RangeError(`an address has 4 or 16 bytes, not ${bytes.length}`);
  }
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return { family: bytes.length === 4 ? 'ipv4' : 'ipv6', value };
}

/** By family (IPv4 first), then address, then length: the order in which lists are printed. */
export function comparePrefixes(a: Prefix, b: Prefix): number {
  if (a.family !== b.family) return a.family === 'ipv4' ? -1 : 1;
  if (a.value !== b.value) return a.value < b.value ? -1 : 1;
  return a.length - b.length;
}

const linkLocal: Record<Family, Prefix> = {
  ipv4: parsePrefix('169.254.0.0/16')!,
  ipv6: parsePrefix('fe80::/10')!,
};

/** 169.254.0.0/16 and fe80::/10. */
export const isLinkLocal = (address: Address): boolean => contains(linkLocal[address.family], address);
