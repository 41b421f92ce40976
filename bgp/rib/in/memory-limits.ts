// How much memory one neighbour may make us keep, whatever its prefix limit alone would allow: attributes may have 65 kB
// a route, and a next hop costs as much as ten routes. Nothing of this is met by real tables: a full Internet table has
// 100 octets of attributes a prefix and a few next hops.
import type { PeerConfig } from '../../config.ts';

/** Octets of attributes for each prefix of the prefix limit, on average over all routes … */
const OCTETS_PER_PREFIX = 1024;
/** … but never less than this, nor more. */
const LEAST_OCTETS = 16 << 20;
const MOST_OCTETS = 1 << 30;

/** Different next hops that a neighbour brought. */
export const MOST_NEXT_HOPS = 16_384;

/** Over a prefix limit that warns or drops, which ends no session: as many again, but never less than this. */
const LEAST_OVER = 100_000;

/** Routes of a family, whatever its prefix limit does with them. */
export function mostRoutes({ maxPrefixes: { limit, action } }: PeerConfig): number {
  return action === undefined ? limit : limit + Math.max(limit, LEAST_OVER);
}

/** What attributes of its routes may take together, each route counted with all of its own. */
export function attributeOctetsLimit(config: PeerConfig): number {
  return Math.min(MOST_OCTETS, Math.max(LEAST_OCTETS, config.maxPrefixes.limit * OCTETS_PER_PREFIX));
}
