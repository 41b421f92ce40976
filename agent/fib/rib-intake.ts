// From the RIB's change batches to wishes: reads each changed prefix and its next hops, and writes the number of its
// next-hop set into the family's columns. Hot path: nothing is allocated for a prefix whose next hops are known.
import type { Forwarding, ForwardingChange, ForwardingView } from '#bgp';
import type { Columns } from './fib-columns.ts';
import { type HopSets, NO_SET } from './hop-sets.ts';
import type { NextHops } from './tracked-hops.ts';

const LEARNED = 2;

export class RibIntake {
  readonly #columns: readonly [Columns, Columns];
  readonly #hops: NextHops;
  readonly #sets: HopSets;
  readonly #prefix = new Uint8Array(16);
  readonly #forwarding: Forwarding = { kind: 0, count: 0, nextHopIds: new Int32Array(256) };
  readonly #members = new Int32Array(256);
  /** Own next-hop id by the RIB's, during one batch; each holds one use until the batch ends. */
  readonly #ownHop = new Map<number, number>();

  constructor(columns: readonly [Columns, Columns], hops: NextHops, sets: HopSets) {
    this.#columns = columns;
    this.#hops = hops;
    this.#sets = sets;
  }

  take(change: ForwardingChange, rib: ForwardingView): void {
    const columns = this.#columns[change.family];
    for (let i = 0; i < change.count; i++) {
      const ribId = change.prefixIds[i]!;
      const length = rib.readPrefix(change.family, ribId, this.#prefix);
      if (length < 0) continue;
      const set = this.#setOf(change.family, ribId, rib);
      if (set === NO_SET) {
        const id = columns.prefixes.findBytes(this.#prefix, 0, length);
        if (id >= 0) columns.want(id, NO_SET);
      } else columns.want(columns.add(this.#prefix, 0, length), set);
    }
    for (const hop of this.#ownHop.values()) this.#hops.release(hop);
    this.#ownHop.clear();
  }

  #setOf(family: 0 | 1, ribId: number, rib: ForwardingView): number {
    const forwarding = this.#forwarding;
    forwarding.count = 0;
    rib.forwarding(family, ribId, forwarding);
    if (forwarding.kind !== LEARNED || forwarding.count === 0) return NO_SET;
    const count = Math.min(forwarding.count, this.#members.length);
    for (let i = 0; i < count; i++) this.#members[i] = this.#hopOf(forwarding.nextHopIds[i]!, rib);
    return this.#sets.intern(this.#members, count);
  }

  #hopOf(ribHop: number, rib: ForwardingView): number {
    const known = this.#ownHop.get(ribHop);
    if (known !== undefined) return known;
    const { address, device } = rib.nextHop(ribHop);
    const hop = this.#hops.acquire(address, device).id;
    this.#ownHop.set(ribHop, hop);
    return hop;
  }
}
