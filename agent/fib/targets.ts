// Where routes lead, as the kernel is told: a group of gateways with weights and a metric, or `unreachable`. Counted by
// their users. Bound: as RouteBatch's pool, 65,536.
import type { FamilyIndex } from '#ip';
import type { Link, RouteBatch } from '#linux';
import { gatewayKey, type LinkedHop } from './resolve.ts';

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
      const weight = hop.weight === undefined || hop.weight === 1 ? '' : ` weight ${hop.weight}`;
      return `via ${hop.gateway} dev ${device}${weight}`;
    });
    if (words.length === 0) words.push('unreachable');
    if (target.metric !== this.metric) words.push(`metric ${target.metric}`);
    return words.join(' ');
  }
}

function keyOf(hop: LinkedHop): string {
  return `${gatewayKey(hop)}*${hop.weight ?? 1}`;
}

function sortedUnique(hops: readonly LinkedHop[]): LinkedHop[] {
  const byKey = new Map(hops.map((hop) => [keyOf(hop), hop]));
  return [...byKey.keys()].sort().map((key) => byKey.get(key)!);
}
