// Keeps a pool whose addresses are in use from going when somebody deletes it: podroute's finalizer holds it for as long as
// blocks were cut from it. Meanwhile agents give out no new address of it, and announce what is there.
import type { IPAMBlock, IPPool } from '#api';
import type { Store } from '#store';
import type { Clock, Random } from '#world';
import type { DutyLog } from './duty-log.ts';

export const IN_USE = 'podroute.io/addresses-in-use';

export interface FinalizerWish {
  readonly pool: IPPool;
  readonly isInUse: boolean;
}

/** The pools whose finalizers are not as they should be. */
export function finalizerWishes(pools: Iterable<IPPool>, blocks: Iterable<IPAMBlock>): FinalizerWish[] {
  const inUse = new Set([...blocks].flatMap(({ spec }) => spec.pool ?? []));
  return [...pools].flatMap((pool): FinalizerWish[] => {
    const { name, finalizers = [], deletionTimestamp } = pool.metadata;
    const isInUse = inUse.has(name);
    const isHeld = finalizers.includes(IN_USE);
    if (isInUse === isHeld) return [];
    // The API server takes no new finalizer of what is being deleted.
    return isInUse && deletionTimestamp !== undefined ? [] : [{ pool, isInUse }];
  });
}

export interface PoolFinalizersIo {
  readonly clock: Clock;
  readonly random: Random;
  readonly store: Pick<Store, 'get' | 'list' | 'updateFinalizers'>;
  readonly log: DutyLog;
}

const FIRST_REST_MS = 1_000;
const LONGEST_REST_MS = 300_000;

interface Rest {
  readonly failures: number;
  readonly untilMs: number;
  /** What was told. */
  readonly why: string;
}

export class PoolFinalizers {
  readonly #io: PoolFinalizersIo;
  /** Pools whose finalizers could not be written, by name. Bounded by the pools. */
  #rests = new Map<string, Rest>();

  constructor(io: PoolFinalizersIo) {
    this.#io = io;
  }

  /**
   * Rejects when the store does not answer. A pool whose write is refused is told of once, and tried again ever more seldom.
   *
   * @param pools of our group: Calico's, read in place, are not ours to hold @param allowed mayWrite is asked before each
   * write; without mayRelease no pool is let go
   */
  async keep(
    pools: Iterable<IPPool>,
    blocks: Iterable<IPAMBlock>,
    allowed: { readonly mayWrite: () => boolean; readonly mayRelease: boolean },
  ): Promise<void> {
    const { clock, store } = this.#io;
    const { mayWrite, mayRelease } = allowed;
    const wishes = finalizerWishes(pools, blocks).filter(({ isInUse }) => isInUse || mayRelease);
    const names = new Set(wishes.map(({ pool }) => pool.metadata.name));
    for (const name of this.#rests.keys()) if (!names.has(name)) this.#rests.delete(name);
    const now = clock.now();
    const due = wishes.filter(({ pool }) => now >= (this.#rests.get(pool.metadata.name)?.untilMs ?? now));
    // What we were told may be older than a claim.
    const newest = due.some(({ isInUse }) => !isInUse) ? await store.list('IPAMBlock') : [];
    for (const wish of due) {
      const { name } = wish.pool.metadata;
      if (!wish.isInUse && newest.some(({ spec }) => spec.pool === name)) continue;
      try {
        await this.#write(wish, mayWrite);
        this.#rests.delete(name);
      } catch (error) {
        this.#rest(name, error instanceof Error ? error.message : String(error));
      }
    }
  }

  async #write({ pool, isInUse }: FinalizerWish, mayWrite: () => boolean): Promise<void> {
    const { store, log } = this.#io;
    const { name } = pool.metadata;
    const found = await store.get({ kind: 'IPPool', name });
    if (found === undefined || !mayWrite()) return;
    const others = (found.metadata.finalizers ?? []).filter((one) => one !== IN_USE);
    const { kind } = await store.updateFinalizers(found, isInUse ? [...others, IN_USE] : others);
    if (kind === 'stored' && pool.metadata.deletionTimestamp !== undefined)
      log.info({ pool: name }, 'its last block is given back: the deleted pool goes');
  }

  #rest(name: string, why: string): void {
    const { clock, random, log } = this.#io;
    const before = this.#rests.get(name);
    const failures = (before?.failures ?? 0) + 1;
    const restMs = Math.min(LONGEST_REST_MS, FIRST_REST_MS * 2 ** failures) * (0.5 + random.next() / 2);
    this.#rests.set(name, { failures, untilMs: clock.now() + restMs, why });
    if (before?.why !== why)
      log.warn({ pool: name }, `cannot write what holds the IPPool while it is in use: ${why}; tried again`);
  }
}
