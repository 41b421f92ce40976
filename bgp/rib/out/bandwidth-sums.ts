// What a route that goes out with our own next hop says of its link bandwidth: the sum of all paths that share the traffic
// to it, as whoever sends to us is served by all of them (draft-ietf-idr-link-bandwidth).
import { LINK_BANDWIDTHS, linkBandwidthText } from '../../message/index.ts';
import type { AttributeIntern } from '../attributes/attribute-intern.ts';
import type { Decision } from '../table/decision.ts';
import { MOST_PATHS } from '../table/decision-steps.ts';
import type { RibTable } from '../table/rib-table.ts';

export class BandwidthSums {
  readonly #intern: AttributeIntern;
  readonly #decision: Decision;
  readonly #together = new Int32Array(MOST_PATHS);
  /** The last change, as neighbouring routes mostly have one. Holds references. */
  #from = -1;
  #to = -1;
  #sum = 0;
  #as = -1;

  constructor(intern: AttributeIntern, decision: Decision) {
    this.#intern = intern;
    this.#decision = decision;
  }

  /**
   * The set to announce instead of `set`, of the prefix's best path: borrowed. The same where it is the only path, or not
   * all have a bandwidth.
   */
  apply(table: RibTable, path: number, set: number): number {
    const prefix = table.prefix[path]!;
    if (table.best(prefix) !== path) return set;
    const { identity, store } = this.#intern;
    const count = this.#decision.markMultipath(table, prefix, this.#together);
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const bandwidth = store.linkBandwidth[table.attribute[this.#together[i]!]!]!;
      if (bandwidth === 0) return set;
      sum += bandwidth;
    }
    if (count < 2) return set;
    if (set !== this.#from || sum !== this.#sum || identity.asNumber !== this.#as)
      this.#change(set, sum, identity.asNumber);
    return this.#to < 0 ? set : this.#to;
  }

  /** Gives back what it remembers. */
  forget(): void {
    const { store } = this.#intern;
    if (this.#from >= 0) store.release(this.#from);
    if (this.#to >= 0) store.release(this.#to);
    this.#from = -1;
    this.#to = -1;
  }

  #change(set: number, sum: number, as: number): void {
    const { store } = this.#intern;
    store.references[set] = store.references[set]! + 1;
    if (this.#from >= 0) store.release(this.#from);
    if (this.#to >= 0) store.release(this.#to);
    this.#from = set;
    this.#sum = sum;
    this.#as = as;
    const addCommunities = [linkBandwidthText(as, sum, true)];
    this.#to = this.#intern.changed(set, [{ deleteCommunities: LINK_BANDWIDTHS, addCommunities }], -1, true);
  }
}
