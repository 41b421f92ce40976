// When a node wants one more block, which it can do without, and telling the store of these.
import type { Prefix } from '#ip';
import type { BlockClaims } from './claims.ts';
import type { Journal } from './journal.ts';
import type { LocalBlock } from './local-block.ts';
import type { IpamLog, IpamTuning } from './types.ts';

/** Free addresses below which the next block is claimed: a share of the newest block. */
function lowWater(blocks: readonly LocalBlock[], tuning: IpamTuning): number {
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

/** Blocks that are given up here, until the store has heard of it. Bounded by the blocks of the node. */
export class BlockReturns {
  readonly #claims: BlockClaims;
  readonly #journal: Journal;
  readonly #log: IpamLog;
  readonly #waiting = new Map<string, Prefix>();

  constructor(claims: BlockClaims, journal: Journal, log: IpamLog) {
    this.#claims = claims;
    this.#journal = journal;
    this.#log = log;
  }

  add(cidr: string, prefix: Prefix): void {
    this.#waiting.set(cidr, prefix);
  }

  /** It is held again. */
  cancel(cidr: string): void {
    this.#waiting.delete(cidr);
  }

  /** Given up here, and the store does not know it yet. */
  has(cidr: string): boolean {
    return this.#waiting.has(cidr);
  }

  /** False: something is left, for later. */
  async tell(): Promise<boolean> {
    // Nobody else may claim the block before our disk says that it is no longer ours.
    if ((await this.#journal.append([])) !== undefined) return false;
    for (const [cidr, prefix] of this.#waiting) {
      try {
        await this.#claims.giveBack(prefix);
        this.#waiting.delete(cidr);
      } catch (error) {
        this.#log.warn(cidr, `not given back yet: ${error instanceof Error ? error.message : String(error)}`);
        return false;
      }
    }
    return true;
  }
}
