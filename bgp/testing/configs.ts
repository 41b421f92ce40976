// Complete configurations for tests, to be changed field by field.
import type { PeerConfig, SpeakerConfig } from '../config.ts';
import { ACCEPT_ALL } from '../policy/policy.ts';

export function speakerConfig(asNumber: number, routerId: string, ...addresses: string[]): SpeakerConfig {
  return {
    asNumber,
    routerId,
    listen: addresses.map((address) => ({ address, port: 179 })),
    multipath: { ebgp: 1, ibgp: 1, relax: false },
  };
}

export function peerConfig(
  id: string,
  address: string,
  remoteAs: PeerConfig['remoteAs'],
  more: Partial<PeerConfig> = {},
): PeerConfig {
  return {
    id,
    remote: { kind: 'address', address, port: 179 },
    remoteAs,
    passive: false,
    holdTimeSeconds: 90,
    connectRetrySeconds: 5,
    families: ['ipv4', 'ipv6'],
    extendedNextHop: false,
    ttl: { kind: 'multihop', hops: 255 },
    nextHop: 'auto',
    nextHopSelf: {},
    routeReflectorClient: false,
    routeServerClient: false,
    addPaths: 'none',
    maxPrefixes: { limit: 10_000, warnPercent: 80 },
    allowedLocalAs: 0,
    enforceFirstAs: true,
    removePrivateAs: false,
    gracefulRestart: { mode: 'disabled', restartSeconds: 120, longLivedSeconds: 0 },
    import: ACCEPT_ALL,
    export: ACCEPT_ALL,
    ...more,
  };
}
