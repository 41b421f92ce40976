// Connection collision (RFC 4271 §6.8, RFC 6286 §2.3): which of two connections with one neighbour lives. Pure.

export interface CollisionSide {
  readonly isIncoming: boolean;
}

export interface CollisionIds {
  readonly localRouterId: number;
  readonly remoteRouterId: number;
  readonly localAs: number;
  readonly remoteAs: number;
}

/**
 * `existing` is in OpenConfirm, `fresh` has just received its OPEN. An established connection always wins
 * and is no case for this function.
 */
export function loserOf(
  existing: CollisionSide,
  fresh: CollisionSide,
  ids: CollisionIds,
): 'existing' | 'fresh' {
  // The neighbour opened both: it has given up the older one.
  if (existing.isIncoming === fresh.isIncoming) return 'existing';
  const keepIncoming = isRemoteHigher(ids);
  return existing.isIncoming === keepIncoming ? 'fresh' : 'existing';
}

/** The one with the higher identifier dials; for equal ones the higher AS number decides. */
function isRemoteHigher(ids: CollisionIds): boolean {
  if (ids.localRouterId !== ids.remoteRouterId) return ids.remoteRouterId > ids.localRouterId;
  return ids.remoteAs > ids.localAs;
}
