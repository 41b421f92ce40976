// Aggregates of one family as another configuration would have them: what would be inside is counted while prefixes are
// looked at. With summaryOnly they would keep back what lies inside, as they do once they have settled (Aggregates).
// Bound: the configured ones, of now and of then.
import type { FamilyIndex, PrefixWords } from '#ip';
import type { Aggregate } from '../../config.ts';
import type { AttributeStore } from '../attributes/attribute-store.ts';
import { isInside } from '../in/aggregates.ts';
import { findPrefix, prefixOf } from '../in/originated.ts';
import type { RibTable } from '../table/rib-table.ts';

/** The prefix of an aggregate, now or then. */
export interface AggregateThen {
  readonly text: string;
  readonly prefix: PrefixWords;
  /** Undefined: there would be none. */
  readonly config: Aggregate | undefined;
  /** The worst ORIGIN of what would be inside; -1: nothing would be. */
  origin: number;
}

export class AggregatesThen {
  /** The longest first: one inside another counts as any route. */
  readonly list: readonly AggregateThen[];
  /** There would be some. */
  readonly isOn: boolean;
  /** Others would keep back what is inside than do now. */
  readonly isSuppressionOther: boolean;

  constructor(family: FamilyIndex, now: readonly Aggregate[], then: readonly Aggregate[]) {
    const configs = new Map<string, Aggregate | undefined>(now.map(({ prefix }) => [prefix, undefined]));
    for (const config of then)
      if (prefixOf(config.prefix).family === family) configs.set(config.prefix, config);
    this.list = [...configs]
      .map(([text, config]) => ({ text, prefix: prefixOf(text), config, origin: -1 }))
      .sort((a, b) => b.prefix.length - a.prefix.length);
    this.isOn = this.list.some(({ config }) => config !== undefined);
    const keepBack = new Set(now.flatMap(({ prefix, summaryOnly }) => (summaryOnly ? prefix : [])));
    this.isSuppressionOther = this.list.some(
      ({ text, config }) => keepBack.has(text) !== (config?.summaryOnly === true),
    );
  }

  /** See Aggregates. */
  isSuppressed(table: RibTable, prefix: number): boolean {
    for (const { config, prefix: outer } of this.list)
      if (config?.summaryOnly === true && isInside(table, prefix, outer)) return true;
    return false;
  }

  /** Counts the best path of a prefix, as it would be. */
  note(table: RibTable, prefix: number, { origin }: AttributeStore): void {
    if (!this.isOn) return;
    const best = table.best(prefix);
    if (best < 0) return;
    const of = origin[table.attribute[best]!]!;
    for (const one of this.list) if (of > one.origin && isInside(table, prefix, one.prefix)) one.origin = of;
  }

  /** Their own prefixes, as far as a table has them. */
  ids(table: RibTable): Set<number> {
    return new Set(this.list.map(({ prefix }) => findPrefix(table, prefix)));
  }
}
