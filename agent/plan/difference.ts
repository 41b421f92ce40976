// What has to be told to a speaker to bring it from one plan to the next, and nothing else: a peer that did not change
// is not mentioned, so that its session is not touched.
import type { PeerConfig, Policy, SpeakerConfig } from '#bgp';
import type { Plan, PlannedOrigination } from './types.ts';

export interface PlanDifference {
  /** Undefined: unchanged. */
  readonly speaker: SpeakerConfig | undefined;
  readonly removedPeers: readonly string[];
  readonly addedPeers: readonly PeerConfig[];
  readonly updatedPeers: readonly PeerConfig[];
  readonly withdrawn: readonly string[];
  /** New ones, and those whose attributes changed. */
  readonly originated: readonly PlannedOrigination[];
  /** Undefined: unchanged. */
  readonly unreachable: readonly string[] | undefined;
}

/** @param old undefined at the start */
export function planDifference(old: Plan | undefined, next: Plan): PlanDifference {
  const oldPeers = new Map(old?.peers.map(({ config }) => [config.id, config]));
  const nextIds = new Set(next.peers.map(({ config }) => config.id));
  const oldRoutes = new Map(old?.originations.map((route) => [route.prefix, route]));
  const nextPrefixes = new Set(next.originations.map((route) => route.prefix));
  const compared = new Map<Policy, Map<Policy, boolean>>();
  const configs = next.peers.map(({ config }) => config);
  return {
    speaker: same(old?.speaker, next.speaker) ? undefined : next.speaker,
    removedPeers: [...oldPeers.keys()].filter((id) => !nextIds.has(id)),
    addedPeers: configs.filter(({ id }) => !oldPeers.has(id)),
    updatedPeers: configs.filter((config) => {
      const before = oldPeers.get(config.id);
      return before !== undefined && !samePeer(before, config, compared);
    }),
    withdrawn: [...oldRoutes.keys()].filter((prefix) => !nextPrefixes.has(prefix)),
    originated: next.originations.filter((route) => !same(oldRoutes.get(route.prefix), route)),
    unreachable: same(old?.kernel.unreachable, next.kernel.unreachable) ? undefined : next.kernel.unreachable,
  };
}

export function isEmptyDifference(difference: PlanDifference): boolean {
  return Object.values(difference).every(
    (part) => part === undefined || (Array.isArray(part) && part.length === 0),
  );
}

/** Sessions of one plan share their policies, which may be long: each pair is compared once. */
function samePeer(a: PeerConfig, b: PeerConfig, compared: Map<Policy, Map<Policy, boolean>>): boolean {
  const { import: importA, export: exportA, ...restA } = a;
  const { import: importB, export: exportB, ...restB } = b;
  const samePolicy = (x: Policy, y: Policy): boolean => {
    let results = compared.get(x);
    if (results === undefined) compared.set(x, (results = new Map()));
    let isSame = results.get(y);
    if (isSame === undefined) results.set(y, (isSame = same(x, y)));
    return isSame;
  };
  return samePolicy(importA, importB) && samePolicy(exportA, exportB) && same(restA, restB);
}

/** By value, for plain data. */
function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  for (const key of keys) {
    if (!(key in b) || !same((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]))
      return false;
  }
  return true;
}
