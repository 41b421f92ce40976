// Routes that start at this speaker: given as text by the agent, held in the tables under the local slot.
import { type FamilyIndex, formatWords, parseAddressWords, parsePrefixWords, type PrefixWords } from '#ip';
import type { Aggregate } from '../../config.ts';
import { ACCEPT_ALL } from '../../policy/policy.ts';
import { CompiledPolicy } from '../../policy/compile.ts';
import type { AdjRibIn } from './adj-rib-in.ts';
import { NOTHING_AFTER_IMPORT, type PathOwner } from './path-owner.ts';
import { OwnClaims } from './own-claims.ts';
import type { AttributeIntern } from '../attributes/attribute-intern.ts';
import type { NextHops } from '../attributes/next-hops.ts';
import { LOCAL_SLOT } from '../table/peer-slots.ts';
import { DEAD, INELIGIBLE, OWN_AS_LOOP, type RibTable } from '../table/rib-table.ts';

/** A route to announce as our own. */
export interface Origination {
  readonly prefix: string;
  readonly communities?: readonly string[];
  readonly largeCommunities?: readonly string[];
  readonly med?: number;
  readonly localPref?: number;
  /** Default: this speaker's own address on each session. */
  readonly nextHop?: string;
  /** A default route for neighbours with `defaultOriginate` alone: this speaker does not use it. */
  readonly onRequest?: true;
  /** The object that made it, for `why`. */
  readonly why: string;
}

export class Originated {
  readonly #tables: readonly [RibTable, RibTable];
  readonly #paths: AdjRibIn;
  readonly #intern: AttributeIntern;
  readonly #nextHops: NextHops;
  /** Canonical prefix -> why. Bound: what the agent originates. */
  readonly #why = new Map<string, string>();
  /** Those that are announced where no own route is, by prefix, with their ORIGIN. */
  readonly #aggregates = new Map<string, { readonly route: Aggregate; readonly origin: number }>();
  readonly owner: PathOwner = {
    slot: LOCAL_SLOT,
    importPolicy: new CompiledPolicy(ACCEPT_ALL),
    afterImport: NOTHING_AFTER_IMPORT,
    received: [0, 0, 0, 0],
    filtered: [0, 0, 0, 0],
    overLimit: [0, 0, 0, 0],
    places: Number.POSITIVE_INFINITY,
    ineligible: [0, 0, 0, 0],
    ownAsLoops: [0, 0, 0, 0],
    unfitHops: [0, 0, 0, 0],
    octets: new Float64Array(4),
    ownClaims: new OwnClaims(),
    marked: 0,
  };

  constructor(
    tables: readonly [RibTable, RibTable],
    paths: AdjRibIn,
    intern: AttributeIntern,
    nextHops: NextHops,
  ) {
    this.#tables = tables;
    this.#paths = paths;
    this.#intern = intern;
    this.#nextHops = nextHops;
  }

  /** Adds or replaces. @throws Error naming the route and the value that is wrong; routes before it are in */
  originate(routes: readonly Origination[]): void {
    // Routes of a batch mostly have equal attributes: interned once for each kind.
    const sets = new Map<string, number>();
    this.#paths.startMessage();
    try {
      for (const route of routes) this.#one(route, sets);
    } finally {
      for (const set of sets.values()) this.#intern.store.release(set);
    }
  }

  /**
   * Adds or replaces an aggregate. An own route of the same prefix goes before it.
   * @param origin ORIGIN of what is inside
   */
  aggregate(route: Aggregate, origin: number): void {
    const aggregate = { route, origin };
    this.#aggregates.set(route.prefix, aggregate);
    if (!this.#why.has(route.prefix)) this.#announceAggregate(aggregate);
  }

  withdrawAggregate(prefix: string): void {
    if (this.#aggregates.delete(prefix) && !this.#why.has(prefix)) this.#withdraw(prefixOf(prefix));
  }

  #announceAggregate({ route, origin }: { readonly route: Aggregate; readonly origin: number }): void {
    this.#paths.startMessage();
    const set = this.setOfAggregate(route, origin);
    this.#announce(prefixOf(route.prefix), set, 0);
    this.#intern.store.release(set);
  }

  /** Unknown prefixes are no error. */
  withdraw(prefixes: readonly string[]): void {
    for (const text of prefixes) {
      const prefix = prefixOf(text);
      const canonical = textOf(prefix);
      this.#why.delete(canonical);
      const aggregate = this.#aggregates.get(canonical);
      if (aggregate === undefined) this.#withdraw(prefix);
      else this.#announceAggregate(aggregate);
    }
  }

  #withdraw(prefix: PrefixWords): void {
    const table = this.#tables[prefix.family];
    const id = findPrefix(table, prefix);
    if (id >= 0) this.#paths.withdraw(this.owner, table, id, 0);
  }

