// Aggregates of one family (RFC 4271 section 9.2.2.2): which routes lie inside each is counted where prefixes are decided,
// and each is an own route while there is one. (One inside another counts as any route: it is there only while others are.) Towards neighbours that take
// aggregates those with summaryOnly stand for what lies inside.
// Bound: the configured ones, looked at for each prefix whose best path changed; two bits a prefix.
import { parsePrefixWords, type PrefixWords } from '#ip';
import type { Aggregate } from '../../config.ts';
import { PRESENT_AGGREGATOR } from '../../message/index.ts';
import type { AttributeIntern } from '../attributes/attribute-intern.ts';
import type { Originated } from './originated.ts';
import { LOCAL_SLOT } from '../table/peer-slots.ts';
import { COUNTED, COUNTED_SHIFT, type RibTable } from '../table/rib-table.ts';

const NOT_TOLD = -1;
const ALL = Number.POSITIVE_INFINITY;

interface Entry {
  readonly config: Aggregate;
  readonly prefix: PrefixWords;
  /** How many routes are inside it, by their ORIGIN. */
  readonly contributors: [number, number, number];
  /** The ORIGIN that it is announced with, or NOT_TOLD. */
  told: number;
  /** It may be announced with other attributes than are wanted. */
  isOld: boolean;
  /** Only when it was announced: nobody shall be without a route. */
  isSuppressing: boolean;
}

/** Is an own path an aggregate? No other own route has an AGGREGATOR. */
export function isAggregate({ store }: AttributeIntern, table: RibTable, path: number): boolean {
  return (
    table.peer[path] === LOCAL_SLOT && (store.present[table.attribute[path]!]! & PRESENT_AGGREGATOR) !== 0
  );
}

export class Aggregates {
  readonly #table: RibTable;
  readonly #intern: AttributeIntern;
  readonly #originated: Originated;
  readonly #grain: number;
  readonly #rebuild: () => void;
  #list: readonly Entry[] = [];
  /** Configured no more, and still announced. */
  #gone: readonly string[] = [];
  #configured = '[]';
  /** Prefixes below are counted. */
  #counted = ALL;
  /** A count changed. */
  #mustSettle = false;
  /** What suppresses may be other than what is configured. */
  #mustSuppress = false;

  /** @param rebuild has every group look at every prefix again */
  constructor(
    table: RibTable,
    intern: AttributeIntern,
    originated: Originated,
    grain: number,
    rebuild: () => void,
  ) {
    this.#table = table;
    this.#intern = intern;
    this.#originated = originated;
    this.#grain = grain;
    this.#rebuild = rebuild;
  }

  /** Those of the family, all of them, each time. Also when our AS or router ID changed, which they carry. */
  configure(list: readonly Aggregate[]): void {
    const configured = JSON.stringify([list, this.#intern.identity]);
    if (configured === this.#configured) return;
    this.#configured = configured;
    const suppressing = this.#list.filter(({ isSuppressing }) => isSuppressing).length;
    const before = new Map(this.#list.map((entry) => [entry.config.prefix, entry]));
    this.#list = list.map((config): Entry => {
      const old = before.get(config.prefix);
      before.delete(config.prefix);
      return {
        config,
        prefix: parsePrefixWords(config.prefix)!,
        contributors: [0, 0, 0],
        told: old?.told ?? NOT_TOLD,
        isOld: true,
        isSuppressing: old?.isSuppressing === true && config.summaryOnly,
      };
    });
    const removed = [...before.values()];
    this.#gone = [...this.#gone, ...removed.map(({ config }) => config.prefix)].filter(
      (prefix) => !list.some((config) => config.prefix === prefix),
    );
    // What was suppressed is announced before what stood for it goes, and the other way round.
    const isFree = this.#list.filter(({ isSuppressing }) => isSuppressing).length < suppressing;
    if (isFree) this.#rebuild();
    this.#counted = list.length === 0 ? this.#table.prefixes.ids.end : 0;
    this.#mustSuppress = true;
  }

  get configured(): readonly Aggregate[] {
    return this.#list.map(({ config }) => config);
  }

  /** There are some, or some are still announced: note() must hear of changes. */
  get isOn(): boolean {
    return this.#list.length + this.#gone.length > 0;
  }

  /** A prefix's best path, or its attributes, may have changed. */
  note(prefix: number): void {
    // Those above are counted when their turn comes.
    if (prefix < this.#counted)
      this.#count(prefix, (this.#table.prefixFlags[prefix]! & COUNTED) >> COUNTED_SHIFT);
  }

  /** Announces and withdraws what the counts say. */
  settle(): void {
    if (!this.#mustSettle || this.#counted !== ALL) return;
    this.#mustSettle = false;
    for (const entry of this.#list) {
      const { contributors, config } = entry;
      const origin = contributors.findLastIndex((count) => count > 0);
      if (origin === entry.told && (origin === NOT_TOLD || !entry.isOld)) continue;
      entry.told = origin;
      entry.isOld = false;
      if (origin === NOT_TOLD) this.#originated.withdrawAggregate(config.prefix);
      else this.#originated.aggregate(config, origin);
    }
    for (const prefix of this.#gone) this.#originated.withdrawAggregate(prefix);
    this.#gone = [];
  }

  /** A step of what a new configuration asks for, once the groups are built; false when there is none. */
  step(): boolean {
    if (this.#counted !== ALL) {
      const { end } = this.#table.prefixes.ids;
      const last = Math.min(end, this.#counted + this.#grain);
      for (; this.#counted < last; this.#counted++) this.#count(this.#counted, 0);
      if (last < end) return true;
      this.#counted = ALL;
      this.#mustSettle = true;
      this.settle();
      return true;
    }
    if (!this.#mustSuppress) return false;
    this.#mustSuppress = false;
    if (this.#list.every(({ isSuppressing, config }) => isSuppressing === config.summaryOnly)) return false;
    for (const entry of this.#list) entry.isSuppressing = entry.config.summaryOnly;
    this.#rebuild();
    return true;
  }

  /** Does an aggregate stand for the prefix, towards neighbours that take aggregates? The prefix of an aggregate itself never asks. */
  isSuppressed(table: RibTable, prefix: number): boolean {
    for (let i = 0; i < this.#list.length; i++) {
      const entry = this.#list[i]!;
      if (entry.isSuppressing && isInside(table, prefix, entry.prefix)) return true;
    }
    return false;
  }

  /** @param before ORIGIN + 1 of what is counted; 0: it is not */
  #count(prefix: number, before: number): void {
    const table = this.#table;
    const best = table.best(prefix);
    const now = best >= 0 ? this.#intern.store.origin[table.attribute[best]!]! + 1 : 0;
    const flags = table.prefixFlags[prefix]!;
    table.prefixFlags[prefix] = (flags & ~COUNTED) | (now << COUNTED_SHIFT);
    if (now === before) return;
    for (let i = 0; i < this.#list.length; i++) {
      const { prefix: outer, contributors } = this.#list[i]!;
      if (!isInside(table, prefix, outer)) continue;
      if (before > 0) contributors[before - 1]!--;
      if (now > 0) contributors[now - 1]!++;
      this.#mustSettle = true;
    }
  }
}

/** Not the prefix itself. */
export function isInside(table: RibTable, prefix: number, outer: PrefixWords): boolean {
  return table.prefixes.lengths[prefix]! > outer.length && table.isInside(prefix, outer);
}
