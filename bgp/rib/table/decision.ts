// The decision process (RFC 4271 section 9.1.2, RFC 4456, RFC 5004 not used), as numeric comparison of columns.
// Our own routes go first, then weights; then the order of steps is BIRD's. Each stops at the first difference. MED is compared only
// between paths from the same neighbouring AS, unless all are to be, and never depends on the order in which paths came (deterministic MED).
import { HAS_LLGR_STALE, PRESENT_MED } from '../../message/index.ts';
import type { AttributeReader } from '../attributes/attribute-reader.ts';
import type { AttributeStore } from '../attributes/attribute-store.ts';
import { resizeI32 } from '../../columns/columns.ts';
import { SecretWords } from '../../columns/secret-words.ts';
import type { NextHops } from '../attributes/next-hops.ts';
import {
  STEP_LONG_LIVED_STALE,
  STEP_LOCAL,
  STEP_WEIGHT,
  STEP_LOCAL_PREF,
  STEP_AS_PATH_LENGTH,
  STEP_ORIGIN,
  STEP_MED,
  STEP_EBGP,
  STEP_METRIC,
  STEP_ROUTER_ID,
  STEP_CLUSTER_LIST,
  STEP_PEER_ADDRESS,
  STEP_PATH_ID,
  USABLE,
  GONE,
  FORBIDDEN,
  FILTERED_BY_POLICY,
  WITHDRAWN,
  NEXT_HOP_UNREACHABLE,
  DEFERRED,
  DROPPED_BY_LIMIT,
  type DecisionRules,
} from './decision-steps.ts';
import { KIND_EBGP, KIND_LOCAL, LOCAL_SLOT, type PeerSlots } from './peer-slots.ts';
import {
  BEST,
  CHANGED,
  DEAD,
  FILTERED,
  INELIGIBLE,
  MULTIPATH,
  OVER_LIMIT,
  type RibTable,
} from './rib-table.ts';

/** What missing MED counts as where it is the worst. */
const WORST_MED = 0xffffffff;

const UNUSABLE = FILTERED | INELIGIBLE | DEAD | OVER_LIMIT;

export class Decision {
  readonly #attributes: AttributeStore;
  readonly #reader: AttributeReader;
  readonly #peers: PeerSlots;
  readonly #nextHops: NextHops;
  rules: DecisionRules;
  /** By family: 1 while only what starts here is chosen. */
  readonly deferred: Uint8Array<ArrayBuffer>;
  readonly #seed: number;
  readonly #secret: SecretWords;
  /** Scratch: best path, or lowest MED, by neighbouring AS, as a secret word: who sends many paths of one prefix chooses them. */
  readonly #groups = new Map<number, number>();
  /** Scratch: the usable paths of a prefix. */
  #usable = new Int32Array(64);

  constructor(
    attributes: AttributeStore,
    reader: AttributeReader,
    peers: PeerSlots,
    nextHops: NextHops,
    rules: DecisionRules,
    seed: number,
    deferred = new Uint8Array(2),
  ) {
    this.deferred = deferred;
    this.#seed = seed;
    this.#secret = new SecretWords(seed);
    this.#attributes = attributes;
    this.#reader = reader;
    this.#peers = peers;
    this.#nextHops = nextHops;
    this.rules = rules;
  }

  /** The same choice by other rules. */
  withRules(rules: DecisionRules): Decision {
    return new Decision(
      this.#attributes,
      this.#reader,
      this.#peers,
      this.#nextHops,
      rules,
      this.#seed,
      this.deferred,
    );
  }

  /** Step 0: may the path be chosen at all? */
  isUsable(table: RibTable, path: number): boolean {
    return this.refusal(table, path) === USABLE;
  }

