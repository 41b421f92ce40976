// Writes single paths into the tables: announced, withdrawn, filtered by import policy, looked at again when
// the policy changes. Keeps the reference counts of attribute sets and the counters of peers and slots.
import type { Clock } from '#world';
import { HAS_GRACEFUL_SHUTDOWN, HAS_LLGR_STALE, HAS_NO_LLGR } from '../../message/index.ts';
import { AppliedPolicy, OWN_PREFIX } from '../attributes/applied-policy.ts';
import type { AttributeIntern } from '../attributes/attribute-intern.ts';
import type { AttributeReader } from '../attributes/attribute-reader.ts';
import type { AttributeStore } from '../attributes/attribute-store.ts';
import { hasPlace, holdsTooMany, type ImportOwner, type PathOwner, STALE_COUNTS } from './path-owner.ts';
import { KIND_EBGP, LONG_LIVED, type PeerSlots } from '../table/peer-slots.ts';
import { RouteRef, type TraceStep } from '../../policy/compile.ts';
import {
  BEST,
  CHANGED,
  DEAD,
  FILTERED,
  HAS_DEAD,
  MULTIPATH,
  OVER_LIMIT,
  OWN_AS_LOOP,
  type RibTable,
  UNFIT_HOP,
} from '../table/rib-table.ts';

/** Changes of one peer in one turn of the work loop up to this many overtake bulk. */
const URGENT_PER_TURN = 64;

/** What is not counted at all. */
const GONE = -1;

/** Paths that are received but not accepted. */
const REFUSED = FILTERED | UNFIT_HOP | OVER_LIMIT;

export class AdjRibIn {
  readonly #intern: AttributeIntern;
  readonly #store: AttributeStore;
  readonly #peers: PeerSlots;
  readonly #import: AppliedPolicy;
  readonly #route: RouteRef;
  readonly #clock: Clock;
  /** Seconds, by the clock, at which the newest message came. */
  #second = 0;

  constructor(
    intern: AttributeIntern,
    reader: AttributeReader,
    peers: PeerSlots,
    tables: readonly RibTable[],
    clock: Clock,
  ) {
    this.#clock = clock;
    this.#intern = intern;
    this.#store = intern.store;
    this.#peers = peers;
    this.#import = new AppliedPolicy(intern, reader, false);
    this.#route = new RouteRef(tables[0]!.prefixes);
  }

  /** What is announced from now on came now: asked once a message, as a look at the clock for each path would cost. */
  startMessage(): void {
    this.#second = this.#now();
  }

  #now(): number {
    return Math.floor(this.#clock.now() / 1000);
  }

