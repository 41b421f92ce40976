// One slice of work towards the kernel: takes prefixes whose wish and kernel route differ, sends one batch, and writes
// down what the kernel answered. A route is first made exclusively and only overwritten when it is known as ours, so
// that the route of another program with the same prefix and metric is never lost. One of another metric is made before
// the one of the old metric goes: the prefix is never without.
import { errnoName, type Kernel, type RouteBatch } from '#linux';
import type { Log } from '../../log.ts';
import type { Columns } from '../fib-columns.ts';
import type { Failures } from './failures.ts';
import { SyncFigures } from './sync-figures.ts';
import { isFibRoute } from './ownership.ts';
import { NO_TARGET, type Targets } from '../targets.ts';

const ESRCH = 3;
const EEXIST = 17;
/** Prefixes a slice: a few milliseconds of work between two turns of the event loop. */
const SLICE = 2_000;

export interface FlushParts {
  readonly kernel: Kernel;
  readonly batch: RouteBatch;
  readonly table: number;
  readonly protocol: number;
  readonly columns: readonly [Columns, Columns];
  readonly targets: Targets;
  readonly failures: Failures;
  /** Clock.now() */
  readonly now: () => number;
  readonly log: Log;
}

/** What is asked of the kernel. */
const DELETE = 0;
const ADD = 1;
const REPLACE = 2;
/** The route of another metric than the one that counts. */
const DELETE_LEFTOVER = 3;

interface Slice {
  readonly families: Uint8Array;
  readonly ids: Uint32Array;
  readonly targets: Int32Array;
  readonly requests: Uint8Array;
  readonly metrics: Uint32Array;
  count: number;
}

