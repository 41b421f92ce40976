// The numbers of pod addresses for Prometheus: of the node as a whole, and by pool. Pools are an operator's objects; pods
// add no line.
import { FAMILIES, type Family, familyOf, parsePrefix, WIDTHS, familyIndex } from '#ip';
import type { BlockStatus } from '#agent-api';
import { type Exposition, label, type Sample } from './exposition.ts';
import type { Figures } from './figures.ts';

/** Of blocks without a pool. No IPPool has this name: it has capital letters. */
const POD_CIDRS = 'podCIDRs';

/** An agent without pods has none of them. */
export function addPoolMetrics(
  out: Exposition,
  { usage, leaks, fib }: Pick<Figures, 'usage' | 'leaks' | 'fib'>,
): void {
  const { blocks = [], pools = [] } = usage ?? {};
  const ofFamilies = (read: (blocks: readonly BlockStatus[]) => number): Sample[] =>
    FAMILIES.map((family) => ({
      labels: `family="${family}"`,
      value: read(blocks.filter((block) => block.family === family)),
    }));
  out.metric('podroute_ipam_blocks', 'gauge', 'Blocks held by this node.', ofFamilies(count));
  out.metric('podroute_ipam_addresses_used', 'gauge', 'Pod addresses given out.', ofFamilies(used));
  out.metric('podroute_ipam_addresses_free', 'gauge', 'Pod addresses left in held blocks.', ofFamilies(free));
  const ofLeaks = (value: number | undefined): Sample[] => (fib === undefined ? [] : [{ value: value ?? 0 }]);
  out.metric(
    'podroute_ipam_leaks',
    'gauge',
    'Pods that are gone, and whose addresses are not given back.',
    ofLeaks(leaks?.count),
  );
  out.metric(
    'podroute_ipam_leaks_collected_total',
    'counter',
    'Pods that are gone, and whose addresses the agent gave back.',
    ofLeaks(leaks?.collected),
  );

  const sizes = new Map<string, number>();
  for (const { name, cidr } of pools) sizes.set(labelsOf(name, familyOf(cidr)), sizeOf(cidr));
  const byPool = new Map([...sizes.keys()].map((labels): [string, BlockStatus[]] => [labels, []]));
  for (const block of blocks) {
    const labels = labelsOf(block.pool ?? POD_CIDRS, block.family);
    byPool.set(labels, [...(byPool.get(labels) ?? []), block]);
  }
  const ofPools = (read: (blocks: readonly BlockStatus[]) => number): Sample[] =>
    [...byPool].map(([labels, held]) => ({ labels, value: read(held) }));
  out.metric(
    'podroute_ipam_pool_addresses',
    'gauge',
    'Addresses of the whole pool, for all nodes together.',
    [...sizes].map(([labels, value]) => ({ labels, value })),
  );
  out.metric('podroute_ipam_pool_blocks', 'gauge', 'Blocks of the pool held by this node.', ofPools(count));
  out.metric('podroute_ipam_pool_addresses_used', 'gauge', 'Of these, addresses given out.', ofPools(used));
  out.metric('podroute_ipam_pool_addresses_free', 'gauge', 'Of these, addresses left.', ofPools(free));
}

function labelsOf(pool: string, family: Family): string {
  return `${label('pool', pool)},family="${family}"`;
}

/** Of IPv6 as near as a number of Prometheus comes. */
function sizeOf(cidr: string): number {
  const { length = 0 } = parsePrefix(cidr) ?? {};
  return 2 ** (WIDTHS[familyIndex(familyOf(cidr))] * 8 - length);
}

function count(blocks: readonly BlockStatus[]): number {
  return blocks.length;
}

function used(blocks: readonly BlockStatus[]): number {
  return blocks.reduce((sum, block) => sum + block.used, 0);
}

function free(blocks: readonly BlockStatus[]): number {
  return blocks.reduce((sum, block) => sum + block.free, 0);
}
