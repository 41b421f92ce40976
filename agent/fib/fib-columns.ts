// One family's routes: what each prefix wants, what the kernel has, and the queue of those where they differ. Typed
// arrays indexed by the prefix table's ids. Knows nothing of the kernel; the counts of uses are kept here.
// Bound: the prefixes that are wanted or in the kernel; 9 bytes each beside the PrefixTable.
import {
  type ForwardingChange,
  type ForwardingView,
  type I32,
  IdRing,
  PrefixTable,
  resizeI32,
  resizeU8,
  type U8,
} from '#bgp';
import { type FamilyIndex, formatPrefixOctets } from '#ip';
import { Leftovers } from './leftovers.ts';
import { AGGREGATE_SET, type HopSets, NO_SET } from './hop-sets.ts';
import { NO_TARGET, type Targets } from './targets.ts';

/** Prefixes that there is room for at first; from here on the table grows in parts. */
const FIRST_CAPACITY = 4096;

/** In the queue. */
const DIRTY = 1;
/** Held by an `unreachable` route: a block of this node. Goes before anything learned. */
const HELD = 2;
/** Left by an earlier run and not yet wanted in this one. */
const ADOPTED = 4;
/** A request for it is on its way to the kernel. */
const BUSY = 8;
/** Marks what a dump has shown. */
const SEEN = 16;

export class Columns {
  readonly family: FamilyIndex;
  readonly prefixes: PrefixTable;
  readonly #sets: HopSets;
  readonly #targets: Targets;
  /** Target of held prefixes, and of aggregates. */
  readonly #unreachable: number;
  #wanted: I32 = new Int32Array(FIRST_CAPACITY);
  #installed: I32 = new Int32Array(FIRST_CAPACITY);
  #flags: U8 = new Uint8Array(FIRST_CAPACITY);
  /** Next-hop sets that go before what the RIB wants: routes to neighbours behind a gateway. Bound: the sessions. */
  readonly #fixed = new Map<number, number>();
  readonly leftovers = new Leftovers();
  readonly #queue = new IdRing();
  readonly #address = new Uint8Array(16);
  #wantedCount = 0;
  #adoptedCount = 0;

  /** @param seed secret: who does not know it cannot choose prefixes that collide */
  constructor(family: FamilyIndex, seed: number, sets: HopSets, targets: Targets, unreachable: number) {
    this.family = family;
    this.prefixes = new PrefixTable(family, seed, FIRST_CAPACITY);
    this.#sets = sets;
    this.#targets = targets;
    this.#unreachable = unreachable;
  }

  get wantedCount(): number {
    return this.#wantedCount;
  }

  get adoptedCount(): number {
    return this.#adoptedCount;
  }

  get pendingCount(): number {
    return this.#queue.count;
  }

  /** The id of a prefix, new or old; it stays while anything is wanted, installed or pending. */
  add(address: Uint8Array, at: number, length: number): number {
    const id = this.prefixes.findOrAddBytes(address, at, length);
    if (this.prefixes.capacity !== this.#flags.length) this.#fit();
    return id;
  }

  /** A batch of prefixes that changed in the RIB. Nothing is allocated for one whose next hops are known. */
  take(change: ForwardingChange, rib: ForwardingView): void {
    const { family } = this;
    const address = this.#address;
    for (let i = 0; i < change.count; i++) {
      const ribId = change.prefixIds[i]!;
      const length = rib.readPrefix(family, ribId, address);
      if (length < 0) continue;
      const set = this.#sets.ofRib(family, ribId, rib);
      const id = set === NO_SET ? this.prefixes.findBytes(address, 0, length) : this.add(address, 0, length);
      if (id >= 0) this.want(id, set);
    }
    this.#sets.endBatch();
  }

  /** Metric of the installed route; 0 when there is none. */
  installedMetricOf(id: number): number {
    return this.#targets.metricOf(this.#installed[id]!);
  }

  /** What the RIB wants: the next-hop set, or NO_SET. */
  want(id: number, set: number): void {
    const old = this.#wanted[id]!;
    if (old === set) return;
    const wasWanted = this.isWanted(id);
    this.#sets.retain(set);
    this.#wanted[id] = set;
    this.#sets.release(old);
    this.#wishChanged(id, wasWanted);
  }

  /** Puts the prefix under an `unreachable` route, or takes it out. */
  hold(id: number, isHeld: boolean): void {
    if (this.isHeld(id) === isHeld) return;
    const wasWanted = this.isWanted(id);
    this.#setFlag(id, HELD, isHeld);
    this.#wishChanged(id, wasWanted);
  }

  /** Wants this set whatever the RIB says, until NO_SET. */
  fix(id: number, set: number): void {
    const old = this.#fixed.get(id) ?? NO_SET;
    if (old === set) return;
    const wasWanted = this.isWanted(id);
    this.#sets.retain(set);
    if (set === NO_SET) this.#fixed.delete(id);
    else this.#fixed.set(id, set);
    this.#sets.release(old);
    this.#wishChanged(id, wasWanted);
  }

  #wishChanged(id: number, wasWanted: boolean): void {
    const isWanted = this.isWanted(id);
    this.#wantedCount += (isWanted ? 1 : 0) - (wasWanted ? 1 : 0);
    if (isWanted) this.setAdopted(id, false);
    this.markDirty(id);
  }

