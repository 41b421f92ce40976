// What another configuration would make of the routes that there are: which of each neighbour's are taken, by which paths
// this speaker would go, and what each neighbour would be sent. The code that takes, chooses and sends is asked about both;
// nothing of it is applied. A generator, so that who walks it can rest.
import type { FamilyIndex } from '#ip';
import type { PeerConfig } from '../../config.ts';
import type { Policy } from '../../policy/policy.ts';
import { flagsOf } from '../in/eligibility.ts';
import { findPrefix, prefixOf } from '../in/originated.ts';
import type { RibPeer } from '../in/rib-peer.ts';
import { ExportView } from '../out/export-view.ts';
import type { Decision } from '../table/decision.ts';
import { LOCAL_SLOT } from '../table/peer-slots.ts';
import { DEAD, FILTERED, INELIGIBLE, OVER_LIMIT, RibTable } from '../table/rib-table.ts';
import { type AggregateThen, AggregatesThen } from './aggregates-then.ts';
import { Audiences } from './audiences.ts';
import type { Doubt, Foreseen, ForeseenRib, PlannedChange } from './foreseen.ts';
import { NeighbourThen } from './neighbour-then.ts';
import { ChangedPrefixes, NamesLeft } from './prefix-changes.ts';
import { PrefixScene } from './prefix-scene.ts';

/** Routes that rules were asked about, between rests. */
const STRIDE = 256;

/** An own route then: its attribute set, with a reference, or -1. */
interface OwnThen {
  readonly text: string;
  readonly set: number;
  /** See Origination. */
  readonly onRequest?: true | undefined;
}

export class Foresight {
  readonly #rib: ForeseenRib;
  readonly #change: PlannedChange;
  readonly #neighbours: NeighbourThen[] = [];
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
  readonly #own: OwnThen[] = [];
  /** By slot. */
  readonly #clientThen: Uint8Array;
  readonly #aggregates: readonly AggregatesThen[];
  readonly #unused: number;
  #lookedAt = 0;
  #prefixes = 0;

