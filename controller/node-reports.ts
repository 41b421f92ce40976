// What the nodes' agents say, as far as the controller adds it up: the BGPNodeStatus of every node that there is. An agent
// writes one at least every few minutes; whoever is silent for longer is taken for down, by our own clock.
import type { BGPNodeStatus } from '#api';

export interface NodeReport {
  readonly node: string;
  readonly status: NonNullable<BGPNodeStatus['status']>;
  /** For so many minutes nothing was heard of its agent; undefined: it speaks. */
  readonly silentMinutes?: number;
}

/** Three times as long as an agent stays silent of itself. */
export const SILENT_MS = 15 * 60_000;

interface Seen {
  readonly version: string;
  readonly atMs: number;
}

export class NodeReports {
  /** By node: the version that was seen last, and when it was new. Bounded by the BGPNodeStatuses. */
  #seen = new Map<string, Seen>();

  /** @param nodes that there are; undefined: nobody knows, and each is taken to be there */
  of(
    statuses: Iterable<BGPNodeStatus>,
    nodes: ReadonlySet<string> | undefined,
    nowMs: number,
  ): readonly NodeReport[] {
    const seen = new Map<string, Seen>();
    const reports: NodeReport[] = [];
    for (const { metadata, status } of statuses) {
      const { name, resourceVersion: version = '' } = metadata;
      const before = this.#seen.get(name);
      const atMs = before?.version === version ? before.atMs : nowMs;
      seen.set(name, { version, atMs });
      if (status === undefined || nodes?.has(name) === false) continue;
      const silentMs = nowMs - atMs;
      const isSilent = silentMs >= SILENT_MS;
      reports.push({
        node: name,
        status,
        ...(isSilent && { silentMinutes: Math.floor(silentMs / 60_000) }),
      });
    }
    this.#seen = seen;
    return reports;
  }
}
