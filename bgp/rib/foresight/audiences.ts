// Who is sent what, now and then: sessions whose export rules are alike before and after are asked about once. What is not
// theirs (it came from them, or its next hop is theirs) is left out for each.
import { type FamilyIndex, familyIndex } from '#ip';
import type { Session } from '../../session/index.ts';
import type { AttributeStore } from '../attributes/attribute-store.ts';
import type { OwnIdentity } from '../attributes/attribute-intern.ts';
import type { NextHops } from '../attributes/next-hops.ts';
import { BestFew } from '../out/best-few.ts';
import { type ExportRules, exportRules } from '../out/export-rules.ts';
import type { ExportView } from '../out/export-view.ts';
import { UpdatePacker } from '../out/sending/update-packer.ts';
import type { PeerSlots } from '../table/peer-slots.ts';
import type { RibTable } from '../table/rib-table.ts';
import type { NeighbourThen } from './neighbour-then.ts';
import { ChangedPrefixes, type NamesLeft } from './prefix-changes.ts';
import { pathKey, setOf, slotOf } from './prefix-scene.ts';

/** Octets of attribute sets that are remembered for each set of rules. */
const MOST_REMEMBERED = 1024;

interface Listener {
  readonly slot: number;
  readonly changes: ChangedPrefixes;
}

interface Audience {
  readonly before: ExportRules;
  /** Undefined: these sessions end. */
  readonly after: ExportRules | undefined;
  /** Rules that differ: also a prefix whose paths stay as they are may be sent, or not. */
  readonly isOther: boolean;
  readonly areOctetsOther: boolean;
  readonly listeners: Listener[];
}

/** A prefix's paths in a table, and the rules of the view that is asked about them. */
export interface Seen {
  readonly view: ExportView;
  readonly table: RibTable;
  readonly prefix: number;
}

export class Audiences {
  readonly #store: AttributeStore;
  readonly #nextHops: NextHops;
  readonly #packer: UpdatePacker;
  readonly #few: BestFew;
  /** What aggregates stand for would be other prefixes. */
  readonly #isSuppressionOther: readonly boolean[];
  /** Octets of what went out since the last rest. */
  readonly #texts = new Map<ExportRules, Map<number, string>>();
  readonly #byKey: readonly [Map<string, Audience>, Map<string, Audience>] = [new Map(), new Map()];
  readonly #members = new Map<
    Session,
    { readonly neighbour: NeighbourThen; readonly changes: ChangedPrefixes }
  >();
  readonly #now: number[] = [];
  readonly #then: number[] = [];

  constructor(
    store: AttributeStore,
    nextHops: NextHops,
    slots: PeerSlots,
    isSuppressionOther: readonly boolean[],
  ) {
    this.#isSuppressionOther = isSuppressionOther;
    this.#store = store;
    this.#packer = new UpdatePacker(store, nextHops, slots);
    this.#nextHops = nextHops;
    this.#few = new BestFew(store);
  }

