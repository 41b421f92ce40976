// Blocks whose pool is gone, or may not be used (any more): their pods run on, so their routes
// are let in as before, and the blocks are named until they are given back.
import type { IPAMBlock, IPPool, Problem, Refused } from '#api';
import { addressBits, contains, parsePrefix, type Prefix } from '#ip';
import type { PlanResources } from '../types.ts';

/** No pool has larger blocks (IPPool.spec.blockSize): whatever else an object says is not let in. */
const LARGEST_BLOCK_BITS = 12;
const NAMED = 5;

/** The store hands out the same object until it changes. */
const read = new WeakMap<IPAMBlock, Prefix | undefined>();

export interface StrayBlocks {
  readonly prefixes: readonly string[];
  readonly problems: readonly Problem[];
}

/** @param usable the pools that are let in as a whole */
export function strayBlocks(
  { ipamBlocks, ipPools }: PlanResources,
  usable: readonly IPPool[],
  { objects }: Refused,
): StrayBlocks {
  const pools = usable.map(({ spec }) => parsePrefix(spec.cidr)!);
  const stray = [...ipamBlocks.values()].filter((block) => {
    const prefix = prefixOf(block);
    return block.spec.pool !== undefined && prefix && !pools.some((pool) => contains(pool, prefix));
  });
  const orphans = Map.groupBy(stray, ({ spec }) => spec.pool!);
  const problems = [...orphans].flatMap(([pool, blocks]): Problem[] => {
    // Of a pool that is there, usablePools says it.
    if (ipPools.has(pool)) return [];
    const object = `IPPool ${pool}`;
    const why = objects.has(object) ? 'is not in force' : 'is gone';
    const message = `${why} while blocks of it are in use: ${blockNames(blocks)}. They stay announced and accepted, and no new addresses come from them: write the pool again (disabled), or move their pods`;
    return [{ object, field: '', message }];
  });
  return { prefixes: stray.map(({ spec }) => spec.cidr), problems };
}

function prefixOf(block: IPAMBlock): Prefix | undefined {
  if (!read.has(block)) {
    const prefix = parsePrefix(block.spec.cidr);
    const isBlock = prefix && addressBits(prefix.family) - prefix.length <= LARGEST_BLOCK_BITS;
    read.set(block, isBlock ? prefix : undefined);
  }
  return read.get(block);
}

function blockNames(blocks: readonly IPAMBlock[]): string {
  const first = blocks.slice(0, NAMED).map(({ spec }) => `${spec.cidr} of node ${spec.node}`);
  const rest = blocks.length - first.length;
  return rest === 0 ? first.join(', ') : `${first.join(', ')} and ${rest} more`;
}
