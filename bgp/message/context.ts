// What a session agreed that changes how its bytes are read. One small object a session, made once.

import { FAMILY_BIT_IPV4, FAMILY_BIT_IPV6 } from './constants.ts';

export class SessionCodecContext {
  /** RFC 6793 agreed: AS numbers in AS_PATH and AGGREGATOR take four bytes. */
  fourByteAs = true;
  /** The peer is in another AS (a member of our own confederation in another sub-AS counts as external too). */
  external = true;
  /** The peer is in our confederation (RFC 5065): AS_CONFED_* segments are legal, LOCAL_PREF is kept. */
  confederation = false;
  /** Path identifiers are received (RFC 7911), per family. */
  addPathIpv4 = false;
  addPathIpv6 = false;
  /** IPv4 routes may have an IPv6 next hop (RFC 8950). */
  extendedNextHop = false;
  /** Families agreed: FAMILY_BIT_IPV4 | FAMILY_BIT_IPV6. UPDATEs for others are ignored (RFC 4760 section 7). */
  families = FAMILY_BIT_IPV4 | FAMILY_BIT_IPV6;
  /** AIGP is wanted on this session (RFC 7311 section 3.1); otherwise the attribute is discarded. */
  aigp = false;
  /** RFC 9774: AS_SET and AS_CONFED_SET make a path malformed. */
  rejectAsSets = false;
  /** Secret number for what is found by hashing: it changes no verdict, only who can foresee collisions. */
  seed = 0;
}

/**
 * Number below 32 that holds all of the context that `validateAttributes` looks at:
 * the same attribute bytes under the same key get the same verdict, so verdicts can be interned by (key, bytes).
 */
export function verdictKey(ctx: SessionCodecContext): number {
  return (
    (ctx.fourByteAs ? 1 : 0) |
    (ctx.external ? 2 : 0) |
    (ctx.confederation ? 4 : 0) |
    (ctx.aigp ? 8 : 0) |
    (ctx.rejectAsSets ? 16 : 0)
  );
}
