// Configuration of the speaker and its neighbours: plain data, compared by value when it changes.
// Units are in the names; addresses and prefixes are canonical text.
import type { Family } from '#ip';
import type { TtlRule } from './io.ts';
import type { Policy } from './policy/policy.ts';

export interface SpeakerConfig {
  readonly asNumber: number;
  /** Dotted quad, not 0.0.0.0. */
  readonly routerId: string;
  /** For reflection (RFC 4456); default: the router ID. */
  readonly clusterId?: string;
  readonly listen: readonly { readonly address: string; readonly port: number }[];
  /**
   * How many equal paths are used together; relax: AS_PATHs need only the same length; weighted (default: true): by
   * their link bandwidths, where all have one.
   */
  readonly multipath: {
    readonly ebgp: number;
    readonly ibgp: number;
    readonly relax: boolean;
    readonly weighted?: boolean;
  };
  /** Each prefix once. A node holds them by `unreachable` routes while they are announced. */
  readonly aggregates?: readonly Aggregate[];
  /** How MED is compared; default: inside one neighbouring AS, missing is 0. */
  readonly bestPath?: {
    /** Between paths of all neighbouring ASes. */
    readonly alwaysCompareMed: boolean;
    /** As the highest number there is. */
    readonly missingMedAsWorst: boolean;
  };
}

/** Announced while there is a route inside it (RFC 4271 section 9.2.2.2), to neighbours that take aggregates. */
export interface Aggregate {
  readonly prefix: string;
  /** Those neighbours do not get what lies inside it. */
  readonly summaryOnly: boolean;
  readonly communities: readonly string[];
  readonly largeCommunities: readonly string[];
  /** The object that asked for it. */
  readonly why: string;
}

/** A limit of paths above it counts as this: what it costs to find the best grows with it. */
export const MOST_SENT_PATHS = 64;

