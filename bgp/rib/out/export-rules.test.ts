// What a group gets, against the rules written once more, for any mixture of configuration and negotiated session; and
// who shares a group: exactly those whose rules have the same effect.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { addressFromBytes, type FamilyIndex, formatAddress } from '#ip';
import type { PeerConfig } from '../../config.ts';
import type { OwnLink } from '../../io.ts';
import {
  exportPlan,
  HAS_NO_ADVERTISE,
  HAS_NO_EXPORT,
  HAS_NO_EXPORT_SUBCONFED,
  RELATION_EBGP,
  RELATION_IBGP,
  UNCHANGED,
} from '../../message/index.ts';
import type { Negotiated } from '../../session/index.ts';
import type { RibPeer } from '../in/rib-peer.ts';
import { FakeSession } from '../testing/fake-session.ts';
import { type ExportRules, exportRules } from './export-rules.ts';

interface Case {
  readonly family: FamilyIndex;
  readonly isExternal: boolean;
  readonly localAs: number;
  readonly nextHop: PeerConfig['nextHop'];
  readonly ttl: PeerConfig['ttl'];
  readonly isServerClient: boolean;
  readonly isReflectorClient: boolean;
  readonly removePrivateAs: boolean;
  readonly replacesPrivateAs: boolean;
  readonly asOverride: boolean;
  readonly showsBoth: boolean;
  readonly linkBandwidth: 'send' | 'sum' | undefined;
  readonly defaults: PeerConfig['defaultOriginate'];
  readonly takesAggregates: boolean;
  readonly interval: number | undefined;
  readonly nodes: PeerConfig['nextHopSelf'];
  readonly local: string;
  readonly device: string | undefined;
  readonly link: OwnLink | undefined;
  readonly extended: boolean;
  readonly fourByteAs: boolean;
  readonly sendsIds: { readonly ipv4: boolean; readonly ipv6: boolean };
  readonly pathLimits: readonly [ours: number | undefined, theirs: number | undefined];
  readonly role: Negotiated['role'];
  readonly octets: number;
  readonly cluster: number;
  readonly policy: string;
}

const bool = fc.boolean();
const maybe = (address: string) => fc.constantFrom({}, { address }).map((one) => one as { address?: string });
const pair = (ipv4: string, ipv6: string) =>
  fc.tuple(maybe(ipv4), maybe(ipv6)).map(([a, b]) => ({
    ...(a.address && { ipv4: a.address }),
    ...(b.address && { ipv6: b.address }),
  }));

const cases: fc.Arbitrary<Case> = fc
  .record({
    family: fc.constantFrom(0 as const, 1 as const),
    isExternal: bool,
    localAs: fc.constantFrom(65000, 64999),
    nextHop: fc.constantFrom('auto', 'self', 'keep'),
    ttl: fc.constantFrom<PeerConfig['ttl']>(
      { kind: 'direct' },
      { kind: 'gtsm', hops: 1 },
      { kind: 'gtsm', hops: 2 },
      { kind: 'multihop', hops: 64 },
    ),
    isServerClient: bool,
    isReflectorClient: bool,
    removePrivateAs: bool,
    replacesPrivateAs: bool,
    asOverride: bool,
    showsBoth: bool,
    linkBandwidth: fc.constantFrom(undefined, 'send' as const, 'sum' as const),
    takesAggregates: bool,
    defaults: fc.constantFrom(undefined, ['ipv4'] as const, ['ipv6'] as const),
    interval: fc.constantFrom(undefined, 0, 30),
    nodes: pair('10.0.0.1', 'fd00::1'),
    // The last but one begins with the bits of fe80::, the last is what a transport says that knows no address.
    local: fc.constantFrom('192.0.2.1', '2001:db8::1', 'fe80::1', 'febf::1', 'fec0::1', '254.128.0.1', ''),
    device: fc.constantFrom(undefined, 'eth0'),
    link: fc.oneof(
      fc.constant(undefined),
      pair('198.51.100.1', '2001:db8:1::1').map((own) => ({
        device: 'eth1',
        network: '198.51.100.0/31',
        ...own,
      })),
    ),
    extended: bool,
    fourByteAs: bool,
    sendsIds: fc.record({ ipv4: bool, ipv6: bool }),
    pathLimits: fc.tuple(fc.constantFrom(undefined, 2, 64), fc.constantFrom(undefined, 1, 3, 1000)),
    role: fc.constantFrom(undefined, 'provider', 'customer', 'peer', 'rs', 'rs-client'),
    octets: fc.constantFrom(4096, 65535),
    cluster: fc.constantFrom(1, 2),
    policy: fc.constantFrom('one', 'two'),
  })
  // A role is one of an eBGP session (RFC 9234 section 4).
  .map((one) => (one.isExternal ? one : { ...one, role: undefined })) as fc.Arbitrary<Case>;

