// Routes of one view, in pages.
import type { Family } from '#ip';

/** GET /v1/routes?view=&peer=&prefix=&longer=&explain=&family=&cursor=&limit= */
export interface RoutesReply {
  readonly view: RoutesView;
  readonly routes: readonly RouteStatus[];
  /** Hand back as `cursor` for the next page; absent on the last. */
  readonly nextCursor?: string;
  /** Of one prefix that was asked for: why it is not there, or to whom it is sent. A line each. */
  readonly notes?: readonly string[];
}

/**
 * 'best' has the best path of each prefix and those used beside it; 'received' has the attributes as they came, before import policy; 'advertised' as they go out; 'fib' is what the
 * agent wants in the kernel, and whether it is there.
 */
export type RoutesView = 'best' | 'all' | 'received' | 'advertised' | 'fib';

export interface RouteStatus {
  readonly prefix: string;
  readonly family: Family;
  /** Session that it came from; absent for own routes. */
  readonly peer?: string;
  readonly isLocal: boolean;
  readonly isBest: boolean;
  /** Used for forwarding beside the best path (multipath). */
  readonly isMultipath: boolean;
  readonly nextHops: readonly string[];
  readonly asPath: string;
  readonly origin?: 'igp' | 'egp' | 'incomplete';
  readonly localPref?: number;
  readonly med?: number;
  readonly communities: readonly string[];
  readonly largeCommunities: readonly string[];
  readonly originatorId?: string;
  readonly clusterList?: readonly string[];
  /** Attributes without a field of their own, such as aggregator or ext_communities. */
  readonly others?: readonly { readonly name: string; readonly value: string }[];
  /** RFC 7911, when the session uses ADD-PATH. */
  readonly pathId?: number;
  /** Since when it is as it is: it came, or came with other attributes. Absent in view 'fib'. */
  readonly since?: string;
  readonly sinceSeconds?: number;
  /** Kept over a restart of its neighbour (RFC 4724). */
  readonly isStale?: boolean;
  /** Why this path won or lost, was filtered, or is not in the kernel. */
  readonly why: string;
  /** Only in view 'fib': what the kernel has. */
  readonly kernel?: {
    readonly state: 'installed' | 'pending' | 'failed' | 'adopted';
    readonly route: string;
  };
}
