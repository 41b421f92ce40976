// The status of an IPPool: its blocks and the addresses in use there, added up, and whether pods may get any of it. Pure.
import {
  isForAnyPod,
  type Condition,
  type IPAMBlock,
  type IPPool,
  type IPPoolStatus,
  MOST_POOL_NODES,
  type Problem,
  sinceWhen,
} from '#api';
import { addressCount, overlaps, parsePrefix } from '#ip';
import type { NodeReport } from './node-reports.ts';

type PoolNode = NonNullable<IPPoolStatus['nodes']>[number];

/** By node. */
export type PoolCount = ReadonlyMap<
  string,
  { readonly blocks: number; readonly used: number; readonly leaked: number }
>;

/** By the name of the IPPool. */
export function countPools(
  blocks: Iterable<IPAMBlock>,
  reports: readonly NodeReport[],
): ReadonlyMap<string, PoolCount> {
  const pools = new Map<string, Map<string, { blocks: number; used: number; leaked: number }>>();
  const of = (pool: string, node: string) => {
    let nodes = pools.get(pool);
    if (nodes === undefined) pools.set(pool, (nodes = new Map()));
    let count = nodes.get(node);
    if (count === undefined) nodes.set(node, (count = { blocks: 0, used: 0, leaked: 0 }));
    return count;
  };
  // The store's objects say who owns what; how much of it is in use only the nodes know, and of nothing but their own.
  const sizes = new Map<string, { readonly pool: string; readonly size: number }>();
  for (const { spec } of blocks) {
    if (spec.pool === undefined) continue;
    of(spec.pool, spec.node).blocks++;
    const size = Number(addressCount(parsePrefix(spec.cidr)!));
    sizes.set(`${spec.node} ${spec.cidr}`, { pool: spec.pool, size });
  }
  for (const { node, status } of reports) {
    for (const { cidr, used, leaked = 0 } of status.blocks ?? []) {
      const block = sizes.get(`${node} ${cidr}`);
      if (block === undefined) continue;
      const count = of(block.pool, node);
      count.used += Math.min(used, block.size);
      count.leaked += Math.min(leaked, used, block.size);
      // Once, however often it is named.
      sizes.delete(`${node} ${cidr}`);
    }
  }
  return pools;
}

/** Others that have addresses of each pool, too: by name. */
export function overlapsOf(pools: readonly IPPool[]): ReadonlyMap<string, readonly string[]> {
  const prefixes = pools.map((pool) => ({ name: pool.metadata.name, prefix: parsePrefix(pool.spec.cidr)! }));
  const found = new Map<string, string[]>();
  for (const one of prefixes) {
    const others = prefixes.filter((other) => other !== one && overlaps(one.prefix, other.prefix));
    if (others.length > 0)
      found.set(
        one.name,
        others.map(({ name }) => name),
      );
  }
  return found;
}

export interface PoolFacts {
  readonly count: PoolCount | undefined;
  readonly overlapping: readonly string[];
  /** It is among those that may give out addresses. */
  readonly isUsable: boolean;
  /** About this pool. */
  readonly problems: readonly Problem[];
}

/** @param before what was written last @param now RFC 3339 */
export function poolStatus(
  pool: IPPool,
  facts: PoolFacts,
  before: IPPoolStatus | undefined,
  now: string,
): IPPoolStatus {
  const { generation } = pool.metadata;
  const observed = generation === undefined ? {} : { observedGeneration: generation };
  const nodes = [...(facts.count ?? [])]
    .map(
      ([node, { blocks, used, leaked }]): PoolNode => ({ node, blocks, used, ...(leaked > 0 && { leaked }) }),
    )
    .sort((a, b) => b.used - a.used || b.blocks - a.blocks || (a.node < b.node ? -1 : 1));
  const used = nodes.reduce((sum, node) => sum + node.used, 0);
  const blocks = nodes.reduce((sum, node) => sum + node.blocks, 0);
  const leaked = nodes.reduce((sum, node) => sum + (node.leaked ?? 0), 0);
  const total = addressCount(parsePrefix(pool.spec.cidr)!);
  const free = total - BigInt(used);
  return {
    total: total.toString(),
    used,
    free: (free < 0n ? 0n : free).toString(),
    ...(leaked > 0 && { leaked }),
    blocks,
    ...(nodes.length > 0 && { nodes: nodes.slice(0, MOST_POOL_NODES) }),
    ...(nodes.length > MOST_POOL_NODES && { nodesLeftOut: nodes.length - MOST_POOL_NODES }),
    ...observed,
    conditions: [readyOf(pool, facts, blocks, used), conflictOf(facts)].map((condition) =>
      sinceWhen({ ...condition, ...observed }, before?.conditions, now),
    ),
  };
}

type Said = Omit<Condition, 'lastTransitionTime'>;

function readyOf({ metadata, spec }: IPPool, facts: PoolFacts, blocks: number, used: number): Said {
  const type = 'Ready';
  const not = (reason: string, message: string): Said => ({ type, status: 'False', reason, message });
  if (metadata.deletionTimestamp !== undefined) {
    const left = `${used} addresses in ${blocks} blocks are in use`;
    return not('Deleting', `${left}; it goes when the last block is given back, and gives out nothing new`);
  }
  if (!facts.isUsable) {
    const reason = facts.overlapping.length > 0 || conflictIn(facts) ? 'Conflict' : 'NotUsed';
    return not(reason, worstOf(facts)?.message ?? 'this pool is not used');
  }
  if (spec.disabled) return not('Disabled', 'spec.disabled: addresses in use stay, none is given out');
  if (!isForAnyPod(spec)) {
    return not(
      'NotHonoured',
      'assignmentMode and namespaceSelector are not honoured yet: it gives out no addresses',
    );
  }
  return {
    type,
    status: 'True',
    reason: 'Usable',
    message: worstOf(facts)?.message ?? 'pods may get addresses',
  };
}

function conflictOf(facts: PoolFacts): Said {
  const type = 'Conflict';
  const { overlapping } = facts;
  const problem = conflictIn(facts);
  if (overlapping.length === 0) {
    // An agent knows its own Node: only here is it seen of the others.
    if (problem !== undefined)
      return { type, status: 'True', reason: 'AddressesTaken', message: problem.message };
    const message = 'no other pool, node or neighbour has addresses of it';
    return { type, status: 'False', reason: 'NoOverlap', message };
  }
  const named = overlapping.slice(0, MOST_NAMED).join(', ');
  const more = overlapping.length > MOST_NAMED ? ` and ${overlapping.length - MOST_NAMED} more` : '';
  const who = problem === undefined ? 'this pool stays in force' : problem.message;
  return { type, status: 'True', reason: 'Overlap', message: `overlaps IPPool ${named}${more}: ${who}` };
}

const conflictIn = ({ problems }: PoolFacts): Problem | undefined =>
  problems.find(({ cause }) => cause === 'Conflict');

const worstOf = (facts: PoolFacts): Problem | undefined => conflictIn(facts) ?? facts.problems[0];

const MOST_NAMED = 4;
