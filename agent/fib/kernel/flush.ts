// One slice of work towards the kernel: takes prefixes whose wish and kernel route differ, sends one batch, and writes
// down what the kernel answered. A route is first made exclusively and only overwritten when it is known as ours, so
// that the route of another program with the same prefix and metric is never lost.
import { errnoName, type Kernel, type RouteBatch } from '#linux';
import type { Log } from '../../log.ts';
import type { Columns } from '../fib-columns.ts';
import type { Failures } from './failures.ts';
import { SyncFigures } from './sync-figures.ts';
import { isFibRoute } from './ownership.ts';
import { NO_TARGET, type Targets, UNKNOWN_TARGET } from '../targets.ts';

const ESRCH = 3;
const EEXIST = 17;
/** Prefixes a slice: a few milliseconds of work between two turns of the event loop. */
const SLICE = 2_000;

export interface FlushParts {
  readonly kernel: Kernel;
  readonly batch: RouteBatch;
  readonly table: number;
  readonly protocol: number;
  readonly metric: number;
  readonly columns: readonly [Columns, Columns];
  readonly targets: Targets;
  readonly failures: Failures;
  /** Clock.now() */
  readonly now: () => number;
  readonly log: Log;
}

interface Slice {
  readonly families: Uint8Array;
  readonly ids: Uint32Array;
  readonly targets: Int32Array;
  readonly added: Uint8Array;
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
    added: new Uint8Array(SLICE),
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
    if (want === have || (want === NO_TARGET && columns.isAdopted(id))) {
      failures.clear(family, id);
      columns.done(id);
      return;
    }
    const address = this.#address;
    const length = prefixes.read(id, address, 0);
    if (want === NO_TARGET) batch.delete(family, address, 0, length);
    else if (have === NO_TARGET) batch.add(family, address, 0, length, targets.batchIdOf(want));
    else batch.replace(family, address, 0, length, targets.batchIdOf(want));
    targets.retain(want);
    const slice = this.#slice;
    slice.families[slice.count] = family;
    slice.ids[slice.count] = id;
    slice.targets[slice.count] = want;
    slice.added[slice.count] = want !== NO_TARGET && have === NO_TARGET ? 1 : 0;
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
      if (errno === EEXIST && slice.added[i] === 1) collisions.push(i);
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
    if (errno === 0 || (errno === ESRCH && want === NO_TARGET)) {
      columns[family].setInstalled(id, want);
      failures.clear(family, id);
      this.figures.taken[family]++;
      return;
    }
    const error = batch.explain(index);
    this.#fail(family, id, errno, error === undefined ? `errno ${errno}` : `${error.code}: ${error.message}`);
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
    const { kernel, columns, table, protocol, metric, failures } = this.#parts;
    const slice = this.#slice;
    const routes = await kernel.routes({ table });
    const byPrefix = new Map(routes.filter((r) => r.metric === metric).map((r) => [r.destination, r]));
    for (const index of collisions) {
      const family = slice.families[index] as 0 | 1;
      const id = slice.ids[index]!;
      const found = byPrefix.get(columns[family].textOf(id));
      if (found === undefined || isFibRoute(found, table, protocol)) {
        if (found !== undefined) columns[family].setInstalled(id, UNKNOWN_TARGET);
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
