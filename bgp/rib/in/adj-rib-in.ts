// Writes single paths into the tables: announced, withdrawn, filtered by import policy, looked at again when
// the policy changes. Keeps the reference counts of attribute sets and the counters of peers and slots.
import type { FamilyIndex } from '../../family.ts';
import type { AttributeIntern } from '../attributes/attribute-intern.ts';
import type { AttributeReader } from '../attributes/attribute-reader.ts';
import type { AttributeStore } from '../attributes/attribute-store.ts';
import type { PeerSlots } from '../table/peer-slots.ts';
import type { CompiledPolicy } from '../../policy/compile.ts';
import {
  BEST,
  CHANGED,
  DEAD,
  FILTERED,
  HAS_DEAD,
  INELIGIBLE,
  LONG_LIVED_STALE,
  MULTIPATH,
  OWN_AS_LOOP,
  type RibTable,
  STALE,
} from '../table/rib-table.ts';

/** Changes of one peer in one turn of the work loop up to this many overtake bulk. */
const URGENT_PER_TURN = 64;

/** Paths that are received but not accepted. */
const REFUSED = FILTERED | INELIGIBLE;

/** Whose paths they are: a neighbour, or this speaker for routes that start here. */
export interface PathOwner {
  readonly slot: number;
  readonly importPolicy: CompiledPolicy;
  /** Live paths of the current session by family, filtered ones included. */
  readonly received: number[];
  /** Of these, rejected by import policy. */
  readonly filtered: number[];
  /** Of these, forbidden by a rule of the protocol (loop, first AS, role, our own next hop). */
  readonly ineligible: number[];
  /** Of the ineligible ones, those with our own AS in AS_PATH. */
  readonly ownAsLoops: number[];
  /** Prefixes made dirty since the last turn of the work loop. */
  marked: number;
}

export class AdjRibIn {
  readonly #store: AttributeStore;
  readonly #intern: AttributeIntern;
  readonly #reader: AttributeReader;
  readonly #peers: PeerSlots;
  /** The last set that import policy changed: from, by which policy and combination, to. Holds references. */
  #changedFrom = -1;
  #changedTo = -1;
  #changedCombination = -1;
  #changedPolicy: object | undefined;

  constructor(intern: AttributeIntern, reader: AttributeReader, peers: PeerSlots) {
    this.#store = intern.store;
    this.#intern = intern;
    this.#reader = reader;
    this.#peers = peers;
  }

  /**
   * A path was announced.
   * @param raw its attribute set before import policy
   * @param eligibility INELIGIBLE, OWN_AS_LOOP or 0, the same for all prefixes of the message
   */
  announce(
    peer: PathOwner,
    table: RibTable,
    prefix: number,
    receivedId: number,
    raw: number,
    eligibility: number,
  ): void {
    let use = raw;
    let flags = eligibility;
    if (flags === 0 && !peer.importPolicy.acceptsAll) {
      use = this.#filter(peer, table, prefix, raw);
      if (use < 0) {
        flags = FILTERED;
        use = raw;
      }
    }
    const slot = peer.slot;
    const epoch = this.#peers.epoch[slot * 2 + table.family]!;
    const references = this.#store.references;
    let path = table.findPath(prefix, slot, receivedId);
    if (path < 0) {
      path = table.addPath(prefix, slot, use, flags | CHANGED, epoch);
      references[use] = references[use]! + 1;
      if (table.receivedId !== undefined) table.receivedId[path] = receivedId;
      this.#setOriginal(table, path, raw, use);
      this.#peers.paths[slot] = this.#peers.paths[slot]! + 1;
      peer.received[table.family]!++;
      if (flags === 0) table.markDirty(prefix, ++peer.marked < URGENT_PER_TURN);
      else recount(peer, table.family, 0, flags);
      return;
    }
    const old = table.flags[path]!;
    const isCurrent = table.epoch[path] === epoch && (old & DEAD) === 0;
    if (!isCurrent) peer.received[table.family]!++;
    if (((old | flags) & REFUSED) !== 0) recount(peer, table.family, isCurrent ? old : 0, flags);
    const isSame =
      table.attribute[path] === use &&
      (old & (REFUSED | STALE | LONG_LIVED_STALE)) === flags &&
      (table.original === undefined || table.original[path] === (raw === use ? -1 : raw));
    if (isSame) {
      if (isCurrent) return;
      table.flags[path] = old & ~DEAD;
    } else {
      references[use] = references[use]! + 1;
      references[raw] = references[raw]! + 1;
      this.dropSets(table, path);
      table.attribute[path] = use;
      this.#setOriginal(table, path, raw, use);
      this.#store.release(raw);
      table.flags[path] = (old & (BEST | MULTIPATH)) | flags | CHANGED;
    }
    table.epoch[path] = epoch;
    table.markDirty(prefix, ++peer.marked < URGENT_PER_TURN);
  }

