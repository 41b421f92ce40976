// The sets of next hops that the RIB uses together (multipath), with their weights. A prefix's wish is the number of its
// set, so that a change of one next hop is a change of a few sets, not of a million prefixes. Counted by their users.
// Bound: distinct sets in use.
import { fillWeights, type Forwarding, type ForwardingView } from '#bgp';
import type { FamilyIndex } from '#ip';
import { gatewayKey, type LinkedHop, type Resolution } from './resolve.ts';
import { NO_TARGET, type Targets } from './targets.ts';
import type { NextHops } from './tracked-hops.ts';

/** Forwarding.kind of what a neighbour announced. */
const LEARNED = 2;
/** Forwarding.kind of an aggregate of this node. */
const AGGREGATE = 3;
/** No path. */
export const NO_SET = 0;
/** Instead of a set: an aggregate's, unreachable. */
export const AGGREGATE_SET = -1;

/** Of one prefix. */
const MOST_HOPS = 256;

interface HopSet {
  readonly hash: number;
  readonly metric: number;
  /** Own next-hop ids, ascending. */
  readonly members: Int32Array;
  /** Beside them: their shares of the traffic. */
  readonly weights: Uint16Array;
  users: number;
  /** By family; undefined until asked. Each holds one use of its target. */
  readonly targets: [number | undefined, number | undefined];
  /** Why there is no target although there are members. */
  trouble: string;
}

export class HopSets {
  readonly #hops: NextHops;
  readonly #targets: Targets;
  readonly #sets: (HopSet | undefined)[] = [undefined];
  readonly #byHash = new Map<number, number[]>();
  readonly #free: number[] = [];
  readonly #members = new Int32Array(MOST_HOPS);
  readonly #weights = new Uint16Array(MOST_HOPS);
  readonly #forwarding: Required<Forwarding> = {
    ...{ kind: 0, metric: 0, count: 0 },
    ...{ nextHopIds: new Int32Array(MOST_HOPS), weights: this.#weights },
  };
  /** Own next-hop id by the RIB's, during one batch of changes; each holds one use until the batch ends. */
  readonly #ownHop = new Map<number, number>();

  constructor(hops: NextHops, targets: Targets) {
    this.#hops = hops;
    this.#targets = targets;
  }

  /** The next hops that a prefix of the RIB is forwarded with, and its metric; NO_SET when it was not learned, or has no path. */
  ofRib(family: FamilyIndex, ribId: number, rib: ForwardingView): number {
    const forwarding = this.#forwarding;
    rib.forwarding(family, ribId, forwarding);
    if (forwarding.kind === AGGREGATE) return AGGREGATE_SET;
    if (forwarding.kind !== LEARNED) return NO_SET;
    const { count, metric, nextHopIds } = forwarding;
    for (let i = 0; i < count; i++) this.#members[i] = this.#ownHopOf(nextHopIds[i]!, rib);
    return this.#intern(count, metric === 0 ? this.#targets.metric : metric);
  }

  /** The set of one next hop; retain() it before anything is released. */
  ofAddress(address: string): number {
    const hop = this.#hops.acquire(address, undefined).id;
    this.#members[0] = hop;
    this.#weights[0] = 1;
    const id = this.#intern(1, this.#targets.metric);
    this.#hops.release(hop);
    return id;
  }

