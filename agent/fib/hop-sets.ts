// Sets of next hops that forwarding uses together (multipath), each with what it comes to in the kernel by family.
// A prefix's wish is the number of its set, so that a change of one next hop is a change of a few sets, not of a
// million prefixes. Bound: distinct sets in use.
import type { NextHops } from './tracked-hops.ts';
import type { FamilyIndex } from './octets.ts';
import { NO_TARGET, type Targets } from './kernel/targets.ts';

/** No path. */
export const NO_SET = 0;

interface HopSet {
  readonly hash: number;
  /** Own next-hop ids, ascending. */
  readonly members: Int32Array;
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

  constructor(hops: NextHops, targets: Targets) {
    this.#hops = hops;
    this.#targets = targets;
  }

  /**
   * The number of the set of members[0..count), which are sorted here in place. The set lives while it has users:
   * a new one has none, so retain() it before anything is released.
   */
  intern(members: Int32Array, count: number): number {
    const used = members.subarray(0, count).sort();
    let hash = count;
    for (let i = 0; i < count; i++) hash = Math.imul(hash ^ used[i]!, 0x9e3779b1) ^ (hash >>> 13);
    const bucket = this.#byHash.get(hash);
    if (bucket !== undefined) for (const id of bucket) if (this.#equals(id, used)) return id;
    const id = this.#free.pop() ?? this.#sets.length;
    this.#sets[id] = { hash, members: used.slice(), users: 0, targets: [undefined, undefined], trouble: '' };
    for (const member of used) this.#hops.get(member)!.users++;
    if (bucket === undefined) this.#byHash.set(hash, [id]);
    else bucket.push(id);
    return id;
  }

  #equals(id: number, members: Int32Array): boolean {
    const own = this.#sets[id]!.members;
    if (own.length !== members.length) return false;
    for (let i = 0; i < own.length; i++) if (own[i] !== members[i]) return false;
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
    const hops = entries.flatMap((entry) => entry.resolution.hops);
    set.trouble = entries
      .filter((entry) => !entry.resolution.isReachable)
      .map((entry) => `next hop ${entry.address} ${entry.resolution.how}`)
      .join('; ');
    try {
      return this.#targets.takeHops(family, hops);
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
