// Route policy as plain data: an ordered list of terms, each a match and an action. Policies are built by
// the caller (the agent's plan), compiled once by compile.ts, and compared by value (CompiledPolicy.fingerprint).
import type { Family } from '#ip';

/** Terms are tried in order; the first whose verdict is not 'next' decides; `otherwise` when none did. */
export interface Policy {
  readonly name: string;
  readonly terms: readonly PolicyTerm[];
  readonly otherwise: 'accept' | 'reject';
}

export interface PolicyTerm {
  readonly match: PolicyMatch;
  readonly action: {
    /** 'next' applies `set` and goes on with the next term. */
    readonly verdict: 'accept' | 'reject' | 'next';
    readonly set?: PolicySet;
    /** What it rejects is this speaker's own: a neighbour that announces it is listed (Speaker.ownClaims). */
    readonly isOwn?: true;
  };
  /** Shown to the operator, for example 'BGPFilter f, importV4 rule 2'. */
  readonly why: string;
}

/** All present fields must hold; an empty match holds for every route. */
export interface PolicyMatch {
  /** Any of. */
  readonly prefixes?: readonly PrefixRule[];
  /** Where the route was learned: 'local' originated here, 'remote' from any peer. */
  readonly source?: 'local' | 'remote' | 'ebgp' | 'ibgp';
  /**
   * All of: '65000:1', a large community '65000:1:2', an extended one 'rt:65000:1', or a well-known name such as
   * 'no-export'; '*' stands for any number.
   */
  readonly communities?: readonly string[];
  /** One of them at least. */
  readonly anyCommunity?: readonly string[];
  /** Not one of them. */
  readonly noCommunity?: readonly string[];
  /** The AS_PATH starts with these AS numbers. */
  readonly asPathPrefix?: readonly number[];
  readonly asPath?: {
    readonly contains?: number;
    /** The AS where the route begins: the last one. */
    readonly originatedBy?: number;
    /** Of ASes, a set being one. */
    readonly minLength?: number;
    readonly maxLength?: number;
    /** A regular expression over AS numbers (as-path-pattern.ts). */
    readonly pattern?: string;
  };
  /** The next hop is in one of these prefixes; an own route has none. */
  readonly nextHops?: readonly string[];
  readonly family?: Family;
  /**
   * The next hop is reached over an interface of this name; '*' stands for any characters. While that is not known a
   * term that rejects holds, and another does not.
   */
  readonly interface?: string;
  /** The metric that a policy gave the kernel's route; 0: none did. */
  readonly metric?: number;
}

/** minLength/maxLength bound the route's own length; defaults: the rule's prefix length, and 32 or 128. */
export interface PrefixRule {
  readonly prefix: string;
  readonly operator: 'equal' | 'in' | 'notEqual' | 'notIn';
  readonly minLength?: number;
  readonly maxLength?: number;
}

export const MOST_WEIGHT = 0xffff;

export interface PolicySet {
  readonly localPref?: number;
  /** The highest wins, before LOCAL_PREF: 0 (that of others) to MOST_WEIGHT; nobody is told. Only where routes are imported. */
  readonly weight?: number;
  readonly med?: number;
  /** Those that are there and fit one of these patterns go, before others are added. */
  readonly deleteCommunities?: readonly string[];
  /** Of all three kinds. */
  readonly addCommunities?: readonly string[];
  readonly prependAs?: readonly number[];
  /**
   * In place of the route's own, or of what the neighbour is usually told: an address; 'peer', that of the neighbour who
   * sent it, where routes are imported; 'self', ours, where they are sent.
   */
  readonly nextHop?: string;
  /** Of the route that forwarding makes of it; nobody is told. Only where routes are imported. */
  readonly metric?: number;
}

export const ACCEPT_ALL: Policy = { name: 'accept all', terms: [], otherwise: 'accept' };
export const REJECT_ALL: Policy = { name: 'reject all', terms: [], otherwise: 'reject' };
