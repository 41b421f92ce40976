// Pools that are gone while blocks of them are in use. Agents write blocks by themselves, so a block proves no prefix: it
// counts where it lies in the pool that it names as an operator wrote that, now or before.
import { contains, parsePrefix } from '#ip';
import type { IPPool } from './ip-pool.ts';
import type { Resources } from './resources.ts';

export interface FormerPool {
  readonly name: string;
  readonly cidr: string;
  readonly disableBGPExport?: true;
}

interface BlockOfPool {
  readonly cidr: string;
  readonly pool?: string | undefined;
}

/** Whether the pool that it names has it, or had it. */
export function isOfPool(
  block: BlockOfPool,
  { ipPools }: Pick<Resources, 'ipPools'>,
  former: readonly FormerPool[] = [],
): boolean {
  const pool = ipPools.get(block.pool ?? '');
  return (pool !== undefined && holds(pool.spec.cidr, block)) || former.some((one) => isOfFormer(block, one));
}

export const isOfFormer = (block: BlockOfPool, { name, cidr }: FormerPool): boolean =>
  block.pool === name && holds(cidr, block);

/**
 * What was in force, is so no more, and has blocks.
 *
 * @param areBlocksKnown else each may have some
 */
export function formerPools(
  before: { readonly ipPools: Resources['ipPools']; readonly former: readonly FormerPool[] | undefined },
  { ipPools, ipamBlocks }: Pick<Resources, 'ipPools' | 'ipamBlocks'>,
  areBlocksKnown: boolean,
): FormerPool[] {
  const isGone = ({ name, cidr }: FormerPool) => ipPools.get(name)?.spec.cidr !== cidr;
  const gone = new Map<string, FormerPool>();
  for (const pool of [...(before.former ?? []), ...[...before.ipPools.values()].map(asFormer)])
    if (isGone(pool)) gone.set(`${pool.name} ${pool.cidr}`, pool);
  const blocks = gone.size === 0 ? [] : [...ipamBlocks.values()];
  return [...gone.values()].filter(
    (pool) => !areBlocksKnown || blocks.some(({ spec }) => isOfFormer(spec, pool)),
  );
}

const asFormer = ({ metadata: { name }, spec: { cidr, disableBGPExport } }: IPPool): FormerPool => ({
  name,
  cidr,
  ...(disableBGPExport && { disableBGPExport }),
});

function holds(pool: string, { cidr }: BlockOfPool): boolean {
  const [outer, inner] = [parsePrefix(pool), parsePrefix(cidr)];
  return outer !== undefined && inner !== undefined && contains(outer, inner);
}
