// What tells attribute sets with equal octets apart: what policies set that stands in no octet of theirs. Each combination
// is one small number, and 0 is that of sets as they came.
// Bound: the combinations of the sets that are kept; a number goes with the last set that has it.
import { IdPool } from '../../columns/id-pool.ts';
import { MOST_WEIGHT } from '../../policy/policy.ts';

/** Number of what no policy has set anything of. */
export const AS_IT_CAME = 0;

export interface Variant {
  /** By an export policy, so that MED goes out to eBGP too. */
  readonly isMedSet: boolean;
  /** Of the kernel's route; 0: no policy set it. */
  readonly metric: number;
  /** The first thing that the decision asks of learned routes; up to MOST_WEIGHT. */
  readonly weight: number;
  /** HOP_*: with which next hop it leaves. */
  readonly nextHop: number;
}

/** As the rules of the neighbour's group say. */
export const HOP_AS_USUAL = 0;
/** With our own. */
export const HOP_SELF = 1;
/** With the one that it has. */
export const HOP_GIVEN = 2;

export class Variants {
  readonly #ids = new IdPool();
  readonly #byKey = new Map<number, number>();
  readonly #keys: number[] = [];
  readonly #users: number[] = [];
  readonly isMedSet: boolean[] = [];
  readonly metric: number[] = [];
  readonly weight: number[] = [];
  readonly nextHop: number[] = [];

  constructor() {
    // AS_IT_CAME, which stays.
    this.take({ isMedSet: false, metric: 0, weight: 0, nextHop: HOP_AS_USUAL });
  }

  /** How many there are. */
  get count(): number {
    return this.#ids.used;
  }

  /** The number of a combination, for one more user. */
  take({ isMedSet, metric, weight, nextHop }: Variant): number {
    // Metrics have 31 bits.
    const key = (metric * (MOST_WEIGHT + 1) + weight) * 8 + nextHop * 2 + (isMedSet ? 1 : 0);
    const known = this.#byKey.get(key);
    if (known !== undefined) {
      this.#users[known]!++;
      return known;
    }
    const id = this.#ids.take();
    this.#byKey.set(key, id);
    this.#keys[id] = key;
    this.#users[id] = 1;
    this.isMedSet[id] = isMedSet;
    this.metric[id] = metric;
    this.weight[id] = weight;
    this.nextHop[id] = nextHop;
    return id;
  }

  release(id: number): void {
    if (id === AS_IT_CAME || --this.#users[id]! > 0) return;
    this.#byKey.delete(this.#keys[id]!);
    this.#ids.free(id);
  }
}
