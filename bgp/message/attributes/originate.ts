// Makes the canonical attributes of a route that starts here. Feed them to `validateAttributes` (with a context of
// an internal session with four-octet AS numbers) to get the decision columns.

import * as c from '../constants.ts';
import { writeU32 } from '../big-endian.ts';
import { writeAttributeHeader } from './attribute-list.ts';
import type { LargeCommunity } from './kinds/communities.ts';

export interface AttributeInput {
  /** 0 IGP (default), 1 EGP, 2 INCOMPLETE. */
  readonly origin?: number;
  /** The leftmost AS first; empty for an own route. At most 255. */
  readonly asPath?: readonly number[];
  readonly med?: number;
  readonly localPref?: number;
  /** Of an aggregate: who made it (RFC 4271 section 5.1.7), beside ATOMIC_AGGREGATE (5.1.6), as no AS_PATH of others is in it. */
  readonly aggregator?: { readonly asNumber: number; readonly routerId: number };
  readonly communities?: readonly number[];
  readonly largeCommunities?: readonly LargeCommunity[];
}

/** Writes the attributes (no NEXT_HOP) at out[at...]; returns the offset behind them, or -1 when they do not fit. */
export function buildAttributes(input: AttributeInput, out: Uint8Array, at: number): number {
  const asPath = input.asPath ?? [];
  const communities = [...new Set(input.communities)];
  const large = withoutDuplicates(input.largeCommunities ?? []);
  if (asPath.length > 255) return -1;
  const bound = 64 + asPath.length * 4 + communities.length * 4 + large.length * 12;
  if (at + bound > out.length || bound > c.MAX_EXTENDED_MESSAGE_LENGTH) return -1;

  let to = writeAttributeHeader(out, at, c.FLAG_TRANSITIVE, c.ATTR_ORIGIN, 1);
  out[to++] = input.origin ?? 0;
  const pathOctets = asPath.length > 0 ? 2 + asPath.length * 4 : 0;
  to = writeAttributeHeader(out, to, c.FLAG_TRANSITIVE, c.ATTR_AS_PATH, pathOctets);
  if (asPath.length > 0) {
    out[to++] = c.AS_SEQUENCE;
    out[to++] = asPath.length;
    for (const as of asPath) to = writeU32(out, to, as);
  }
  if (input.med !== undefined) {
    to = writeU32(out, writeAttributeHeader(out, to, c.FLAG_OPTIONAL, c.ATTR_MED, 4), input.med);
  }
  if (input.localPref !== undefined) {
    to = writeU32(
      out,
      writeAttributeHeader(out, to, c.FLAG_TRANSITIVE, c.ATTR_LOCAL_PREF, 4),
      input.localPref,
    );
  }
  const flags = c.FLAG_OPTIONAL | c.FLAG_TRANSITIVE;
  if (input.aggregator !== undefined) {
    to = writeAttributeHeader(out, to, c.FLAG_TRANSITIVE, c.ATTR_ATOMIC_AGGREGATE, 0);
    to = writeAttributeHeader(out, to, flags, c.ATTR_AGGREGATOR, 8);
    to = writeU32(out, writeU32(out, to, input.aggregator.asNumber), input.aggregator.routerId);
  }
  if (communities.length > 0) {
    to = writeAttributeHeader(out, to, flags, c.ATTR_COMMUNITIES, communities.length * 4);
    for (const community of communities) to = writeU32(out, to, community);
  }
  if (large.length > 0) {
    to = writeAttributeHeader(out, to, flags, c.ATTR_LARGE_COMMUNITIES, large.length * 12);
    for (const part of large.flat()) to = writeU32(out, to, part);
  }
  return to;
}

function withoutDuplicates(list: readonly LargeCommunity[]): LargeCommunity[] {
  return [...new Map(list.map((community) => [community.join(':'), community])).values()];
}
