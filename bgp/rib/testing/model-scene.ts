// The neighbours, settings and policies that scenes of the model test are made of.
import { FAMILIES } from '#ip';
import { ACCEPT_ALL, type Policy, REJECT_ALL } from '../../policy/policy.ts';
import type { DecisionRules } from '../table/decision-steps.ts';
import { type FakePeerOptions, fakeConfig } from './fake-session.ts';
import type { ModelPeer } from './model-routes.ts';

export interface Scale {
  /** Units of one step; undefined: turns that do all there is. */
  readonly grain: number | undefined;
  readonly names: readonly string[];
  /** Prefixes that a name stands for. */
  prefixesOf(name: string): readonly string[];
}

const HELPER = { mode: 'helper', restartSeconds: 0, longLivedSeconds: 0 } as const;
const RESTARTS = {
  isRemoteRestarting: true,
  remoteRestartSeconds: 120,
  families: FAMILIES.map((family) => ({ family, isForwardingKept: true })),
  notification: false,
  longLived: [],
};

const peer = (
  id: string,
  address: string,
  more: Omit<Partial<FakePeerOptions>, 'as'> & {
    readonly as: number;
    readonly device?: string;
    readonly id?: string;
    readonly routerId?: string;
  },
): ModelPeer => {
  const { device, routerId: ownId, ...options } = more;
  const localAddress = address.startsWith('fe80') ? 'fe80::1' : '10.0.0.1';
  const routerId = ownId ?? (address.includes(':') ? `10.99.0.${address.slice(-1)}` : address);
  const role = options.config?.role;
  const negotiated = {
    localAddress,
    remoteRouterId: routerId,
    gracefulRestart: RESTARTS,
    ...options.negotiated,
    ...(device === undefined ? {} : { device, extendedNextHop: true }),
    ...(role === undefined ? {} : { role }),
  };
  const config = { gracefulRestart: HELPER, ...options.config };
  const all: FakePeerOptions = { families: ['ipv4', 'ipv6'], ...options, config, id, address, negotiated };
  const more2 = {
    routerId,
    localAddress: negotiated.localAddress,
    ...(device === undefined ? {} : { device }),
  };
  return { ...all, ...more2, config: fakeConfig(all) };
};

const LOCAL_AS = 64999;
const LINK = { device: 'eth0', network: '10.0.0.0/24', ipv4: '10.0.0.3', ipv6: 'fd00::3' };
export const PEERS: readonly ModelPeer[] = [
  peer('e1', '192.0.2.1', {
    as: 65101,
    negotiated: { sharedLink: LINK },
    config: { ttl: { kind: 'direct' } },
  }),
  peer('e2', '192.0.2.2', { as: 65102, config: { role: 'customer' } }),
  peer('e3', '192.0.2.3', { as: 65101, addPathSend: true, addPathReceive: true }),
  peer('i1', '198.51.100.1', { as: 65000 }),
  peer('i2', '198.51.100.2', { as: 65000, client: true }),
  peer('i3', '198.51.100.3', { as: 65000, client: true, negotiated: { localAddress: '10.0.0.2' } }),
  peer('i4', '198.51.100.4', { as: 65000, client: true, addPathSend: true }),
  peer('e4', '192.0.2.4', {
    as: 65104,
    localAs: LOCAL_AS,
    config: { role: 'provider', removePrivateAs: true },
  }),
  peer('e5', 'fe80::5', { as: 65105, device: 'eth0', config: { role: 'peer' } }),
  peer('e6', 'fe80::6', { as: 65106, device: 'eth0', config: { routeServerClient: true } }),
  peer('i7', 'fe80::7', { as: 65000, device: 'eth0', client: true, negotiated: { sharedLink: LINK } }),
  peer('i8', 'fe80::8', { as: 65000, device: 'eth1' }),
  peer('e9', '192.0.2.9', { as: 65102, config: { role: 'rs' } }),
  peer('ea', '192.0.2.10', { as: 65105, config: { role: 'rs-client' } }),
  // Speakers with other ports or on other addresses of ours: each shares its address with one above.
  peer('eb', '192.0.2.2', { as: 65102, routerId: '192.0.3.2', config: { nextHop: 'keep' } }),
  peer('ec', '198.51.100.2', { as: 65105, routerId: '192.0.3.3', config: { nextHop: 'keep' } }),
];

