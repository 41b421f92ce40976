// What two OPENs agreed on: plain data, fixed while the session is up.
import type { Family } from '#ip';
import type { Role } from '../../config.ts';

/** What both sides may use, computed from the two OPENs; fixed while the session is up. */
export interface Negotiated {
  readonly families: readonly Family[];
  readonly fourByteAs: boolean;
  readonly extendedMessages: boolean;
  readonly routeRefresh: boolean;
  readonly enhancedRouteRefresh: boolean;
  readonly extendedNextHop: boolean;
  readonly addPathReceive: { readonly ipv4: boolean; readonly ipv6: boolean };
  readonly addPathSend: { readonly ipv4: boolean; readonly ipv6: boolean };
  /** 0 = neither keepalives nor a hold timer. */
  readonly holdTimeSeconds: number;
  readonly keepaliveTimeSeconds: number;
  readonly remoteAs: number;
  readonly remoteRouterId: string;
  readonly localAs: number;
  readonly localRouterId: string;
  readonly localAddress: string;
  readonly remoteAddress: string;
  readonly device?: string;
  readonly peerType: 'ebgp' | 'ibgp';
  /** Present when both sides sent capability 64. */
  readonly gracefulRestart?: NegotiatedGracefulRestart;
  /** Ours on an eBGP session (RFC 9234); `remoteRole` is absent when the neighbour said none. */
  readonly role?: Role;
  readonly remoteRole?: Role;
}

export interface NegotiatedGracefulRestart {
  /** The neighbour has just restarted (R bit): do not wait for its End-of-RIB (RFC 4724 §4.1). */
  readonly isRemoteRestarting: boolean;
  /** Seconds that the neighbour asks us to keep its routes. */
  readonly remoteRestartSeconds: number;
  /** Families whose forwarding the neighbour can keep; `isForwardingKept` is the F bit. */
  readonly families: readonly { readonly family: Family; readonly isForwardingKept: boolean }[];
  /** Both set the N bit (RFC 8538): NOTIFICATION and hold expiry keep routes too. */
  readonly notification: boolean;
  /** RFC 9494, only when both sides sent capability 71. */
  readonly longLived: readonly { readonly family: Family; readonly staleSeconds: number }[];
}
