// Peers that get the same bytes. The group holds one Adj-RIB-Out for all; changes are packed once and written to every
// member in step. Who cannot keep up, or is new, leaves the shared stream and catches up by itself.
import type { AttributeStore } from '../attributes/attribute-store.ts';
import type { NextHops } from '../attributes/next-hops.ts';
import { AdjRibOut } from './adj-rib-out.ts';
import { BULK_DUMP, BULK_NONE, CatchUp, type CatchUpGroup } from './sending/catch-up.ts';
import type { BestFew } from './best-few.ts';
import type { ExportRules } from './export-rules.ts';
import type { ExportView } from './export-view.ts';
import type { AdvertisementTimer } from './sending/held-back.ts';
import { oweDifference } from './group-change.ts';
import { type MayEndDump, Member } from './sending/member.ts';
import { Outbox } from './sending/outbox.ts';
import { LOCAL_SLOT } from '../table/peer-slots.ts';
import type { RibTable } from '../table/rib-table.ts';
import type { RibFaults } from '../faults.ts';
import type { UpdateBatch } from './sending/update-batch.ts';
import type { PackerSink, UpdatePacker } from './sending/update-packer.ts';

/** What all groups share: made once for a RIB. */
export interface GroupParts {
  readonly attributes: AttributeStore;
  readonly nextHops: NextHops;
  readonly view: ExportView;
  /** Empty between flushes. */
  readonly batch: UpdateBatch;
  readonly packer: UpdatePacker;
  readonly few: BestFew;
  readonly faults: RibFaults;
  /** Units looked at in one step of background work. */
  readonly grain: number;
  readonly mayEndDump: MayEndDump;
  readonly timer: AdvertisementTimer;
  /** Units whose attributes fit into no message. */
  tooLarge(group: UpdateGroup, unit: number): void;
}

/** Of the stream, between two looks at the clock: each is a write to a socket, of some 50 µs. */
const MEMBERS_AT_ONCE = 32;

/** Where a peer's member of this group is. */
const ABSENT = 0;
const IN_STREAM = 1;
const CATCHING_UP = 2;

export class UpdateGroup implements CatchUpGroup, PackerSink {
  rules: ExportRules;
  readonly table: RibTable;
  readonly out: AdjRibOut;
  readonly stream: Member[] = [];
  readonly catchUps: CatchUp[] = [];
  /** Prefixes below were looked at since the group was made; Infinity when all were. */
  #built = 0;
  readonly #parts: GroupParts;
  /** By slot: ABSENT, IN_STREAM, CATCHING_UP. */
  #state = new Uint8Array(64);
  readonly #outbox = new Outbox();
  /** The only addressee of the chunk, instead of the stream. */
  #target: Member | undefined;
  readonly #unpins: number[] = [];

  constructor(rules: ExportRules, table: RibTable, parts: GroupParts) {
    this.rules = rules;
    this.table = table;
    this.#parts = parts;
    this.out = new AdjRibOut(parts.attributes, parts.nextHops, rules);
    this.fit(1);
  }

  get grain(): number {
    return this.#parts.grain;
  }

  get timer(): AdvertisementTimer {
    return this.#parts.timer;
  }

  get isEmpty(): boolean {
    return this.stream.length === 0 && this.catchUps.length === 0;
  }

  get isBuilding(): boolean {
    return this.#built !== Number.POSITIVE_INFINITY;
  }

  memberIds(): string[] {
    return [...this.stream, ...this.catchUps.map((c) => c.member)].map((m) => m.peer.id);
  }

  get advertised(): number {
    return this.out.count;
  }

  /** A step of counting who owns which next hop; false when there is nothing to count. */
  recount(): boolean {
    return this.out.recount(this.grain * 4, this.unitEnd);
  }

  /** One above the highest unit. */
  get unitEnd(): number {
    return this.rules.addPath ? this.table.pathIds.end : this.table.prefixes.ids.end;
  }

  get isBatchFull(): boolean {
    return this.#parts.batch.isFull;
  }

  get hasBatch(): boolean {
    return !this.#parts.batch.isEmpty;
  }

