// A BGPPeer with a peerSelector describes the session as the nodes have it that the object is for. The other side, which
// podroute makes too, has the counterpart of what is not the same at both ends.
import type { BGPPeerSpec } from '#api';

const ROLES = {
  Provider: 'Customer',
  Customer: 'Provider',
  Peer: 'Peer',
  RouteServer: 'RouteServerClient',
  RouteServerClient: 'RouteServer',
} as const;
const ADD_PATHS = { Send: 'Receive', Receive: 'Send', Both: 'Both' } as const;

/** RFC 9234 §4.2 for the role, RFC 7911 §4 for the direction of add-path. */
export function otherSide(spec: BGPPeerSpec): BGPPeerSpec {
  const { role, addPaths, routeReflectorClient: _, localASNumber: __, ...same } = spec;
  return {
    ...same,
    // Two that wait for one another never meet.
    passive: false,
    ...(role === undefined ? {} : { role: ROLES[role] }),
    ...(addPaths === undefined ? {} : { addPaths: ADD_PATHS[addPaths] }),
  };
}
