// What a foresight is asked, of what it looks at, and what it answers. Types only.
import type { Aggregate, PeerConfig, SpeakerConfig } from '../../config.ts';
import type { CompiledPolicy } from '../../policy/compile.ts';
import type { Policy } from '../../policy/policy.ts';
import type { AttributeIntern, OwnIdentity } from '../attributes/attribute-intern.ts';
import type { AttributeReader } from '../attributes/attribute-reader.ts';
import type { Aggregates } from '../in/aggregates.ts';
import type { Origination } from '../in/originated.ts';
import type { RibContents } from '../show/rib-contents.ts';
import type { DecisionRules } from '../table/decision-steps.ts';
import type { RibTable } from '../table/rib-table.ts';
import type { OverLimit } from './neighbour-then.ts';
import type { PrefixChanges } from './prefix-changes.ts';

export interface PlannedChange {
  readonly identity: OwnIdentity;
  readonly rules: DecisionRules;
  /** Of the neighbours that would have a session, by id; of a range's neighbours the range. */
  readonly peers: ReadonlyMap<string, PeerConfig>;
  /** Own prefixes that would be announced no more. */
  readonly withdrawn: readonly string[];
  /** Own routes that would be announced, or with other attributes. */
  readonly originated: readonly Origination[];
  /** Of both families, all of them. */
  readonly aggregates: readonly Aggregate[];
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
  | 'places';

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