/** Two that differ in some fields only, so that groups which are the same are no rare luck. */
const pairs = fc
  .tuple(cases, cases, fc.nat(24), fc.nat(24))
  .map(([a, other, ...fields]): readonly [Case, Case] => {
    const names = Object.keys(a) as (keyof Case)[];
    const b = { ...a, ...Object.fromEntries(fields.map((i) => [names[i]!, other[names[i]!]])) };
    return [a, b.isExternal ? b : { ...b, role: undefined }];
  });

function rulesOf(one: Case): ExportRules {
  const session = new FakeSession({
    id: 'tor',
    address: '192.0.2.254',
    as: 65001,
    maxMessageBytes: one.octets,
    config: {
      nextHop: one.nextHop,
      ttl: one.ttl,
      routeServerClient: one.isServerClient,
      routeReflectorClient: one.isReflectorClient,
      removePrivateAs: one.removePrivateAs,
      replacePrivateAs: one.replacesPrivateAs,
      asOverride: one.asOverride,
      localAsRules: { prependIn: false, prependOut: one.showsBoth },
      ...(one.pathLimits[0] !== undefined && { addPathLimit: one.pathLimits[0] }),
      ...(one.linkBandwidth !== undefined && { linkBandwidth: one.linkBandwidth }),
      takesAggregates: one.takesAggregates,
      ...(one.defaults !== undefined && { defaultOriginate: one.defaults }),
      ...(one.interval !== undefined && { advertisementIntervalSeconds: one.interval }),
      nextHopSelf: one.nodes,
    },
    negotiated: {
      peerType: one.isExternal ? 'ebgp' : 'ibgp',
      localAs: one.localAs,
      localAddress: one.local,
      extendedNextHop: one.extended,
      fourByteAs: one.fourByteAs,
      addPathSend: one.sendsIds,
      ...(one.pathLimits[1] !== undefined && {
        pathsLimit: { [one.family === 0 ? 'ipv4' : 'ipv6']: one.pathLimits[1] },
      }),
      ...(one.device !== undefined && { device: one.device }),
      ...(one.link !== undefined && { sharedLink: one.link }),
      ...(one.role !== undefined && { role: one.role }),
    },
  });
  const peer = { config: session.config, exportPolicy: { fingerprint: one.policy } } as RibPeer;
  return exportRules(peer, session, one.family, { asNumber: 65000, routerId: 1, clusterId: one.cluster });
}

/** RFC 4271 section 5.1.3: the first of these that there is. */
function ownNextHop(one: Case): string | undefined {
  const { local, link, nodes } = one;
  if (local === '') return undefined;
  const name = one.family === 0 ? 'ipv4' : 'ipv6';
  const isIpv6 = local.includes(':');
  const isOneHop = one.ttl.kind === 'direct' || (one.ttl.kind === 'gtsm' && one.ttl.hops === 1);
  const isShared = one.isExternal && (isOneHop || link !== undefined);
  const onLink = isShared ? link?.[name] : undefined;
  // RFC 2545 section 3: beside a global one, where there is one.
  if (one.family === 1 && /^fe[89ab]/.test(local))
    return [onLink ?? nodes[name], local].filter(Boolean).join(' ');
  const isUsable = isIpv6 === (one.family === 1) || (one.family === 0 && one.extended);
  const session = isUsable ? local : undefined;
  return isShared || one.nextHop === 'self' ? (session ?? onLink ?? nodes[name]) : (nodes[name] ?? session);
}

