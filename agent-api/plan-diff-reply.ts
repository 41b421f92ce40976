// What applying some documents would change on one node, before anything is applied.
import type { StatusProblem } from './status-reply.ts';

/** POST /v1/plan/diff with the documents as body: they take the place of the objects of their names. */
export interface PlanDiffReply {
  /** Objects of the documents that would be new, and those that would be otherwise. */
  readonly objects: readonly string[];
  /** Sessions that would change, or be sent something else; all others stay as they are. */
  readonly sessions: readonly SessionDiff[];
  /** Own prefixes that would be announced, or be announced with other communities. */
  readonly originated: readonly string[];
  readonly withdrawn: readonly string[];
  /** What the documents have wrong, and what of the plan would be a problem and is none now. */
  readonly problems: readonly StatusProblem[];
  /** Absent: all routes were looked at. */
  readonly note?: string;
}

export interface SessionDiff {
  readonly id: string;
  /** The object that asks for it. */
  readonly from: string;
  readonly remote: string;
  /** changes: the session stays, see `changes` for when each takes effect. */
  readonly what: 'begins' | 'ends' | 'begins anew' | 'changes' | 'stays';
  /** Settings by the library's names, as in GET /v1/plan. */
  readonly changes: readonly {
    readonly setting: string;
    readonly effect: 'nothing' | 'later' | 'live' | 'soft' | 'reset';
  }[];
  /** What it would be sent; absent while it is not up. */
  readonly sent?: {
    readonly appear: PrefixesDiff;
    readonly vanish: PrefixesDiff;
    /** Sent now and then, with other attributes. */
    readonly change: PrefixesDiff;
  };
}

export interface PrefixesDiff {
  readonly count: number;
  /** At most 1,000. */
  readonly first: readonly string[];
}