/** One neighbour, or a template for all that connect from a range. */
export interface PeerConfig {
  /** Unique and stable, for example 'tor-a' or 'mesh/node-2/ipv4'. Dynamic neighbours get 'ID/ADDRESS'. */
  readonly id: string;
  /** The object it came from, for messages. */
  readonly description?: string;
  readonly remote: PeerRemote;
  readonly remoteAs: number | 'internal' | 'external';
  /** Replaces the speaker's AS number towards this neighbour. */
  readonly localAs?: number;
  /** RFC 7705, with localAs: it goes before paths that come in; the speaker's own is behind it in those that go out. */
  readonly localAsRules?: { readonly prependIn: boolean; readonly prependOut: boolean };
  /** Source address, and the only one on which this neighbour may reach us. */
  readonly localAddress?: string;
  /** Never dials. */
  readonly passive: boolean;
  /** 0 = no keepalives at all, else >= 3 (RFC 4271 §4.2). */
  readonly holdTimeSeconds: number;
  /** Default and upper bound: a third of the agreed hold time. */
  readonly keepaliveTimeSeconds?: number;
  readonly connectRetrySeconds: number;
  /** An OPEN with less (but not 0) is refused. */
  readonly minHoldTimeSeconds?: number;
  /** RFC 4271 §8.1.1 DelayOpen: wait for the other side's OPEN this long; default: send at once. */
  readonly delayOpenSeconds?: number;
  readonly families: readonly Family[];
  /** IPv4 routes with IPv6 next hops (RFC 8950). */
  readonly extendedNextHop: boolean;
  readonly ttl: TtlRule;
  readonly md5Key?: string;
  /**
   * Whoever runs BFD is told of the neighbour, and tells what he finds; default: nobody does.
   * isRequired: no session before it is up. isGraceful: of a neighbour whose BFD restarts with it, a failure is taken for
   * a restart (RFC 5882 section 4.3), so that its routes stay where that was agreed; else they go at once.
   */
  readonly bfd?: { readonly isRequired: boolean; readonly isGraceful: boolean };
  readonly nextHop: 'auto' | 'self' | 'keep';
  /**
   * Own addresses that also routers further away reach, by family: the next hop of sessions with neighbours that are
   * not on a shared link, unless `nextHop` is 'self'; default: the session's local address.
   */
  readonly nextHopSelf: { readonly ipv4?: string; readonly ipv6?: string };
  readonly routeReflectorClient: boolean;
  readonly routeServerClient: boolean;
  readonly addPaths: 'none' | 'send' | 'receive' | 'both';
  /**
   * At most so many paths of a prefix are sent, the best first, and asked for (Paths-Limit); default: all. The neighbour may ask
   * for less. At most MOST_SENT_PATHS.
   */
  readonly addPathLimit?: number;
  /** Of each family. Without restartSeconds a neighbour over its limit stays down until reset by hand. */
  readonly maxPrefixes: {
    readonly limit: number;
    readonly warnPercent: number;
    readonly restartSeconds?: number;
    /**
     * Over the limit; default: the session ends. 'warn': it is said. 'drop': as many as the limit are used, the others are
     * kept aside, and used as soon as there is a place. Of either kind as many as memory-limits.ts allows.
     */
    readonly action?: 'warn' | 'drop';
  };
  readonly allowedLocalAs: number;
  readonly enforceFirstAs: boolean;
  /** RFC 9774: a route with an AS_SET is treated as withdrawn; default: false, sets are taken. */
  readonly rejectAsSets?: boolean;
  readonly removePrivateAs: boolean;
  /** With removePrivateAs: our own AS stands in for each; default: they are left out. */
  readonly replacePrivateAs?: boolean;
  /** The neighbour's AS in paths that go to it is replaced by ours, so that its other sites do not take them for loops. */
  readonly asOverride?: boolean;
  /**
   * What it is told of link bandwidths; default: what may leave the AS, as it came. 'send': those that would stay inside
   * as well. 'sum': likewise, and with our own next hop what all paths that are used together have.
   */
  readonly linkBandwidth?: 'send' | 'sum';
  /** It gets our aggregates, and of one with summaryOnly not what is inside; default: neither holds. */
  readonly takesAggregates?: boolean;
  /**
   * It gets a default route of these families from us, beside what the export policy lets out: that of an Origination with
   * `onRequest`, and no other.
   */
  readonly defaultOriginate?: readonly Family[];
  /**
   * From one announcement of a prefix to the next, and of all others between; default: none waits. Withdrawals, first transfers and
   * refreshes never do (RFC 4271 section 9.2.1.1).
   */
  readonly advertisementIntervalSeconds?: number;
  /** RFC 9234. */
  readonly role?: Role;
  readonly gracefulRestart: {
    readonly mode: 'full' | 'helper' | 'disabled';
    readonly restartSeconds: number;
    /** RFC 9494; 0 = off. */
    readonly longLivedSeconds: number;
  };
  /** Capabilities without which the neighbour is refused (2/7; a role 2/11). */
  readonly require?: readonly RequiredCapability[];
  /** A neighbour that refuses optional parameters (2/4) is tried once without any (RFC 5492 §3); default: true. */
  readonly retryWithoutCapabilities?: boolean;
  readonly import: Policy;
  readonly export: Policy;
  /**
   * Administratively down, with the text for the other side (RFC 9003, may be empty). Because of what, other than the
   * configuration: its MD5 key is not to be had, or somebody said so at run time.
   */
  readonly shutdown?: { readonly message: string; readonly because?: 'missing key' | 'operator' };
}

export type PeerRemote =
  | {
      readonly kind: 'address';
      /** May be link-local; then `device` is needed. */
      readonly address: string;
      readonly port: number;
      readonly device?: string;
    }
  | { readonly kind: 'range'; readonly prefix: string; readonly maxPeers: number };

export type Role = 'provider' | 'customer' | 'peer' | 'rs' | 'rs-client';

export type RequiredCapability =
  | 'fourByteAs'
  | 'routeRefresh'
  | 'gracefulRestart'
  | 'extendedNextHop'
  | 'addPaths'
  | 'role';
