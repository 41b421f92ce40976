// Two objects that ask for a session with the same neighbour: one stays in force, the other becomes a Problem. A
// session that is in force stays; else the more specific object wins, then the name. The mesh yields silently: a
// BGPPeer for another node's address is how an operator changes one session of it.
import { isDeepStrictEqual } from 'node:util';
import type { Problem } from '#api';
import type { PeerRemote } from '#bgp';
import { contains, hostPrefix, parsePrefix } from '#ip';
import type { PlannedBfd, PlannedPeer } from './types.ts';

/** How specific the object is that asks; lower wins. */
export const RANK = { node: 0, selector: 1, everyNode: 2, reversed: 3, reflector: 4, mesh: 5 } as const;

export interface PeerWish extends PlannedPeer {
  readonly rank: number;
  /** Where the neighbour is written in the object, for the Problem: 'spec.peerIP'. */
  readonly field: string;
}

/** @param inForce ids of sessions of the plan in force */
export function resolveConflicts(
  wishes: readonly PeerWish[],
  inForce: ReadonlySet<string>,
): { peers: PlannedPeer[]; problems: Problem[] } {
  const ordered = [...wishes].sort(
    (a, b) =>
      automatic(a) - automatic(b) ||
      Number(inForce.has(b.config.id)) - Number(inForce.has(a.config.id)) ||
      a.rank - b.rank ||
      (a.config.id < b.config.id ? -1 : 1),
  );
  const winners = new Map<string, PeerWish>();
  const problems: Problem[] = [];
  for (const wish of ordered) {
    const key = neighbourKey(wish);
    const winner = winners.get(key);
    if (winner === undefined) winners.set(key, wish);
    else if (wish.rank < RANK.reversed && winner.from !== wish.from) problems.push(doubled(wish, winner));
  }
  problems.push(...otherPasswords([...winners.values()]), ...withoutPassword([...winners.values()]));
  const shared = sharedBfd([...winners.values()]);
  problems.push(...shared.problems);
  const peers = shared.wishes
    .map(({ config, kind, from, implied, reachableBy, bfd }) => ({
      config,
      kind,
      from,
      ...(implied && { implied }),
      ...(reachableBy && { reachableBy }),
      ...(bfd && { bfd }),
    }))
    .sort((a, b) => (a.config.id < b.config.id ? -1 : 1));
  return { peers, problems };
}

/** Neighbours with one address on several links: a listening socket of Linux has one MD5 key for an address. */
function otherPasswords(wishes: readonly PeerWish[]): Problem[] {
  const byAddress = Map.groupBy(wishes, ({ config: { remote } }) => placeOf(remote));
  return [...byAddress].flatMap(([value, sharing]) => {
    const first = sharing.find(({ config }) => config.md5Key !== undefined);
    if (first === undefined) return [];
    const others = sharing.filter(({ config }) => config.md5Key !== first.config.md5Key);
    return others.map(({ from, field }): Problem => {
      const message = `is the address of ${first.from} too, with another password: Linux keeps one for an address, so this node can dial this neighbour, and not be dialled by it`;
      return { object: from, field, value, message, severity: 'warning' };
    });
  });
}

/**
 * Sessions with one neighbour that differ in their ports: one BFD session watches it for all of them (RFC 5881 section 2),
 * with the settings of the first by name.
 */
function sharedBfd(wishes: readonly PeerWish[]): { wishes: PeerWish[]; problems: Problem[] } {
  const problems: Problem[] = [];
  const byNeighbour = Map.groupBy(wishes, ({ config: { remote } }) =>
    remote.kind === 'range' ? `range ${remote.prefix}` : `${remote.address}%${remote.device ?? ''}`,
  );
  const agreed = [...byNeighbour.values()].flatMap((sharing) => {
    const watched = sharing.filter(({ bfd }) => bfd !== undefined);
    const first = watched.toSorted((a, b) => (a.config.id < b.config.id ? -1 : 1))[0];
    return sharing.map((wish): PeerWish => {
      if (first?.bfd === undefined || wish.bfd === undefined || wish === first) return wish;
      const { isRequired: _, isGraceful: __, ...settings } = first.bfd;
      const { isRequired, isGraceful } = wish.bfd;
      const own = { ...(isRequired && { isRequired }), ...(isGraceful && { isGraceful }) };
      const bfd: PlannedBfd = { ...settings, ...own };
      if (isDeepStrictEqual(bfd, wish.bfd)) return wish;
      const message = `is the neighbour of ${first.from} too, whose settings of BFD hold for both (${bfd.profile}): one BFD session watches a neighbour`;
      const value = placeOf(wish.config.remote);
      problems.push({ object: wish.from, field: wish.field, value, message, severity: 'warning' });
      return { ...wish, bfd };
    });
  });
  return { wishes: agreed, problems };
}

/** Neighbours without a password inside a range with one: a listening socket asks all of the range to sign. */
function withoutPassword(wishes: readonly PeerWish[]): Problem[] {
  const ranges = wishes.filter(({ config }) => config.remote.kind === 'range');
  return wishes.flatMap(({ from, field, config: { remote, md5Key } }): Problem[] => {
    if (md5Key !== undefined) return [];
    const value = placeOf(remote);
    const place = parsePrefix(remote.kind === 'range' ? value : hostPrefix(value))!;
    const around = ranges
      .map((range) => ({ range, prefix: parsePrefix(placeOf(range.config.remote))! }))
      .filter(({ prefix }) => prefix.length < place.length && contains(prefix, place));
    const nearest = around.sort((a, b) => b.prefix.length - a.prefix.length)[0]?.range;
    if (nearest?.config.md5Key === undefined) return [];
    const message = `lies in the range of ${nearest.from}, which has a password: who connects from there without one is not heard`;
    return [{ object: from, field, value, message, severity: 'warning' }];
  });
}

const placeOf = (remote: PeerRemote): string => (remote.kind === 'range' ? remote.prefix : remote.address);

/** Mesh and reflectors come after whatever was written by hand, in force or not. */
function automatic(wish: PeerWish): number {
  return wish.rank >= RANK.reflector ? wish.rank : 0;
}

function neighbourKey({ config: { remote } }: PeerWish): string {
  return remote.kind === 'range' ? remote.prefix : `${remote.address}%${remote.device ?? ''}:${remote.port}`;
}

function doubled(wish: PeerWish, winner: PeerWish): Problem {
  const { remote } = wish.config;
  return {
    object: wish.from,
    field: wish.field,
    value: placeOf(remote),
    message: `is the neighbour of ${winner.from} (session ${winner.config.id}) already, which stays in force; delete one of them`,
    cause: 'Conflict',
  };
}
