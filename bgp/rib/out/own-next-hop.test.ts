import assert from 'node:assert/strict';
import { addressFromBytes, type FamilyIndex, formatAddress } from '#ip';
import type { PeerConfig } from '../../config.ts';
import type { OwnLink } from '../../io.ts';
import type { RibPeer } from '../in/rib-peer.ts';
import { FakeSession } from '../testing/fake-session.ts';
import { exportRules } from './export-rules.ts';

const DIRECT: Partial<PeerConfig> = { ttl: { kind: 'direct' } };
const GTSM: Partial<PeerConfig> = { ttl: { kind: 'gtsm', hops: 1 } };
const SELF: Partial<PeerConfig> = { nextHop: 'self' };

interface Case {
  readonly says: string;
  readonly local: string;
  readonly as?: number;
  readonly config?: Partial<PeerConfig>;
  readonly link?: OwnLink;
  readonly extended?: boolean;
  readonly ipv4: string;
  readonly ipv6: string;
}

const UPLINK: OwnLink = { device: 'eth0', network: '192.0.2.0/31', ipv4: '192.0.2.1', ipv6: '2001:db8::1' };
const BARE: OwnLink = { device: 'eth0', network: 'fe80::/64' };

/** The node's own addresses are 10.0.0.1 and fd00::1. */
const CASES: readonly Case[] = [
  {
    says: 'of a neighbour on the link is the address on that link, of either family',
    ...{ local: '192.0.2.1', config: DIRECT, link: UPLINK, ipv4: '192.0.2.1', ipv6: '2001:db8::1' },
  },
  {
    says: 'is the same with the TTL check of one hop',
    ...{ local: '192.0.2.1', config: GTSM, link: UPLINK, ipv4: '192.0.2.1', ipv6: '2001:db8::1' },
  },
  {
    says: 'is the node’s where the link has none of the family',
    ...{ local: '192.0.2.1', config: DIRECT, link: { ...BARE, ipv4: '192.0.2.1' } },
    ...{ ipv4: '192.0.2.1', ipv6: 'fd00::1' },
  },
  {
    says: 'is the same when the session could cross routers, but the neighbour is on-link',
    ...{ local: '192.0.2.1', link: UPLINK, ipv4: '192.0.2.1', ipv6: '2001:db8::1' },
  },
  {
    says: 'of a neighbour in our own AS is the node’s, on whatever link it is',
    ...{ local: '192.0.2.1', as: 65000, link: UPLINK, ipv4: '10.0.0.1', ipv6: 'fd00::1' },
  },
  {
    says: 'of a neighbour further away is the node’s',
    ...{ local: '192.0.2.1', ipv4: '10.0.0.1', ipv6: 'fd00::1' },
  },
  {
    says: 'is the session’s with nextHopMode Self, however far away',
    ...{ local: '192.0.2.1', config: SELF, ipv4: '192.0.2.1', ipv6: 'fd00::1' },
  },
  {
    says: 'of IPv4 on an IPv6 session is the link’s IPv4 address',
    ...{ local: '2001:db8::1', config: DIRECT, link: UPLINK },
    ...{ ipv4: '192.0.2.1', ipv6: '2001:db8::1' },
  },
  {
    says: 'of IPv4 is an IPv6 address where both can (RFC 8950)',
    ...{ local: '2001:db8::1', config: DIRECT, link: BARE, extended: true },
    ...{ ipv4: '2001:db8::1', ipv6: '2001:db8::1' },
  },
  {
    says: 'of IPv4 is the node’s on such a link where one cannot',
    ...{ local: '2001:db8::1', config: DIRECT, link: BARE, ipv4: '10.0.0.1', ipv6: '2001:db8::1' },
  },
  {
    says: 'of a link-local session is the link-local address, beside the node’s (RFC 2545 section 3)',
    ...{ local: 'fe80::1', config: DIRECT, link: BARE, extended: true },
    ...{ ipv4: 'fe80::1', ipv6: 'fd00::1 fe80::1' },
  },
  {
    says: 'of a link-local session is it beside the link’s global one where there is one',
    ...{ local: 'fe80::1', config: DIRECT, link: UPLINK, ipv4: '192.0.2.1', ipv6: '2001:db8::1 fe80::1' },
  },
];

describe('our own next hop', () => {
  for (const one of CASES) {
    it(one.says, () => {
      const session = new FakeSession({
        ...{ id: 'tor', address: '192.0.2.254', as: one.as ?? 65001 },
        ...(one.config === undefined ? {} : { config: one.config }),
        negotiated: {
          localAddress: one.local,
          extendedNextHop: one.extended ?? false,
          ...(one.link === undefined ? {} : { sharedLink: one.link }),
        },
      });
      const peer = { config: session.config, exportPolicy: { fingerprint: '' } } as RibPeer;
      const own = { asNumber: 65000, routerId: 1, clusterId: 1 };
      const sent = ([0, 1] as FamilyIndex[]).map((family) =>
        textOf(exportRules(peer, session, family, own).self),
      );
      assert.deepEqual(sent, [one.ipv4, one.ipv6]);
    });
  }
});

/** 'fd00::1 fe80::1' for the pair of RFC 2545. */
function textOf(bytes: Uint8Array | undefined): string {
  if (bytes === undefined) return 'none';
  const parts = bytes.length === 32 ? [bytes.subarray(0, 16), bytes.subarray(16)] : [bytes];
  return parts.map((part) => formatAddress(addressFromBytes(part))).join(' ');
}
