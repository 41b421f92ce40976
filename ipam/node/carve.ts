// Which block of a pool a node asks for next. Pure. Every node begins at a place of its own (a hash of its name), so
// that neighbours seldom ask for the same block, and goes on in order from there.
import { createHash } from 'node:crypto';
import { blockCount, contains, type Family, formatPrefix, nthBlock, type Prefix, parsePrefix } from '#api';
import type { Pool } from './types.ts';

/** The number of the block where this node begins to ask in this pool. */
export function startIndex(nodeName: string, poolCidr: string, blocks: bigint): bigint {
  if (blocks <= 1n) return 0n;
  const digest = createHash('sha256').update(`${nodeName}\0${poolCidr}`).digest();
  return digest.readBigUInt64BE(0) % blocks;
}

/** The block that comes `step` places after this node's first one; undefined when the pool has not so many. */
export function candidate(pool: Pool, nodeName: string, step: bigint): Prefix | undefined {
  const range = parsePrefix(pool.cidr);
  if (range === undefined) return undefined;
  const blocks = blockCount(range, pool.blockSize);
  if (step >= blocks) return undefined;
  return nthBlock(range, pool.blockSize, (startIndex(nodeName, pool.cidr, blocks) + step) % blocks);
}

/** The first free block in this node's order, given the blocks that are taken. Looks at no more than one beyond these. */
export function firstFree(pool: Pool, nodeName: string, taken: readonly Prefix[]): Prefix | undefined {
  const same = new Set(taken.filter((t) => t.length >= pool.blockSize).map((t) => truncatedText(t, pool)));
  // Larger than ours: from a time when the pool's blockSize was another one. Few, so a scan does.
  const larger = taken.filter((t) => t.length < pool.blockSize);
  for (let step = 0n; ; step++) {
    const block = candidate(pool, nodeName, step);
    if (block === undefined) return undefined;
    if (!same.has(formatPrefix(block)) && !larger.some((t) => contains(t, block))) return block;
  }
}

/** The block of the pool's size that a smaller or equal one lies in. */
function truncatedText(taken: Prefix, pool: Pool): string {
  const shift = BigInt((taken.family === 'ipv4' ? 32 : 128) - pool.blockSize);
  return formatPrefix({ ...taken, value: (taken.value >> shift) << shift, length: pool.blockSize });
}

/** Pools of the family that may give out addresses, in the order of their names. */
export function usablePools(pools: readonly Pool[], family: Family): Pool[] {
  return pools
    .filter((p) => !p.disabled && parsePrefix(p.cidr)?.family === family)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
