// All update groups of both families: who belongs where, and the work that they have in the background
// (building a new group's state, bringing members up to date, taking apart what nobody uses).
import { type FamilyIndex, familyIndex } from '#ip';
import type { Session } from '../../session/index.ts';
import type { OwnIdentity } from '../attributes/attribute-intern.ts';
import { exportRules } from './export-rules.ts';
import { Member } from './sending/member.ts';
import type { PeerSlots } from '../table/peer-slots.ts';
import type { RibPeer } from '../in/rib-peer.ts';
import type { RibTable } from '../table/rib-table.ts';
import { type GroupParts, UpdateGroup } from './update-group.ts';
import type { UpdatePacker } from './sending/update-packer.ts';

/** Units given back in one step when a group is taken apart. */
const DISMANTLE_STEP = 32768;

export class ExportGroups {
  readonly #tables: readonly [RibTable, RibTable];
  readonly #parts: GroupParts;
  readonly #slots: PeerSlots;
  /** By family. */
  readonly groups: readonly [UpdateGroup[], UpdateGroup[]] = [[], []];
  readonly #byKey = new Map<string, UpdateGroup>();
  readonly #members = new Map<Session, Member>();
  /** By member and family: its group. */
  readonly #groupOf = new Map<Member, [UpdateGroup | undefined, UpdateGroup | undefined]>();
  /** Members that change to a group which is still being built. */
  #moves: { member: Member; family: FamilyIndex; to: UpdateGroup }[] = [];
  #dead: { group: UpdateGroup; at: number }[] = [];
  /** Which group's members catch up next. */
  #turn = 0;

  constructor(tables: readonly [RibTable, RibTable], parts: GroupParts, slots: PeerSlots) {
    this.#tables = tables;
    this.#parts = parts;
    this.#slots = slots;
  }

