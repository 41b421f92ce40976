// May a path go out to a group, and with which attribute set? (docs/rules.md: TX-1, TX-4, TX-5, TX-7, and the
// export policy.) Which member must not get it because it came from there is not decided here.
import { PRESENT_OTC } from '../../message/index.ts';
import { RouteRef, type TraceStep } from '../../policy/compile.ts';
import { type Aggregates, isAggregate } from '../in/aggregates.ts';
import { AppliedPolicy, REJECTED } from '../attributes/applied-policy.ts';
import type { AttributeIntern } from '../attributes/attribute-intern.ts';
import type { AttributeReader } from '../attributes/attribute-reader.ts';
import type { AttributeStore } from '../attributes/attribute-store.ts';
import type { Decision } from '../table/decision.ts';
import { BandwidthSums } from './bandwidth-sums.ts';
import type { ExportRules } from './export-rules.ts';
import type { NextHops } from '../attributes/next-hops.ts';
import { KIND_IBGP, KIND_LOCAL, LOCAL_SLOT, type PeerSlots } from '../table/peer-slots.ts';
import { DEAD, INELIGIBLE, type RibTable } from '../table/rib-table.ts';

/** Why a path does not go out: results of path() below 0. */
export const NOT_USABLE = -1;
/** RFC 4456: iBGP routes go only to or from reflector clients. */
export const NOT_REFLECTED = -2;
/** RFC 1997: NO_ADVERTISE, NO_EXPORT; also LLGR_STALE (RFC 9494 section 4.3). */
export const KEPT_BY_COMMUNITY = -3;
/** RFC 9234. */
export const KEPT_BY_OTC = -4;
export const NO_NEXT_HOP = -5;
export const REJECTED_BY_POLICY = -6;
/** With what the policy sets. */
export const FITS_NO_MESSAGE = -7;
/** The peer gets the default route that stands by on request, and no other. */
export const MADE_INSTEAD = -8;
/** An aggregate is for those outside. */
export const AGGREGATE_STAYS = -9;
/** Those outside get the aggregate alone. */
export const SUPPRESSED = -10;

/** Of each family, what stands for others. */
type Suppression = Pick<Aggregates, 'isOn' | 'isSuppressed'>;

export class ExportView {
  readonly #attributes: AttributeStore;
  readonly #peers: Pick<PeerSlots, 'kind' | 'client'>;
  readonly #nextHops: NextHops;
  readonly decision: Decision;
  readonly #export: AppliedPolicy;
  readonly #bandwidths: BandwidthSums;
  readonly #intern: AttributeIntern;
  readonly #aggregates: readonly Suppression[];
  readonly #route: RouteRef;
  /** The path that path() was asked about last: who is to blame when that throws. */
  lookedAt = -1;

  constructor(
    intern: AttributeIntern,
    reader: AttributeReader,
    peers: Pick<PeerSlots, 'kind' | 'client'>,
    nextHops: NextHops,
    decision: Decision,
    tables: readonly RibTable[],
    aggregates: readonly Suppression[],
  ) {
    this.#intern = intern;
    this.#aggregates = aggregates;
    this.#attributes = intern.store;
    this.#peers = peers;
    this.#nextHops = nextHops;
    this.decision = decision;
    this.#export = new AppliedPolicy(intern, reader, true);
    this.#bandwidths = new BandwidthSums(intern, decision);
    this.#route = new RouteRef(tables[0]!.prefixes);
  }

  /** The path that goes out for a prefix: the best one, or a default route that is there for those who ask. -1: none. */
  chosen(rules: ExportRules, table: RibTable, prefix: number): number {
    const made = rules.originatesDefault ? madeDefault(table, prefix) : -1;
    return made < 0 ? table.best(prefix) : made;
  }

