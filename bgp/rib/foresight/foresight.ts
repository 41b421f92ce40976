// What another configuration would make of the routes that there are: which of each neighbour's are taken, by which paths
// this speaker would go, and what each neighbour would be sent. The code that takes, chooses and sends is asked about both;
// nothing of it is applied. A generator, so that who walks it can rest.
import type { FamilyIndex } from '#ip';
import type { PeerConfig, SpeakerConfig } from '../../config.ts';
import type { CompiledPolicy } from '../../policy/compile.ts';
import type { Policy } from '../../policy/policy.ts';
import type { Aggregates } from '../in/aggregates.ts';
import type { AttributeIntern, OwnIdentity } from '../attributes/attribute-intern.ts';
import type { AttributeReader } from '../attributes/attribute-reader.ts';
import { flagsOf } from '../in/eligibility.ts';
import { findPrefix, type Origination, prefixOf } from '../in/originated.ts';
import type { RibPeer } from '../in/rib-peer.ts';
import { ExportView } from '../out/export-view.ts';
import type { RibContents } from '../show/rib-contents.ts';
import type { Decision } from '../table/decision.ts';
import type { DecisionRules } from '../table/decision-steps.ts';
import { LOCAL_SLOT } from '../table/peer-slots.ts';
import { DEAD, FILTERED, INELIGIBLE, OVER_LIMIT, RibTable } from '../table/rib-table.ts';
import { Audiences } from './audiences.ts';
import { NeighbourThen, type OverLimit } from './neighbour-then.ts';
import { ChangedPrefixes, NamesLeft, type PrefixChanges } from './prefix-changes.ts';
import { PrefixScene } from './prefix-scene.ts';

/** Routes that rules were asked about, between rests. */
const STRIDE = 256;

export interface PlannedChange {
  readonly identity: OwnIdentity;
  readonly rules: DecisionRules;
  /** Of the neighbours that would have a session, by id; of a range's neighbours the range. */
  readonly peers: ReadonlyMap<string, PeerConfig>;
  /** Own prefixes that would be announced no more. */
  readonly withdrawn: readonly string[];
  /** Own routes that would be announced, or with other attributes. */
  readonly originated: readonly Origination[];
  /** Undefined: none, now or then; else whether they would be others. */
  readonly aggregates?: 'as now' | 'others';
}

/** As a speaker is told it. */
export interface ConfigurationThen extends Pick<PlannedChange, 'withdrawn' | 'originated'> {
  readonly speaker: SpeakerConfig;
  readonly peers: readonly PeerConfig[];
}

/** Why what is foreseen may not be what comes. */
export type Doubt =
  /** Another AS or router ID: whoever hears of it decides anew what to send. */
  | 'identity'
  /** A policy would ask over which interface a next hop is reached, and none does yet. */
  | 'interfaces'
  /** A limit that drops would let in others: how many, but not which. */
  | 'places'
  /** Of aggregates is not said when they would come and go. */
  | 'aggregates';

export interface NeighbourForeseen {
  readonly id: string;
  /** Its own routes: used then and not now, and the other way round. */
  readonly accepted: PrefixChanges;
  /** What it would be sent; undefined while it is not up. */
  readonly sent: PrefixChanges | undefined;
  readonly overLimit: OverLimit | undefined;
}

export interface Foreseen {
  readonly neighbours: readonly NeighbourForeseen[];
  /** By which paths this speaker goes itself: reached then and not now, and the other way round, or otherwise. */
  readonly best: PrefixChanges;
  readonly doubts: readonly Doubt[];
  /** Prefixes that were looked at, and that there are. */
  readonly lookedAt: number;
  readonly prefixes: number;
}

export interface ForeseenRib extends RibContents {
  readonly intern: AttributeIntern;
  readonly reader: AttributeReader;
  readonly aggregates: readonly [Aggregates, Aggregates];
  compiled(policy: Policy): CompiledPolicy;
  prefixText(table: RibTable, prefix: number): string;
}

