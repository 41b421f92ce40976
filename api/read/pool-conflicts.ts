// IPPools that overlap: addresses would be given out twice. One of them stays in force, the other counts as absent.
import { overlaps, parsePrefix } from '#ip';
import type { IPPool } from '../kinds/ip-pool.ts';
import type { Problem } from '../schema/problem.ts';
import type { Resources } from '../kinds/resources.ts';

/**
 * The pools that may be used, by name, and a Problem for each that may not. A pool from which blocks were taken goes
 * before one that is new, then the name decides, so that a mistake never takes away a pool in use.
 */
export function usablePools(resources: Pick<Resources, 'ipPools' | 'ipamBlocks'>): {
  readonly pools: readonly IPPool[];
  readonly problems: readonly Problem[];
} {
  const inUse = new Set([...resources.ipamBlocks.values()].map((block) => block.spec.pool));
  const ordered = [...resources.ipPools.values()].sort(
    (a, b) =>
      Number(inUse.has(b.metadata.name)) - Number(inUse.has(a.metadata.name)) ||
      (a.metadata.name < b.metadata.name ? -1 : 1),
  );
  const pools: IPPool[] = [];
  const problems: Problem[] = [];
  for (const pool of ordered) {
    const prefix = parsePrefix(pool.spec.cidr);
    const winner = pools.find((other) => {
      const taken = parsePrefix(other.spec.cidr);
      return prefix !== undefined && taken !== undefined && overlaps(prefix, taken);
    });
    if (winner === undefined) {
      pools.push(pool);
      continue;
    }
    problems.push({
      object: `IPPool ${pool.metadata.name}`,
      field: 'spec.cidr',
      value: pool.spec.cidr,
      message: `overlaps IPPool ${winner.metadata.name} (${winner.spec.cidr}), which stays in force; this pool is not used`,
    });
  }
  return { pools: pools.sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1)), problems };
}
