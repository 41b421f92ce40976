// What the simple model (model.ts) and its sending half (model-export.ts) both speak of: neighbours, paths, next hops
// as text, and policies applied one term after the other.
import type { Family } from '#ip';
import type { PeerConfig } from '../../config.ts';
import type { Policy, PolicyTerm } from '../../policy/policy.ts';
import { type FakePeerOptions, OWN_AS } from './fake-session.ts';
import type { WireAttributes } from '../../testing/message-bytes.ts';

export const OWN_ID = '10.0.0.1';
/** Peer of routes that start here. */
export const LOCAL = 'local';

/** A neighbour whose session is up, with the configuration it has now. */
export interface ModelPeer extends FakePeerOptions {
  config: PeerConfig;
  readonly routerId: string;
  readonly localAddress: string;
  readonly device?: string;
}

export interface ModelPath {
  readonly peer: string;
  readonly prefix: string;
  readonly pathId: number;
  /** As sent; once accepted, as import policy left it. */
  readonly a: Changed;
  /** Of the refresh before: goes at EoRR. */
  readonly isStale: boolean;
}

/** What sending asks of the model. */
export interface Told {
  readonly peers: ReadonlyMap<string, ModelPeer>;
  readonly clusterId: string;
  hopKey(path: ModelPath): string;
}

/** An address as forwarding knows it. Of 'global link-local' the second counts where the link is known. */
export function keyOfUsed(nextHop: string, device: string | undefined): string {
  const { global, linkLocal } = halvesOf(nextHop);
  if (linkLocal === undefined) return global!;
  return device === undefined ? (global ?? linkLocal) : `${linkLocal}%${device}`;
}

export function halvesOf(nextHop: string): { readonly global?: string; readonly linkLocal?: string } {
  const linkLocal = nextHop.split(' ').find((part) => part.startsWith('fe80'));
  const global = nextHop.split(' ').find((part) => !part.startsWith('fe80'));
  return { ...(global === undefined ? {} : { global }), ...(linkLocal === undefined ? {} : { linkLocal }) };
}

export function isIbgp(peer: FakePeerOptions): boolean {
  return peer.as === (peer.localAs ?? OWN_AS);
}

export function familyOf(prefix: string): Family {
  return prefix.includes(':') ? 'ipv6' : 'ipv4';
}

/** MED goes to eBGP only when the export policy set it. */
export type Changed = WireAttributes & {
  readonly isMedSet?: boolean;
  readonly weight?: number;
  readonly givenHop?: string;
};

/** Only what the test's policies use: prefix 'equal', source, and sets. */
export function apply(
  policy: Policy,
  prefix: string,
  a: Changed,
  source: 'local' | 'ebgp' | 'ibgp',
): Changed | undefined {
  let out = a;
  for (const term of policy.terms) {
    if (!matches(term, prefix, source)) continue;
    if (term.action.verdict === 'reject') return undefined;
    const set = term.action.set;
    if (set?.localPref !== undefined) out = { ...out, localPref: set.localPref };
    if (set?.nextHop !== undefined) out = { ...out, givenHop: set.nextHop };
    if (set?.weight !== undefined) out = { ...out, weight: set.weight };
    if (set?.med !== undefined) out = { ...out, med: set.med, isMedSet: true };
    if (set?.prependAs !== undefined) out = { ...out, path: [...set.prependAs, ...out.path] };
    if (term.action.verdict === 'accept') return out;
  }
  return policy.otherwise === 'accept' ? out : undefined;
}

function matches(term: PolicyTerm, prefix: string, source: string): boolean {
  const { prefixes, source: wanted } = term.match;
  if (wanted !== undefined && wanted !== source && (wanted !== 'remote' || source === 'local')) return false;
  return prefixes === undefined || prefixes.some((rule) => rule.prefix === prefix);
}
