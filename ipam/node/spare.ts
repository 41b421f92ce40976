// When a node wants one more block, and which it can do without. Pure.
import type { LocalBlock } from './local-block.ts';
import type { IpamTuning } from './types.ts';

/** Free addresses below which the next block is claimed: a share of the newest block. */
export function lowWater(blocks: readonly LocalBlock[], tuning: IpamTuning): number {
  const newest = blocks.findLast((block) => block.state === 'active');
  return newest === undefined ? 0 : Math.max(1, Math.ceil(newest.capacity * tuning.lowWaterShare));
}

/** blocks: all of one family. */
export function wantsSpare(blocks: readonly LocalBlock[], tuning: IpamTuning): boolean {
  const active = blocks.filter((block) => block.state === 'active');
  const free = active.reduce((sum, block) => sum + block.free, 0);
  // A block of one or two addresses would be "low" from its first pod on: it is, so claim.
  return active.length > 0 && active.length < tuning.maxBlocks && free < lowWater(active, tuning);
}

/**
 * A block of a pool that was empty for long and is not missed: its pool serves no more, or the others have twice
 * the free addresses at which a new one would be claimed. The last active one stays.
 */
export function blockToReturn(
  blocks: readonly LocalBlock[],
  nowMs: number,
  tuning: IpamTuning,
): LocalBlock | undefined {
  const idle = (block: LocalBlock): boolean =>
    block.pool !== undefined &&
    block.emptySinceMs !== undefined &&
    nowMs - block.emptySinceMs >= tuning.emptyBlockGraceMs;
  const frozen = blocks.find((block) => block.state === 'frozen' && idle(block));
  if (frozen !== undefined) return frozen;
  const active = blocks.filter((block) => block.state === 'active');
  const extra = active.findLast(idle);
  if (extra === undefined || active.length < 2) return undefined;
  const rest = active.filter((block) => block !== extra);
  const free = rest.reduce((sum, block) => sum + block.free, 0);
  return free >= 2 * lowWater(rest, tuning) ? extra : undefined;
}
