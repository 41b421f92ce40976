// RouteBatch of a kernel in memory: the same results, without the speed.
import { formatOctets } from '#ip';
import { errnos } from '../errno.ts';
import { KernelError } from '../kernel-error.ts';
import {
  type Device,
  MAIN_TABLE,
  type NextHop,
  PODROUTE_METRIC,
  PODROUTE_PROTOCOL,
  type Request,
  type RouteBatch,
  type RouteBatchOptions,
  type RouteType,
} from '../kernel.ts';

type Group = { readonly nextHops: readonly NextHop[] } | { readonly type: RouteType };

export class MemoryRouteBatch implements RouteBatch {
  readonly #apply: (request: Request) => KernelError | undefined;
  readonly #find: (device: Device) => { readonly index: number };
  readonly #common: { table: number; protocol: number; metric: number };
  readonly #groups = new Map<number, Group>();
  readonly #ids = new Map<string, number>();
  #lastId = 0;
  #waiting: Request[] = [];
  #errors: (KernelError | undefined)[] = [];

  constructor(
    apply: (request: Request) => KernelError | undefined,
    find: (device: Device) => { readonly index: number },
    options: RouteBatchOptions,
  ) {
    this.#apply = apply;
    this.#find = find;
    this.#common = {
      table: options.table ?? MAIN_TABLE,
      protocol: options.protocol ?? PODROUTE_PROTOCOL,
      metric: options.metric ?? PODROUTE_METRIC,
    };
  }

  get length(): number {
    return this.#waiting.length;
  }

  internNextHops(family: 0 | 1, nextHops: readonly NextHop[]): number {
    for (const { device } of nextHops) {
      if (device === undefined) continue;
      try {
        this.#find(device);
      } catch (error) {
        throw new KernelError(
          'encode next hops of',
          `routes dev ${device}`,
          errnos.ENODEV,
          (error as Error).message,
        );
      }
    }
    return this.#intern(`${family} ${JSON.stringify(nextHops)}`, { nextHops });
  }

  internType(type: RouteType): number {
    return this.#intern(type, { type });
  }

  releaseNextHops(id: number): void {
    this.#groups.delete(id);
    for (const [key, known] of this.#ids) if (known === id) this.#ids.delete(key);
  }

  #intern(key: string, group: Group): number {
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const id = this.#lastId++;
    this.#ids.set(key, id);
    this.#groups.set(id, group);
    return id;
  }

  add(
    family: 0 | 1,
    address: Uint8Array,
    offset: number,
    prefixLength: number,
    nextHopsId: number,
    metric = this.#common.metric,
  ): void {
    const route = this.#route(family, address, offset, prefixLength, metric);
    this.#waiting.push({ type: 'addRoute', route: { ...route, ...this.#group(nextHopsId) } });
  }
  replace(
    family: 0 | 1,
    address: Uint8Array,
    offset: number,
    prefixLength: number,
    nextHopsId: number,
    metric = this.#common.metric,
  ): void {
    const route = this.#route(family, address, offset, prefixLength, metric);
    this.#waiting.push({ type: 'addRoute', route: { ...route, ...this.#group(nextHopsId) }, replace: true });
  }
  delete(
    family: 0 | 1,
    address: Uint8Array,
    offset: number,
    prefixLength: number,
    metric = this.#common.metric,
  ): void {
    this.#waiting.push({
      type: 'deleteRoute',
      route: this.#route(family, address, offset, prefixLength, metric),
    });
  }

  #route(family: 0 | 1, address: Uint8Array, offset: number, prefixLength: number, metric: number) {
    return {
      ...this.#common,
      destination: `${formatOctets(address, offset, family === 0 ? 4 : 16)}/${prefixLength}`,
      metric,
    };
  }

  #group(id: number): Group {
    const group = this.#groups.get(id);
    if (group === undefined) throw new RangeError(`next-hop group ${id} is not in the batch`);
    return group;
  }

  async commit(): Promise<Int32Array> {
    const requests = this.#waiting;
    this.#waiting = [];
    this.#errors = requests.map((request) => this.#apply(request));
    return Int32Array.from(this.#errors, (error) => error?.errno ?? 0);
  }

  explain(index: number): KernelError | undefined {
    return this.#errors[index];
  }
}
