// Addresses with a meaning of their own (RFC 4291 §2, RFC 6890), told by their bits and never by their text.
import { formatOctets, parseIpv6, parseOctets } from './text.ts';

/** fe80::/10, by the first word of an IPv6 address. */
export function isLinkLocalIpv6(word0: number): boolean {
  return word0 >>> 22 === 0x3fa;
}

/** 169.254.0.0/16 and fe80::/10; false for what is no address. */
export function isLinkLocal(text: string): boolean {
  const bytes = parseOctets(text);
  if (bytes === undefined) return false;
  return bytes.length === 4 ? bytes[0] === 169 && bytes[1] === 254 : isLinkLocalOctets(bytes);
}

/** Of 16 octets. */
function isLinkLocalOctets(bytes: Uint8Array): boolean {
  return bytes[0] === 0xfe && (bytes[1]! & 0xc0) === 0x80;
}

/** ff00::/8, by the first word of an IPv6 address. */
export function isMulticastIpv6(word0: number): boolean {
  return word0 >>> 24 === 0xff;
}

/** 0.0.0.0 and ::. */
export function isUnspecified(bytes: Uint8Array): boolean {
  for (const byte of bytes) if (byte !== 0) return false;
  return true;
}

/** 224/4, 255.255.255.255 and ff00::/8: no one host has these. */
export function isManyHosts(bytes: Uint8Array): boolean {
  const first = bytes[0]!;
  if (bytes.length === 16) return first === 0xff;
  return (first >= 224 && first < 240) || bytes.every((byte) => byte === 255);
}

/**
 * False for 0/8, 127/8, 224/4 and 255.255.255.255: no host has these (RFC 4271 §6.3). 240/4 is reserved (RFC 1112 §4),
 * but Linux and other systems give its addresses to hosts, and so may a pool.
 */
export function isUnicastIpv4(address: number): boolean {
  const first = address >>> 24;
  if (first < 224) return first !== 0 && first !== 127;
  return first >= 240 && address >>> 0 !== 0xffffffff;
}

/** False for unspecified, loopback, IPv4-mapped and multicast addresses. */
export function isUnicastIpv6(word0: number, word1: number, word2: number, word3: number): boolean {
  if (isMulticastIpv6(word0)) return false;
  if (word0 !== 0 || word1 !== 0) return true;
  return word2 !== 0xffff && !(word2 === 0 && word3 >>> 0 <= 1);
}

/** Whether the address names a host only together with a link (RFC 4007 §6): fe80::/10. */
export function needsZone(address: string): boolean {
  const bytes = address.includes(':') ? parseIpv6(address) : undefined;
  return bytes !== undefined && isLinkLocalOctets(bytes);
}

/** 'address%device', without a device the address as it is (RFC 4007 §11). */
export function withZone(address: string, device: string | undefined): string {
  return device === undefined ? address : `${address}%${device}`;
}

/** An address as the system tells it, printed anew: ::1.2.3.4 is ::102:304. What is no address stays as it is. */
export function splitZone(text: string): { readonly address: string; readonly zone?: string } {
  const percent = text.indexOf('%');
  const bare = percent < 0 ? text : text.slice(0, percent);
  const octets = parseOctets(bare);
  const address = octets === undefined ? bare : formatOctets(octets, 0, octets.length);
  return percent < 0 ? { address } : { address, zone: text.slice(percent + 1) };
}
