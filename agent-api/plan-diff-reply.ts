// What applying or deleting some documents would change on one node, before it is done.
import type { StatusProblem } from './status-reply.ts';

/**
 * POST /v1/plan/diff with the documents as body: they take the place of the objects of their names. With ?delete those of
 * their names go.
 */
export interface PlanDiffReply {
  /** Objects of the documents. */
  readonly objects: readonly string[];
  /** Of the node itself: what of its plan would be otherwise beside sessions and own prefixes. */
  readonly settings: readonly SettingDiff[];
  /** Sessions that would change, or whose routes would; all others stay as they are. */
  readonly sessions: readonly SessionDiff[];
  /** Own prefixes that would be announced, or be announced with other communities. */
  readonly originated: readonly string[];
  readonly withdrawn: readonly string[];
  /** Where this node itself would send packets: reached then and not now, and so on. Absent: no RIB was asked. */
  readonly best?: PrefixesDiffs;
  /** What the documents have wrong, and what of the plan would be a problem and is none now. */
  readonly problems: readonly StatusProblem[];
  /** What is not foreseen, or was not looked at. */
  readonly notes: readonly string[];
}

export interface SettingDiff {
  /** By its name in GET /v1/plan. */
  readonly setting: string;
  readonly from: string;
  readonly to: string;
}

export interface SessionDiff {
  readonly id: string;
  /** The object that asks for it. */
  readonly from: string;
  readonly remote: string;
  /** changes: the session stays, see `changes` for when each takes effect. */
  readonly what: 'begins' | 'ends' | 'begins anew' | 'goes down' | 'changes' | 'stays';
  /** Of one that goes down. */
  readonly why?: string;
  /** What a session has otherwise, and when that takes effect: see docs/live-changes.md. */
  readonly changes: readonly {
    /** Field of a BGPPeer: 'maxPrefixes.limit'; the name in GET /v1/plan of what is no field. */
    readonly setting: string;
    readonly effect: 'nothing' | 'later' | 'live' | 'soft' | 'reset';
    /** As a document has it, 'not set' where nobody wrote it; absent: a secret, a policy, or not to be said in a word. */
    readonly from?: string;
    readonly to?: string;
  }[];
  /** Of its own routes those that are accepted then and not now, and so on; absent: all as now. */
  readonly accepted?: PrefixesDiffs;
  /** What it would be sent; absent: as now, or it is not up. */
  readonly sent?: PrefixesDiffs;
}

export interface PrefixesDiffs {
  readonly appear: PrefixesDiff;
  readonly vanish: PrefixesDiff;
  /** There now and then, with other attributes or by another path. */
  readonly change: PrefixesDiff;
}

export interface PrefixesDiff {
  readonly count: number;
  /** At most 1,000, and of all sorts and sessions together 50,000. */
  readonly first: readonly string[];
}
