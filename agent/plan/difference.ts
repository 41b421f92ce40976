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
  const configs = next.peers.map(({ config }) => config);
  return {
    speaker: same(old?.speaker, next.speaker) ? undefined : next.speaker,
    removedPeers: [...oldPeers.keys()].filter((id) => !nextIds.has(id)),
    addedPeers: configs.filter(({ id }) => !oldPeers.has(id)),
    updatedPeers: configs.filter((config) => {
      const before = oldPeers.get(config.id);
      return before !== undefined && !samePeer(before, config);
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

/** Sessions of one plan share their policies, which may be long: each is turned into text once. */
const policyTexts = new WeakMap<Policy, string>();

function policyText(policy: Policy): string {
  let text = policyTexts.get(policy);
  if (text === undefined) policyTexts.set(policy, (text = JSON.stringify(policy)));
  return text;
}

function samePeer(a: PeerConfig, b: PeerConfig): boolean {
  const { import: importA, export: exportA, ...restA } = a;
  const { import: importB, export: exportB, ...restB } = b;
  if (importA !== importB && policyText(importA) !== policyText(importB)) return false;
  if (exportA !== exportB && policyText(exportA) !== policyText(exportB)) return false;
  return same(restA, restB);
}

/** By value. Plans are made by the same code, so that keys come in the same order. */
function same(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
