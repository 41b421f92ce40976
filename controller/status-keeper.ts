// Writes the status of objects of one kind where it says something else than before: what matters at once, counters alone
// every half minute at most, because every agent follows these objects. Objects that stand in the store under another
// group (Calico's, read in place) have no status of ours: there is no such object to write.
import { isDeepStrictEqual } from 'node:util';
import type { BGPPeer, IPPool } from '#api';
import type { Store } from '#store';
import type { Clock } from '#world';

const COUNTERS_MS = 30_000;
/** Until it is asked again whether an object stands in our group. */
const ABSENT_MS = 60_000;

/** So many, and the server is away: each may have waited for its answer. */
const MOST_FAILURES = 4;

interface Kept {
  readonly BGPPeer: BGPPeer;
  readonly IPPool: IPPool;
}
type StatusOf<K extends keyof Kept> = NonNullable<Kept[K]['status']>;

interface Known<T> {
  /** The newest version that was seen; undefined: there is none. */
  readonly object: T | undefined;
  readonly seenMs: number;
  /** What was last asked for: the server may keep less of it. */
  readonly written?: unknown;
  readonly writtenMs: number;
}

export class StatusKeeper<K extends keyof Kept> {
  readonly #kind: K;
  readonly #store: Pick<Store, 'get' | 'updateStatus'>;
  readonly #clock: Clock;
  /** By name. Bounded by the objects of the kind. */
  #known = new Map<string, Known<Kept[K]>>();

  constructor(kind: K, store: Pick<Store, 'get' | 'updateStatus'>, clock: Clock) {
    this.#kind = kind;
    this.#store = store;
    this.#clock = clock;
  }

  /** Somebody else may have written since. */
  forget(): void {
    this.#known = new Map();
  }

  /** There is such an object, and it is ours: as far as keep() has seen. */
  has(name: string): boolean {
    return this.#known.get(name)?.object !== undefined;
  }

  /**
   * Rejects with the first failure: the store does not answer, or refuses an object.
   *
   * @param wish what the status should be, of what it is @param tellingPart what of it is worth a write at once
   * @param mayWrite asked before each write
   */
  async keep(
    objects: readonly Kept[K][],
    wish: (object: Kept[K], before: StatusOf<K> | undefined) => StatusOf<K>,
    tellingPart: (status: StatusOf<K>) => unknown,
    mayWrite: () => boolean,
  ): Promise<void> {
    const names = new Set(objects.map(({ metadata }) => metadata.name));
    for (const name of this.#known.keys()) if (!names.has(name)) this.#known.delete(name);
    const failures: unknown[] = [];
    for (const object of objects) {
      if (!mayWrite()) return;
      // One that is refused keeps no other from being written.
      try {
        await this.#keepOne(object, wish, tellingPart);
      } catch (error) {
        failures.push(error);
        if (failures.length === MOST_FAILURES) break;
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  async #keepOne(
    object: Kept[K],
    wish: (object: Kept[K], before: StatusOf<K> | undefined) => StatusOf<K>,
    tellingPart: (status: StatusOf<K>) => unknown,
  ): Promise<void> {
    const { name } = object.metadata;
    const known = await this.#look(name);
    if (known.object === undefined) return;
    const before = (known.written ?? known.object.status) as StatusOf<K> | undefined;
    const status = wish(object, before);
    const now = this.#clock.now();
    const isTold = before !== undefined && isDeepStrictEqual(tellingPart(status), tellingPart(before));
    if (isTold && (now - known.writtenMs < COUNTERS_MS || isDeepStrictEqual(status, before))) return;
    const result = await this.#store.updateStatus<BGPPeer | IPPool>({ ...known.object, status } as Kept[K]);
    switch (result.kind) {
      case 'stored':
        this.#known.set(name, {
          object: result.object as Kept[K],
          seenMs: now,
          written: status,
          writtenMs: now,
        });
        return;
      case 'conflict':
        // Next time, from what is there now.
        this.#known.set(name, {
          object: result.newest as Kept[K],
          seenMs: now,
          writtenMs: Number.NEGATIVE_INFINITY,
        });
        return;
      case 'notFound':
        this.#known.delete(name);
        return;
    }
  }

  async #look(name: string): Promise<Known<Kept[K]>> {
    const known = this.#known.get(name);
    const now = this.#clock.now();
    if (known !== undefined && (known.object !== undefined || now - known.seenMs < ABSENT_MS)) return known;
    const object = (await this.#store.get({ kind: this.#kind, name })) as Kept[K] | undefined;
    const looked = { object, seenMs: now, writtenMs: Number.NEGATIVE_INFINITY };
    this.#known.set(name, looked);
    return looked;
  }
}
