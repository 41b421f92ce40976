// Next hops: the 4, 16 or 32 bytes of MP_REACH_NLRI (RFC 2545, RFC 8950) and which addresses may be one at all.

import { type FamilyIndex, IPV4, IPV6, isLinkLocalIpv6, isUnicastIpv4, isUnicastIpv6 } from '#ip';
import { readU32 } from './big-endian.ts';

/** A next hop as numbers. Reused for all messages. */
export class NextHop {
  family: FamilyIndex = IPV4;
  /** False for IPv6 with only a link-local address. */
  hasGlobal = false;
  hasLinkLocal = false;
  /** IPv4 address, or the first word of the global IPv6 address. */
  word0 = 4294967295;
  word1 = 4294967295;
  word2 = 4294967295;
  word3 = 4294967295;
  linkLocal0 = 4294967295;
  linkLocal1 = 4294967295;
  linkLocal2 = 4294967295;
  linkLocal3 = 4294967295;
}

/**
 * Reads the next hop that `scanUpdate` located. Of 32 bytes either order of global and link-local address is
 * taken, and `::` for a missing global one, as routers send both.
 * @param length 4, 16 or 32
 * @returns false when it cannot be a next hop (unspecified, loopback, multicast, IPv4-mapped): treat as withdraw, 3/8
 */
export function decodeNextHop(buf: Uint8Array, start: number, length: number, out: NextHop): boolean {
  out.word0 = 0;
  out.word1 = 0;
  out.word2 = 0;
  out.word3 = 0;
  out.linkLocal0 = 0;
  out.linkLocal1 = 0;
  out.linkLocal2 = 0;
  out.linkLocal3 = 0;
  out.hasLinkLocal = false;
  if (length === 4) {
    out.family = IPV4;
    out.word0 = readU32(buf, start);
    out.hasGlobal = isUnicastIpv4(out.word0);
    return out.hasGlobal;
  }
  out.family = IPV6;
  out.hasGlobal = false;
  if (length !== 16 && length !== 32) return false;
  if (!take(buf, start, out)) return false;
  if (length === 32 && !take(buf, start + 16, out)) return false;
  return out.hasGlobal || out.hasLinkLocal;
}

/** Puts one IPv6 address where it belongs; a second one of the same kind is not used. */
function take(buf: Uint8Array, at: number, out: NextHop): boolean {
  const word0 = readU32(buf, at);
  const word1 = readU32(buf, at + 4);
  const word2 = readU32(buf, at + 8);
  const word3 = readU32(buf, at + 12);
  if (isLinkLocalIpv6(word0)) {
    if (out.hasLinkLocal) return true;
    out.hasLinkLocal = true;
    out.linkLocal0 = word0;
    out.linkLocal1 = word1;
    out.linkLocal2 = word2;
    out.linkLocal3 = word3;
    return true;
  }
  if (word0 === 0 && word1 === 0 && word2 === 0 && word3 === 0) return true;
  if (!isUnicastIpv6(word0, word1, word2, word3)) return false;
  if (out.hasGlobal) return true;
  out.hasGlobal = true;
  out.word0 = word0;
  out.word1 = word1;
  out.word2 = word2;
  out.word3 = word3;
  return true;
}
