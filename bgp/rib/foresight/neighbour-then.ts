// One neighbour as another configuration would have it: what its routes would go through on their way in.
import { familyName, type FamilyIndex } from '#ip';
import type { PeerConfig, Role } from '../../config.ts';
import type { CompiledPolicy } from '../../policy/compile.ts';
import type { Policy } from '../../policy/policy.ts';
import { configChange } from '../../session/index.ts';
import { mostRoutes } from '../in/memory-limits.ts';
import { type AfterImport, taken } from '../in/path-owner.ts';
import { afterImportOf, placesOf, type RibPeer } from '../in/rib-peer.ts';

/** More prefixes than it would be allowed to send: its session would end. */
export interface OverLimit {
  readonly family: 'ipv4' | 'ipv6';
  readonly received: number;
  readonly limit: number;
}

/** Fields that say nothing of which of its routes are taken. */
const OF_EXPORT = new Set<keyof PeerConfig>(['nextHop', 'nextHopSelf', 'maxPrefixes']);

export class NeighbourThen {
  readonly peer: RibPeer;
  readonly slot: number;
  readonly config: PeerConfig;
  readonly importPolicy: CompiledPolicy;
  readonly exportPolicy: CompiledPolicy;
  readonly afterImport: AfterImport;
  readonly localAs: number;
  readonly remoteAs: number;
  readonly role: Role | undefined;
  /** Its session ends, or another neighbour gets its name: what it sent goes. */
  readonly hasEnded: boolean;
  readonly overLimit: OverLimit | undefined;
  /** Its routes may be taken otherwise than now, or not at all. */
  readonly isOther: boolean;
  /** Its limit would drop routes, and which is not known. */
  readonly isLimited: boolean;
  readonly #places: number;
  /** By family: places of those that have one, and for those that wait. */
  readonly #kept: [number, number];
  readonly #free: [number, number];

  /** @param next undefined: its session ends */
  constructor(
    peer: RibPeer,
    next: PeerConfig | undefined,
    compiled: (policy: Policy) => CompiledPolicy,
    ownAs: number,
  ) {
    const before = peer.config;
    const config = next ?? before;
    // Policies are compared as what they were compiled to.
    const { fields } = configChange({ ...before, import: config.import, export: config.export }, config);
    const moved = fields.some(({ name, effect }) => name === 'remote' && effect === 'reset');
    this.peer = peer;
    this.slot = peer.slot;
    this.config = config;
    this.importPolicy = compiled(config.import);
    this.exportPolicy = compiled(config.export);
    this.afterImport = afterImportOf(config, peer.context.external, peer.afterImport);
    this.localAs = config.localAs === before.localAs ? peer.localAs : (config.localAs ?? ownAs);
    this.remoteAs = peer.remoteAs;
    this.role = config.role === before.role ? peer.role : config.role;
    this.hasEnded = next === undefined || moved || config.shutdown !== undefined;
    this.overLimit = this.hasEnded ? undefined : overLimit(peer, config);
    this.#places = placesOf(config);
    this.#kept = [this.#places, this.#places];
    this.#free = [this.#places - taken(peer, 0), this.#places - taken(peer, 1)];
    const isDropOther = this.#places !== peer.places;
    this.isLimited =
      isDropOther && [0, 1].some((family) => peer.receivedIn(family as FamilyIndex) > this.#places);
    const isPolicyOther = this.importPolicy.fingerprint !== peer.importPolicy.fingerprint;
    this.isOther =
      this.hasEnded ||
      this.overLimit !== undefined ||
      isPolicyOther ||
      isDropOther ||
      fields.some(({ name, effect }) => (effect === 'soft' || effect === 'reset') && !OF_EXPORT.has(name));
  }

  /** Would its prefix limit let one more path in? Asked of each path once, of a family in any order. */
  takesPlace(family: FamilyIndex, isIn: boolean): boolean {
    if (this.#places === Number.POSITIVE_INFINITY) return true;
    const left = isIn ? this.#kept : this.#free;
    return left[family]-- > 0;
  }

  /** Nothing that it sent of a family is left. */
  isGone(family: FamilyIndex): boolean {
    return (
      this.hasEnded || this.overLimit !== undefined || !this.config.families.includes(familyName(family))
    );
  }
}

function overLimit(peer: RibPeer, config: PeerConfig): OverLimit | undefined {
  const limit = mostRoutes(config);
  if (peer.session === undefined || limit === mostRoutes(peer.config)) return undefined;
  for (const family of [0, 1] as const) {
    const received = peer.receivedIn(family);
    if (received > limit) return { family: familyName(family), received, limit };
  }
  return undefined;
}