  /** USABLE, or why it may not be chosen. */
  refusal(table: RibTable, path: number): number {
    const slot = table.peer[path]!;
    const epoch = table.epoch[path]!;
    const { family } = table;
    if (!this.#peers.isUsed(slot, family, epoch)) return GONE;
    const flags = table.flags[path]! & UNUSABLE;
    if (flags !== 0) {
      if ((flags & DEAD) !== 0) return WITHDRAWN;
      if ((flags & OVER_LIMIT) !== 0) return DROPPED_BY_LIMIT;
      return (flags & INELIGIBLE) !== 0 ? FORBIDDEN : FILTERED_BY_POLICY;
    }
    if (this.deferred[family] === 1 && slot !== LOCAL_SLOT) return DEFERRED;
    if (this.#nextHops.unreachableCount === 0) return USABLE;
    const hop = this.#attributes.nextHop[table.attribute[path]!]!;
    return hop < 0 || this.#nextHops.reachable[hop] === 1 ? USABLE : NEXT_HOP_UNREACHABLE;
  }

  /**
   * Chooses again among a prefix's paths, puts the best one first with its BEST flag, and clears CHANGED.
   * @returns true when the best path, or its attributes, or (with multipath) any path may have changed
   */
  choose(table: RibTable, prefixId: number): boolean {
    const first = table.head[prefixId]! - 1;
    if (first < 0) return false;
    const flags = table.flags;
    const before = (flags[first]! & BEST) !== 0 ? first : -1;
    let best: number;
    let anyChanged = flags[first]! & (CHANGED | DEAD);
    if (table.next[first] === 0) {
      best = this.isUsable(table, first) ? first : -1;
    } else {
      best = -1;
      const { neighborAs } = this.#attributes;
      let hasMed = 0;
      let neighbour = -1;
      let isOneNeighbour = true;
      for (let p = first; p >= 0; p = table.next[p]! - 1) {
        anyChanged |= flags[p]! & (CHANGED | DEAD);
        if (!this.isUsable(table, p)) continue;
        const set = table.attribute[p]!;
        hasMed |= this.med(set);
        if (best < 0) neighbour = neighborAs[set]!;
        else if (neighborAs[set] !== neighbour) isOneNeighbour = false;
        if (best < 0 || this.compare(table, p, best) < 0) best = p;
      }
      // Comparing with MED is not transitive: group by neighbouring AS first. Without any MED, or with paths of one
      // neighbouring AS only, the scan above was right.
      if (hasMed !== 0 && !isOneNeighbour && !this.#comparesAllMeds) best = this.#bestUsable(table, first);
    }
    const changed = best !== before || (best >= 0 && (flags[best]! & CHANGED) !== 0);
    if (best !== before) {
      if (before >= 0) flags[before] = flags[before]! & ~(BEST | MULTIPATH);
      if (best >= 0) {
        flags[best] = flags[best]! | BEST;
        table.moveToFront(best);
      }
    }
    if (anyChanged !== 0) {
      for (let p = table.head[prefixId]! - 1; p >= 0; p = table.next[p]! - 1) flags[p] = flags[p]! & ~CHANGED;
    }
    return changed || (anyChanged !== 0 && (this.rules.ebgp > 1 || this.rules.ibgp > 1));
  }

  /**
   * Compares two usable paths. MED counts when both come from the same neighbouring AS.
   * @returns negative when a is better; the absolute value is the step (STEP_…) that decided; 0 when equal
   */
  compare(table: RibTable, a: number, b: number): number {
    const upToMetric = this.#compareToMetric(table, a, b);
    return upToMetric !== 0 ? upToMetric : this.#breakTie(table, a, b);
  }

  /** Can these two be used together? Both usable; a is the best. Maximum counts are the caller's. */
  isEqualCost(table: RibTable, a: number, b: number): boolean {
    if (this.#compareToMetric(table, a, b) !== 0) return false;
    if (this.rules.relax) return true;
    const attributes = this.#attributes;
    const x = table.attribute[a]!;
    const y = table.attribute[b]!;
    if (this.#peers.kind[table.peer[a]!] === KIND_EBGP)
      return attributes.neighborAs[x] === attributes.neighborAs[y];
    return this.#reader.samePath(x, y);
  }

  /**
   * Sets MULTIPATH on the paths used together with the best, and returns their number (0 without a best path). Of more
   * than are allowed those that the tie-break puts first are used, whatever the order of the list: the same on all
   * nodes, and from one change to the next. Of paths through one next hop the first counts.
   */
  markMultipath(table: RibTable, prefixId: number, out: Int32Array): number {
    const best = table.best(prefixId);
    if (best < 0) return 0;
    const isEbgp = this.#peers.kind[table.peer[best]!] === KIND_EBGP;
    const most = Math.min(isEbgp ? this.rules.ebgp : this.rules.ibgp, out.length);
    out[0] = best;
    let count = 1;
    let areLeastMedsKnown = false;
    for (let p = table.next[best]! - 1; p >= 0; p = table.next[p]! - 1) {
      table.flags[p] = table.flags[p]! & ~MULTIPATH;
      if (most === 1 || !this.isUsable(table, p) || !this.isEqualCost(table, best, p)) continue;
      if (this.#hasOwnMed(table, best, p)) {
        if (!areLeastMedsKnown) this.#findLeastMeds(table, prefixId, best);
        areLeastMedsKnown = true;
        const set = table.attribute[p]!;
        const least = this.#groups.get(this.#secret.of(this.#attributes.neighborAs[set]!))!;
        if (this.med(set) > least) continue;
      }
      count = this.#join(table, p, out, count, most);
    }
    for (let i = 1; i < count; i++) table.flags[out[i]!] = table.flags[out[i]!]! | MULTIPATH;
    return count;
  }

  /** Of another neighbouring AS than the best (multipath.relax), with a MED that may be more than a path's beside it. */
  #hasOwnMed(table: RibTable, best: number, path: number): boolean {
    if (this.#comparesAllMeds) return false;
    const { neighborAs } = this.#attributes;
    const set = table.attribute[path]!;
    return this.med(set) !== 0 && neighborAs[set] !== neighborAs[table.attribute[best]!];
  }

  /**
   * The lowest MED of each neighbouring AS among the paths that get as far as MED: all others of that AS go out there,
   * also when the best path is another AS's (RFC 4271 section 9.1.2.2 c).
   */
  #findLeastMeds(table: RibTable, prefixId: number, best: number): void {
    const { neighborAs } = this.#attributes;
    this.#groups.clear();
    for (let p = table.head[prefixId]! - 1; p >= 0; p = table.next[p]! - 1) {
      if (!this.isUsable(table, p) || !this.#isEqualUpToOrigin(table, best, p)) continue;
      const set = table.attribute[p]!;
      const as = this.#secret.of(neighborAs[set]!);
      this.#groups.set(as, Math.min(this.med(set), this.#groups.get(as) ?? Infinity));
    }
  }

  /** A set's MED as it is compared (RFC 4271 section 9.1.2.2 c). */
  med(set: number): number {
    const { med, present } = this.#attributes;
    const is = med[set]!;
    if (is !== 0 || this.rules.missingMedAsWorst !== true) return is;
    return (present[set]! & PRESENT_MED) === 0 ? WORST_MED : 0;
  }

  get #comparesAllMeds(): boolean {
    return this.rules.alwaysCompareMed === true;
  }

  #isEqualUpToOrigin(table: RibTable, a: number, b: number): boolean {
    const step = Math.abs(this.#compareToMetric(table, a, b));
    return step === 0 || step > STEP_ORIGIN;
  }

  /** Puts a path to its place in out[1..count), which is in the order of the tie-break; returns the new count. */
  #join(table: RibTable, path: number, out: Int32Array, count: number, most: number): number {
    let left = count;
    for (let i = 0; i < count; i++) {
      if (!this.#hasSameHop(table, path, out[i]!)) continue;
      if (i === 0 || this.#breakTie(table, out[i]!, path) <= 0) return count;
      out.copyWithin(i, i + 1, count);
      left--;
      break;
    }
    let at = left;
    while (at > 1 && this.#breakTie(table, path, out[at - 1]!) < 0) at--;
    if (at >= most) return left;
    const end = Math.min(left, most - 1);
    out.copyWithin(at + 1, at, end);
    out[at] = path;
    return end + 1;
  }

  #hasSameHop(table: RibTable, a: number, b: number): boolean {
    const { nextHop } = this.#attributes;
    return this.#nextHops.isSame(nextHop[table.attribute[a]!]!, nextHop[table.attribute[b]!]!);
  }

  #compareToMetric(table: RibTable, a: number, b: number): number {
    const attributes = this.#attributes;
    const x = table.attribute[a]!;
    const y = table.attribute[b]!;
    // Several feeds of one table: most paths of a prefix have one set.
    if (x === y) return this.#compareKinds(table, a, b);
    const stale = (attributes.flags[x]! & HAS_LLGR_STALE) - (attributes.flags[y]! & HAS_LLGR_STALE);
    if (stale !== 0) return stale < 0 ? -STEP_LONG_LIVED_STALE : STEP_LONG_LIVED_STALE;
    const kindA = this.#peers.kind[table.peer[a]!]!;
    const kindB = this.#peers.kind[table.peer[b]!]!;
    if ((kindA === KIND_LOCAL) !== (kindB === KIND_LOCAL))
      return kindA === KIND_LOCAL ? -STEP_LOCAL : STEP_LOCAL;
    let d = 0;
    const v = attributes.variant[x]!;
    const w = attributes.variant[y]!;
    if (v !== w) {
      const { weight } = attributes.variants;
      d = weight[w]! - weight[v]!;
      if (d !== 0) return d < 0 ? -STEP_WEIGHT : STEP_WEIGHT;
    }
    d = attributes.localPref[y]! - attributes.localPref[x]!;
    if (d !== 0) return d < 0 ? -STEP_LOCAL_PREF : STEP_LOCAL_PREF;
    d = attributes.pathLength[x]! - attributes.pathLength[y]!;
    if (d !== 0) return d < 0 ? -STEP_AS_PATH_LENGTH : STEP_AS_PATH_LENGTH;
    d = attributes.origin[x]! - attributes.origin[y]!;
    if (d !== 0) return d < 0 ? -STEP_ORIGIN : STEP_ORIGIN;
    if (this.#comparesAllMeds || attributes.neighborAs[x] === attributes.neighborAs[y]) {
      d = this.med(x) - this.med(y);
      if (d !== 0) return d < 0 ? -STEP_MED : STEP_MED;
    }
    if (kindA !== kindB) return kindA === KIND_EBGP ? -STEP_EBGP : STEP_EBGP;
    if (this.#nextHops.hasMetrics) {
      d = this.#metric(x) - this.#metric(y);
      if (d !== 0) return d < 0 ? -STEP_METRIC : STEP_METRIC;
    }
    return 0;
  }

  /** What is left of #compareToMetric for paths with the same attribute set. */
  #compareKinds(table: RibTable, a: number, b: number): number {
    const kindA = this.#peers.kind[table.peer[a]!]!;
    const kindB = this.#peers.kind[table.peer[b]!]!;
    if (kindA === kindB) return 0;
    if (kindA === KIND_LOCAL || kindB === KIND_LOCAL) return kindA === KIND_LOCAL ? -STEP_LOCAL : STEP_LOCAL;
    return kindA === KIND_EBGP ? -STEP_EBGP : STEP_EBGP;
  }

  #breakTie(table: RibTable, a: number, b: number): number {
    const attributes = this.#attributes;
    const peers = this.#peers;
    const x = table.attribute[a]!;
    const y = table.attribute[b]!;
    const peerA = table.peer[a]!;
    const peerB = table.peer[b]!;
    let d =
      (attributes.originator[x]! || peers.routerId[peerA]!) -
      (attributes.originator[y]! || peers.routerId[peerB]!);
    if (d !== 0) return d < 0 ? -STEP_ROUTER_ID : STEP_ROUTER_ID;
    d = attributes.clusterLength[x]! - attributes.clusterLength[y]!;
    if (d !== 0) return d < 0 ? -STEP_CLUSTER_LIST : STEP_CLUSTER_LIST;
    for (let i = 0; i < 4; i++) {
      d = peers.address[peerA * 4 + i]! - peers.address[peerB * 4 + i]!;
      if (d !== 0) return d < 0 ? -STEP_PEER_ADDRESS : STEP_PEER_ADDRESS;
    }
    // Two sessions with one address (other ports) and two path ids of one session (RFC 7911) still tie.
    d = peerA - peerB;
    if (d !== 0) return d < 0 ? -STEP_PEER_ADDRESS : STEP_PEER_ADDRESS;
    const ids = table.receivedId;
    d = ids === undefined ? 0 : ids[a]! - ids[b]!;
    return d < 0 ? -STEP_PATH_ID : d > 0 ? STEP_PATH_ID : 0;
  }

  #metric(attribute: number): number {
    const hop = this.#attributes.nextHop[attribute]!;
    return hop < 0 ? 0 : this.#nextHops.metric[hop]!;
  }

  /** The index of what choose() would take of paths[from..end), which are all usable. */
  bestOf(table: RibTable, paths: Int32Array, from: number, end: number): number {
    const { neighborAs } = this.#attributes;
    const neighbour = neighborAs[table.attribute[paths[from]!]!]!;
    let hasMed = 0;
    let isOneNeighbour = true;
    let best = from;
    for (let i = from; i < end; i++) {
      const set = table.attribute[paths[i]!]!;
      hasMed |= this.med(set);
      if (neighborAs[set] !== neighbour) isOneNeighbour = false;
      if (i > from && this.compare(table, paths[i]!, paths[best]!) < 0) best = i;
    }
    if (hasMed === 0 || isOneNeighbour || this.#comparesAllMeds) return best;
    return this.#bestByGroup(table, paths, from, end);
  }

  #bestUsable(table: RibTable, first: number): number {
    let count = 0;
    for (let p = first; p >= 0; p = table.next[p]! - 1) {
      if (!this.isUsable(table, p)) continue;
      if (count === this.#usable.length) this.#usable = resizeI32(this.#usable, count * 2);
      this.#usable[count++] = p;
    }
    return this.#usable[this.#bestByGroup(table, this.#usable, 0, count)]!;
  }

  /** Best of each neighbouring AS first, then the best of these: only there MED makes an order (RFC 3345). */
  #bestByGroup(table: RibTable, paths: Int32Array, from: number, end: number): number {
    const neighborAs = this.#attributes.neighborAs;
    this.#groups.clear();
    for (let i = from; i < end; i++) {
      const path = paths[i]!;
      const as = this.#secret.of(neighborAs[table.attribute[path]!]!);
      const other = this.#groups.get(as);
      if (other === undefined || this.compare(table, path, paths[other]!) < 0) this.#groups.set(as, i);
    }
    let best = -1;
    for (const i of this.#groups.values())
      if (best < 0 || this.compare(table, paths[i]!, paths[best]!) < 0) best = i;
    return best;
  }
}