  withdraw(peer: PathOwner, table: RibTable, prefix: number, receivedId: number): void {
    const path = table.findPath(prefix, peer.slot, receivedId);
    if (path < 0 || (table.flags[path]! & DEAD) !== 0) return;
    if (this.#isCurrent(peer, table, path)) {
      peer.received[table.family]!--;
      if ((table.flags[path]! & REFUSED) !== 0) recount(peer, table.family, table.flags[path]!, 0);
    }
    this.kill(table, path, ++peer.marked < URGENT_PER_TURN);
  }

  /** Marks a path withdrawn; it goes when its prefix was processed. */
  kill(table: RibTable, path: number, isUrgent: boolean): void {
    const prefix = table.prefix[path]!;
    table.flags[path] = table.flags[path]! | DEAD;
    table.prefixFlags[prefix] = table.prefixFlags[prefix]! | HAS_DEAD;
    table.markDirty(prefix, isUrgent);
  }

  /** Looks at a live path of the current session again with the peer's import policy of now (BGP.md TX-14). */
  reevaluate(peer: PathOwner, table: RibTable, path: number, eligibility: (raw: number) => number): void {
    const original = table.original?.[path] ?? -1;
    const before = table.attribute[path]!;
    const raw = original >= 0 ? original : before;
    let flags = eligibility(raw);
    let use = raw;
    if (flags === 0 && !peer.importPolicy.acceptsAll) {
      use = this.#filter(peer, table, table.prefix[path]!, raw);
      if (use < 0) {
        flags = FILTERED;
        use = raw;
      }
    }
    const old = table.flags[path]!;
    if (use === before && (old & REFUSED) === flags) return;
    const references = this.#store.references;
    references[use] = references[use]! + 1;
    references[raw] = references[raw]! + 1;
    this.dropSets(table, path);
    table.attribute[path] = use;
    this.#setOriginal(table, path, raw, use);
    this.#store.release(raw);
    table.flags[path] = (old & ~REFUSED) | flags | CHANGED;
    if (((old | flags) & REFUSED) !== 0 && this.#isCurrent(peer, table, path))
      recount(peer, table.family, old, flags);
    table.markDirty(table.prefix[path]!, false);
  }

  /** Counted: announced in this session, and since the last BoRR. */
  #isCurrent(peer: PathOwner, table: RibTable, path: number): boolean {
    return table.epoch[path] === this.#peers.epoch[peer.slot * 2 + table.family];
  }

  /** Gives back what a path refers to. */
  dropSets(table: RibTable, path: number): void {
    this.#store.release(table.attribute[path]!);
    const original = table.original?.[path] ?? -1;
    if (original >= 0) this.#store.release(original);
  }

  #setOriginal(table: RibTable, path: number, raw: number, use: number): void {
    if (raw === use) {
      if (table.original !== undefined) table.original[path] = -1;
      return;
    }
    table.keepOriginals()[path] = raw;
    this.#store.references[raw] = this.#store.references[raw]! + 1;
  }

  /** The set to use after import policy (borrowed, not a reference), or -1 when it rejects. */
  #filter(peer: PathOwner, table: RibTable, prefix: number, raw: number): number {
    const { prefixes, family } = table;
    const policy = peer.importPolicy;
    const combination = policy.evaluate(
      family,
      prefixes.a0[prefix]!,
      family === 0 ? 0 : prefixes.a1[prefix]!,
      family === 0 ? 0 : prefixes.a2[prefix]!,
      family === 0 ? 0 : prefixes.a3[prefix]!,
      prefixes.lengths[prefix]!,
      this.#peers.kind[peer.slot]!,
      raw,
      this.#reader,
    );
    if (combination <= 0) return combination < 0 ? -1 : raw;
    if (
      raw !== this.#changedFrom ||
      combination !== this.#changedCombination ||
      policy !== this.#changedPolicy
    ) {
      if (this.#changedFrom >= 0) this.#store.release(this.#changedFrom);
      if (this.#changedTo >= 0) this.#store.release(this.#changedTo);
      this.#store.references[raw] = this.#store.references[raw]! + 1;
      this.#changedFrom = raw;
      this.#changedCombination = combination;
      this.#changedPolicy = policy;
      this.#changedTo = this.#intern.changed(raw, policy.sets(combination), -1, false);
    }
    return this.#changedTo;
  }
}

/** A live path of the current session goes from one set of REFUSED flags to another. */
function recount(peer: PathOwner, family: FamilyIndex, before: number, after: number): void {
  addRefused(peer, family, before, -1);
  addRefused(peer, family, after, 1);
}

function addRefused(peer: PathOwner, family: FamilyIndex, flags: number, by: number): void {
  const refused = flags & REFUSED;
  if (refused === FILTERED) peer.filtered[family]! += by;
  else if (refused !== 0) peer.ineligible[family]! += by;
  if (refused === OWN_AS_LOOP) peer.ownAsLoops[family]! += by;
}