export class Flusher {
  readonly figures = new SyncFigures();
  readonly #parts: FlushParts;
  readonly #address = new Uint8Array(16);
  readonly #slice: Slice = {
    families: new Uint8Array(SLICE),
    ids: new Uint32Array(SLICE),
    targets: new Int32Array(SLICE),
    requests: new Uint8Array(SLICE),
    metrics: new Uint32Array(SLICE),
    count: 0,
  };

  constructor(parts: FlushParts) {
    this.#parts = parts;
  }

  /** Does one slice; false when there was nothing to do. Rejects only when the kernel's socket fails. */
  async flush(): Promise<boolean> {
    const { columns } = this.#parts;
    this.#slice.count = 0;
    let looked = 0;
    for (const column of columns) {
      while (looked < SLICE) {
        const id = column.next();
        if (id < 0) break;
        looked++;
        this.#request(column, id);
      }
    }
    if (this.#slice.count > 0) await this.#commit();
    return looked > 0;
  }

  #request(columns: Columns, id: number): void {
    const { batch, targets, failures } = this.#parts;
    const { family, prefixes } = columns;
    const want = columns.targetOf(id);
    const have = columns.installedOf(id);
    const leftover = columns.leftovers.of(id);
    if ((want === have && leftover === 0) || (want === NO_TARGET && columns.isAdopted(id))) {
      failures.clear(family, id);
      columns.done(id);
      return;
    }
    const address = this.#address;
    const length = prefixes.read(id, address, 0);
    let request = REPLACE;
    let metric = targets.metricOf(want);
    if (want === have) {
      request = DELETE_LEFTOVER;
      metric = leftover;
      batch.delete(family, address, 0, length, metric);
    } else if (want === NO_TARGET) {
      request = DELETE;
      metric = targets.metricOf(have);
      batch.delete(family, address, 0, length, metric);
    } else if (targets.metricOf(have) === metric || columns.leftovers.has(id, metric)) {
      batch.replace(family, address, 0, length, targets.batchIdOf(want), metric);
    } else {
      request = ADD;
      batch.add(family, address, 0, length, targets.batchIdOf(want), metric);
    }
    targets.retain(want);
    const slice = this.#slice;
    slice.families[slice.count] = family;
    slice.ids[slice.count] = id;
    slice.targets[slice.count] = want;
    slice.requests[slice.count] = request;
    slice.metrics[slice.count] = metric;
    slice.count++;
  }

  async #commit(): Promise<void> {
    const { batch, columns, now } = this.#parts;
    const slice = this.#slice;
    const startMs = now();
    const results = await batch.commit().catch((error: unknown) => {
      // Without an answer the state is unknown; the caller reads the kernel's routes again.
      for (let i = 0; i < slice.count; i++) columns[slice.families[i] as 0 | 1].markDirty(slice.ids[i]!);
      this.#finish();
      throw error;
    });
    this.figures.batches.observe((now() - startMs) / 1000);
    const collisions: number[] = [];
    for (let i = 0; i < slice.count; i++) {
      const errno = results[i]!;
      if (errno === EEXIST && slice.requests[i] === ADD) collisions.push(i);
      else this.#answer(i, errno);
    }
    if (collisions.length > 0) await this.#examine(collisions);
    this.#finish();
  }

  #finish(): void {
    const { columns, targets } = this.#parts;
    const slice = this.#slice;
    for (let i = 0; i < slice.count; i++) {
      columns[slice.families[i] as 0 | 1].done(slice.ids[i]!);
      targets.release(slice.targets[i]!);
    }
  }

  #answer(index: number, errno: number): void {
    const { columns, failures, batch } = this.#parts;
    const family = this.#slice.families[index] as 0 | 1;
    const id = this.#slice.ids[index]!;
    const want = this.#slice.targets[index]!;
    const request = this.#slice.requests[index]!;
    const isDelete = request === DELETE || request === DELETE_LEFTOVER;
    if (errno === 0 || (errno === ESRCH && isDelete)) {
      this.#took(columns[family], id, want, request, this.#slice.metrics[index]!);
      failures.clear(family, id);
      this.figures.taken[family]++;
      return;
    }
    const error = batch.explain(index);
    this.#fail(family, id, errno, error === undefined ? `errno ${errno}` : `${error.code}: ${error.message}`);
  }

  #took(columns: Columns, id: number, want: number, request: number, metric: number): void {
    const { leftovers } = columns;
    if (request !== DELETE) leftovers.drop(id, metric);
    if (request !== DELETE_LEFTOVER) {
      const before = columns.installedMetricOf(id);
      if (want !== NO_TARGET && before !== 0 && before !== metric) leftovers.add(id, before);
      columns.setInstalled(id, want);
    }
    if (leftovers.of(id) !== 0) columns.markDirty(id);
  }

  #fail(family: 0 | 1, id: number, errno: number, reason: string): void {
    const { columns, failures, log, now } = this.#parts;
    this.figures.refused(errnoName(errno));
    const failure = failures.note(family, id, reason, now());
    const prefix = columns[family].textOf(id);
    // The first refusal is news; the repeated ones are only counted.
    if (failure.attempts === 1)
      log.warn({ prefix, reason }, 'the kernel refused the route; it will be tried again');
  }

  /** EEXIST: is it an own route that we did not know of, or somebody else's? */
  async #examine(collisions: readonly number[]): Promise<void> {
    const { kernel, columns, table, protocol, failures } = this.#parts;
    const slice = this.#slice;
    const routes = await kernel.routes({ table });
    const byPlace = new Map(routes.map((r) => [`${r.destination} ${r.metric}`, r]));
    for (const index of collisions) {
      const family = slice.families[index] as 0 | 1;
      const id = slice.ids[index]!;
      const metric = slice.metrics[index]!;
      const found = byPlace.get(`${columns[family].textOf(id)} ${metric}`);
      if (found === undefined || isFibRoute(found, table, protocol)) {
        if (found !== undefined) columns[family].leftovers.add(id, metric);
        columns[family].markDirty(id);
      } else if (found.protocol === protocol && columns[family].isHeld(id)) {
        // A pod has the only address of the block.
        columns[family].setInstalled(id, NO_TARGET);
        failures.clear(family, id);
      } else {
        const whose =
          found.protocol === protocol ? 'a pod of this node' : `routing protocol ${found.protocol}`;
        this.#fail(
          family,
          id,
          EEXIST,
          `EEXIST: ${whose} has a route to the same prefix with metric ${metric}`,
        );
      }
    }
  }
}