/** An own route then: its attribute set, with a reference, or -1. */
interface OwnThen {
  readonly text: string;
  readonly set: number;
  /** See Origination. */
  readonly onRequest?: true | undefined;
}

export class Foresight {
  readonly #rib: ForeseenRib;
  readonly #neighbours: NeighbourThen[];
  readonly #audiences: Audiences;
  readonly #left = new NamesLeft();
  readonly #accepted = new Map<number, ChangedPrefixes>();
  readonly #best = new ChangedPrefixes(this.#left);
  readonly #doubts: Doubt[] = [];
  readonly #decision: Decision;
  readonly #view: ExportView;
  readonly #scenes: readonly (readonly [PrefixScene, PrefixScene])[];
  /** How prefixes are chosen is otherwise, for all of them. */
  readonly #areRulesOther: boolean;
  /** By slot: its neighbour, where its routes may be taken otherwise. */
  #others: (NeighbourThen | undefined)[] = [];
  readonly #own: readonly OwnThen[];
  readonly #unused: number;
  readonly #aggregates: PlannedChange['aggregates'];
  #lookedAt = 0;
  #prefixes = 0;

  /** @throws Error when a policy or an own route is wrong */
  constructor(rib: ForeseenRib, change: PlannedChange) {
    this.#rib = rib;
    const { intern, reader, slots, nextHops, attributes, tables } = rib;
    const compiled = (policy: Policy) => rib.compiled(policy);
    this.#neighbours = [...rib.peers()].map(
      (peer) => new NeighbourThen(peer, configThen(change.peers, peer), compiled, change.identity.asNumber),
    );
    this.#areRulesOther = JSON.stringify(change.rules) !== JSON.stringify(rib.decision.rules);
    this.#decision = this.#areRulesOther ? rib.decision.withRules(change.rules) : rib.decision;
    const client = Uint8Array.from(slots.client);
    for (const { slot, config } of this.#neighbours) client[slot] = config.routeReflectorClient ? 1 : 0;
    const then = {
      get kind() {
        return slots.kind;
      },
      client,
    };
    this.#view = new ExportView(intern, reader, then, nextHops, this.#decision, tables, rib.aggregates);
    this.#scenes = ([0, 1] as const).map((family) => [
      new PrefixScene(family, attributes),
      new PrefixScene(family, attributes),
    ]);
    this.#audiences = new Audiences(attributes, nextHops, slots);
    for (const neighbour of this.#neighbours) {
      const { session } = neighbour.peer;
      if (session === undefined) continue;
      this.#audiences.add(neighbour, session, intern.identity, change.identity, this.#left);
    }
    if (
      intern.identity.asNumber !== change.identity.asNumber ||
      intern.identity.routerId !== change.identity.routerId
    )
      this.#doubts.push('identity');
    const asksLinks = ({ importPolicy, exportPolicy }: NeighbourThen) =>
      importPolicy.asksLinks || exportPolicy.asksLinks;
    if (!nextHops.areLinksAsked && this.#neighbours.some(asksLinks)) this.#doubts.push('interfaces');
    if (this.#neighbours.some(({ isLimited }) => isLimited)) this.#doubts.push('places');
    this.#unused = attributes.unusedCount;
    this.#aggregates = change.aggregates;
    this.#own = [
      ...change.withdrawn.map((text) => ({ text, set: -1 })),
      ...change.originated.map((route) => ({
        text: route.prefix,
        set: rib.originated.setOf(route),
        onRequest: route.onRequest,
      })),
    ];
  }

  get found(): Foreseen {
    const best = this.#best.found;
    const mayMoveAggregates = this.#aggregates === 'as now' && best.appear.count + best.vanish.count > 0;
    return {
      neighbours: this.#neighbours.map(({ peer, slot, overLimit }) => ({
        id: peer.id,
        accepted: (this.#accepted.get(slot) ?? new ChangedPrefixes(this.#left)).found,
        sent: peer.session && this.#audiences.changesOf(peer.session)?.found,
        overLimit,
      })),
      best,
      doubts:
        this.#aggregates === 'others' || mayMoveAggregates ? [...this.#doubts, 'aggregates'] : this.#doubts,
      lookedAt: this.#lookedAt,
      prefixes: this.#prefixes,
    };
  }

  /** To be walked once, to its end or left (return()). */
  *walk(): Generator<void, void> {
    try {
      this.#prefixes = this.#rib.tables.reduce((sum, { liveCount }) => sum + liveCount, 0);
      for (const family of [0, 1] as const) yield* this.#family(family);
    } finally {
      this.#view.forget();
      for (const { set } of this.#own) if (set >= 0) this.#rib.attributes.release(set);
      this.#forgetSets();
    }
  }

  /** What policies made of routes and nobody refers to any more: not more of it than there was. */
  #forgetSets(): void {
    const { attributes } = this.#rib;
    attributes.dropUnused(attributes.unusedCount - this.#unused);
  }

  *#family(family: FamilyIndex): Generator<void, void> {
    const table = this.#rib.tables[family];
    let own = this.#begin(family);
    let cost = 0;
    for (let prefix = 0; prefix < table.prefixes.ids.end; prefix++) {
      if (cost >= STRIDE) {
        cost = 0;
        this.#forgetSets();
        yield;
        this.#audiences.goOn();
        own = this.#begin(family);
      }
      cost++;
      if (table.head[prefix] === 0) continue;
      this.#lookedAt++;
      cost += this.#look(table, prefix, own.get(prefix));
    }
    for (const route of this.#own) cost += this.#newPrefix(table, route);
    yield;
  }

  /** By prefix id what becomes of own routes; slots and ids may be others' after a rest. */
  #begin(family: FamilyIndex): Map<number, OwnThen> {
    this.#others = [];
    for (const neighbour of this.#neighbours) {
      const { slot, peer } = neighbour;
      const isOther = neighbour.isOther || neighbour.isGone(family);
      if (isOther && this.#rib.bySlot[slot] === peer) this.#others[slot] = neighbour;
    }
    const own = new Map<number, OwnThen>();
    for (const route of this.#own) {
      const prefix = prefixOf(route.text);
      const id = prefix.family === family ? findPrefix(this.#rib.tables[family], prefix) : -1;
      if (id >= 0) own.set(id, route);
    }
    return own;
  }

  /** An own route for a prefix that nobody has yet. */
  #newPrefix(table: RibTable, own: OwnThen): number {
    const { text, set } = own;
    const prefix = prefixOf(text);
    if (prefix.family !== table.family || set < 0 || hasPaths(table, findPrefix(table, prefix))) return 0;
    const holder = new RibTable(table.family, 1);
    const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = prefix.words;
    const { length } = prefix;
    const id =
      prefix.family === 0
        ? holder.prefixes.findOrAdd4(w0, length)
        : holder.prefixes.findOrAdd6(w0, w1, w2, w3, length);
    holder.fitPrefixColumns();
    return this.#look(holder, id, own);
  }

  #look(table: RibTable, prefix: number, own: OwnThen | undefined): number {
    const { view, decision } = this.#rib;
    const text = () => own?.text ?? this.#rib.prefixText(table, prefix);
    const { family } = table;
    if (own === undefined && !this.#areRulesOther && !this.#isOfOthers(table, prefix)) {
      return this.#audiences.look(
        family,
        { view, table, prefix },
        { view: this.#view, table, prefix },
        false,
        text,
      );
    }
    const [now, then] = this.#scenes[family]!;
    try {
      now!.begin(table, prefix);
      then!.begin(table, prefix);
      this.#fill(table, prefix, own, now!, then!, text);
      const before = now!.used(decision);
      const after = then!.used(this.#decision);
      const isOther = before.length !== after.length || before.some((key, i) => key !== after[i]);
      this.#best.note(before.length > 0, after.length > 0, isOther, text);
      return this.#audiences.look(
        family,
        { view, table: now!.table, prefix: now!.prefix },
        { view: this.#view, table: then!.table, prefix: then!.prefix },
        true,
        text,
      );
    } finally {
      now!.empty();
      then!.empty();
    }
  }

  #isOfOthers(table: RibTable, prefix: number): boolean {
    for (let path = table.head[prefix]! - 1; path >= 0; path = table.next[path]! - 1)
      if (this.#others[table.peer[path]!] !== undefined) return true;
    return false;
  }

  #fill(
    table: RibTable,
    prefix: number,
    own: OwnThen | undefined,
    now: PrefixScene,
    then: PrefixScene,
    text: () => string,
  ): void {
    const { slots, attributes } = this.#rib;
    const { family } = table;
    const taken = new Map<number, Taken>();
    for (let path = table.head[prefix]! - 1; path >= 0; path = table.next[path]! - 1) {
      const slot = table.peer[path]!;
      const epoch = table.epoch[path]!;
      const flags = table.flags[path]!;
      if ((flags & DEAD) !== 0 || !slots.isUsed(slot, family, epoch)) continue;
      const set = table.attribute[path]!;
      const receivedId = table.receivedId?.[path] ?? 0;
      const had = (flags & (FILTERED | INELIGIBLE | OVER_LIMIT)) === 0 ? set : -1;
      if (had >= 0) now.add(slot, had, epoch, receivedId);
      if (slot === LOCAL_SLOT) {
        // A default route that stands by for those who ask is refused here, and still goes out.
        if (had < 0) now.add(slot, set, epoch, receivedId, INELIGIBLE);
        if (own === undefined) then.add(slot, set, epoch, receivedId, had < 0 ? INELIGIBLE : 0);
        continue;
      }
      const other = this.#others[slot];
      if (other === undefined) {
        if (had >= 0) then.add(slot, had, epoch, receivedId);
        continue;
      }
      const has = this.#setThen(other, table, path);
      if (has >= 0) {
        then.add(slot, has, epoch, receivedId);
        attributes.release(has);
      }
      const of = taken.get(slot) ?? { had: false, has: false, isOther: false };
      taken.set(slot, {
        had: of.had || had >= 0,
        has: of.has || has >= 0,
        isOther: of.isOther || had !== has,
      });
    }
    if (own !== undefined && own.set >= 0)
      then.add(LOCAL_SLOT, own.set, slots.epoch[LOCAL_SLOT * 2 + family]!, 0, own.onRequest ? INELIGIBLE : 0);
    for (const [slot, { had, has, isOther }] of taken) {
      let changes = this.#accepted.get(slot);
      if (changes === undefined) this.#accepted.set(slot, (changes = new ChangedPrefixes(this.#left)));
      changes.note(had, has, isOther, text);
    }
  }

  /** With a new reference; below 0: not taken. */
  #setThen(other: NeighbourThen, table: RibTable, path: number): number {
    const { family } = table;
    const isIn = (table.flags[path]! & OVER_LIMIT) === 0;
    if (other.isGone(family) || !other.takesPlace(family, isIn)) return -1;
    const { paths, eligibility } = this.#rib;
    const code = eligibility.of(other, paths.received(table, path));
    return paths.usedBy(other, table, path, flagsOf(code));
  }
}

/** What of a neighbour's paths of one prefix is taken. */
interface Taken {
  readonly had: boolean;
  readonly has: boolean;
  readonly isOther: boolean;
}

/** Of a range's neighbour the range's, with its own address. */
function configThen(peers: ReadonlyMap<string, PeerConfig>, { id, config }: RibPeer): PeerConfig | undefined {
  const own = peers.get(id);
  if (own !== undefined) return own;
  const range = peers.get(id.slice(0, id.lastIndexOf('/')));
  return range?.remote.kind === 'range' ? { ...range, id, remote: config.remote } : undefined;
}

function hasPaths(table: RibTable, prefix: number): boolean {
  return prefix >= 0 && table.head[prefix] !== 0;
}
