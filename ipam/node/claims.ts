// Claims blocks through the store: a block belongs to the node whose object with the block's name was created first.
// Every node has an order of its own through a pool, which begins at a hash of its name, so that neighbours seldom ask
// for the same block. A claim asks for a few blocks in this order and lists what is taken only when all of these were.
import { createHash } from 'node:crypto';
import { type IPAMBlock, ipamBlockLabels, ipamBlockName } from '#api';
import {
  blockCount,
  blockIndex,
  contains,
  type Family,
  formatPrefix,
  nthBlock,
  overlaps,
  parsePrefix,
  type Prefix,
  truncate,
} from '#ip';
import type { BlockStore, Pool } from './types.ts';

const PROBES = 8;
/** Others that take the block found free, again and again, before we give up. */
const RACES = 16;

export type ClaimResult =
  | { readonly kind: 'claimed'; readonly prefix: Prefix; readonly pool: string }
  | { readonly kind: 'exhausted' }
  | { readonly kind: 'taken'; readonly node: string }
  /** The store has an object for it that cannot be read: nobody knows whose it is. */
  | { readonly kind: 'unreadable'; readonly why: string }
  | ClaimFailure;

export interface ClaimFailure {
  readonly kind: 'failed';
  readonly message: string;
  /** The store gave it, and the disk did not take it. Undefined: the store did not give it. */
  readonly code?: 104;
}

export class BlockClaims {
  readonly #node: string;
  readonly #store: BlockStore;
  /** How far this node's order was asked through, by pool. */
  readonly #probed = new Map<string, bigint>();

  constructor(node: string, store: BlockStore) {
    this.#node = node;
    this.#store = store;
  }