  /** What the kernel now has for the prefix: takes over nobody's use of the target, counts its own. */
  setInstalled(id: number, target: number): void {
    const old = this.#installed[id]!;
    if (old === target) return;
    this.#targets.retain(target);
    this.#installed[id] = target;
    this.#targets.release(old);
  }

  installedOf(id: number): number {
    return this.#installed[id]!;
  }

  wantedSetOf(id: number): number {
    return this.#fixed.get(id) ?? this.#wanted[id]!;
  }

  /** What the kernel should have: a target, or NO_TARGET also when no next hop can be reached. */
  targetOf(id: number): number {
    const set = this.wantedSetOf(id);
    if (this.isHeld(id) || set === AGGREGATE_SET) return this.#unreachable;
    return this.#sets.targetOf(set, this.family);
  }

  isHeld(id: number): boolean {
    return (this.#flags[id]! & HELD) !== 0;
  }

  isWanted(id: number): boolean {
    return this.isHeld(id) || this.wantedSetOf(id) !== NO_SET;
  }

  isAdopted(id: number): boolean {
    return (this.#flags[id]! & ADOPTED) !== 0;
  }

  setAdopted(id: number, isAdopted: boolean): void {
    if (this.isAdopted(id) === isAdopted) return;
    this.#setFlag(id, ADOPTED, isAdopted);
    this.#adoptedCount += isAdopted ? 1 : -1;
  }

  setSeen(id: number, isSeen: boolean): void {
    this.#setFlag(id, SEEN, isSeen);
  }

  isSeen(id: number): boolean {
    return (this.#flags[id]! & SEEN) !== 0;
  }

  #setFlag(id: number, flag: number, on: boolean): void {
    this.#flags[id] = on ? this.#flags[id]! | flag : this.#flags[id]! & ~flag;
  }

  markDirty(id: number): void {
    if ((this.#flags[id]! & DIRTY) !== 0) return;
    this.#setFlag(id, DIRTY, true);
    this.#queue.push(id);
  }

  /** Every prefix that uses one of the sets is looked at again. */
  markSets(sets: ReadonlySet<number>): void {
    const { end } = this.prefixes.ids;
    for (let id = 0; id < end; id++) if (sets.has(this.#wanted[id]!)) this.markDirty(id);
    for (const [id, set] of this.#fixed) if (sets.has(set)) this.markDirty(id);
  }

  /** Takes the next prefix to look at out of the queue, or -1. It stays busy until done(). */
  next(): number {
    const id = this.#queue.take();
    if (id < 0) {
      this.#queue.shrink();
      if (this.prefixes.shrink()) this.#fit();
      return -1;
    }
    this.#setFlag(id, DIRTY, false);
    this.#setFlag(id, BUSY, true);
    return id;
  }

  /** The kernel has answered for the prefix, or nothing had to be asked. */
  done(id: number): void {
    this.#setFlag(id, BUSY, false);
    const isIdle = (this.#flags[id]! & (DIRTY | BUSY)) === 0;
    const isGone = this.#installed[id] === NO_TARGET && this.leftovers.of(id) === 0;
    if (isIdle && isGone && !this.isWanted(id)) {
      this.setAdopted(id, false);
      this.#flags[id] = 0;
      this.prefixes.remove(id);
    }
  }

  textOf(id: number): string {
    const length = this.prefixes.read(id, this.#address, 0);
    return formatPrefixOctets(this.family, this.#address, 0, length);
  }

  #fit(): void {
    const { capacity } = this.prefixes;
    this.#wanted = resizeI32(this.#wanted, capacity);
    this.#installed = resizeI32(this.#installed, capacity);
    this.#flags = resizeU8(this.#flags, capacity);
  }
}
