// What a kernel route can say: groups of gateways, or `unreachable`. Each distinct one has a number, counted by its
// users (prefixes that are installed with it, next-hop sets that resolve to it). Bound: as RouteBatch's pool, 65,536.
import type { Link, NextHop, RouteBatch } from '#linux';
import type { FamilyIndex } from '../octets.ts';

/** No route. */
export const NO_TARGET = 0;
/** Something of ours is in the kernel, but not what we put there. */
export const UNKNOWN_TARGET = -1;

interface Target {
  readonly key: string;
  /** The number in the RouteBatch. */
  readonly batchId: number;
  readonly hops: readonly NextHop[];
  users: number;
}

export class Targets {
  readonly #batch: RouteBatch;
  readonly #byKey = new Map<string, number>();
  /** Index 0 is NO_TARGET. */
  readonly #all: (Target | undefined)[] = [undefined];
  readonly #free: number[] = [];

  constructor(batch: RouteBatch) {
    this.#batch = batch;
  }

  /** Takes one use of the group, in any order of its next hops. Throws KernelError when a link does not exist. */
  takeHops(family: FamilyIndex, hops: readonly NextHop[]): number {
    const sorted = sortedUnique(hops);
    if (sorted.length === 0) return NO_TARGET;
    const key = `${family} ${sorted.map(keyOf).join(' ')}`;
    return this.#take(key, sorted, () => this.#batch.internNextHops(family, sorted));
  }

  takeUnreachable(): number {
    return this.#take('unreachable', [], () => this.#batch.internType('unreachable'));
  }

  #take(key: string, hops: readonly NextHop[], intern: () => number): number {
    const known = this.#byKey.get(key);
    if (known !== undefined) {
      this.retain(known);
      return known;
    }
    const target = { key, batchId: intern(), hops, users: 1 };
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
    this.#batch.releaseNextHops(target.batchId);
    this.#byKey.delete(target.key);
    this.#all[id] = undefined;
    this.#free.push(id);
  }

  batchIdOf(id: number): number {
    const target = this.#all[id];
    if (target === undefined) throw new RangeError(`FIB target ${id} does not exist`);
    return target.batchId;
  }

  usesLink(index: number): boolean {
    return this.#all.some((target) => target?.hops.some((hop) => hop.deviceIndex === index));
  }

  /** 'via 10.1.1.1 dev eth0 via …', 'unreachable' */
  textOf(id: number, links: ReadonlyMap<number, Link>): string {
    if (id === UNKNOWN_TARGET) return 'changed by somebody else';
    const target = this.#all[id];
    if (target === undefined) return 'none';
    if (target.hops.length === 0) return 'unreachable';
    return target.hops
      .map((hop) => {
        const device = links.get(hop.deviceIndex ?? 0)?.name ?? `link ${hop.deviceIndex}`;
        return `via ${hop.gateway} dev ${device}`;
      })
      .join(' ');
  }
}

function keyOf(hop: NextHop): string {
  return `${hop.gateway}%${hop.deviceIndex}${hop.onlink ? '!' : ''}*${hop.weight ?? 1}`;
}

function sortedUnique(hops: readonly NextHop[]): NextHop[] {
  const byKey = new Map(hops.map((hop) => [keyOf(hop), hop]));
  return [...byKey.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, hop]) => hop);
}
