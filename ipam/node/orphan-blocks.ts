// Blocks whose node has no Node object any more (an autoscaler took it away). They are named, and taken back when they
// have stood so for the grace time: a node that is only away for a while keeps what its pods use. Every agent looks; the
// store lets one of them delete an object, in the version that was looked at. A node that still runs makes its block anew.
import type { IPAMBlock } from '#api';

export interface OrphanBlock {
  readonly cidr: string;
  readonly node: string;
  readonly name: string;
  readonly resourceVersion: string;
  /** Monotonic, of this agent. */
  readonly sinceMs: number;
}

const MOST_NAMED = 4;

export class OrphanBlocks {
  readonly #graceMs: number;
  /** By object name. Bounded by the blocks of the store. */
  #orphans: ReadonlyMap<string, OrphanBlock> = new Map();

  /** @param graceMs infinite: they are never due here */
  constructor(graceMs: number) {
    this.#graceMs = graceMs;
  }

  /** @param nodes that there are; undefined: nobody knows */
  look(objects: readonly IPAMBlock[], nodes: ReadonlySet<string> | undefined, nowMs: number): void {
    const next = new Map<string, OrphanBlock>();
    for (const { metadata, spec } of nodes === undefined ? [] : objects) {
      if (nodes!.has(spec.node)) continue;
      const { name, resourceVersion = '' } = metadata;
      const before = this.#orphans.get(name);
      const isSame = before?.resourceVersion === resourceVersion;
      const sinceMs = isSame ? before.sinceMs : nowMs;
      next.set(name, { cidr: spec.cidr, node: spec.node, name, resourceVersion, sinceMs });
    }
    this.#orphans = next;
  }

  all(): readonly OrphanBlock[] {
    return [...this.#orphans.values()];
  }

  due(nowMs: number): OrphanBlock[] {
    return this.all().filter(({ sinceMs }) => nowMs - sinceMs >= this.#graceMs);
  }

  forget({ name }: OrphanBlock): void {
    const next = new Map(this.#orphans);
    next.delete(name);
    this.#orphans = next;
  }

  /** None where somebody else takes them back: nothing is to be done here. */
  problems(): string[] {
    if (this.#graceMs === Number.POSITIVE_INFINITY) return [];
    return [...Map.groupBy(this.#orphans.values(), ({ node }) => node)].map(([node, blocks]) => {
      const named = blocks.slice(0, MOST_NAMED).map(({ cidr }) => cidr);
      const more = blocks.length > MOST_NAMED ? ` and ${blocks.length - MOST_NAMED} more` : '';
      return (
        `node ${node} has no Node object any more and still owns ${named.join(', ')}${more}: taken back after ` +
        `${this.#graceMs / 60_000} minutes, or at once by: podroute ipam release ${named[0]}`
      );
    });
  }
}
