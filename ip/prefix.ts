// Prefixes as a family, a number and a length: containment, blocks inside them, order. Not for hot paths.
import { type Address, formatAddress, parseAddress } from './address.ts';
import { addressBits, type Family, familyOf } from './family.ts';
import { prefixLengthFrom } from './text.ts';

/** `value` is the network address: bits behind `length` are zero. */
export interface Prefix {
  readonly family: Family;
  readonly value: bigint;
  readonly length: number;
}

/** 'address/length'; undefined when the text is none or has host bits set. */
export function parsePrefix(text: string): Prefix | undefined {
  const slash = text.indexOf('/');
  const address = slash < 0 ? undefined : parseAddress(text.slice(0, slash));
  if (address === undefined) return undefined;
  const length = prefixLengthFrom(text, slash + 1, addressBits(address.family));
  if (length < 0) return undefined;
  const prefix = truncate(address, length);
  return prefix.value === address.value ? prefix : undefined;
}

export const formatPrefix = (prefix: Prefix): string => `${formatAddress(prefix)}/${prefix.length}`;

/** The prefix of that length that an address lies in. */
export function truncate(address: Address, length: number): Prefix {
  const hostBits = BigInt(addressBits(address.family) - length);
  return { family: address.family, value: (address.value >> hostBits) << hostBits, length };
}

/** An address as a /32 or /128. */
export const hostPrefix = (address: string): string => `${address}/${addressBits(familyOf(address))}`;

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

/** By family (IPv4 first), then address, then length: the order in which lists are printed. */
export function comparePrefixes(a: Prefix, b: Prefix): number {
  if (a.family !== b.family) return a.family === 'ipv4' ? -1 : 1;
  if (a.value !== b.value) return a.value < b.value ? -1 : 1;
  return a.length - b.length;
}