  /** How long a path has been as it is. */
  ageSeconds(table: RibTable, path: number): number {
    return Math.max(0, this.#now() - table.since[path]!);
  }

  /**
   * A path was announced.
   * @param raw its attribute set before import policy
   * @param eligibility as flagsOf() says, the same for all prefixes of the message
   */
  announce(
    peer: PathOwner,
    table: RibTable,
    prefix: number,
    receivedId: number,
    raw: number,
    eligibility: number,
  ): void {
    const slot = peer.slot;
    const epoch = this.#peers.epoch[slot * 2 + table.family]!;
    let path = table.findPath(prefix, slot, receivedId);
    const isOver = peer.places !== Infinity && !this.#getsPlace(peer, table, path);
    const imported = isOver ? raw : this.#imported(peer, table, prefix, raw, eligibility);
    const isClaim = !isOver && this.#isClaim(imported, raw);
    const use = imported < 0 ? raw : imported;
    const flags = isOver ? OVER_LIMIT : this.#flagsOf(imported, raw, eligibility);
    if (path < 0) {
      path = table.addPath(prefix, slot, use, flags | CHANGED, epoch);
      const { references } = this.#store;
      references[use] = references[use]! + 1;
      table.since[path] = this.#second;
      if (table.receivedId !== undefined) table.receivedId[path] = receivedId;
      peer.ownClaims.note(table, path, isClaim);
      this.#setOriginal(table, path, raw, use);
      this.#peers.paths[slot] = this.#peers.paths[slot]! + 1;
      peer.received[table.family]!++;
      peer.octets[table.family]! += this.#octetsOf(table, path);
      if (flags === 0) table.markDirty(prefix, ++peer.marked < URGENT_PER_TURN);
      else addRefused(peer, table.family, flags, 1);
      return;
    }
    peer.ownClaims.note(table, path, isClaim);
    const old = table.flags[path]!;
    const before = this.#countedAt(peer, table, path);
    if (before !== table.family) {
      if (before !== GONE) peer.received[before]!--;
      peer.received[table.family]!++;
    }
    if (((old | flags) & REFUSED) !== 0) {
      if (before !== GONE) addRefused(peer, before, old, -1);
      addRefused(peer, table.family, flags, 1);
    }
    table.epoch[path] = epoch;
    const isSame =
      table.attribute[path] === use &&
      (old & REFUSED) === flags &&
      (table.original === undefined || table.original[path] === (raw === use ? -1 : raw));
    if (before !== GONE && (!isSame || before !== table.family))
      peer.octets[before]! -= this.#octetsOf(table, path);
    if (isSame) {
      if (before !== table.family) peer.octets[table.family]! += this.#octetsOf(table, path);
      // Nobody has seen it gone.
      if (before !== GONE) return;
      table.since[path] = this.#second;
      // Who looked at the prefix meanwhile (a group that is built, forwarding) saw none, and must look again.
      table.flags[path] = (old & ~DEAD) | CHANGED;
    } else {
      table.since[path] = this.#second;
      this.#putSets(table, path, raw, use);
      table.flags[path] = (old & (BEST | MULTIPATH)) | flags | CHANGED;
      peer.octets[table.family]! += this.#octetsOf(table, path);
    }
    table.markDirty(prefix, ++peer.marked < URGENT_PER_TURN);
  }

  withdraw(peer: PathOwner, table: RibTable, prefix: number, receivedId: number): void {
    const path = table.findPath(prefix, peer.slot, receivedId);
    if (path < 0 || (table.flags[path]! & DEAD) !== 0) return;
    peer.ownClaims.note(table, path, false);
    this.#discount(peer, table, path);
    this.kill(table, path, ++peer.marked < URGENT_PER_TURN);
  }

  /** Goes without its peer's word. */
  #drop(peer: PathOwner, table: RibTable, path: number): void {
    peer.ownClaims.note(table, path, false);
    this.#discount(peer, table, path);
    this.kill(table, path, false);
  }

