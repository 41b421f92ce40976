// Address families: names at the edges, small numbers in hot paths, IANA's numbers on the wire.

export type Family = 'ipv4' | 'ipv6';

export const FAMILIES: readonly Family[] = ['ipv4', 'ipv6'];

/** Families as hot paths count them (an index of columns, not the AFI). */
export const IPV4 = 0;
export const IPV6 = 1;
/** IPV4 or IPV6. */
export type FamilyIndex = 0 | 1;

/** IANA's address family numbers, as BGP carries them. */
export const AFI_IPV4 = 1;
export const AFI_IPV6 = 2;

/** Octets of an address, by family index. */
export const WIDTHS = [4, 16] as const;

export function familyIndex(family: Family): FamilyIndex {
  return family === 'ipv4' ? IPV4 : IPV6;
}

export function familyName(index: FamilyIndex): Family {
  return index === IPV4 ? 'ipv4' : 'ipv6';
}

/** As people write it. */
export function familyLabel(family: Family): 'IPv4' | 'IPv6' {
  return family === 'ipv4' ? 'IPv4' : 'IPv6';
}

/** Of an address or prefix that is known to be one. */
export function familyOf(text: string): Family {
  return text.includes(':') ? 'ipv6' : 'ipv4';
}

export function addressBits(family: Family): 32 | 128 {
  return family === 'ipv4' ? 32 : 128;
}

export function afiOf(family: Family): number {
  return family === 'ipv4' ? AFI_IPV4 : AFI_IPV6;
}

/** Undefined for a family that is neither. */
export function familyOfAfi(afi: number): Family | undefined {
  if (afi === AFI_IPV4) return 'ipv4';
  return afi === AFI_IPV6 ? 'ipv6' : undefined;
}
