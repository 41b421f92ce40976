// The blocks that this node holds against the store's objects, and what is done about each difference: a block that is
// this node's is held, one that is gone is made again, one that is another node's now gives out no more addresses, and
// one of a node that is gone is taken back. When to compare is the ledger's business, which does one thing at a time.
import type { IPAMBlock } from '#api';
import { formatPrefix, overlaps, parsePrefix, type Prefix } from '#ip';
import type { Clock } from '#world';
import type { BlockClaims } from './claims.ts';
import type { LocalBlock } from './local-block.ts';
import { type OrphanBlock, OrphanBlocks } from './orphan-blocks.ts';
import type { IpamState } from './state.ts';
import type { BlockRelease, BlockStore, IpamInputs, IpamLog, StoredBlock } from './types.ts';

/** Where blocks of others are not followed: who writes a block by hand is found within this. */
const LOOK_AT_ALL_MS = 3_600_000;

interface Differences {
  /** This node's by the store, and not held. */
  readonly unheld: readonly { readonly prefix: Prefix; readonly pool: string }[];
  /** Held, and another node's by the store. */
  readonly foreign: readonly { readonly block: LocalBlock; readonly node: string }[];
  /** Taken for another's until now, and this node's again. */
  readonly regained: readonly LocalBlock[];
  /** Held, and the store has no object: it was deleted, or the store is another one now. */
  readonly vanished: readonly LocalBlock[];
}

/**
 * @param lost blocks that are known to be another node's: cidr → node
 * @param leaving those that the store has not been told yet that they are given back
 */
function compareBlocks(
  node: string,
  held: readonly LocalBlock[],
  stored: Iterable<StoredBlock>,
  lost: ReadonlyMap<string, string>,
  leaving: (cidr: string) => boolean,
): Differences {
  const own = new Map(held.filter((block) => block.pool !== undefined).map((block) => [block.cidr, block]));
  const seen = new Set<string>();
  const unheld: { prefix: Prefix; pool: string }[] = [];
  const foreign: { block: LocalBlock; node: string }[] = [];
  const regained: LocalBlock[] = [];
  for (const object of stored) {
    const prefix = parsePrefix(object.cidr);
    if (prefix === undefined) continue;
    const cidr = formatPrefix(prefix);
    seen.add(cidr);
    const block = own.get(cidr);
    if (object.node !== node) {
      if (block !== undefined && lost.get(cidr) !== object.node) foreign.push({ block, node: object.node });
    } else if (block === undefined) {
      if (!leaving(cidr)) unheld.push({ prefix, pool: object.pool ?? '' });
    } else if (lost.has(cidr)) regained.push(block);
  }
  const vanished = [...own.values()].filter((block) => !seen.has(block.cidr));
  return { unheld, foreign, regained, vanished };
}

export const storedBlock = ({ metadata: { name, creationTimestamp }, spec }: IPAMBlock): StoredBlock => ({
  ...spec,
  name,
  createdAt: creationTimestamp,
});

interface Known extends StoredBlock {
  readonly prefix: Prefix;
}

/**
 * This node's blocks that overlap another node's, which was made first: cidr → that one. Names keep equal CIDRs apart; blocks
 * of different sizes meet where somebody wrote one by hand, or a pool was made anew.
 *
 * @param blocks of all nodes, or only the own: then there are none
 */
function yieldedBlocks(
  node: string,
  blocks: Iterable<StoredBlock>,
): ReadonlyMap<string, Pick<StoredBlock, 'cidr' | 'node'>> {
  const known = [...blocks].flatMap((block): Known[] => {
    const prefix = parsePrefix(block.cidr);
    return prefix === undefined ? [] : [{ ...block, prefix }];
  });
  const own = known.filter((block) => block.node === node);
  const isOtherSize = ({ prefix }: Known) =>
    own.some((one) => one.prefix.family === prefix.family && one.prefix.length !== prefix.length);
  // As a rule none, in a cluster of thousands.
  const others = known.filter((block) => block.node !== node && isOtherSize(block));
  const yielded = new Map<string, Known>();
  for (const block of own) {
    const first = others.find((other) => overlaps(other.prefix, block.prefix) && isBefore(other, block));
    if (first !== undefined) yielded.set(block.cidr, first);
  }
  return yielded;
}

/** Of one second, or without times as in a folder: by name, so that all nodes say the same. */
function isBefore(one: StoredBlock, other: StoredBlock): boolean {
  const [a, b] = [one.createdAt ?? '', other.createdAt ?? ''];
  return a === b ? (one.name ?? one.cidr) < (other.name ?? other.cidr) : a < b;
}