  /** The set to announce (borrowed: the caller takes its own reference), or below 0 why there is none. */
  path(rules: ExportRules, table: RibTable, path: number): number {
    this.lookedAt = path;
    if (rules.originatesDefault) {
      const made = madeDefault(table, table.prefix[path]!);
      if (made >= 0 && path !== made) return MADE_INSTEAD;
      if (made >= 0) return rules.self === undefined ? NO_NEXT_HOP : table.attribute[path]!;
    }
    if (!this.decision.isUsable(table, path)) return NOT_USABLE;
    const set = table.attribute[path]!;
    const slot = table.peer[path]!;
    const kind = this.#peers.kind[slot]!;
    const aggregates = this.#aggregates[table.family]!;
    if (aggregates.isOn) {
      const isOne = isAggregate(this.#intern, table, path);
      if (isOne && !rules.takesAggregates) return AGGREGATE_STAYS;
      if (!isOne && rules.takesAggregates && aggregates.isSuppressed(table, table.prefix[path]!))
        return SUPPRESSED;
    }
    if (kind === KIND_IBGP && !rules.external && !rules.client && this.#peers.client[slot] === 0)
      return NOT_REFLECTED;
    const attributes = this.#attributes;
    // A community that an operator gives a route of this speaker is for those who receive it.
    if (kind !== KIND_LOCAL && (attributes.flags[set]! & rules.blockedFlags) !== 0) return KEPT_BY_COMMUNITY;
    if (rules.blocksOtc && (attributes.present[set]! & PRESENT_OTC) !== 0) return KEPT_BY_OTC;
    let result = set;
    if (!rules.policy.acceptsAll || attributes.hasSecrets(set)) {
      result = this.#export.apply(rules.policy, this.#point(table, path));
      if (result < 0) return result === REJECTED ? REJECTED_BY_POLICY : FITS_NO_MESSAGE;
    }
    if (!attributes.leavesWithHop(result, rules.keepsNextHop)) {
      if (rules.self === undefined) return NO_NEXT_HOP;
      return rules.sumsBandwidth ? this.#bandwidths.apply(table, path, result) : result;
    }
    return this.#isForNeighbours(rules, attributes.nextHop[result]!) ? result : NO_NEXT_HOP;
  }

  /** Can a group's neighbours use a next hop, or ours instead? */
  #isForNeighbours(rules: ExportRules, hop: number): boolean {
    const { family, needsLink } = this.#nextHops;
    if (family[hop] !== rules.family && !(rules.family === 0 && rules.extendedNextHop)) return false;
    if (needsLink[hop] === 0 || this.#nextHops.bytesFor(hop, rules.link) !== undefined) return true;
    return rules.replacesLinkLocal && rules.self !== undefined;
  }

  /** For one that is made for a while: gives back what it remembers. */
  forget(): void {
    this.#export.forget();
    this.#bandwidths.forget();
  }

  /** The rule of the export policy that rejects a path, for people; undefined when none does. */
  whyRejected(rules: ExportRules, table: RibTable, path: number): string | undefined {
    return this.#export.whyRejected(rules.policy, this.#point(table, path));
  }

  /** What each rule of the export policy does with a path, for people. */
  trace(rules: ExportRules, table: RibTable, path: number): TraceStep[] {
    return this.#export.trace(rules.policy, this.#point(table, path));
  }

  #point(table: RibTable, path: number): RouteRef {
    const kind = this.#peers.kind[table.peer[path]!]!;
    return this.#route.point(table.prefixes, table.prefix[path]!, kind, table.attribute[path]!);
  }
}

/** Of our own paths the one that this speaker does not use itself (Origination.onRequest); -1: there is none. */
function madeDefault(table: RibTable, prefix: number): number {
  if (table.prefixes.lengths[prefix] !== 0) return -1;
  let path = table.head[prefix]! - 1;
  while (
    path >= 0 &&
    !(table.peer[path] === LOCAL_SLOT && (table.flags[path]! & (INELIGIBLE | DEAD)) === INELIGIBLE)
  )
    path = table.next[path]! - 1;
  return path;
}
