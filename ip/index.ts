// The door of ip/: addresses, prefixes and families, for every room.
export { type Address, addressFromBytes, addressToBytes, formatAddress, parseAddress } from './address.ts';
export { type Endpoint, parseEndpoint } from './endpoint.ts';
export {
  addressBits,
  AFI_IPV4,
  AFI_IPV6,
  afiOf,
  FAMILIES,
  type Family,
  type FamilyIndex,
  familyIndex,
  familyLabel,
  familyName,
  familyOf,
  familyOfAfi,
  IPV4,
  IPV6,
  WIDTHS,
} from './family.ts';
export {
  clearHostBits,
  formatPrefixOctets,
  parsePrefixOctets,
  type PrefixOctets,
  sameBits,
} from './octets.ts';
export {
  addressCount,
  blockCount,
  blockIndex,
  comparePrefixes,
  contains,
  formatPrefix,
  hostPrefix,
  nthAddress,
  nthBlock,
  overlaps,
  parsePrefix,
  type Prefix,
  truncate,
} from './prefix.ts';
export {
  isLinkLocal,
  isLinkLocalIpv6,
  isManyHosts,
  isMulticastIpv6,
  isUnicastIpv4,
  isUnicastIpv6,
  isUnspecified,
  needsZone,
  splitZone,
  withZone,
} from './special.ts';
export { formatIpv4, formatIpv6, formatOctets, parseIpv4, parseIpv6, parseOctets } from './text.ts';
export {
  type AddressWords,
  formatWords,
  mask,
  octetsOfWords,
  parseAddressWords,
  parsePrefixWords,
  type PrefixWords,
  truncateWords,
} from './words.ts';
export { canonicalAddress, readAddress, readPrefix } from './written-text.ts';
