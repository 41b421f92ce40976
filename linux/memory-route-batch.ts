// The RouteBatch of the Kernel in memory: the same order, the same results, nothing of the speed.
import { describeRoute } from './describe.ts';
import { formatAddress } from './ip-text.ts';
import type { NextHop, RouteBatch, RouteKey, RouteSpec, RouteType } from './kernel.ts';
import { KernelError } from './kernel-error.ts';

/** Changes are made by the two functions, which answer 0 or the errno. */
export class MemoryRouteBatch implements RouteBatch {
  readonly #fixed: { readonly table: number; readonly protocol: number; readonly metric: number };
  readonly #addRoute: (spec: RouteSpec, replace: boolean) => number;
  readonly #deleteRoute: (key: RouteKey) => number;
  readonly #groups: { readonly type: RouteType; readonly nextHops: readonly NextHop[] }[] = [];
  #pending: { readonly run: () => number; readonly error: (errno: number) => KernelError }[] = [];
  #errors: (KernelError | undefined)[] = [];

  constructor(
    fixed: { table: number; protocol: number; metric: number },
    addRoute: (spec: RouteSpec, replace: boolean) => number,
    deleteRoute: (key: RouteKey) => number,
  ) {
    this.#fixed = fixed;
    this.#addRoute = addRoute;
    this.#deleteRoute = deleteRoute;
  }

  get length(): number {
    return this.#pending.length;
  }

  internNextHops(_family: 0 | 1, nextHops: readonly NextHop[]): number {
    return this.#intern({ type: 'unicast', nextHops });
  }

  internType(type: 'unreachable' | 'blackhole' | 'throw' | 'prohibit'): number {
    return this.#intern({ type, nextHops: [] });
  }

  releaseNextHops(_id: number): void {}

  add(family: 0 | 1, address: Uint8Array, offset: number, prefixLength: number, nextHopsId: number): void {
    this.#queue('add route', this.#spec(family, address, offset, prefixLength, nextHopsId), false);
  }

  replace(
    family: 0 | 1,
    address: Uint8Array,
    offset: number,
    prefixLength: number,
    nextHopsId: number,
  ): void {
    this.#queue('replace route', this.#spec(family, address, offset, prefixLength, nextHopsId), true);
  }

  delete(family: 0 | 1, address: Uint8Array, offset: number, prefixLength: number): void {
    const key = { destination: prefixText(family, address, offset, prefixLength), ...this.#fixed };
    this.#pending.push({
      run: () => this.#deleteRoute(key),
      error: (errno) => new KernelError('delete route', describeRoute(key), errno),
    });
  }

  async commit(): Promise<Int32Array> {
    const pending = this.#pending;
    this.#pending = [];
    const result = Int32Array.from(pending, (request) => request.run());
    this.#errors = pending.map((request, i) => (result[i] === 0 ? undefined : request.error(result[i] ?? 0)));
    return result;
  }

  explain(index: number): KernelError | undefined {
    return this.#errors[index];
  }

  #intern(group: { type: RouteType; nextHops: readonly NextHop[] }): number {
    const text = JSON.stringify(group);
    const known = this.#groups.findIndex((other) => JSON.stringify(other) === text);
    return known >= 0 ? known : this.#groups.push(group) - 1;
  }

  #spec(family: 0 | 1, address: Uint8Array, offset: number, length: number, group: number): RouteSpec {
    return {
      destination: prefixText(family, address, offset, length),
      ...this.#fixed,
      ...this.#groups[group],
    };
  }

  #queue(operation: string, spec: RouteSpec, replace: boolean): void {
    this.#pending.push({
      run: () => this.#addRoute(spec, replace),
      error: (errno) => new KernelError(operation, describeRoute(spec), errno),
    });
  }
}

function prefixText(family: 0 | 1, address: Uint8Array, offset: number, length: number): string {
  return `${formatAddress(address, offset, family === 0 ? 4 : 16)}/${length}`;
}
