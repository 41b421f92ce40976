// Blocks whose pool is gone, or may not be used (any more): their pods run on, so their routes are let in as before, and
// the blocks are named until they are given back. Of a pool that nobody has ever seen none is let in: whoever has a node's
// token can write such a block.
import {
  type FormerPool,
  type IPAMBlock,
  type IPPool,
  isOfFormer,
  isOfPool,
  objectName,
  type Problem,
  type Refused,
} from '#api';
import { contains, parsePrefix, type Prefix } from '#ip';
import type { PlanResources } from '../types.ts';

const NAMED = 5;

/** The store hands out the same object until it changes. */
const read = new WeakMap<IPAMBlock, Prefix | undefined>();

export interface StrayBlocks {
  readonly prefixes: readonly string[];
  readonly problems: readonly Problem[];
}

/** @param usable the pools that are let in as a whole */
export function strayBlocks(
  resources: PlanResources,
  usable: readonly IPPool[],
  { objects, formerPools = [] }: Refused,
): StrayBlocks {
  const pools = usable.map(({ spec }) => parsePrefix(spec.cidr)!);
  const stray = [...resources.ipamBlocks.values()].filter((block) => {
    const prefix = prefixOf(block);
    return block.spec.pool !== undefined && prefix && !pools.some((pool) => contains(pool, prefix));
  });
  const byTrust = Map.groupBy(stray, ({ spec }) => isOfPool(spec, resources, formerPools));
  const [letIn, others] = [byTrust.get(true) ?? [], byTrust.get(false) ?? []];
  return {
    prefixes: letIn.map(({ spec }) => spec.cidr),
    problems: [
      ...formerPools.flatMap((pool) => ofFormer(pool, letIn, resources, objects)),
      ...(others.length === 0 ? [] : [ofNone(others, resources)]),
    ],
  };
}

function ofFormer(
  pool: FormerPool,
  letIn: readonly IPAMBlock[],
  { ipPools }: PlanResources,
  refused: ReadonlySet<string>,
): Problem[] {
  const blocks = letIn.filter(({ spec }) => isOfFormer(spec, pool));
  // Of a pool that is there, usablePools says it.
  if (blocks.length === 0 || ipPools.has(pool.name)) return [];
  const object = `IPPool ${pool.name}`;
  const why = refused.has(object) ? 'is not in force' : 'is gone';
  const message = `${why} while blocks of it are in use: ${blockNames(blocks)}. They stay announced and accepted, and no new addresses come from them: write the pool again (${pool.cidr}, disabled), or move their pods`;
  return [{ object, field: '', message }];
}

/** One for all: how many there are is not ours to say. */
function ofNone(blocks: readonly IPAMBlock[], { ipPools }: PlanResources): Problem {
  const [first] = blocks;
  const { pool } = first!.spec;
  const cidr = ipPools.get(pool!)?.spec.cidr;
  const why =
    cidr === undefined
      ? 'is no IPPool, and none that was in force here before'
      : `is ${cidr}, and the block lies outside of it`;
  const message = `${why}: not let in nor held: ${blockNames(blocks)}. Delete what nobody needs; where pods of such a block run, write its pool (again; disabled)`;
  return { object: objectName(first!), field: 'spec.pool', value: pool, message };
}

function prefixOf(block: IPAMBlock): Prefix | undefined {
  if (!read.has(block)) read.set(block, parsePrefix(block.spec.cidr));
  return read.get(block);
}

function blockNames(blocks: readonly IPAMBlock[]): string {
  const first = blocks.slice(0, NAMED).map(({ spec }) => `${spec.cidr} of node ${spec.node}`);
  const rest = blocks.length - first.length;
  return rest === 0 ? first.join(', ') : `${first.join(', ')} and ${rest} more`;
}