/** The rules once more. */
function expected(one: Case) {
  const { isExternal, role } = one;
  const isOurs = isExternal && !one.isServerClient;
  const isTwice = one.showsBoth && one.localAs !== 65000;
  const isReplacing = isOurs && one.removePrivateAs && one.replacesPrivateAs;
  const isOverriding = isOurs && one.asOverride;
  const isTransparent = isExternal && one.isServerClient;
  const isAutoInside = !isExternal && one.nextHop === 'auto';
  const keepsNextHop = isTransparent || one.nextHop === 'keep' || isAutoInside;
  const isOneOf = (...roles: (typeof role)[]): boolean => role !== undefined && roles.includes(role);
  return {
    family: one.family,
    external: isExternal,
    client: !isExternal && one.isReflectorClient,
    // RFC 1997.
    blocked: [true, isExternal, isExternal],
    // RFC 9234 section 5.
    blocksOtc: isOneOf('customer', 'peer', 'rs-client'),
    keepsNextHop,
    link: keepsNextHop ? (one.device ?? one.link?.device) : undefined,
    replacesLinkLocal: isAutoInside,
    self: ownNextHop(one),
    extendedNextHop: one.family === 0 && one.extended,
    addPath: one.family === 0 ? one.sendsIds.ipv4 : one.sendsIds.ipv6,
    takesAggregates: one.takesAggregates,
    originatesDefault: one.defaults?.includes(one.family === 0 ? 'ipv4' : 'ipv6') ?? false,
    mostPaths: mostPaths(one),
    // With all paths there each has its own.
    sumsBandwidth: one.linkBandwidth === 'sum' && !one.sendsIds[one.family === 0 ? 'ipv4' : 'ipv6'],
    maxMessageBytes: one.octets,
    intervalMs: one.interval === 30 ? 30_000 : 0,
    clusterId: one.cluster,
    policy: one.policy,
    plan: exportPlan({
      relation: isExternal ? RELATION_EBGP : RELATION_IBGP,
      fourByteAs: one.fourByteAs,
      // RFC 7947 section 2.2.2: a route server leaves the path alone.
      prepend: !isExternal || isTransparent ? [] : isTwice ? [one.localAs, 65000] : [one.localAs],
      replacesPrivateAs: isReplacing,
      overriddenAs: isOverriding ? 65001 : UNCHANGED,
      substituteAs: isReplacing || isOverriding ? one.localAs : UNCHANGED,
      removePrivateAs: isExternal && one.removePrivateAs,
      keepMed: isTransparent,
      sendLinkBandwidth: isExternal && one.linkBandwidth !== undefined,
      otc: isOneOf('provider', 'peer', 'rs') ? one.localAs : UNCHANGED,
    }),
  };
}

/** The least of what is said; nobody gets more than 64 who wants less than all. */
function mostPaths({ family, sendsIds, pathLimits }: Case): number {
  const said = pathLimits.filter((limit) => limit !== undefined);
  if (!sendsIds[family === 0 ? 'ipv4' : 'ipv6'] || said.length === 0) return Infinity;
  return Math.min(...said, 64);
}

const textOf = (octets: Uint8Array): string =>
  (octets.length === 32 ? [octets.subarray(0, 16), octets.subarray(16)] : [octets])
    .map((part) => formatAddress(addressFromBytes(part)))
    .join(' ');

function shown({ key: _key, octets: _octets, blockedFlags, self, policy, ...rest }: ExportRules) {
  const flags = [HAS_NO_ADVERTISE, HAS_NO_EXPORT, HAS_NO_EXPORT_SUBCONFED];
  return {
    ...rest,
    blocked: flags.map((flag) => (blockedFlags & flag) !== 0),
    self: self && textOf(self),
    policy: policy.fingerprint,
  };
}

/** Of the rules what another peer of the group must have alike: our cluster ID means nothing outside the AS. */
const effect = (one: Case): string =>
  JSON.stringify([expected(one), one.localAs, one.isExternal ? 0 : one.cluster], (name, value: unknown) =>
    name === 'clusterId' ? undefined : value,
  );

/** Of these what is seen in the octets of a route that goes to both. */
function octets(one: Case): string {
  const { family, external, keepsNextHop, link, self, addPath, plan, sumsBandwidth } = expected(one);
  const cluster = external ? 0 : one.cluster;
  return JSON.stringify([
    family,
    external,
    keepsNextHop,
    link,
    self,
    addPath,
    plan,
    sumsBandwidth,
    one.localAs,
    cluster,
  ]);
}

const RUNS = { numRuns: 2000 };

describe('export rules', () => {
  it('follow from configuration and session', () => {
    fc.assert(
      fc.property(cases, (one) => assert.deepEqual(shown(rulesOf(one)), expected(one))),
      RUNS,
    );
  });

  it('have one key exactly where they have one effect: who gets the same is in one group', () => {
    fc.assert(
      fc.property(pairs, ([a, b]) => {
        const [x, y] = [rulesOf(a), rulesOf(b)];
        assert.equal(x.key === y.key, effect(a) === effect(b));
        assert.equal(x.octets === y.octets, octets(a) === octets(b));
      }),
      RUNS,
    );
  });
});
