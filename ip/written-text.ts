// Addresses and prefixes that people wrote, in YAML or on a command line: read with ip-address, and what is wrong with
// them said in words. What comes out is the same values and the same canonical text as everywhere.
import { Address4, Address6 } from 'ip-address';
import { type Address, formatAddress } from './address.ts';
import { addressBits, familyLabel, familyOf } from './family.ts';
import { formatPrefix, type Prefix, truncate } from './prefix.ts';
import { prefixLengthFrom } from './text.ts';

/** One address without mask or zone; undefined when the text is not one. */
export function readAddress(text: string): Address | undefined {
  if (text.includes('/') || text.includes('%')) return undefined;
  if (text.includes(':')) {
    if (!Address6.isValid(text)) return undefined;
    return { family: 'ipv6', value: new Address6(text).bigInt() };
  }
  if (!Address4.isValid(text)) return undefined;
  return { family: 'ipv4', value: new Address4(text).bigInt() };
}

/** RFC 5952 text of an address, undefined when the text is not an address. */
export function canonicalAddress(text: string): string | undefined {
  const address = readAddress(text);
  return address && formatAddress(address);
}

export type PrefixResult =
  | { readonly prefix: Prefix }
  | { readonly error: string; readonly network?: string };

/**
 * Reads 'address/length'. Host bits must be zero: the error then carries the network that was probably meant.
 */
export function readPrefix(text: string): PrefixResult {
  const slash = text.indexOf('/');
  if (slash < 0) {
    return readAddress(text)
      ? { error: `has no prefix length`, network: `${text}/${addressBits(familyOf(text))}` }
      : { error: 'is not a CIDR' };
  }
  const address = readAddress(text.slice(0, slash));
  if (!address) return { error: `is not a CIDR: "${text.slice(0, slash)}" is not an IP address` };
  const bits = addressBits(address.family);
  const lengthText = text.slice(slash + 1);
  const length = prefixLengthFrom(text, slash + 1, bits);
  if (length < 0) {
    return {
      error: `has the prefix length "${lengthText}", not 0 to ${bits} (${familyLabel(address.family)})`,
    };
  }
  const prefix = truncate(address, length);
  if (prefix.value !== address.value) {
    return { error: 'has bits set behind the prefix length', network: formatPrefix(prefix) };
  }
  return { prefix };
}
