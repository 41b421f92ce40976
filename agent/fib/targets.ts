// Where routes lead. The RIB names sets of next hops that are used together (multipath); the kernel is told a target: a
// group of gateways with a metric, or `unreachable`. A prefix's wish is the number of its set, so that a change of one next hop is a
// change of a few sets, not of a million prefixes. Both are counted by their users.
// Bounds: distinct sets in use; targets as RouteBatch's pool, 65,536.
import type { Forwarding, ForwardingView } from '#bgp';
import type { FamilyIndex } from '#ip';
import type { Link, RouteBatch } from '#linux';
import type { LinkedHop } from './resolve.ts';
import type { NextHops } from './tracked-hops.ts';

/** No route. */
export const NO_TARGET = 0;

interface Target {
  readonly key: string;
  /** The number in the RouteBatch. */
  readonly batchId: number;
  readonly hops: readonly LinkedHop[];
  readonly metric: number;
  users: number;
}

export class Targets {
  /** Of routes for which no policy says another. */
  readonly metric: number;
  readonly #batch: RouteBatch;
  /** Targets that differ only in their metric share one of its numbers: how many there are of each. */
  readonly #sharers = new Map<number, number>();
  readonly #byKey = new Map<string, number>();
  /** Index 0 is NO_TARGET. */
  readonly #all: (Target | undefined)[] = [undefined];
  readonly #free: number[] = [];

  constructor(batch: RouteBatch, metric: number) {
    this.#batch = batch;
    this.metric = metric;
  }

  /** Takes one use of the group, in any order of its next hops. Throws KernelError when a link does not exist. */
  takeHops(family: FamilyIndex, hops: readonly LinkedHop[], metric = this.metric): number {
    const sorted = sortedUnique(hops);
    if (sorted.length === 0) return NO_TARGET;
    const key = `${family} ${metric} ${sorted.map(keyOf).join(' ')}`;
    return this.#take(key, sorted, metric, () => this.#batch.internNextHops(family, sorted));
  }

  takeUnreachable(metric = this.metric): number {
    return this.#take(`unreachable ${metric}`, [], metric, () => this.#batch.internType('unreachable'));
  }

  #take(key: string, hops: readonly LinkedHop[], metric: number, intern: () => number): number {
    const known = this.#byKey.get(key);
    if (known !== undefined) {
      this.retain(known);
      return known;
    }
    const batchId = intern();
    this.#sharers.set(batchId, (this.#sharers.get(batchId) ?? 0) + 1);
    const target = { key, batchId, hops, metric, users: 1 };
    const id = this.#free.pop() ?? this.#all.length;
    this.#all[id] = target;
    this.#byKey.set(key, id);
    return id;
  }

  retain(id: number): void {
    const target = this.#all[id];
    if (target !== undefined) target.users++;
  }

  release(id: number): void {
    const target = this.#all[id];
    if (target === undefined || --target.users > 0) return;
    this.#leave(target.batchId);
    this.#byKey.delete(target.key);
    this.#all[id] = undefined;
    this.#free.push(id);
  }

  #leave(batchId: number): void {
    const left = this.#sharers.get(batchId)! - 1;
    if (left > 0) {
      this.#sharers.set(batchId, left);
      return;
    }
    this.#sharers.delete(batchId);
    this.#batch.releaseNextHops(batchId);
  }

  batchIdOf(id: number): number {
    const target = this.#all[id];
    if (target === undefined) throw new RangeError(`FIB target ${id} does not exist`);
    return target.batchId;
  }

  /** 0 for no route. */
  metricOf(id: number): number {
    return this.#all[id]?.metric ?? 0;
  }

  usesLink(index: number): boolean {
    return this.#all.some((target) => target?.hops.some((hop) => hop.deviceIndex === index));
  }

  /** 'via 10.1.1.1 dev eth0 via …', 'unreachable' */
  textOf(id: number, links: ReadonlyMap<number, Link>): string {
    const target = this.#all[id];
    if (target === undefined) return 'none';
    const words = target.hops.map((hop) => {
      const device = links.get(hop.deviceIndex)?.name ?? `link ${hop.deviceIndex}`;
      return `via ${hop.gateway} dev ${device}`;
    });
    if (words.length === 0) words.push('unreachable');
    if (target.metric !== this.metric) words.push(`metric ${target.metric}`);
    return words.join(' ');
  }
}

/** Forwarding.kind of what a neighbour announced. */
const LEARNED = 2;
/** No path. */
export const NO_SET = 0;

interface HopSet {
  readonly hash: number;
  readonly metric: number;
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
  readonly #forwarding: Forwarding = { kind: 0, metric: 0, count: 0, nextHopIds: new Int32Array(256) };
  readonly #members = new Int32Array(256);
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
    if (forwarding.kind !== LEARNED) return NO_SET;
    const { count, metric, nextHopIds } = forwarding;
    for (let i = 0; i < count; i++) this.#members[i] = this.#ownHopOf(nextHopIds[i]!, rib);
    return this.#intern(count, metric === 0 ? this.#targets.metric : metric);
  }

  /** The set of one next hop; retain() it before anything is released. */
  ofAddress(address: string): number {
    const hop = this.#hops.acquire(address, undefined).id;
    this.#members[0] = hop;
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
   * The number of the set of #members[0..count), which are sorted here in place. The set lives while it has users:
   * a new one has none, so retain() it before anything is released.
   */
  #intern(count: number, metric: number): number {
    const used = this.#members.subarray(0, count).sort();
    let hash = count ^ Math.imul(metric, 0x85ebca6b);
    for (let i = 0; i < count; i++) hash = Math.imul(hash ^ used[i]!, 0x9e3779b1) ^ (hash >>> 13);
    const bucket = this.#byHash.get(hash);
    if (bucket !== undefined) for (const id of bucket) if (this.#equals(id, used, metric)) return id;
    const id = this.#free.pop() ?? this.#sets.length;
    this.#sets[id] = {
      ...{ hash, metric, members: used.slice(), users: 0 },
      targets: [undefined, undefined],
      trouble: '',
    };
    for (const member of used) this.#hops.get(member)!.users++;
    if (bucket === undefined) this.#byHash.set(hash, [id]);
    else bucket.push(id);
    return id;
  }

  #equals(id: number, members: Int32Array, metric: number): boolean {
    const set = this.#sets[id]!;
    const own = set.members;
    if (set.metric !== metric || own.length !== members.length) return false;
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

function keyOf(hop: LinkedHop): string {
  return `${hop.gateway}%${hop.deviceIndex}${hop.onlink ? '!' : ''}*${hop.weight ?? 1}`;
}

function sortedUnique(hops: readonly LinkedHop[]): LinkedHop[] {
  const byKey = new Map(hops.map((hop) => [keyOf(hop), hop]));
  return [...byKey.keys()].sort().map((key) => byKey.get(key)!);
}