  #discount(peer: PathOwner, table: RibTable, path: number): void {
    const at = this.#countedAt(peer, table, path);
    if (at === GONE) return;
    peer.received[at]!--;
    peer.octets[at]! -= this.#octetsOf(table, path);
    addRefused(peer, at, table.flags[path]!, -1);
  }

  /** Marks a path withdrawn; it goes when its prefix was processed. */
  kill(table: RibTable, path: number, isUrgent: boolean): void {
    const prefix = table.prefix[path]!;
    table.flags[path] = table.flags[path]! | DEAD;
    table.prefixFlags[prefix] = table.prefixFlags[prefix]! | HAS_DEAD;
    table.markDirty(prefix, isUrgent);
  }

  /** A path's set as it was received, before import policy. */
  received(table: RibTable, path: number): number {
    const original = table.original?.[path] ?? -1;
    return original >= 0 ? original : table.attribute[path]!;
  }

  /** The rule of its owner's import policy that rejects a path, for people; undefined when none does. */
  whyFiltered(peer: PathOwner, table: RibTable, path: number): string | undefined {
    const route = this.#point(peer, table, table.prefix[path]!, this.received(table, path));
    return this.#import.whyRejected(peer.importPolicy, route);
  }

  /** What each rule of its owner's import policy does with a path, for people. */
  trace(peer: PathOwner, table: RibTable, path: number): TraceStep[] {
    const route = this.#point(peer, table, table.prefix[path]!, this.received(table, path));
    return this.#import.trace(peer.importPolicy, route);
  }

  /**
   * The set that a live path would be used with if its owner were another, with a new reference; below 0: none.
   * @param eligibility as for announce(), of received()
   */
  usedBy(owner: ImportOwner, table: RibTable, path: number, eligibility: number): number {
    if (eligibility !== 0) return GONE;
    const raw = this.received(table, path);
    const use = this.#imported(owner, table, table.prefix[path]!, raw, 0);
    if (use < 0) return use;
    const isLongLived = this.#isLongLived(owner, table, path, raw);
    if (isLongLived && this.#mustNotStay(use)) return GONE;
    const marked = isLongLived ? this.#intern.longLived(use) : -1;
    if (marked >= 0) return marked;
    this.#store.references[use] = this.#store.references[use]! + 1;
    return use;
  }

  /**
   * Looks at a live path of the current session again with the peer's import policy of now (TX-14). It goes where that
   * says so of one that is kept long (NO_LLGR).
   * @param eligibility as for announce(), of received()
   */
  reevaluate(peer: PathOwner, table: RibTable, path: number, eligibility: number): void {
    const raw = this.received(table, path);
    const before = table.attribute[path]!;
    if (peer.places !== Infinity && !this.#getsPlace(peer, table, path)) {
      if ((table.flags[path]! & OVER_LIMIT) !== 0) return;
      peer.ownClaims.note(table, path, false);
      this.#replace(peer, table, path, raw, before, OVER_LIMIT);
      return;
    }
    const imported = this.#imported(peer, table, table.prefix[path]!, raw, eligibility);
    let use = imported < 0 ? raw : imported;
    const flags = this.#flagsOf(imported, raw, eligibility);
    peer.ownClaims.note(table, path, this.#isClaim(imported, raw));
    const isLongLived = this.#isLongLived(peer, table, path, raw);
    if (isLongLived && this.#mustNotStay(use)) {
      this.#drop(peer, table, path);
      return;
    }
    const marked = isLongLived ? this.#intern.longLived(use) : -1;
    if (marked >= 0) use = marked;
    if (use !== before || (table.flags[path]! & REFUSED) !== flags)
      this.#replace(peer, table, path, raw, use, flags);
    if (marked >= 0) this.#store.release(marked);
  }

  /** Must it be looked at again, because its owner's prefix limit has a place for it now, or none any more? */
  isOutOfPlace(peer: PathOwner, table: RibTable, path: number): boolean {
    return ((table.flags[path]! & OVER_LIMIT) === 0) !== this.#getsPlace(peer, table, path);
  }

  /** Does its owner's prefix limit let a path in (below 0: one more)? Who has a place keeps it, unless too many have one. */
  #getsPlace(peer: PathOwner, table: RibTable, path: number): boolean {
    const { family } = table;
    const isIn = path >= 0 && (table.flags[path]! & OVER_LIMIT) === 0;
    return isIn && this.#countedAt(peer, table, path) !== GONE
      ? !holdsTooMany(peer, family)
      : hasPlace(peer, family);
  }

  /** The set to use instead of `raw` (borrowed), or below 0 why import refuses it. What is not eligible is not asked about. */
  #imported(peer: ImportOwner, table: RibTable, prefix: number, raw: number, eligibility: number): number {
    if (eligibility !== 0) return raw;
    const { importPolicy, afterImport } = peer;
    const after = this.#isShutDown(peer, raw) ? afterImport.shutDown : afterImport.usual;
    if (importPolicy.acceptsAll && after === undefined) return raw;
    return this.#import.apply(importPolicy, this.#point(peer, table, prefix, raw), after, peer.goesTo);
  }

  /** What refuses a path: its policy, a rule of the protocol, or that policy made a next hop of it that is ours (RX-8). */
  #flagsOf(imported: number, raw: number, eligibility: number): number {
    if (imported < 0) return FILTERED;
    return imported !== raw && this.#store.hasOwnHop(imported) ? UNFIT_HOP : eligibility;
  }

  /** Is its eBGP neighbour about to lose it (RFC 8326 section 4.2)? As it said; a policy that adds the community tells others. */
  #isShutDown(peer: ImportOwner, raw: number): boolean {
    return (
      (this.#store.flags[raw]! & HAS_GRACEFUL_SHUTDOWN) !== 0 && this.#peers.kind[peer.slot] === KIND_EBGP
    );
  }

  /** Did it get LLGR_STALE here, by makeLongLived()? */
  #isLongLived(peer: ImportOwner, table: RibTable, path: number, raw: number): boolean {
    const { flags } = this.#store;
    if ((flags[table.attribute[path]!]! & ~flags[raw]! & HAS_LLGR_STALE) === 0) return false;
    return this.#peers.isStale(peer.slot, table.family, table.epoch[path]!);
  }

  /** Long after its peer went (RFC 9494 section 4.2: NO_LLGR). */
  #mustNotStay(set: number): boolean {
    return (this.#store.flags[set]! & HAS_NO_LLGR) !== 0;
  }

  /**
   * Its peer did not come back in time (RFC 9494 section 4.2): what must not be kept so long goes, and the rest carries
   * LLGR_STALE from now on, by which it is the last choice here and elsewhere.
   */
  makeLongLived(peer: PathOwner, table: RibTable, path: number): void {
    const { flags } = this.#store;
    const before = table.attribute[path]!;
    const raw = this.received(table, path);
    if (this.#peers.retention[peer.slot * 2 + table.family] !== LONG_LIVED) return;
    if ((flags[before]! & HAS_LLGR_STALE) !== 0) return;
    const isOver = this.#mustNotStay(before) || this.#mustNotStay(raw);
    const marked = isOver ? -1 : this.#intern.longLived(before);
    if (marked < 0) {
      this.#drop(peer, table, path);
      return;
    }
    this.#replace(peer, table, path, raw, marked, table.flags[path]! & REFUSED);
    this.#store.release(marked);
  }

  /** The set that it is used with changes, and what refuses it; its counts follow. */
  #replace(peer: PathOwner, table: RibTable, path: number, raw: number, use: number, flags: number): void {
    const old = table.flags[path]!;
    const octets = this.#octetsOf(table, path);
    this.#putSets(table, path, raw, use);
    table.flags[path] = (old & ~REFUSED) | flags | CHANGED;
    const counted = this.#countedAt(peer, table, path);
    if (counted !== GONE) peer.octets[counted]! += this.#octetsOf(table, path) - octets;
    if (((old | flags) & REFUSED) !== 0 && counted !== GONE) {
      addRefused(peer, counted, old, -1);
      addRefused(peer, counted, flags, 1);
    }
    table.markDirty(table.prefix[path]!, false);
  }

  /** With our own AS in AS_PATH it may be our own route that comes back, where that is allowed. */
  #isClaim(result: number, raw: number): boolean {
    return result === OWN_PREFIX && this.#store.ownAsCount[raw] === 0;
  }

  /** Which of its owner's counts a path is in; GONE when in none. */
  #countedAt(peer: PathOwner, table: RibTable, path: number): number {
    if ((table.flags[path]! & DEAD) !== 0) return GONE;
    const { family } = table;
    const epoch = table.epoch[path]!;
    if (epoch === this.#peers.epoch[peer.slot * 2 + family]) return family;
    return this.#peers.isUsed(peer.slot, family, epoch) ? family + STALE_COUNTS : GONE;
  }

  /** What a path's attributes take, with those that import policy changed. */
  #octetsOf(table: RibTable, path: number): number {
    const { length } = this.#store;
    const original = table.original?.[path] ?? -1;
    return length[table.attribute[path]!]! + (original < 0 ? 0 : length[original]!);
  }

  /** Gives back what a path refers to. */
  dropSets(table: RibTable, path: number): void {
    this.#store.release(table.attribute[path]!);
    const original = table.original?.[path] ?? -1;
    if (original >= 0) this.#store.release(original);
  }

  /** A path refers to these instead. Held before the old ones go: they may be the same. */
  #putSets(table: RibTable, path: number, raw: number, use: number): void {
    const { references } = this.#store;
    references[use] = references[use]! + 1;
    references[raw] = references[raw]! + 1;
    this.dropSets(table, path);
    table.attribute[path] = use;
    this.#setOriginal(table, path, raw, use);
    this.#store.release(raw);
  }

  #setOriginal(table: RibTable, path: number, raw: number, use: number): void {
    if (raw === use) {
      if (table.original !== undefined) table.original[path] = -1;
      return;
    }
    table.keepOriginals()[path] = raw;
    this.#store.references[raw] = this.#store.references[raw]! + 1;
  }

  #point(peer: ImportOwner, table: RibTable, prefix: number, set: number): RouteRef {
    return this.#route.point(table.prefixes, prefix, this.#peers.kind[peer.slot]!, set);
  }
}

/** A path with these flags is counted at an index from now on, or (by -1) no longer. */
function addRefused(peer: PathOwner, at: number, flags: number, by: number): void {
  const refused = flags & REFUSED;
  if (refused === FILTERED || refused === OVER_LIMIT) peer.filtered[at]! += by;
  else if (refused !== 0) peer.ineligible[at]! += by;
  if (refused === OWN_AS_LOOP) peer.ownAsLoops[at]! += by;
  if (refused === UNFIT_HOP) peer.unfitHops[at]! += by;
  if (refused === OVER_LIMIT) peer.overLimit[at]! += by;
}