/** What can be set on a session that goes on. */
export const SETTINGS = [
  { nextHop: 'auto' },
  { nextHop: 'self' },
  { nextHop: 'keep' },
  { nextHopSelf: {} },
  { ttl: { kind: 'direct' } },
  { ttl: { kind: 'multihop', hops: 9 } },
  { nextHopSelf: { ipv4: '10.0.0.7', ipv6: 'fd00::7' } },
  { nextHopSelf: { ipv4: '10.0.0.1', ipv6: 'fd00::1' } },
  { removePrivateAs: true },
  { removePrivateAs: false },
  { routeServerClient: true },
  { routeServerClient: false },
  { routeReflectorClient: true },
  { routeReflectorClient: false },
  { allowedLocalAs: 1 },
  { allowedLocalAs: 0 },
  { enforceFirstAs: true },
  { enforceFirstAs: false },
  { addPathLimit: 1 },
  { addPathLimit: 2 },
  { addPathLimit: 64 },
  // So short that a RIB comes to rest with all of it sent.
  { advertisementIntervalSeconds: 0.02 },
  { advertisementIntervalSeconds: 0 },
] as const;

export const DECISIONS: readonly DecisionRules[] = [
  { ebgp: 1, ibgp: 1, relax: false },
  { ebgp: 2, ibgp: 2, relax: true },
  { ebgp: 8, ibgp: 1, relax: false },
  { ebgp: 3, ibgp: 8, relax: false },
  { ebgp: 2, ibgp: 2, relax: true, alwaysCompareMed: true, missingMedAsWorst: false },
  { ebgp: 1, ibgp: 3, relax: true, alwaysCompareMed: false, missingMedAsWorst: true },
  { ebgp: 1, ibgp: 1, relax: false, alwaysCompareMed: true, missingMedAsWorst: true },
];
export const CLUSTER_IDS = ['10.0.0.1', '10.0.0.9'];
/** Next hops of which forwarding says something. */
export const TRACKED = [
  { address: '203.0.113.9', device: undefined },
  { address: 'fd00::9', device: undefined },
  { address: 'fe80::9', device: 'eth0' },
];

/** What an import or export policy may be; prefixes are matched by name. */
export function policiesFor(names: readonly string[]): readonly Policy[] {
  const one = (name: string, set: object | undefined, verdict: 'accept' | 'reject' | 'next'): Policy => ({
    name: 'test',
    terms: [
      {
        match: { prefixes: [{ prefix: name, operator: 'equal' }] },
        action: { verdict, ...(set === undefined ? {} : { set }) },
        why: 'rule 1',
      },
      { match: { source: 'ibgp' }, action: { verdict: 'next', set: { med: 9 } }, why: 'rule 2' },
    ],
    otherwise: 'accept',
  });
  return [
    ACCEPT_ALL,
    REJECT_ALL,
    one(names[0]!, undefined, 'reject'),
    one(names[1]!, { localPref: 300 }, 'accept'),
    one(names[2]!, { med: 77, prependAs: [64900, 64900] }, 'next'),
    one(names.at(-1)!, { localPref: 50, prependAs: [7] }, 'accept'),
    one(names[1]!, { weight: 9 }, 'accept'),
    ...['self', 'peer', '203.0.113.9', '192.0.2.2', '10.0.0.1', 'fd00::9'].map((nextHop) =>
      one(names[0]!, { nextHop }, 'accept'),
    ),
  ];
}
export const POLICY_COUNT = 13;

/** A policy that matches a name, made to match all that it stands for. */
export function widened(policy: Policy, scale: Scale): Policy {
  const isWide = scale.prefixesOf(scale.names[0]!).length > 1;
  if (!isWide) return policy;
  const text = JSON.stringify(policy).replaceAll('"equal"', '"in"');
  return JSON.parse(text) as Policy;
}