/** What the ledger does for the comparison. */
export interface BlockActions {
  hold(prefix: Prefix, pool: string): Promise<unknown>;
  drop(block: LocalBlock): void;
  /** The same, and the store is told that it is free. */
  giveBack(block: LocalBlock): void;
  /** Given back here, and the store has not been told. */
  isLeaving(cidr: string): boolean;
}

export class BlockComparison {
  readonly #node: string;
  readonly #state: IpamState;
  readonly #claims: BlockClaims;
  readonly #io: { readonly clock: Clock; readonly store: BlockStore; readonly log: IpamLog };
  readonly #actions: BlockActions;
  readonly #orphans: OrphanBlocks;
  /** Blocks held here whose object in the store is another node's: cidr → node. */
  readonly #lost = new Map<string, string>();
  /** Blocks held here that overlap another node's of before: cidr → that one. */
  readonly #yielded = new Map<string, Pick<StoredBlock, 'cidr' | 'node'>>();
  /** When all blocks are looked at again, where only the own ones are followed. */
  #lookAtAllMs = 0;
  /** Blocks of before they had labels are found by a look at all, once. */
  #areLabelled = false;
  /** Blocks held here whose object in the store cannot be read: cidr → why. */
  readonly #unreadable = new Map<string, string>();

  constructor(
    node: string,
    orphanGraceMs: number,
    state: IpamState,
    claims: BlockClaims,
    io: { readonly clock: Clock; readonly store: BlockStore; readonly log: IpamLog },
    actions: BlockActions,
  ) {
    this.#node = node;
    this.#state = state;
    this.#claims = claims;
    this.#io = io;
    this.#actions = actions;
    this.#orphans = new OrphanBlocks(orphanGraceMs);
  }

  isLost({ cidr }: LocalBlock): boolean {
    return this.#lost.has(cidr) || this.#yielded.has(cidr);
  }

  /** The block is not held any more. */
  forget({ cidr }: LocalBlock): void {
    this.#lost.delete(cidr);
    this.#yielded.delete(cidr);
    this.#unreadable.delete(cidr);
  }

  problems(): string[] {
    return [
      ...[...this.#lost].map(
        ([cidr, node]) =>
          `block ${cidr} is held here, but the store says it is node ${node}'s: its pods keep their addresses, no new ones are given out`,
      ),
      ...[...this.#yielded].map(
        ([cidr, first]) =>
          `block ${cidr} is held here, and overlaps block ${first.cidr} of node ${first.node}, which was made first: it is not announced and gives out no addresses; delete the wrong one of the two, or move the pods of this one`,
      ),
      ...[...this.#unreadable].map(
        ([cidr, why]) =>
          `block ${cidr} is held here, and its object in the store cannot be read (${why}): delete that, this node writes it anew`,
      ),
      ...this.#orphans.problems(),
    ];
  }

