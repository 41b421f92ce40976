// Keeps a pool whose addresses are in use from going when somebody deletes it: podroute's finalizer holds it for as long as
// blocks were cut from it. Meanwhile agents give out no new address of it, and announce what is there.
import type { IPAMBlock, IPPool } from '#api';
import type { Store } from '#store';
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
  readonly store: Pick<Store, 'get' | 'list' | 'updateFinalizers'>;
  readonly log: DutyLog;
}

/**
 * Rejects when the store does not answer.
 *
 * @param pools of our group: Calico's, read in place, are not ours to hold @param allowed mayWrite is asked before each
 * write; without mayRelease no pool is let go
 */
export async function keepPools(
  pools: Iterable<IPPool>,
  blocks: Iterable<IPAMBlock>,
  { store, log }: PoolFinalizersIo,
  allowed: { readonly mayWrite: () => boolean; readonly mayRelease: boolean },
): Promise<void> {
  const { mayWrite, mayRelease } = allowed;
  const wishes = finalizerWishes(pools, blocks).filter(({ isInUse }) => isInUse || mayRelease);
  // What we were told may be older than a claim.
  const newest = wishes.some(({ isInUse }) => !isInUse) ? await store.list('IPAMBlock') : [];
  for (const { pool, isInUse } of wishes) {
    const { name } = pool.metadata;
    if (!isInUse && newest.some(({ spec }) => spec.pool === name)) continue;
    const found = await store.get({ kind: 'IPPool', name });
    if (found === undefined || !mayWrite()) continue;
    const others = (found.metadata.finalizers ?? []).filter((one) => one !== IN_USE);
    const { kind } = await store.updateFinalizers(found, isInUse ? [...others, IN_USE] : others);
    if (kind === 'stored' && pool.metadata.deletionTimestamp !== undefined)
      log.info({ pool: name }, 'its last block is given back: the deleted pool goes');
  }
}
