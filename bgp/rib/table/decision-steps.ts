// What a decision is made of: its steps, why a path has no part in it, and what of it an operator chooses.

/** Where two paths first differed; `why` puts it into words. Paths equal up to METRIC may be used together. */
export const STEP_LONG_LIVED_STALE = 1;
/** Whatever a neighbour says with LOCAL_PREF: what starts here is never withdrawn in favour of what was learned. */
export const STEP_LOCAL = 2;
/** Of an import policy, which no neighbour knows. */
export const STEP_WEIGHT = 3;
export const STEP_LOCAL_PREF = 4;
export const STEP_AS_PATH_LENGTH = 5;
export const STEP_ORIGIN = 6;
export const STEP_MED = 7;
export const STEP_EBGP = 8;
export const STEP_METRIC = 9;
export const STEP_ROUTER_ID = 10;
export const STEP_CLUSTER_LIST = 11;
export const STEP_PEER_ADDRESS = 12;
export const STEP_PATH_ID = 13;

/** Why a path may not be chosen: results of refusal(). */
export const USABLE = 0;
/** Its neighbour no longer has it: the session it came over has ended, or a refresh left it out. */
export const GONE = 1;
export const FORBIDDEN = 2;
export const FILTERED_BY_POLICY = 3;
export const WITHDRAWN = 4;
export const NEXT_HOP_UNREACHABLE = 5;
/** After our restart nothing that was learned is chosen before all have said what they have (RFC 4724 section 4.1). */
export const DEFERRED = 6;
/** The neighbour's prefix limit drops it. */
export const DROPPED_BY_LIMIT = 7;

export interface DecisionRules {
  /** How many equal paths are used together. */
  readonly ebgp: number;
  readonly ibgp: number;
  /** AS_PATHs of one length are equal. */
  readonly relax: boolean;
  /** By the link bandwidths that all of them came with; default: true. */
  readonly weighted?: boolean;
  readonly alwaysCompareMed?: boolean;
  readonly missingMedAsWorst?: boolean;
}

/** Paths of one prefix that may be used together, as `multipath` of BGPConfiguration allows. */
export const MOST_PATHS = 128;
