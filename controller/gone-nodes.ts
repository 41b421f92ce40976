// What nodes that are gone leave behind: blocks that nobody uses any more, and a status that nobody writes. Freed when the
// Node has been away for the grace time, its agent has been silent for as long, and the store says once more, of each object
// just before it goes, that both are so. Compare and swap: whatever changes meanwhile stays. A Node that is made anew while
// its block is being deleted gets the block back.
import type { BGPNodeStatus, IPAMBlock, Resources } from '#api';
import { type OrphanBlock, OrphanBlocks } from '#ipam';
import type { Store } from '#store';
import type { Clock } from '#world';
import type { DutyLog } from './duty-log.ts';

export interface GoneNodesIo {
  readonly clock: Clock;
  readonly store: Pick<Store, 'get' | 'create' | 'delete'>;
  readonly log: DutyLog;
}

interface GoneStatus {
  readonly status: BGPNodeStatus;
  readonly sinceMs: number;
}

export class GoneNodes {
  readonly #graceMs: number;
  readonly #io: GoneNodesIo;
  readonly #blocks: OrphanBlocks;
  /** Since when there was no Node of the name, by our clock. Bounded by the BGPNodeStatuses. */
  #statuses = new Map<string, GoneStatus>();

  constructor(graceMs: number, io: GoneNodesIo) {
    this.#graceMs = graceMs;
    this.#io = io;
    this.#blocks = new OrphanBlocks(graceMs);
  }

  /**
   * Rejects when the store does not answer.
   *
   * @param nodes that there are; undefined: nobody knows, and nothing is freed @param mayWrite asked before each write
   */
  async free(
    { ipamBlocks, bgpNodeStatuses }: Pick<Resources, 'ipamBlocks' | 'bgpNodeStatuses'>,
    nodes: ReadonlySet<string> | undefined,
    mayWrite: () => boolean,
  ): Promise<void> {
    const now = this.#io.clock.now();
    this.#blocks.look([...ipamBlocks.values()], nodes, now);
    this.#lookAtStatuses(bgpNodeStatuses.values(), nodes, now);
    // A kubelet makes its deleted Node anew only when it starts, and pods run on: whoever writes still uses its blocks.
    const due = this.#blocks.due(now).filter(({ node }) => this.#isSilent(node, now));
    const statuses = [...this.#statuses.values()].filter(({ sinceMs }) => now - sinceMs >= this.#graceMs);
    for (const block of due) {
      if (!mayWrite()) return;
      await this.#freeBlock(block, mayWrite);
    }
    for (const { status } of statuses) {
      const { name, resourceVersion = '' } = status.metadata;
      if ((await this.#isThere(name)) || !mayWrite()) continue;
      await this.#io.store.delete({ kind: 'BGPNodeStatus', name }, resourceVersion);
    }
  }

  /** The Node is asked for last: an agent runs only where there is one. */
  async #freeBlock({ name, node, resourceVersion }: OrphanBlock, mayWrite: () => boolean): Promise<void> {
    const { store, log } = this.#io;
    const key = { kind: 'IPAMBlock', name } as const;
    const block = await store.get(key);
    if (block === undefined || block.metadata.resourceVersion !== resourceVersion) return;
    if (await this.#hasWritten(node)) return;
    // A process that stood still while it asked holds no lease any more.
    if ((await this.#isThere(node)) || !mayWrite()) return;
    // No other object has this version, so it says the uid, too.
    const { kind } = await store.delete(key, resourceVersion);
    if (kind !== 'deleted') return;
    if (await this.#isThere(node)) await this.#putBack(block);
    else log.info({ block: block.spec.cidr, node }, 'freed: its node is gone');
  }

  async #putBack({ apiVersion, kind, metadata: { name, labels }, spec }: IPAMBlock): Promise<void> {
    const { store, log } = this.#io;
    const { kind: result } = await store.create({
      ...{ apiVersion, kind, spec },
      metadata: { name, ...(labels && { labels }) },
    });
    const fields = { block: spec.cidr, node: spec.node };
    if (result === 'stored')
      log.warn(fields, 'its Node was made anew while it was being freed: it has its block again');
  }

  async #isThere(node: string): Promise<boolean> {
    return (await this.#io.store.get({ kind: 'Node', name: node })) !== undefined;
  }

  /** Since we were told of its status. */
  async #hasWritten(node: string): Promise<boolean> {
    const status = await this.#io.store.get({ kind: 'BGPNodeStatus', name: node });
    const known = this.#statuses.get(node)?.status;
    return status?.metadata.resourceVersion !== known?.metadata.resourceVersion;
  }

  #isSilent(node: string, nowMs: number): boolean {
    const said = this.#statuses.get(node);
    return said === undefined || nowMs - said.sinceMs >= this.#graceMs;
  }

  #lookAtStatuses(
    statuses: Iterable<BGPNodeStatus>,
    nodes: ReadonlySet<string> | undefined,
    nowMs: number,
  ): void {
    const next = new Map<string, GoneStatus>();
    for (const status of nodes === undefined ? [] : statuses) {
      const { name, resourceVersion } = status.metadata;
      if (nodes?.has(name)) continue;
      const before = this.#statuses.get(name);
      // Written anew: somebody runs there.
      const isSame = before?.status.metadata.resourceVersion === resourceVersion;
      next.set(name, { status, sinceMs: isSame ? before!.sinceMs : nowMs });
    }
    this.#statuses = next;
  }
}