  /** An established session joins its groups; its dumps begin in the background. */
  join(peer: RibPeer, session: Session, own: OwnIdentity): void {
    const member = new Member(peer, session, this.#parts.mayEndDump);
    this.#members.set(session, member);
    const groups: [UpdateGroup | undefined, UpdateGroup | undefined] = [undefined, undefined];
    this.#groupOf.set(member, groups);
    for (const name of session.negotiated.families) {
      const family = familyIndex(name);
      const group = this.#group(peer, session, family, own);
      groups[family] = group;
      group.add(member);
    }
  }

  leave(session: Session): void {
    const member = this.#members.get(session);
    if (member === undefined) return;
    this.#members.delete(session);
    for (const family of [0, 1] as const) this.#cancelMove(member, family);
    for (const group of this.#groupOf.get(member) ?? []) {
      if (group === undefined) continue;
      group.remove(member);
      this.#dropIfEmpty(group);
    }
    this.#groupOf.delete(member);
  }

  /** A peer's export rules may be different now: it changes groups where they are, and is sent the difference. */
  rulesChanged(peer: RibPeer, own: OwnIdentity): void {
    const member = peer.session && this.#members.get(peer.session);
    if (member === undefined) return;
    const groups = this.#groupOf.get(member)!;
    for (const family of [0, 1] as const) {
      const from = groups[family];
      if (from === undefined) continue;
      const to = this.#group(peer, member.session, family, own);
      this.#cancelMove(member, family, to);
      if (to !== from) this.#moves.push({ member, family, to });
    }
  }

  /** Every group looks at every prefix again. */
  rebuild(): void {
    for (const groups of this.groups) for (const group of groups) group.rebuild();
  }

  /** Some group has still to look at every prefix. */
  get isBuilding(): boolean {
    return this.groups.some((groups) => groups.some((group) => group.isBuilding));
  }

  /** A peer came or went whose address is the next hop of some routes. */
  ownersChanged(): void {
    for (const groups of this.groups) for (const group of groups) group.out.ownersChanged();
  }

  refresh(session: Session, family: FamilyIndex): void {
    const member = this.#members.get(session);
    if (member !== undefined) this.#groupOf.get(member)![family]?.refresh(member);
  }

  drained(session: Session): boolean {
    const member = this.#members.get(session);
    if (member === undefined || !member.isBlocked) return false;
    member.isBlocked = false;
    return true;
  }

  /** The group a session's routes of a family go out with. */
  groupOf(session: Session, family: FamilyIndex): UpdateGroup | undefined {
    const member = this.#members.get(session);
    return member && this.#groupOf.get(member)![family];
  }

  /** Does the peer hold this unit now, as far as was sent? For display. */
  isHeld(session: Session, group: UpdateGroup, unit: number): boolean {
    const member = this.#members.get(session);
    if (member === undefined) return false;
    const byState = group.isSentTo(unit, member.slot);
    const catchUp = group.catchUps.find((c) => c.member === member);
    return catchUp === undefined ? byState : catchUp.holds(unit, byState);
  }

  /** Does a session wait for the newest state of a unit, because of its advertisement interval? For display. */
  isHeldBack(session: Session, group: UpdateGroup, unit: number): boolean {
    return group.catchUps.some((c) => c.member.session === session && c.isHeldBack(unit));
  }

  /** What a group's members get for a unit that is advertised. For display. */
  outgoing(group: UpdateGroup, unit: number): ReturnType<UpdatePacker['outgoing']> {
    const set = group.out.set[unit]! - 1;
    return set < 0
      ? undefined
      : this.#parts.packer.outgoing(set, group.out.source[unit]!, group.table, group.rules);
  }

  /** Somebody in a stream has not been given what was packed. */
  get isDelivering(): boolean {
    return this.groups.some((groups) => groups.some((group) => group.isDelivering));
  }

  /** One step of that; false when there is nothing to give. */
  deliver(): boolean {
    for (const groups of this.groups) for (const group of groups) if (group.deliver()) return true;
    return false;
  }

  /** One step of background work; false when there is none. */
  step(): boolean {
    for (const groups of this.groups) {
      for (const group of groups) {
        if (!group.isBuilding) continue;
        group.fit(this.#slots.end);
        group.build();
        return true;
      }
    }
    const move = this.#moves.shift();
    if (move !== undefined) {
      this.#move(move.member, move.family, move.to);
      return true;
    }
    if (this.#catchUp()) return true;
    for (const groups of this.groups) for (const group of groups) if (group.recount()) return true;
    const dead = this.#dead[0];
    if (dead === undefined) return false;
    dead.at = dead.group.out.dismantle(dead.at, DISMANTLE_STEP);
    if (dead.at < 0) this.#dead.shift();
    return true;
  }

  /** One member that has something to send gets a turn, in rotation over all. */
  #catchUp(): boolean {
    const all = [...this.groups[0], ...this.groups[1]];
    for (let i = 0; i < all.length; i++) {
      const group = all[(this.#turn + i) % all.length]!;
      // From the end: a member that is done leaves the list.
      for (let c = group.catchUps.length - 1; c >= 0; c--) {
        const catchUp = group.catchUps[c]!;
        group.fit(this.#slots.end);
        if (!catchUp.work()) continue;
        // To the front of the list, so that the others come first next time.
        group.catchUps.splice(group.catchUps.indexOf(catchUp), 1);
        group.catchUps.unshift(catchUp);
        this.#turn = (this.#turn + i + 1) % all.length;
        return true;
      }
    }
    return false;
  }

  #group(peer: RibPeer, session: Session, family: FamilyIndex, own: OwnIdentity): UpdateGroup {
    const rules = exportRules(peer, session, family, own);
    const known = this.#byKey.get(rules.key);
    if (known !== undefined) return known;
    const group = new UpdateGroup(rules, this.#tables[family], this.#parts);
    group.fit(this.#slots.end);
    this.#byKey.set(rules.key, group);
    this.groups[family].push(group);
    return group;
  }

  #move(member: Member, family: FamilyIndex, to: UpdateGroup): void {
    const groups = this.#groupOf.get(member);
    const from = groups?.[family];
    if (groups === undefined || from === undefined || from === to) return;
    to.adopt(member, from);
    groups[family] = to;
    this.#dropIfEmpty(from);
  }

  #cancelMove(member: Member, family: FamilyIndex, keep?: UpdateGroup): void {
    const index = this.#moves.findIndex((move) => move.member === member && move.family === family);
    if (index < 0) return;
    const [move] = this.#moves.splice(index, 1);
    if (move!.to !== keep) this.#dropIfEmpty(move!.to);
  }

  #dropIfEmpty(group: UpdateGroup): void {
    if (!group.isEmpty || this.#moves.some((move) => move.to === group)) return;
    const list = this.groups[group.rules.family];
    const i = list.indexOf(group);
    if (i < 0) return;
    list.splice(i, 1);
    this.#byKey.delete(group.rules.key);
    this.#dead.push({ group, at: 0 });
  }
}