  #ownHopOf(ribHop: number, rib: ForwardingView): number {
    const known = this.#ownHop.get(ribHop);
    if (known !== undefined) return known;
    const { address, device } = rib.nextHop(ribHop);
    const hop = this.#hops.acquire(address, device).id;
    this.#ownHop.set(ribHop, hop);
    return hop;
  }

  /** The RIB's next-hop ids mean nothing any more. */
  endBatch(): void {
    for (const hop of this.#ownHop.values()) this.#hops.release(hop);
    this.#ownHop.clear();
  }

  /**
   * The number of the set of #members[0..count) with their weights, which are sorted here in place. The set lives while it has users:
   * a new one has none, so retain() it before anything is released.
   */
  #intern(count: number, metric: number): number {
    this.#sort(count);
    const used = this.#members.subarray(0, count);
    const weights = this.#weights.subarray(0, count);
    let hash = count ^ Math.imul(metric, 0x85ebca6b);
    for (let i = 0; i < count; i++) {
      const word = used[i]! ^ ((weights[i]! - 1) << 20);
      hash = Math.imul(hash ^ word, 0x9e3779b1) ^ (hash >>> 13);
    }
    const bucket = this.#byHash.get(hash);
    if (bucket !== undefined) for (const id of bucket) if (this.#equals(id, used, weights, metric)) return id;
    const id = this.#free.pop() ?? this.#sets.length;
    this.#sets[id] = {
      ...{ hash, metric, members: used.slice(), weights: weights.slice(), users: 0 },
      targets: [undefined, undefined],
      trouble: '',
    };
    for (const member of used) this.#hops.get(member)!.users++;
    if (bucket === undefined) this.#byHash.set(hash, [id]);
    else bucket.push(id);
    return id;
  }

  /** Few: by insertion. */
  #sort(count: number): void {
    const [members, weights] = [this.#members, this.#weights];
    for (let i = 1; i < count; i++) {
      const [member, weight] = [members[i]!, weights[i]!];
      let at = i;
      for (; at > 0 && members[at - 1]! > member; at--) {
        members[at] = members[at - 1]!;
        weights[at] = weights[at - 1]!;
      }
      members[at] = member;
      weights[at] = weight;
    }
  }

  #equals(id: number, members: Int32Array, weights: Uint16Array, metric: number): boolean {
    const set = this.#sets[id]!;
    const own = set.members;
    if (set.metric !== metric || own.length !== members.length) return false;
    for (let i = 0; i < own.length; i++)
      if (own[i] !== members[i] || set.weights[i] !== weights[i]) return false;
    return true;
  }

  retain(id: number): void {
    const set = this.#sets[id];
    if (set !== undefined) set.users++;
  }

  release(id: number): void {
    const set = this.#sets[id];
    if (set === undefined || --set.users > 0) return;
    for (const target of set.targets) if (target !== undefined) this.#targets.release(target);
    for (const member of set.members) this.#hops.release(member);
    const bucket = this.#byHash.get(set.hash)!.filter((other) => other !== id);
    if (bucket.length === 0) this.#byHash.delete(set.hash);
    else this.#byHash.set(set.hash, bucket);
    this.#sets[id] = undefined;
    this.#free.push(id);
  }

  /** What the kernel should have for a prefix of the family that uses the set. */
  targetOf(id: number, family: FamilyIndex): number {
    const set = this.#sets[id];
    if (set === undefined) return NO_TARGET;
    return (set.targets[family] ??= this.#resolve(set, family));
  }

  #resolve(set: HopSet, family: FamilyIndex): number {
    const entries = [...set.members].map((member) => this.#hops.get(member)!);
    const hops = gatewaysOf(entries.map(({ resolution }, i) => ({ share: set.weights[i]!, resolution })));
    set.trouble = entries
      .filter((entry) => !entry.resolution.isReachable)
      .map((entry) => `next hop ${entry.address} ${entry.resolution.how}`)
      .join('; ');
    try {
      return this.#targets.takeHops(family, hops, set.metric);
    } catch (error) {
      // A link that went away a moment ago; its notification will bring us here again.
      set.trouble = (error as Error).message;
      return NO_TARGET;
    }
  }

  /** Empty when every next hop of the set is reachable. */
  troubleOf(id: number): string {
    return this.#sets[id]?.trouble ?? '';
  }

  addressesOf(id: number): string[] {
    const set = this.#sets[id];
    return set === undefined ? [] : [...set.members].map((member) => this.#hops.get(member)!.address);
  }

  /** Resolves anew all sets that hold one of the next hops; returns those whose kernel route must change. */
  hopsChanged(hopIds: ReadonlySet<number>): Set<number> {
    const changed = new Set<number>();
    for (const [id, set] of this.#sets.entries()) {
      if (set === undefined || !set.members.some((member) => hopIds.has(member))) continue;
      for (const family of [0, 1] as const) {
        const old = set.targets[family];
        if (old === undefined) continue;
        const target = this.#resolve(set, family);
        set.targets[family] = target;
        if (target !== old) changed.add(id);
        this.#targets.release(old);
      }
    }
    return changed;
  }
}

/**
 * The gateways that next hops lead through, each once, with the sum of what leads there: a next hop's share goes by the
 * weights of the route that leads to it.
 */
function gatewaysOf(members: readonly { share: number; resolution: Resolution }[]): LinkedHop[] {
  const gateways = new Map<string, { readonly hop: LinkedHop; share: number }>();
  for (const { share, resolution } of members) {
    const whole = resolution.hops.reduce((sum, { weight = 1 }) => sum + weight, 0);
    for (const { weight = 1, ...hop } of resolution.hops) {
      const key = gatewayKey(hop);
      const known = gateways.get(key);
      const part = (share * weight) / whole;
      if (known === undefined) gateways.set(key, { hop, share: part });
      else known.share += part;
    }
  }
  const all = [...gateways.values()];
  const weights = new Uint16Array(all.length);
  fillWeights(
    all.map(({ share }) => share),
    all.length,
    weights,
  );
  return all.map(({ hop }, i) => (weights[i] === 1 ? hop : { ...hop, weight: weights[i]! }));
}
