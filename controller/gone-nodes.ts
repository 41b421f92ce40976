// What nodes that are gone leave behind: blocks that nobody uses any more, and a status that nobody writes. Freed when the
// Node has been away for the grace time, its agent has been silent for as long, and the store says once more that the Node
// is away. Compare and swap: whatever changes meanwhile stays.
import type { BGPNodeStatus, Resources } from '#api';
import { OrphanBlocks } from '#ipam';
import type { Store } from '#store';
import type { Clock } from '#world';
import type { DutyLog } from './duty-log.ts';

export interface GoneNodesIo {
  readonly clock: Clock;
  readonly store: Pick<Store, 'get' | 'delete'>;
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
    const gone = new Map<string, boolean>();
    const isGone = async (node: string): Promise<boolean> => {
      if (!gone.has(node))
        gone.set(node, (await this.#io.store.get({ kind: 'Node', name: node })) === undefined);
      return gone.get(node) === true;
    };
    for (const block of due) {
      if (!mayWrite()) return;
      if (!(await isGone(block.node))) continue;
      const { kind } = await this.#io.store.delete(
        { kind: 'IPAMBlock', name: block.name },
        block.resourceVersion,
      );
      if (kind === 'deleted')
        this.#io.log.info({ block: block.cidr, node: block.node }, 'freed: its node is gone');
    }
    for (const { status } of statuses) {
      if (!mayWrite()) return;
      const { name, resourceVersion = '' } = status.metadata;
      if (await isGone(name)) await this.#io.store.delete({ kind: 'BGPNodeStatus', name }, resourceVersion);
    }
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