  /** What the store told of its blocks is not what is held here, or not what is known of nodes that are gone. */
  differsFrom(stored: readonly StoredBlock[] | undefined, nodes: ReadonlySet<string> | undefined): boolean {
    if (stored === undefined) return false;
    if (this.#unreadable.size > 0) return true;
    const { unheld, foreign, regained, vanished } = this.#compare(stored);
    if (unheld.length + foreign.length + regained.length + vanished.length > 0) return true;
    const yielded = [...yieldedBlocks(this.#node, stored).keys()];
    if (yielded.some((cidr) => !this.#yielded.has(cidr))) return true;
    const orphans = nodes === undefined ? [] : stored.filter(({ node }) => !nodes.has(node));
    const known = new Set(this.#orphans.all().map(({ cidr }) => cidr));
    return orphans.length !== known.size || orphans.some(({ cidr }) => !known.has(cidr));
  }

  /** Rejects when the store does not answer. */
  async run({
    nodes,
    isStoredOwnOnly = false,
  }: Pick<IpamInputs, 'nodes' | 'isStoredOwnOnly'>): Promise<void> {
    const now = this.#io.clock.now();
    const isByLabel =
      isStoredOwnOnly && this.#areLabelled && this.#yielded.size === 0 && now < this.#lookAtAllMs;
    const objects = await this.#look(nodes, isByLabel ? 'own' : 'all');
    if (isStoredOwnOnly && !isByLabel) await this.#labelOwn(objects);
    if (!isByLabel) this.#lookAtAllMs = now + LOOK_AT_ALL_MS;
    const stored = objects.map(storedBlock);
    const yielded = yieldedBlocks(this.#node, stored);
    const { unheld, foreign, regained, vanished } = this.#compare(stored);
    for (const { prefix, pool } of unheld) {
      if (yielded.has(formatPrefix(prefix))) await this.#claims.giveBack(prefix);
      else await this.#actions.hold(prefix, pool);
    }
    for (const { block, node } of foreign) this.#lose(block, node);
    for (const block of regained) {
      this.#lost.delete(block.cidr);
      this.#io.log.info(block.cidr, 'is this node’s again by the store');
    }
    this.#yield(yielded);
    this.#unreadable.clear();
    for (const block of vanished) await this.#recreate(block);
    for (const orphan of this.#orphans.due(this.#io.clock.now())) await this.#takeBack(orphan);
  }

  /** Takes a block of a node that is gone back at once. Rejects when the store does not answer. */
  async release(cidr: string, nodes: ReadonlySet<string> | undefined): Promise<BlockRelease> {
    if (nodes === undefined)
      return { kind: 'refused', why: `block ${cidr} stays: it is not known here which Nodes there are` };
    await this.#look(nodes, 'all');
    const orphan = this.#orphans.all().find((one) => one.cidr === cidr);
    if (orphan === undefined) {
      return { kind: 'refused', why: `block ${cidr} does not belong to a node that has no Node object` };
    }
    if (!(await this.#takeBack(orphan))) return { kind: 'refused', why: `block ${cidr} changed meanwhile` };
    return { kind: 'freed', cidr, node: orphan.node };
  }

  /** Of nodes that are gone. */
  orphans(): readonly OrphanBlock[] {
    return this.#orphans.all();
  }

  async #labelOwn(objects: readonly IPAMBlock[]): Promise<void> {
    for (const object of objects) if (object.spec.node === this.#node) await this.#claims.label(object);
    this.#areLabelled = true;
  }

  async #look(nodes: ReadonlySet<string> | undefined, scope: 'all' | 'own'): Promise<readonly IPAMBlock[]> {
    const objects = await this.#claims.list(scope);
    this.#orphans.look(objects, nodes, this.#io.clock.now());
    return objects;
  }

  #compare(stored: Iterable<StoredBlock>): Differences {
    return compareBlocks(this.#node, this.#state.blocks, stored, this.#lost, (cidr) =>
      this.#actions.isLeaving(cidr),
    );
  }

  /** Deleted behind our back: claimed again before anybody else has it, or let go when nobody needs it. */
  async #recreate(block: LocalBlock): Promise<void> {
    if (block.used === 0 && block.state !== 'active') {
      this.#actions.drop(block);
      return;
    }
    const result = await this.#claims.claimExactly(block.prefix, block.pool ?? '');
    switch (result.kind) {
      case 'claimed':
        this.#lost.delete(block.cidr);
        this.#io.log.warn(block.cidr, 'its object was gone from the store: made again');
        return;
      case 'taken':
        this.#lose(block, result.node);
        return;
      case 'unreadable':
        this.#unreadable.set(block.cidr, result.why);
        return;
      case 'exhausted':
        return;
      case 'failed':
        throw new Error(result.message);
    }
  }

  #lose(block: LocalBlock, node: string): void {
    this.#io.log.error(
      block.cidr,
      `held here with ${block.used} addresses in use, but the store says it is node ${node}'s`,
    );
    block.state = 'frozen';
    if (block.used === 0) this.#actions.drop(block);
    else this.#lost.set(block.cidr, node);
  }

  /** @param yielded of all blocks, or nothing is held here that overlaps */
  #yield(yielded: ReadonlyMap<string, Pick<StoredBlock, 'cidr' | 'node'>>): void {
    for (const block of [...this.#state.blocks]) {
      const { cidr } = block;
      const first = block.pool === undefined ? undefined : yielded.get(cidr);
      if (first === undefined) {
        if (this.#yielded.delete(cidr)) this.#io.log.info(cidr, 'overlaps no other node’s block any more');
      } else if (block.used === 0) {
        this.#io.log.warn(cidr, `given back: it overlaps block ${first.cidr} of node ${first.node}`);
        this.#actions.giveBack(block);
      } else if (!this.#yielded.has(cidr)) {
        const what = `held here with ${block.used} addresses in use, and overlaps block ${first.cidr} of node ${first.node}`;
        this.#io.log.error(cidr, `${what}, which was made first`);
        block.state = 'frozen';
        this.#yielded.set(cidr, first);
      }
    }
  }

  async #takeBack(orphan: OrphanBlock): Promise<boolean> {
    if (!(await this.#claims.takeBack(orphan.name, orphan.resourceVersion))) return false;
    this.#orphans.forget(orphan);
    this.#io.log.warn(orphan.cidr, `taken back: node ${orphan.node} has no Node object any more`);
    return true;
  }
}
