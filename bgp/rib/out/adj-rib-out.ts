// The Adj-RIB-Out of an update group: per unit (prefix, or path with ADD-PATH) the attribute set announced last and the
// peer it came from. A member's own view follows from it: everything but what came from that member, and but routes
// whose next hop is its own address. Bound: six bytes a unit of the table.
import { type I32, resizeI32, resizeU16, type U16 } from '../../columns/columns.ts';
import type { AttributeStore } from '../attributes/attribute-store.ts';
import type { NextHops } from '../attributes/next-hops.ts';
import type { ExportRules } from './export-rules.ts';
import { Withheld } from './withheld.ts';

export class AdjRibOut {
  readonly #attributes: AttributeStore;
  readonly #nextHops: NextHops;
  readonly #keepsNextHop: boolean;
  /** Next hops may go out that are not ours: by the rules of the group, or by its policy. */
  readonly passesHops: boolean;
  readonly #withheld: Withheld;
  /** By unit: attribute set + 1 (0: not advertised), with a reference; source peer's slot. */
  set: I32 = new Int32Array(0);
  source: U16 = new Uint16Array(0);
  /** Units that are advertised. */
  count = 0;

  constructor(
    attributes: AttributeStore,
    nextHops: NextHops,
    { keepsNextHop, policy }: Pick<ExportRules, 'keepsNextHop' | 'policy'>,
  ) {
    this.#attributes = attributes;
    this.#nextHops = nextHops;
    this.#keepsNextHop = keepsNextHop;
    this.passesHops = keepsNextHop || policy.givesNextHops;
    this.#withheld = new Withheld(nextHops);
  }

  fit(capacity: number, slotEnd: number): void {
    if (this.set.length !== capacity) {
      this.set = resizeI32(this.set, capacity);
      this.source = resizeU16(this.source, capacity);
    }
    this.#withheld.fit(slotEnd);
  }

  /** Is a unit's state one that this peer has or must get? */
  isFor(unit: number, slot: number): boolean {
    if (unit >= this.set.length) return false;
    const set = this.set[unit]! - 1;
    if (set < 0 || this.source[unit] === slot) return false;
    const owner = this.ownerOf(set);
    return owner < 0 || this.#nextHops.addressOf[slot] !== owner;
  }

  /** How many units a peer has or must get. */
  countFor(slot: number): number {
    return this.count - this.#withheld.of(slot);
  }

  put(unit: number, set: number, source: number): void {
    const references = this.#attributes.references;
    references[set] = references[set]! + 1;
    this.remove(unit);
    this.set[unit] = set + 1;
    this.source[unit] = source;
    this.count++;
    this.#withheld.count(unit, this.ownerOf(set), source, 1);
  }

  remove(unit: number): void {
    const set = this.set[unit]! - 1;
    if (set < 0) return;
    const source = this.source[unit]!;
    this.set[unit] = 0;
    this.count--;
    this.#withheld.count(unit, this.ownerOf(set), source, -1);
    this.#attributes.release(set);
  }

  /** The same set comes from another peer, and looks alike. */
  moveSource(unit: number, source: number): void {
    const set = this.set[unit]! - 1;
    const before = this.source[unit]!;
    this.source[unit] = source;
    const owner = this.ownerOf(set);
    this.#withheld.count(unit, owner, before, -1);
    this.#withheld.count(unit, owner, source, 1);
  }

  /**
   * The number of the neighbours' address that is the next hop of a set which leaves with it unchanged: none of the
   * peers there must get it (TX-4). -1 when it is nobody's, and without a set (-1).
   */
  ownerOf(set: number): number {
    if (!this.passesHops || set < 0 || !this.#attributes.leavesWithHop(set, this.#keepsNextHop)) return -1;
    return this.#nextHops.owner[this.#attributes.nextHop[set]!]!;
  }

  /** A session came or went, and with it the owner of a next hop. */
  ownersChanged(): void {
    if (this.passesHops) this.#withheld.ownersChanged();
  }

  /** Looks at `count` units below `end` for what ownersChanged() began; false when there is nothing to count. */
  recount(count: number, end: number): boolean {
    if (!this.#withheld.isCounting) return false;
    this.#withheld.countSome(count, Math.min(end, this.set.length), this.set, this.source, (set) =>
      this.ownerOf(set),
    );
    return true;
  }

  /** Gives back up to `count` references of a group that is no more, from unit `from` on; returns where it stopped. */
  dismantle(from: number, count: number): number {
    const last = Math.min(from + count, this.set.length);
    for (let unit = from; unit < last; unit++) {
      const set = this.set[unit]! - 1;
      if (set >= 0) this.#attributes.release(set);
    }
    return last === this.set.length ? -1 : last;
  }

  get bytes(): number {
    return this.set.length * 6;
  }
}
