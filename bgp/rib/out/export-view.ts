// May a path go out to a group, and with which attribute set? (BGP.md 2.7: TX-1, TX-4, TX-5, TX-7, and the
// export policy.) Which member must not get it because it came from there is not decided here.
import { PRESENT_OTC } from '../../message/index.ts';
import type { CompiledPolicy } from '../../policy/compile.ts';
import type { AttributeIntern } from '../attributes/attribute-intern.ts';
import type { AttributeReader } from '../attributes/attribute-reader.ts';
import type { AttributeStore } from '../attributes/attribute-store.ts';
import type { Decision } from '../table/decision.ts';
import type { ExportRules } from './export-rules.ts';
import type { NextHops } from '../attributes/next-hops.ts';
import { KIND_IBGP, type PeerSlots } from '../table/peer-slots.ts';
import type { RibTable } from '../table/rib-table.ts';

export class ExportView {
  readonly #intern: AttributeIntern;
  readonly #attributes: AttributeStore;
  readonly #reader: AttributeReader;
  readonly #peers: PeerSlots;
  readonly #nextHops: NextHops;
  readonly #decision: Decision;
  /** The last set that export policy changed. Holds references. */
  #changedFrom = -1;
  #changedTo = -1;
  #changedCombination = -1;
  #changedPolicy: CompiledPolicy | undefined;

  constructor(
    intern: AttributeIntern,
    reader: AttributeReader,
    peers: PeerSlots,
    nextHops: NextHops,
    decision: Decision,
  ) {
    this.#intern = intern;
    this.#attributes = intern.store;
    this.#reader = reader;
    this.#peers = peers;
    this.#nextHops = nextHops;
    this.#decision = decision;
  }

  /** The set to announce (borrowed: the caller takes its own reference), or -1. */
  path(rules: ExportRules, table: RibTable, path: number): number {
    if (!this.#decision.isUsable(table, path)) return -1;
    const set = table.attribute[path]!;
    const slot = table.peer[path]!;
    const kind = this.#peers.kind[slot]!;
    if (kind === KIND_IBGP && !rules.external && !rules.client && this.#peers.client[slot] === 0) return -1;
    const attributes = this.#attributes;
    if ((attributes.flags[set]! & rules.blockedFlags) !== 0) return -1;
    if (rules.blocksOtc && (attributes.present[set]! & PRESENT_OTC) !== 0) return -1;
    const hop = attributes.nextHop[set]!;
    if (hop < 0 || !rules.keepsNextHop) {
      if (rules.self === undefined) return -1;
    } else if (
      this.#nextHops.family[hop] !== rules.family &&
      !(rules.family === 0 && rules.extendedNextHop)
    ) {
      return -1;
    }
    return rules.policy.acceptsAll ? set : this.#filter(rules, table, table.prefix[path]!, set, kind);
  }

  /** Why a path does not go out, in words; undefined when it does. For display only. */
  why(rules: ExportRules, table: RibTable, path: number): string | undefined {
    if (this.path(rules, table, path) >= 0) return undefined;
    const set = table.attribute[path]!;
    const slot = table.peer[path]!;
    if (
      this.#peers.kind[slot] === KIND_IBGP &&
      !rules.external &&
      !rules.client &&
      this.#peers.client[slot] === 0
    ) {
      return 'iBGP routes go only to or from reflector clients';
    }
    if ((this.#attributes.flags[set]! & rules.blockedFlags) !== 0)
      return 'a well-known community keeps it here';
    if (rules.blocksOtc && (this.#attributes.present[set]! & PRESENT_OTC) !== 0) return 'OTC (RFC 9234)';
    const result = this.#evaluate(rules, table, table.prefix[path]!, set, this.#peers.kind[slot]!);
    return result < 0
      ? `export policy: ${rules.policy.whyRejected(result)}`
      : 'no usable next hop for this family';
  }

  #filter(rules: ExportRules, table: RibTable, prefix: number, set: number, kind: number): number {
    const combination = this.#evaluate(rules, table, prefix, set, kind);
    if (combination <= 0) return combination < 0 ? -1 : set;
    const { policy } = rules;
    if (
      set !== this.#changedFrom ||
      combination !== this.#changedCombination ||
      policy !== this.#changedPolicy
    ) {
      this.forget();
      this.#attributes.references[set] = this.#attributes.references[set]! + 1;
      this.#changedFrom = set;
      this.#changedCombination = combination;
      this.#changedPolicy = policy;
      this.#changedTo = this.#intern.changed(set, policy.sets(combination), -1, true);
    }
    return this.#changedTo;
  }

  /** Gives back the references of the one remembered set. */
  forget(): void {
    if (this.#changedFrom >= 0) this.#attributes.release(this.#changedFrom);
    if (this.#changedTo >= 0) this.#attributes.release(this.#changedTo);
    this.#changedFrom = -1;
    this.#changedTo = -1;
  }

  #evaluate(rules: ExportRules, table: RibTable, prefix: number, set: number, kind: number): number {
    const { prefixes, family } = table;
    return rules.policy.evaluate(
      family,
      prefixes.a0[prefix]!,
      family === 0 ? 0 : prefixes.a1[prefix]!,
      family === 0 ? 0 : prefixes.a2[prefix]!,
      family === 0 ? 0 : prefixes.a3[prefix]!,
      prefixes.lengths[prefix]!,
      kind,
      set,
      this.#reader,
    );
  }
}