  constructor(rib: ForeseenRib, change: PlannedChange) {
    this.#rib = rib;
    this.#change = change;
    const { intern, reader, slots, nextHops, attributes, tables } = rib;
    this.#areRulesOther = JSON.stringify(change.rules) !== JSON.stringify(rib.decision.rules);
    this.#decision = this.#areRulesOther ? rib.decision.withRules(change.rules) : rib.decision;
    const client = Uint8Array.from(slots.client);
    this.#clientThen = client;
    const then = {
      get kind() {
        return slots.kind;
      },
      client,
    };
    this.#aggregates = ([0, 1] as const).map(
      (family) => new AggregatesThen(family, rib.aggregates[family].configured, change.aggregates),
    );
    this.#view = new ExportView(intern, reader, then, nextHops, this.#decision, tables, this.#aggregates);
    this.#scenes = ([0, 1] as const).map((family) => [
      new PrefixScene(family, attributes),
      new PrefixScene(family, attributes),
    ]);
    this.#audiences = new Audiences(
      attributes,
      nextHops,
      slots,
      this.#aggregates.map(({ isSuppressionOther }) => isSuppressionOther),
    );
    this.#unused = attributes.unusedCount;
    if (
      intern.identity.asNumber !== change.identity.asNumber ||
      intern.identity.routerId !== change.identity.routerId
    )
      this.#doubts.push('identity');
  }

  get found(): Foreseen {
    const best = this.#best.found;
    return {
      neighbours: this.#neighbours.map(({ peer, slot, overLimit }) => ({
        id: peer.id,
        accepted: (this.#accepted.get(slot) ?? new ChangedPrefixes(this.#left)).found,
        sent: peer.session && this.#audiences.changesOf(peer.session)?.found,
        overLimit,
      })),
      best,
      doubts: this.#doubts,
      lookedAt: this.#lookedAt,
      prefixes: this.#prefixes,
    };
  }

  /**
   * To be walked once, to its end or left (return()).
   * @throws Error when a policy or an own route is wrong
   */
  *walk(): Generator<void, void> {
    try {
      this.#prefixes = this.#rib.tables.reduce((sum, { liveCount }) => sum + liveCount, 0);
      yield* this.#prepare();
      for (const family of [0, 1] as const) yield* this.#family(family);
    } finally {
      this.#view.forget();
      for (const { set } of this.#own) if (set >= 0) this.#rib.attributes.release(set);
      this.#forgetSets();
    }
  }

  /** Rests after each neighbour: its policies may be long, and no other's. */
  *#prepare(): Generator<void, void> {
    const { peers, identity, withdrawn, originated } = this.#change;
    const { bySlot, intern, nextHops } = this.#rib;
    const compiled = (policy: Policy) => this.#rib.compiled(policy);
    for (const peer of [...this.#rib.peers()]) {
      const { slot, session } = peer;
      if (bySlot[slot] !== peer) continue;
      const neighbour = new NeighbourThen(peer, configThen(peers, peer), compiled, identity.asNumber);
      this.#neighbours.push(neighbour);
      this.#clientThen[slot] = neighbour.config.routeReflectorClient ? 1 : 0;
      if (session !== undefined)
        this.#audiences.add(neighbour, session, intern.identity, identity, this.#left);
      yield;
    }
    this.#audiences.goOn();
    const asksLinks = ({ importPolicy, exportPolicy }: NeighbourThen) =>
      importPolicy.asksLinks || exportPolicy.asksLinks;
    if (!nextHops.areLinksAsked && this.#neighbours.some(asksLinks)) this.#doubts.push('interfaces');
    if (this.#neighbours.some(({ isLimited }) => isLimited)) this.#doubts.push('places');
    this.#own.push(...withdrawn.map((text) => ({ text, set: -1 })));
    for (const route of originated) {
      const { prefix: text, onRequest } = route;
      this.#own.push({ text, set: this.#rib.originated.setOf(route), onRequest });
    }
  }

  /** What policies made of routes and nobody refers to any more: not more of it than there was. */
  #forgetSets(): void {
    const { attributes } = this.#rib;
    attributes.dropUnused(attributes.unusedCount - this.#unused);
  }

  *#family(family: FamilyIndex): Generator<void, void> {
    const table = this.#rib.tables[family];
    const aggregates = this.#aggregates[family]!;
    let own = this.#begin(family);
    let later = aggregates.ids(table);
    let cost = 0;
    for (let prefix = 0; prefix < table.prefixes.ids.end; prefix++) {
      if (cost >= STRIDE) {
        cost = 0;
        this.#forgetSets();
        yield;
        this.#audiences.goOn();
        own = this.#begin(family);
        later = aggregates.ids(table);
      }
      cost++;
      if (table.head[prefix] === 0) continue;
      this.#lookedAt++;
      if (later.has(prefix)) continue;
      cost += this.#look(table, prefix, own.get(prefix));
    }
    const ofAggregates = new Set(aggregates.list.map(({ text }) => text));
    for (const route of this.#own) if (!ofAggregates.has(route.text)) this.#newPrefix(table, route);
    for (const one of aggregates.list) {
      yield;
      this.#audiences.goOn();
      this.#begin(family);
      this.#lookAtAggregate(table, one);
    }
    yield;
  }

  /** Once it is known what would be inside. An own route of its prefix goes before it. */
  #lookAtAggregate(table: RibTable, { text, prefix, config, origin }: AggregateThen): void {
    const { originated, attributes } = this.#rib;
    const id = findPrefix(table, prefix);
    const look = (own: OwnThen | undefined): void => {
      if (hasPaths(table, id)) this.#look(table, id, own);
      else if (own !== undefined) this.#newPrefix(table, own);
    };
    const planned = this.#own.find((own) => own.text === text);
    if (planned === undefined ? originated.has(text) : planned.set >= 0) {
      look(planned);
      return;
    }
    const set = config === undefined || origin < 0 ? -1 : originated.setOfAggregate(config, origin);
    try {
      look({ text, set });
    } finally {
      if (set >= 0) attributes.release(set);
    }
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
    const aggregates = this.#aggregates[family]!;
    const { attributes } = this.#rib;
    if (own === undefined && !this.#areRulesOther && !this.#isOfOthers(table, prefix)) {
      aggregates.note(table, prefix, attributes);
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
      aggregates.note(then!.table, then!.prefix, attributes);
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
