// Address families: names at the edges, small numbers in hot paths, (AFI, SAFI) on the wire. Unicast only.

export type Family = 'ipv4' | 'ipv6';

export const IPV4 = 0;
export const IPV6 = 1;
/** IPV4 or IPV6. */
export type FamilyIndex = 0 | 1;

export const FAMILIES: readonly Family[] = ['ipv4', 'ipv6'];

/** SAFI 1, unicast (RFC 4760 §6). */
export const SAFI_UNICAST = 1;

export function familyIndex(family: Family): FamilyIndex {
  return family === 'ipv4' ? IPV4 : IPV6;
}

export function familyName(index: FamilyIndex): Family {
  return index === IPV4 ? 'ipv4' : 'ipv6';
}

/** IANA address family number: 1 for IPv4, 2 for IPv6. */
export function afiOf(family: Family): number {
  return family === 'ipv4' ? 1 : 2;
}

/** Undefined for a family that we do not speak. */
export function familyOf(afi: number, safi: number): Family | undefined {
  if (safi !== SAFI_UNICAST) return undefined;
  if (afi === 1) return 'ipv4';
  return afi === 2 ? 'ipv6' : undefined;
}
