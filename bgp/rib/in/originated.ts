// Routes that start at this speaker: given as text by the agent, held in the tables under the local slot.
import { type FamilyIndex, formatWords, parseAddressWords, parsePrefixWords, type PrefixWords } from '#ip';
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

  /** Unknown prefixes are no error. */
  withdraw(prefixes: readonly string[]): void {
    for (const text of prefixes) {
      const prefix = prefixOf(text);
      const table = this.#tables[prefix.family];
      const id = findPrefix(table, prefix);
      this.#why.delete(`${formatWords(prefix.words)}/${prefix.length}`);
      if (id >= 0) this.#paths.withdraw(this.owner, table, id, 0);
    }
  }

  /** Of a peer's paths with our own AS in AS_PATH, those for prefixes that start here: our own routes, come back. */
  returned(slot: number, family: FamilyIndex): number {
    const table = this.#tables[family];
    let count = 0;
    for (const text of this.#why.keys()) {
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
    for (const text of this.#why.keys()) {
      const prefix = prefixOf(text);
      const id = prefix.family === family ? findPrefix(table, prefix) : -1;
      if (id < 0) continue;
      for (let path = table.head[id]! - 1; path >= 0; path = table.next[path]! - 1)
        if (table.peer[path] === LOCAL_SLOT && (table.flags[path]! & DEAD) === 0) yield path;
    }
  }

  why(prefix: string): string | undefined {
    return this.#why.get(prefix);
  }

  #one(route: Origination, sets: Map<string, number>): void {
    const prefix = prefixOf(route.prefix);
    const { prefix: _, why, onRequest, ...attributes } = route;
    const key = JSON.stringify(attributes);
    let set = sets.get(key);
    if (set === undefined) sets.set(key, (set = this.setOf(route)));
    const table = this.#tables[prefix.family];
    const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = prefix.words;
    const id =
      prefix.family === 0
        ? table.prefixes.findOrAdd4(w0, prefix.length)
        : table.prefixes.findOrAdd6(w0, w1, w2, w3, prefix.length);
    table.fitPrefixColumns();
    this.#why.set(`${formatWords(prefix.words)}/${prefix.length}`, why);
    this.#paths.announce(this.owner, table, id, 0, set, onRequest ? INELIGIBLE : 0);
    // Those that are not used wait for nobody to choose.
    if (onRequest) table.markDirty(id, true);
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

export function prefixOf(text: string): PrefixWords {
  const prefix = parsePrefixWords(text);
  if (prefix === undefined) throw new Error(`route '${text}' is not a prefix`);
  return prefix;
}
