// Documents that are there, are wrong, and of which no version is in force. They are not absent: what would depend on
// such an object must not go on as if nobody had written it.
import type { Kind, Resources } from '../kinds/resources.ts';
import type { FormerPool } from '../kinds/former-pools.ts';

export interface Refused {
  /** identityText of each. */
  readonly objects: ReadonlySet<string>;
  /** Files with a document that cannot be told to be one object or another. */
  readonly files: ReadonlySet<string>;
  /** Kinds of which the store was never told what there is: any object of these may exist, and none of another. */
  readonly kinds: ReadonlySet<Kind>;
  /** Kinds of which only what is this node's is followed: of others there may be any. Undefined: none. */
  readonly ownOnly?: ReadonlySet<Kind>;
  /** Pools that are gone, and of which there are blocks, or may be. Undefined: none. */
  readonly formerPools?: readonly FormerPool[];
}

export const nothingRefused: Refused = { objects: new Set(), files: new Set(), kinds: new Set() };

/** Whether a pool may be written somewhere of which nobody can tell CIDR and family. */
export function mayHidePools(
  { objects, files, kinds }: Refused,
  { ipPools }: Pick<Resources, 'ipPools'>,
): boolean {
  const kind: Kind = 'IPPool';
  return (
    [...objects].some((object) => object.startsWith(`${kind} `)) ||
    ((files.size > 0 || kinds.has(kind)) && ipPools.size === 0)
  );
}

/** Whether there may be an object of the kind of which nobody can tell the name, or anything at all. */
export function mayHide({ objects, files, kinds, ownOnly }: Refused, kind: Kind): boolean {
  return (
    files.size > 0 ||
    kinds.has(kind) ||
    ownOnly?.has(kind) === true ||
    [...objects].some((object) => object.startsWith(`${kind} `))
  );
}