  /** Of a peer's paths with our own AS in AS_PATH, those for prefixes that start here: our own routes, come back. */
  returned(slot: number, family: FamilyIndex): number {
    const table = this.#tables[family];
    let count = 0;
    for (const text of new Set([...this.#why.keys(), ...this.#aggregates.keys()])) {
      const prefix = prefixOf(text);
      if (prefix.family !== family) continue;
      const id = findPrefix(table, prefix);
      if (id < 0) continue;
      for (let path = table.head[id]! - 1; path >= 0; path = table.next[path]! - 1) {
        const isLoop = (table.flags[path]! & (OWN_AS_LOOP | DEAD)) === OWN_AS_LOOP;
        if (table.peer[path] === slot && isLoop) count++;
      }
    }
    return count;
  }

  /** The paths of a family that start here. */
  *paths(family: FamilyIndex): Generator<number> {
    const table = this.#tables[family];
    for (const text of new Set([...this.#why.keys(), ...this.#aggregates.keys()])) {
      const prefix = prefixOf(text);
      const id = prefix.family === family ? findPrefix(table, prefix) : -1;
      if (id < 0) continue;
      for (let path = table.head[id]! - 1; path >= 0; path = table.next[path]! - 1)
        if (table.peer[path] === LOCAL_SLOT && (table.flags[path]! & DEAD) === 0) yield path;
    }
  }

  why(prefix: string): string | undefined {
    return this.#why.get(prefix) ?? this.#aggregates.get(prefix)?.route.why;
  }

  #one(route: Origination, sets: Map<string, number>): void {
    const prefix = prefixOf(route.prefix);
    const { prefix: _, why, onRequest, ...attributes } = route;
    const key = JSON.stringify(attributes);
    let set = sets.get(key);
    if (set === undefined) sets.set(key, (set = this.setOf(route)));
    this.#why.set(textOf(prefix), why);
    const id = this.#announce(prefix, set, onRequest ? INELIGIBLE : 0);
    // Those that are not used wait for nobody to choose.
    if (onRequest) this.#tables[prefix.family].markDirty(id, true);
  }

  #announce(prefix: PrefixWords, set: number, flags: number): number {
    const table = this.#tables[prefix.family];
    const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = prefix.words;
    const id =
      prefix.family === 0
        ? table.prefixes.findOrAdd4(w0, prefix.length)
        : table.prefixes.findOrAdd6(w0, w1, w2, w3, prefix.length);
    table.fitPrefixColumns();
    this.#paths.announce(this.owner, table, id, 0, set, flags);
    return id;
  }

  /** With a new reference. */
  setOfAggregate({ communities, largeCommunities }: Aggregate, origin: number): number {
    return this.#intern.originated({ communities, largeCommunities, aggregated: origin, nextHop: -1 });
  }

  /** Is there an own route that is no aggregate? */
  has(prefix: string): boolean {
    return this.#why.has(prefix);
  }

  /** With a new reference. @throws as originate() */
  setOf(route: Origination): number {
    const { prefix: _, why: __, onRequest: ___, ...attributes } = route;
    return this.#intern.originated({ ...attributes, nextHop: this.#nextHop(route) });
  }

  #nextHop(route: Origination): number {
    if (route.nextHop === undefined) return -1;
    const address = parseAddressWords(route.nextHop);
    if (address === undefined) {
      throw new Error(`route ${route.prefix} (${route.why}): next hop '${route.nextHop}' is not an address`);
    }
    return address.family === 0
      ? this.#nextHops.intern4(address.words[0]!)
      : this.#nextHops.intern6(address.words, undefined, undefined);
  }
}

/** Its id, or -1. */
export function findPrefix(table: RibTable, { family, words, length }: PrefixWords): number {
  const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = words;
  return family === 0 ? table.prefixes.find4(w0, length) : table.prefixes.find6(w0, w1, w2, w3, length);
}

function textOf({ words, length }: PrefixWords): string {
  return `${formatWords(words)}/${length}`;
}

export function prefixOf(text: string): PrefixWords {
  const prefix = parsePrefixWords(text);
  if (prefix === undefined) throw new Error(`route '${text}' is not a prefix`);
  return prefix;
}