  /** Follows the table's columns and the peers' slots; call before a slice. */
  fit(slotEnd: number): void {
    const capacity = this.rules.addPath ? this.table.pathCapacity : this.table.prefixes.capacity;
    this.out.fit(capacity, slotEnd);
    if (this.#state.length < slotEnd) {
      const state = new Uint8Array(slotEnd * 2);
      state.set(this.#state);
      this.#state = state;
    }
    this.#outbox.fit(slotEnd);
  }

  /** Looks at one processed prefix; `bestChanged` false means only paths beside the best one changed. */
  update(prefix: number, bestChanged: boolean): void {
    const { table } = this;
    const { view } = this.#parts;
    if (this.rules.mostPaths !== Infinity) {
      this.#updateFew(prefix);
    } else if (this.rules.addPath) {
      for (let path = table.head[prefix]! - 1; path >= 0; path = table.next[path]! - 1) {
        this.#set(path, view.path(this.rules, table, path), table.peer[path]!);
      }
    } else if (bestChanged || this.rules.originatesDefault) {
      const path = view.chosen(this.rules, table, prefix);
      if (path < 0) this.#set(prefix, -1, 0);
      else this.#set(prefix, view.path(this.rules, table, path), table.peer[path]!);
    }
  }

  /** What falls out goes before what comes in. */
  #updateFew(prefix: number): void {
    const { table } = this;
    const { few, view } = this.#parts;
    try {
      few.find(view, this.rules, table, prefix);
      for (let i = few.count; i < few.total; i++) this.#set(few.paths[i]!, -1, table.peer[few.paths[i]!]!);
      for (let i = 0; i < few.count; i++) this.#set(few.paths[i]!, few.sets[i]!, table.peer[few.paths[i]!]!);
    } finally {
      few.release();
    }
  }

  /** update() threw: whose path it was looking at is noted, and nothing of the prefix goes out. */
  spare(error: unknown, prefix: number): void {
    const { table } = this;
    this.#parts.faults.path(error, table, this.#parts.view.lookedAt);
    if (!this.rules.addPath) this.#set(prefix, -1, 0);
    else
      for (let path = table.head[prefix]! - 1; path >= 0; path = table.next[path]! - 1)
        this.#set(path, -1, table.peer[path]!);
  }

