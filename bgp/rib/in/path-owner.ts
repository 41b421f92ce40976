// Whose paths they are, and how they are counted. Where the owner's prefix limit drops (maxPrefixes.action), so many paths
// of a family have a place, whether policy takes them or not, and the others wait for one: which, depends on the order in
// which they came. What waits costs as much memory as what has a place: memory-limits.ts says how much there may be.
import type { FamilyIndex } from '#ip';
import type { CompiledPolicy } from '../../policy/compile.ts';
import type { PolicySet } from '../../policy/policy.ts';
import type { NeighbourHop } from '../attributes/attribute-intern.ts';
import type { OwnClaims } from './own-claims.ts';

/** Where an owner's counts of stale paths begin. */
export const STALE_COUNTS = 2;
export interface AfterImport {
  readonly usual: PolicySet | undefined;
  /** Of what its neighbour is about to lose (RFC 8326): it is the last choice. */
  readonly shutDown: PolicySet;
}

export const NOTHING_AFTER_IMPORT: AfterImport = { usual: undefined, shutDown: { weight: 0, localPref: 0 } };

/** What paths go through on their way in. */
export interface ImportOwner {
  readonly slot: number;
  readonly importPolicy: CompiledPolicy;
  /** Its session's address and link, also while it is away. */
  readonly goesTo?: NeighbourHop | undefined;
  /** What is set behind it, whatever it sets. */
  readonly afterImport: AfterImport;
}

/** Whose paths they are: a neighbour, or this speaker for routes that start here. */
export interface PathOwner extends ImportOwner {
  /**
   * Live paths of the current session, filtered ones included: by family, and by family + STALE_COUNTS those that
   * a refresh (RFC 7313) or a neighbour back from its restart has not sent again yet. The other counts likewise.
   */
  readonly received: number[];
  /** Of these, rejected by import policy, or over the limit. */
  readonly filtered: number[];
  /** Of the filtered ones, those that the prefix limit drops. */
  readonly overLimit: number[];
  /** Paths of a family that its prefix limit lets in; Infinity where it drops none. */
  readonly places: number;
  /** Of these, forbidden by a rule of the protocol (loop, first AS, role, our own next hop). */
  readonly ineligible: number[];
  /** Of the ineligible ones, those with our own AS in AS_PATH. */
  readonly ownAsLoops: number[];
  /** Of the ineligible ones, with a next hop that is ours, or on no link of ours where it must be. */
  readonly unfitHops: number[];
  /** Of all of them, octets of attributes: each path counts its own, though equal ones are stored once. */
  readonly octets: Float64Array;
  /** Its paths for prefixes that are this speaker's own. */
  readonly ownClaims: OwnClaims;
  /** Prefixes made dirty since the last turn of the work loop. */
  marked: number;
}

/** Paths that have a place. */
export function taken({ received, overLimit }: PathOwner, family: FamilyIndex): number {
  const stale = family + STALE_COUNTS;
  return received[family]! - overLimit[family]! + received[stale]! - overLimit[stale]!;
}

/** For one more. */
export function hasPlace(owner: PathOwner, family: FamilyIndex): boolean {
  return taken(owner, family) < owner.places;
}

/** The limit is lower than it was, or has begun to drop. */
export function holdsTooMany(owner: PathOwner, family: FamilyIndex): boolean {
  return taken(owner, family) > owner.places;
}

/** There is a place, and something waits for one. */
export function hasPlaceToFill(owner: PathOwner, family: FamilyIndex): boolean {
  const { overLimit } = owner;
  return overLimit[family]! + overLimit[family + STALE_COUNTS]! > 0 && hasPlace(owner, family);
}
