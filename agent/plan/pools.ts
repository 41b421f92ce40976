// Two pools that overlap could give the same address twice: one stays in use, the other gives nothing out until the
// operator has changed it. The one that nodes already hold blocks of stays; else the older, then by name, so that
// every node decides alike. Pure.
import { type IPPool, overlaps, parsePrefix, type Prefix, type Problem, type Resources } from '#api';

export interface SoundPools {
  /** Ordered by name. */
  readonly pools: readonly IPPool[];
  readonly problems: readonly Problem[];
}

export function soundPools(resources: Pick<Resources, 'ipPools' | 'ipamBlocks'>): SoundPools {
  const used = new Set([...resources.ipamBlocks.values()].map((block) => block.spec.pool));
  const rank = ({ metadata }: IPPool) => (used.has(metadata.name) ? 0 : 1);
  const ordered = [...resources.ipPools.values()].sort(
    (a, b) =>
      rank(a) - rank(b) ||
      compare(a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? '') ||
      compare(a.metadata.name, b.metadata.name),
  );
  const kept: { pool: IPPool; prefix: Prefix }[] = [];
  const problems: Problem[] = [];
  for (const pool of ordered) {
    const prefix = parsePrefix(pool.spec.cidr)!;
    const other = kept.find((earlier) => overlaps(earlier.prefix, prefix));
    if (other === undefined) kept.push({ pool, prefix });
    else problems.push(overlapping(pool, other.pool));
  }
  const pools = kept.map(({ pool }) => pool).sort((a, b) => compare(a.metadata.name, b.metadata.name));
  return { pools, problems };
}

function overlapping(pool: IPPool, other: IPPool): Problem {
  return {
    object: `IPPool ${pool.metadata.name}`,
    field: 'spec.cidr',
    value: pool.spec.cidr,
    message: `overlaps ${other.spec.cidr} of IPPool ${other.metadata.name}, which stays in use: no address comes from this one`,
    allowed: 'a CIDR that overlaps no other pool',
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