  /** Looks at a step's worth of prefixes that the group has not seen. True when there are more. */
  build(): boolean {
    const { table } = this;
    const end = table.prefixes.ids.end;
    const last = Math.min(end, this.#built + this.grain);
    for (let prefix = this.#built; prefix < last; prefix++) {
      if (table.head[prefix] === 0) continue;
      try {
        this.update(prefix, true);
      } catch (error) {
        this.spare(error, prefix);
      }
    }
    this.flush();
    this.#built = last === end ? Number.POSITIVE_INFINITY : last;
    return this.isBuilding;
  }

  /** Looks at every prefix again (something that the policy depends on changed). */
  rebuild(): void {
    this.#built = 0;
  }

  /** Packs what update() collected for the members in the stream, and gives it to the first of them. */
  flush(): void {
    const { batch, packer } = this.#parts;
    if (batch.isEmpty) return;
    if (this.stream.length > 0) {
      packer.pack(batch, this.table, this.rules, this);
      for (let i = 0; i < batch.memberCount; i++) {
        const slot = batch.member[i]!;
        this.#target = this.stream.find((m) => m.slot === slot);
        if (this.#target !== undefined) packer.packFor(batch, slot, this.table, this.rules, this);
      }
      this.#target = undefined;
    }
    batch.clear();
    this.deliver();
  }

  /** Gives some members of the stream what they are owed. False: nobody was owed anything. */
  deliver(): boolean {
    const isOwed = !this.#outbox.isEmpty;
    for (let left = Math.min(MEMBERS_AT_ONCE, this.grain); left > 0; left--) {
      const member = this.#outbox.next();
      if (member === undefined) break;
      this.#outbox.give(member);
      if (member.isBlocked) this.#leaveStream(member);
    }
    return isOwed;
  }

  /** Not all members of the stream have what was packed. */
  get isDelivering(): boolean {
    return !this.#outbox.isEmpty;
  }

  /** Sends the batch to one member that is catching up. */
  flushTo(member: Member): void {
    const { batch, packer } = this.#parts;
    if (!batch.isEmpty) {
      this.#target = member;
      packer.pack(batch, this.table, this.rules, this);
      this.#target = undefined;
      batch.clear();
    }
    for (const unit of this.#unpins) this.unpin(unit);
    this.#unpins.length = 0;
  }

  /** PackerSink */
  chunk(bytes: Buffer): void {
    const target = this.#target;
    if (target === undefined) this.#outbox.put(bytes, this.#parts.packer, this.stream);
    else if (this.#state[target.slot] === IN_STREAM) this.#outbox.putFor(target, bytes);
    else target.write(bytes);
  }

  /** PackerSink */
  broken(error: unknown, unit: number, source: number, set: number): void {
    const { table } = this;
    this.#parts.faults.set(error, table, this.rules.addPath ? table.prefix[unit]! : unit, source, set);
  }

  /** PackerSink */
  dropped(unit: number): void {
    this.out.remove(unit);
  }

  /** PackerSink */
  tooLarge(unit: number): void {
    this.#parts.tooLarge(this, unit);
    this.out.remove(unit);
  }

  /** A newly established member: everything goes to it, then End-of-RIB. */
  add(member: Member): CatchUp {
    this.fit(member.slot + 1);
    this.#state[member.slot] = CATCHING_UP;
    const catchUp = new CatchUp(this, member, BULK_DUMP);
    this.catchUps.push(catchUp);
    return catchUp;
  }

  /** Takes a member over from another group, owing its peer only the difference. Not while building. */
  adopt(member: Member, from: UpdateGroup): void {
    this.fit(member.slot + 1);
    const old = from.catchUps.find((c) => c.member === member);
    const catchUp = new CatchUp(this, member, BULK_NONE);
    oweDifference(catchUp, old, from, this, this.#parts.packer);
    if (old !== undefined) catchUp.goOn(old);
    from.remove(member);
    this.#state[member.slot] = CATCHING_UP;
    this.catchUps.push(catchUp);
  }

  remove(member: Member): void {
    const i = this.stream.indexOf(member);
    if (i >= 0) this.stream.splice(i, 1);
    const c = this.catchUps.findIndex((x) => x.member === member);
    if (c >= 0) {
      this.catchUps[c]!.abandon();
      this.catchUps.splice(c, 1);
    }
    this.#outbox.forget(member);
    this.#state[member.slot] = ABSENT;
  }

  /** Everything again, for a ROUTE-REFRESH (RFC 2918). Several requests become one. */
  refresh(member: Member): void {
    if (this.#state[member.slot] === IN_STREAM) this.#leaveStream(member);
    this.catchUps.find((c) => c.member === member)?.refresh();
  }

  rejoin(catchUp: CatchUp): void {
    this.catchUps.splice(this.catchUps.indexOf(catchUp), 1);
    this.stream.push(catchUp.member);
    this.#state[catchUp.member.slot] = IN_STREAM;
  }

  /** Is the group's state of a unit one that this peer has or must get? */
  isSentTo(unit: number, slot: number): boolean {
    return this.out.isFor(unit, slot);
  }

  batchAnnounce(unit: number): void {
    this.#parts.batch.announce(unit, this.out.set[unit]! - 1, this.out.source[unit]!);
  }

  batchWithdraw(unit: number): void {
    this.#parts.batch.withdraw(unit, 0);
  }

  pin(unit: number): void {
    if (this.rules.addPath) this.table.pinPath(unit);
    else this.table.pinPrefix(unit);
  }

  unpin(unit: number): void {
    if (this.rules.addPath) this.table.unpinPath(unit);
    else this.table.unpinPrefix(unit);
  }

  /** The batch still names the unit: unpinned when it was flushed. */
  unpinLater(unit: number): void {
    this.#unpins.push(unit);
  }

  /** The new state of a unit: set (below 0: none) and source. */
  #set(unit: number, set: number, source: number): void {
    const { batch } = this.#parts;
    const { out } = this;
    const oldSet = out.set[unit]! - 1;
    const oldSource = out.source[unit]!;
    if (set < 0 ? oldSet < 0 : set === oldSet && source === oldSource) return;
    if (set === oldSet && this.#looksAlike(source, oldSource)) {
      out.moveSource(unit, source);
      return;
    }
    if (batch.isFull) this.flush();
    if (out.passesHops) {
      this.#excuseOwners(out.ownerOf(set), source);
      this.#excuseOwners(out.ownerOf(oldSet), oldSource);
    }
    const { catchUps } = this;
    for (let i = 0; i < catchUps.length; i++) {
      catchUps[i]!.note(unit, this.isSentTo(unit, catchUps[i]!.member.slot));
    }
    const hasStream = this.stream.length > 0;
    if (set < 0) {
      out.remove(unit);
      if (hasStream) batch.withdraw(unit, oldSource);
      return;
    }
    out.put(unit, set, source);
    if (!hasStream) return;
    batch.announce(unit, set, source);
    if (oldSet >= 0 && oldSource !== source && this.#state[source] === IN_STREAM)
      batch.withdrawFrom(unit, source);
  }

  /**
   * Would every member get the same octets whichever of two peers a set comes from? Then nothing is sent when the
   * best path moves from one to the other (RFC 4271 section 9.2: the same route is not advertised again). Not so
   * when one of them is a member, for which its own routes are a hole, nor where a reflector puts in who it was.
   */
  #looksAlike(a: number, b: number): boolean {
    if (!this.rules.external || a === LOCAL_SLOT || b === LOCAL_SLOT) return false;
    return this.#state[a] === ABSENT && this.#state[b] === ABSENT;
  }

  /** The shared stream has one hole a unit, for its source. Other peers that must not get it leave the stream. */
  #excuseOwners(owner: number, source: number): void {
    if (owner < 0) return;
    for (const slot of this.#parts.nextHops.slotsAt(owner)) if (slot !== source) this.#excuse(slot);
  }

  #excuse(slot: number): void {
    if (this.#state[slot] !== IN_STREAM) return;
    const member = this.stream.find((m) => m.slot === slot);
    // What the batch holds already is for this member too.
    this.flush();
    if (member !== undefined && this.#state[slot] === IN_STREAM) this.#leaveStream(member);
  }

  #leaveStream(member: Member): void {
    this.#outbox.give(member);
    this.stream.splice(this.stream.indexOf(member), 1);
    this.#state[member.slot] = CATCHING_UP;
    this.catchUps.push(new CatchUp(this, member, BULK_NONE));
  }
}
