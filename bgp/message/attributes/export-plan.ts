// How one update group changes attributes on their way out (or an import policy on their way in). Plain data,
// made once a group; `rewriteAttributes` executes it.

/** RELATION_SAME changes only what the plan's values say: for policies on import. */
export const RELATION_SAME = 0;
export const RELATION_IBGP = 1;
export const RELATION_EBGP = 2;
/** eBGP between members of one confederation: AS_PATH gets AS_CONFED_SEQUENCE, LOCAL_PREF and MED stay (RFC 5065). */
export const RELATION_CONFEDERATION = 3;

/** Fields of `ExportPlan` where this means: leave the attribute as it is. */
export const UNCHANGED = -1;

/** A community of one of three kinds, or many: some of its parts may be anything. */
export interface CommunityPattern {
  /** ATTR_* of the list that it is about. */
  readonly type: number;
  /** Each community of that list, as words: unsigned, and 0 where the mask is. */
  readonly words: readonly number[];
  /** What of the words counts. */
  readonly masks: readonly number[];
}

export interface ExportPlan {
  /** RELATION_*: decides what is kept, stripped and added by the attribute table. */
  relation: number;
  /** False: the peer reads two-octet AS numbers (RFC 6793: AS_TRANS, AS4_PATH, AS4_AGGREGATOR are made). */
  fourByteAs: boolean;
  /** AS numbers put before the path, the leftmost first: policy prepends and, for eBGP, the own AS. */
  prepend: readonly number[];
  /** Drop private AS numbers (RFC 6996) from the path before prepending. */
  removePrivateAs: boolean;
  /** What stands in for each AS number that is replaced, before prepending; UNCHANGED: none is. */
  substituteAs: number;
  /** Instead of dropping private AS numbers, replace them. */
  replacesPrivateAs: boolean;
  /** Replace this one, so that who has it takes its own routes back; or UNCHANGED. */
  overriddenAs: number;
  /** eBGP drops MED unless this is set or `med` gives one. */
  keepMed: boolean;
  /** u32 or UNCHANGED. */
  med: number;
  /** u32 or UNCHANGED; not sent to eBGP whatever it says. */
  localPref: number;
  /** LOCAL_PREF for iBGP when the route has none. */
  defaultLocalPref: number;
  /** Reflector: ORIGINATOR_ID to add when there is none (RFC 4456 section 8), or UNCHANGED. */
  originatorId: number;
  /** Reflector: cluster ID to prepend to CLUSTER_LIST, or UNCHANGED. */
  clusterId: number;
  /** NEXT_HOP attribute as u32 for classic NLRI, or UNCHANGED: none (next hop in MP_REACH_NLRI). */
  nextHop: number;
  /** What of the communities that are there goes, before others are added. */
  deleteCommunities: readonly CommunityPattern[];
  /** Added when absent, of all kinds; each stands for one. */
  addCommunities: readonly CommunityPattern[];
  /** Keep non-transitive extended communities towards eBGP (RFC 4360 section 6 says: do not). */
  keepNonTransitive: boolean;
  /** To eBGP a link bandwidth that would stay in the AS goes in the form that does not. */
  sendLinkBandwidth: boolean;
  /** Send AIGP on an eBGP session too (RFC 7311 section 3.1). */
  keepAigp: boolean;
  /** OTC value to add when absent (RFC 9234 section 5), or UNCHANGED. */
  otc: number;
}

/** A plan that changes nothing but what `overrides` says. */
export function exportPlan(overrides: Partial<ExportPlan>): ExportPlan {
  return {
    relation: RELATION_SAME,
    fourByteAs: true,
    prepend: [],
    removePrivateAs: false,
    substituteAs: UNCHANGED,
    replacesPrivateAs: false,
    overriddenAs: UNCHANGED,
    keepMed: false,
    med: UNCHANGED,
    localPref: UNCHANGED,
    defaultLocalPref: 100,
    originatorId: UNCHANGED,
    clusterId: UNCHANGED,
    nextHop: UNCHANGED,
    deleteCommunities: [],
    addCommunities: [],
    keepNonTransitive: false,
    sendLinkBandwidth: false,
    keepAigp: false,
    otc: UNCHANGED,
    ...overrides,
  };
}
