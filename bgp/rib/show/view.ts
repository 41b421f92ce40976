// What an operator reads of the RIB: plain types of the Speaker's door. Texts are canonical.
import type { Family } from '#ip';

export interface RouteQuery {
  /** 'best': the best path of each prefix, and those that are used beside it (multipath). */
  readonly view: 'best' | 'all' | 'received' | 'advertised';
  /** Needed by 'received' and 'advertised'. */
  readonly peer?: string;
  readonly family?: Family;
  /** A prefix; or an address, for its longest match in the view. */
  readonly prefix?: string;
  /** With a prefix: everything inside it too. */
  readonly longer?: boolean;
  /** With a prefix or an address: notes say to which peers it is sent, and why not to others. */
  readonly explain?: boolean;
  readonly cursor?: string;
  readonly limit: number;
}

export interface RoutePage {
  readonly routes: readonly RouteText[];
  /** Of one prefix: why it is not there, or not sent. A line each. */
  readonly notes?: readonly string[];
  /** Give it back in the next query; absent when the table is done. */
  readonly cursor?: string;
}

/**
 * One path of one prefix, as an operator reads it. Attributes are those in use; in view 'received' as they came
 * (before import policy), in view 'advertised' as they go out.
 */
export interface RouteText {
  readonly prefix: string;
  readonly peer: string;
  readonly source: 'local' | 'ebgp' | 'ibgp';
  readonly best: boolean;
  readonly multipath: boolean;
  readonly usable: boolean;
  readonly nextHop: string;
  readonly asPath: string;
  readonly origin: string;
  /** Absent where none is sent (eBGP). */
  readonly localPref?: number;
  readonly med?: number;
  readonly communities: readonly string[];
  readonly largeCommunities: readonly string[];
  readonly originatorId?: string;
  readonly clusterList?: readonly string[];
  /** Attributes without a field of their own, such as aggregator, ext_communities, 'attribute 99'; and the weight that a policy set. */
  readonly others?: readonly { readonly name: string; readonly value: string }[];
  readonly pathId?: number;
  readonly stale: boolean;
  /** Since it came, or came otherwise than before. */
  readonly ageSeconds: number;
  /** 'best', 'longer AS_PATH (3 > 2) than the path from tor-a', 'filtered by …', 'next hop … unreachable', … */
  readonly why: string;
}

export interface RibSizes {
  readonly prefixes: { readonly ipv4: number; readonly ipv6: number };
  readonly paths: number;
  readonly attributeSets: number;
  /** Bytes held by tables, columns and attribute blobs (not the process's RSS). */
  readonly bytes: number;
  /** Prefixes whose change is still to be decided and sent. */
  readonly changesWaiting: number;
}

export interface RibView {
  routes(query: RouteQuery): RoutePage;
  sizes(): RibSizes;
}
