// Keeps a pool whose addresses are in use from going when somebody deletes it: podroute's finalizer holds it for as long as
// blocks were cut from it. Meanwhile agents give out no new address of it, and announce what is there.
import type { IPAMBlock, IPPool } from '#api';
import type { Store } from '#store';
import type { Clock, Random } from '#world';
import type { DutyLog } from './duty-log.ts';
import { Retries } from './retries.ts';

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

const PAUSES = { firstMs: 1_000, longestMs: 300_000 };

export class PoolFinalizers {
  readonly #io: PoolFinalizersIo;
  /** By pool. */
  readonly #retries: Retries;

  constructor(io: PoolFinalizersIo) {
    this.#io = io;
    this.#retries = new Retries(io, PAUSES);
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
    const { store, log } = this.#io;
    const { mayWrite, mayRelease } = allowed;
    const wishes = finalizerWishes(pools, blocks).filter(({ isInUse }) => isInUse || mayRelease);
    this.#retries.forgetOthers(new Set(wishes.map(({ pool }) => pool.metadata.name)));
    const due = wishes.filter(({ pool }) => this.#retries.isDue(pool.metadata.name));
    // What we were told may be older than a claim.
    const newest = due.some(({ isInUse }) => !isInUse) ? await store.list('IPAMBlock') : [];
    for (const wish of due) {
      const { name } = wish.pool.metadata;
      if (!wish.isInUse && newest.some(({ spec }) => spec.pool === name)) continue;
      try {
        await this.#write(wish, mayWrite);
        this.#retries.end(name);
      } catch (error) {
        const told = this.#retries.note(name, error);
        if (told !== undefined)
          log.warn(
            { pool: name },
            `cannot write what holds the IPPool while it is in use: ${told}; tried again`,
          );
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
}