  /** A neighbour that has a session. */
  add(
    neighbour: NeighbourThen,
    session: Session,
    now: OwnIdentity,
    then: OwnIdentity,
    left: NamesLeft,
  ): void {
    const changes = new ChangedPrefixes(left);
    this.#members.set(session, { neighbour, changes });
    for (const name of session.negotiated.families) {
      const family = familyIndex(name);
      const before = exportRules(neighbour.peer, session, family, now);
      const after = neighbour.isGone(family) ? undefined : exportRules(neighbour, session, family, then);
      const key = `${before.key} ${after?.key ?? ''}`;
      let audience = this.#byKey[family].get(key);
      if (audience === undefined) {
        const isOther =
          before.key !== after?.key ||
          (this.#isSuppressionOther[family]! && (before.takesAggregates || after.takesAggregates));
        const areOctetsOther = before.octets !== after?.octets;
        audience = { before, after, isOther, areOctetsOther, listeners: [] };
        this.#byKey[family].set(key, audience);
      }
      audience.listeners.push({ slot: neighbour.slot, changes });
    }
  }

  /** After a rest: sets may be others', and sessions that have ended are told nothing any more. */
  goOn(): void {
    this.#texts.clear();
    for (const [session, { neighbour }] of this.#members) {
      if (neighbour.peer.session === session) continue;
      this.#members.delete(session);
      for (const audiences of this.#byKey)
        for (const { listeners } of audiences.values()) {
          const at = listeners.findIndex(({ slot }) => slot === neighbour.slot);
          if (at >= 0) listeners.splice(at, 1);
        }
    }
  }

  changesOf(session: Session): ChangedPrefixes | undefined {
    return this.#members.get(session)?.changes;
  }

  /**
   * @param arePathsOther they may differ; else only who has other rules is asked
   * @returns how much it cost, in routes that rules were asked about
   */
  look(family: FamilyIndex, now: Seen, then: Seen, arePathsOther: boolean, prefix: () => string): number {
    let cost = 0;
    for (const audience of this.#byKey[family].values()) {
      if (!arePathsOther && !audience.isOther) continue;
      const { before, after } = audience;
      this.#collect(now, before, this.#now);
      if (after !== undefined) this.#collect(then, after, this.#then);
      cost += 2 + this.#now.length + this.#then.length;
      if (this.#isAnyDifferent(audience)) {
        cost += audience.listeners.length >> 4;
        for (const { slot, changes } of audience.listeners) {
          const had = this.#has(this.#now, before, slot);
          const has = after !== undefined && this.#has(this.#then, after, slot);
          changes.note(had, has, this.#isDifferent(audience, slot, now.table), prefix);
        }
      }
      this.#release(this.#now);
      this.#release(this.#then);
    }
    return cost;
  }

  /** What goes out of a prefix, with a reference each: another answer of the view may free the set of the one before. */
  #collect({ view, table, prefix }: Seen, rules: ExportRules, out: number[]): void {
    const { references } = this.#store;
    if (rules.mostPaths !== Infinity) {
      this.#few.find(view, rules, table, prefix);
      for (let i = 0; i < this.#few.count; i++) {
        const set = this.#few.sets[i]!;
        references[set] = references[set]! + 1;
        out.push(pathKey(table.peer[this.#few.paths[i]!]!, set));
      }
      this.#few.release();
      out.sort((a, b) => a - b);
      return;
    }
    const first = rules.addPath ? table.head[prefix]! - 1 : view.chosen(rules, table, prefix);
    for (let path = first; path >= 0; path = table.next[path]! - 1) {
      const set = view.path(rules, table, path);
      if (set >= 0) {
        references[set] = references[set]! + 1;
        out.push(pathKey(table.peer[path]!, set));
      }
      if (!rules.addPath) break;
    }
    out.sort((a, b) => a - b);
  }

  #release(keys: number[]): void {
    for (const key of keys) this.#store.release(setOf(key));
    keys.length = 0;
  }

  /** Also where only a source moves: who is it has none of it. */
  #isAnyDifferent({ areOctetsOther }: Audience): boolean {
    const [now, then] = [this.#now, this.#then];
    if (now.length !== then.length) return true;
    return areOctetsOther ? now.length > 0 : now.some((key, i) => key !== then[i]);
  }

  /** What goes out to a listener, as octets: of two sets it may see no difference. */
  #isDifferent({ before, after, areOctetsOther }: Audience, slot: number, table: RibTable): boolean {
    const now = this.#now.filter((key) => this.#isFor(key, before, slot));
    const then = after === undefined ? [] : this.#then.filter((key) => this.#isFor(key, after, slot));
    if (now.length !== then.length) return true;
    if (!areOctetsOther && now.every((key, i) => key === then[i])) return false;
    const was = now.map((key) => this.#octets(key, before, table)).sort();
    const will = then.map((key) => this.#octets(key, after!, table)).sort();
    return was.some((text, i) => text !== will[i]);
  }

  #octets(key: number, rules: ExportRules, table: RibTable): string {
    let known = this.#texts.get(rules);
    if (known === undefined) this.#texts.set(rules, (known = new Map<number, string>()));
    let text = known.get(key);
    if (text === undefined) {
      const sent = this.#packer.outgoing(setOf(key), slotOf(key), table, rules);
      text = sent === undefined ? '' : Buffer.concat([sent.nextHop, sent.attributes]).toString('latin1');
      if (known.size >= MOST_REMEMBERED) known.clear();
      known.set(key, text);
    }
    return text;
  }

  #has(keys: readonly number[], rules: ExportRules, slot: number): boolean {
    return keys.some((key) => this.#isFor(key, rules, slot));
  }

  #isFor(key: number, { keepsNextHop }: ExportRules, slot: number): boolean {
    if (slotOf(key) === slot) return false;
    if (!keepsNextHop) return true;
    const hop = this.#store.nextHop[setOf(key)]!;
    const owner = hop < 0 ? -1 : this.#nextHops.owner[hop]!;
    return owner < 0 || this.#nextHops.addressOf[slot] !== owner;
  }
}