  /**
   * The next block of the first pool that has one.
   *
   * @param held this node has it already
   * @param guarded a block that overlaps one of these is not asked for
   */
  async claim(
    pools: readonly Pool[],
    held: (prefix: Prefix) => boolean,
    guarded: readonly Prefix[],
  ): Promise<ClaimResult> {
    try {
      for (const pool of pools) {
        const result = (await this.#probe(pool, held, guarded)) ?? (await this.#search(pool, guarded));
        if (result !== undefined) return result;
      }
      return { kind: 'exhausted' };
    } catch (error) {
      return { kind: 'failed', message: String(error instanceof Error ? error.message : error) };
    }
  }

  /** This very block. */
  async claimExactly(prefix: Prefix, pool: string): Promise<ClaimResult> {
    try {
      return await this.#create(prefix, pool);
    } catch (error) {
      return { kind: 'failed', message: String(error instanceof Error ? error.message : error) };
    }
  }

  /**
   * This node's blocks, and where not all are wanted maybe no others'. Rejects when the store does not answer.
   *
   * @param scope 'own': by their label
   */
  list(scope: 'all' | 'own'): Promise<readonly IPAMBlock[]> {
    const labels = scope === 'own' ? ipamBlockLabels(this.#node) : undefined;
    return this.#store.list('IPAMBlock', labels);
  }

  /** A block of this node gets its label (again), by which it is found from then on. */
  async label(block: IPAMBlock): Promise<void> {
    const labels = ipamBlockLabels(this.#node);
    if (labels === undefined || isLabelled(block, labels)) return;
    const metadata = { ...block.metadata, labels: { ...block.metadata.labels, ...labels } };
    await this.#store.update({ ...block, metadata });
  }

  /** Rejects when the store does not answer. */
  async giveBack(prefix: Prefix): Promise<void> {
    const key = { kind: 'IPAMBlock', name: ipamBlockName(formatPrefix(prefix)) } as const;
    const block = await this.#store.get(key);
    if (block === undefined || block.spec.node !== this.#node) return;
    await this.#store.delete(key, block.metadata.resourceVersion ?? '');
    this.#probed.clear();
  }

  /** Of another node, in this version only. Rejects when the store does not answer. */
  async takeBack(name: string, resourceVersion: string): Promise<boolean> {
    const { kind } = await this.#store.delete({ kind: 'IPAMBlock', name }, resourceVersion);
    this.#probed.clear();
    return kind !== 'conflict';
  }

  async #probe(
    pool: Pool,
    held: (prefix: Prefix) => boolean,
    guarded: readonly Prefix[],
  ): Promise<ClaimResult | undefined> {
    const key = `${pool.cidr} ${pool.blockSize}`;
    let step = this.#probed.get(key);
    if (step === undefined) {
      // First claim from this pool: blocks of another size (from before its blockSize changed) do not show in names.
      const blocks = await this.#store.list('IPAMBlock');
      const mixed = blocks.some((b) => isOfOtherSize(b, pool));
      step = mixed ? -1n : 0n;
      this.#probed.set(key, step);
    }
    if (step < 0n) return undefined;
    for (let probes = 0; probes < PROBES; step++) {
      const next = unguarded(pool, this.#node, step, guarded);
      if (next === undefined) return undefined;
      const { block } = next;
      ({ step } = next);
      if (held(block)) continue;
      const result = await this.#create(block, pool.name);
      if (result.kind === 'claimed') return result;
      this.#probed.set(key, step + 1n);
      probes++;
    }
    return undefined;
  }

  async #search(pool: Pool, guarded: readonly Prefix[]): Promise<ClaimResult | undefined> {
    // What no list shows: claimed since, or an object that cannot be read.
    const refused: Prefix[] = [];
    for (let race = 0; race < RACES; race++) {
      const blocks = await this.#store.list('IPAMBlock');
      const listed = blocks.map((b) => parsePrefix(b.spec.cidr)).filter((p) => p !== undefined);
      const taken = [...listed, ...refused];
      const free = firstFree(pool, this.#node, taken, guarded);
      if (free === undefined) return undefined;
      const result = await this.#create(free, pool.name);
      if (result.kind === 'claimed') return result;
      refused.push(free);
    }
    return {
      kind: 'failed',
      message: `pool ${pool.name}: ${RACES} blocks in a row were claimed by others first`,
    };
  }

  async #create(prefix: Prefix, pool: string): Promise<ClaimResult> {
    const created = await this.#store.create(blockObject(this.#node, prefix, pool));
    if (created.kind === 'unreadable') return created;
    const owner = created.kind === 'stored' ? this.#node : created.newest.spec.node;
    if (owner !== this.#node) return { kind: 'taken', node: owner };
    // Ours also from an earlier claim whose answer did not arrive.
    if (created.kind === 'conflict') await this.label(created.newest);
    return { kind: 'claimed', prefix, pool };
  }
}

function blockObject(node: string, prefix: Prefix, pool: string): IPAMBlock {
  const cidr = formatPrefix(prefix);
  const labels = ipamBlockLabels(node);
  return {
    apiVersion: 'podroute.io/v1',
    kind: 'IPAMBlock',
    metadata: {
      name: ipamBlockName(cidr),
      ...(labels && { labels }),
    },
    spec: { cidr, node, pool },
  };
}

const isLabelled = ({ metadata }: IPAMBlock, labels: Readonly<Record<string, string>>): boolean =>
  Object.entries(labels).every(([key, value]) => metadata.labels?.[key] === value);

function isOfOtherSize(block: IPAMBlock, pool: Pool): boolean {
  const prefix = parsePrefix(block.spec.cidr);
  const range = parsePrefix(pool.cidr);
  return (
    prefix !== undefined && range !== undefined && contains(range, prefix) && prefix.length !== pool.blockSize
  );
}

/** Pools of the family that may give out addresses, in the order of their names. */
export function enabledPools(pools: readonly Pool[], family: Family): Pool[] {
  return pools
    .filter((p) => !p.disabled && parsePrefix(p.cidr)?.family === family)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The number of the block where this node begins to ask in this pool. */
function startIndex(nodeName: string, poolCidr: string, blocks: bigint): bigint {
  if (blocks <= 1n) return 0n;
  const digest = createHash('sha256').update(`${nodeName}\0${poolCidr}`).digest();
  return digest.readBigUInt64BE(0) % blocks;
}

/** The block that comes `step` places after this node's first one; undefined when the pool has not so many. */
function candidate(pool: Pool, nodeName: string, step: bigint): Prefix | undefined {
  const range = parsePrefix(pool.cidr);
  if (range === undefined) return undefined;
  const blocks = blockCount(range, pool.blockSize);
  if (step >= blocks) return undefined;
  return nthBlock(range, pool.blockSize, (startIndex(nodeName, pool.cidr, blocks) + step) % blocks);
}

/** The first block from `step` on that overlaps nothing guarded. A large network is stepped over, not walked through. */
function unguarded(
  pool: Pool,
  nodeName: string,
  step: bigint,
  guarded: readonly Prefix[],
): { readonly block: Prefix; readonly step: bigint } | undefined {
  for (let at = step; ; ) {
    const block = candidate(pool, nodeName, at);
    if (block === undefined) return undefined;
    const network = guarded.find((one) => overlaps(one, block));
    if (network === undefined) return { block, step: at };
    const isWider = network.length < block.length;
    at += isWider ? blockCount(network, block.length) - (blockIndex(network, block) ?? 0n) : 1n;
  }
}

/** The first free block in this node's order, given the blocks that are taken. Looks at no more than one beyond these. */
function firstFree(
  pool: Pool,
  nodeName: string,
  taken: readonly Prefix[],
  guarded: readonly Prefix[],
): Prefix | undefined {
  const same = new Set(
    taken.filter((t) => t.length >= pool.blockSize).map((t) => formatPrefix(truncate(t, pool.blockSize))),
  );
  // Larger than ours: from a time when the pool's blockSize was another one. Few, so a scan does.
  const larger = taken.filter((t) => t.length < pool.blockSize);
  for (let step = 0n; ; step++) {
    const next = unguarded(pool, nodeName, step, guarded);
    if (next === undefined) return undefined;
    const { block } = next;
    ({ step } = next);
    if (!same.has(formatPrefix(block)) && !larger.some((t) => contains(t, block))) return block;
  }
}
