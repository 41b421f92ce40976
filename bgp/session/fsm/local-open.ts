// The OPEN that we send: rebuilt for every connection from the configuration (restart bit, families), pure.
import { AFI_IPV6, afiOf, type Family, parseIpv4 } from '#ip';
import type { PeerConfig, Role, SpeakerConfig } from '../../config.ts';
import {
  ADD_PATH_BOTH,
  ADD_PATH_RECEIVE,
  ADD_PATH_SEND,
  NO_CAPABILITIES,
  ROLE_CUSTOMER,
  ROLE_PEER,
  ROLE_PROVIDER,
  ROLE_ROUTE_SERVER,
  ROLE_ROUTE_SERVER_CLIENT,
  type Capabilities,
  type GracefulRestart,
  type OpenMessage,
  SAFI_UNICAST,
} from '../../message/index.ts';

/** What the agent knows about its own restart (RFC 4724 §3). */
export interface RestartState {
  readonly isRestarting: boolean;
  readonly forwardingKept: readonly Family[];
}

export const NOT_RESTARTING: RestartState = { isRestarting: false, forwardingKept: [] };

export const ROLE_NUMBERS: Readonly<Record<Role, number>> = {
  provider: ROLE_PROVIDER,
  rs: ROLE_ROUTE_SERVER,
  'rs-client': ROLE_ROUTE_SERVER_CLIENT,
  customer: ROLE_CUSTOMER,
  peer: ROLE_PEER,
};

export function localAsOf(speaker: SpeakerConfig, peer: PeerConfig): number {
  return peer.localAs ?? speaker.asNumber;
}

/** @param withCapabilities false for a neighbour that refused optional parameters (RFC 5492 §3) */
export function localOpen(
  speaker: SpeakerConfig,
  peer: PeerConfig,
  restart: RestartState,
  withCapabilities: boolean,
): OpenMessage {
  return {
    asNumber: localAsOf(speaker, peer),
    holdTimeSeconds: peer.holdTimeSeconds,
    routerId: parseIpv4(speaker.routerId) ?? 0,
    ...(withCapabilities ? { capabilities: localCapabilities(speaker, peer, restart) } : {}),
  };
}

function localCapabilities(speaker: SpeakerConfig, peer: PeerConfig, restart: RestartState): Capabilities {
  const families = peer.families.map(wireFamily);
  const direction = { none: 0, receive: ADD_PATH_RECEIVE, send: ADD_PATH_SEND, both: ADD_PATH_BOTH }[
    peer.addPaths
  ];
  const { mode, longLivedSeconds } = peer.gracefulRestart;
  return {
    ...NO_CAPABILITIES,
    multiprotocol: families,
    routeRefresh: true,
    enhancedRouteRefresh: true,
    extendedMessages: true,
    fourByteAs: localAsOf(speaker, peer),
    extendedNextHop:
      peer.extendedNextHop && peer.families.includes('ipv4')
        ? [{ ...wireFamily('ipv4'), nextHopAfi: AFI_IPV6 }]
        : [],
    addPath: direction === 0 ? [] : families.map((family) => ({ ...family, direction })),
    ...((direction & ADD_PATH_RECEIVE) !== 0 && peer.addPathLimit !== undefined
      ? { pathsLimit: families.map((family) => ({ ...family, limit: peer.addPathLimit! })) }
      : {}),
    ...(peer.role === undefined ? {} : { role: ROLE_NUMBERS[peer.role] }),
    ...(mode === 'disabled' ? {} : { gracefulRestart: gracefulRestart(peer, restart) }),
    ...(mode === 'full' && longLivedSeconds > 0
      ? {
          longLived: peer.families.map((family) => ({
            ...wireFamily(family),
            forwarding: restart.forwardingKept.includes(family),
            timeSeconds: longLivedSeconds,
          })),
        }
      : {}),
  };
}

/** RFC 4724 §3: an empty list of families means "I only help others". */
function gracefulRestart(peer: PeerConfig, restart: RestartState): GracefulRestart {
  const isFull = peer.gracefulRestart.mode === 'full';
  return {
    restarting: isFull && restart.isRestarting,
    notification: true,
    timeSeconds: peer.gracefulRestart.restartSeconds,
    families: isFull
      ? peer.families.map((family) => ({
          ...wireFamily(family),
          forwarding: restart.forwardingKept.includes(family),
        }))
      : [],
  };
}

function wireFamily(family: Family): { readonly afi: number; readonly safi: number } {
  return { afi: afiOf(family), safi: SAFI_UNICAST };
}
