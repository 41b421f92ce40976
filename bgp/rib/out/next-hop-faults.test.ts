import assert from 'node:assert/strict';
import type { PeerConfig } from '../../config.ts';
import type { OwnLink } from '../../io.ts';
import { REJECT_ALL } from '../../policy/policy.ts';
import type { Negotiated } from '../../session/index.ts';
import { RibLab } from '../testing/rib-lab.ts';
import { nextHopFaults } from './next-hop-faults.ts';

const DIRECT: Partial<PeerConfig> = { ttl: { kind: 'direct' } };
const KEEP: Partial<PeerConfig> = { ...DIRECT, nextHop: 'keep' };
const UPLINK: OwnLink = { device: 'eth0', network: '192.0.2.0/31', ipv4: '192.0.2.1' };
const BARE: OwnLink = { device: 'eth0', network: 'fe80::/64' };
const OVER_IPV4 = { localAddress: '192.0.2.1', sharedLink: UPLINK };
const OVER_IPV6 = {
  localAddress: '2001:db8::1',
  sharedLink: { device: 'eth0', network: '2001:db8::/64', ipv6: '2001:db8::1' },
};
const LINK_LOCAL = { localAddress: 'fe80::1', device: 'eth0', sharedLink: BARE };

interface Case {
  readonly says: string;
  readonly as?: number;
  readonly config: Partial<PeerConfig>;
  readonly negotiated: Partial<Negotiated>;
  /** Another router's next hop, of a route that we pass on. */
  readonly theirs?: string;
  /** 'kind: next hop' of each fault. */
  readonly faults: readonly string[];
}

/** The node's own addresses are 10.0.0.1 and fd00::1; it has a block of each family. */
const CASES: readonly Case[] = [
  {
    says: 'the session’s own addresses are on the link, the node’s of the other family is not',
    ...{ config: DIRECT, negotiated: OVER_IPV4, faults: ['not on the link: fd00::1'] },
  },
  {
    says: 'nothing, where the link has an address of each family',
    ...{
      config: DIRECT,
      negotiated: { ...OVER_IPV4, sharedLink: { ...UPLINK, ipv6: '2001:db8::1' } },
      faults: [],
    },
  },
  {
    says: 'IPv4 routes of an IPv6 session, without an IPv4 address on the link and without RFC 8950',
    ...{ config: DIRECT, negotiated: OVER_IPV6, faults: ['not on the link, lacks RFC 8950: 10.0.0.1'] },
  },
  {
    says: 'not where RFC 8950 is agreed',
    ...{ config: DIRECT, negotiated: { ...OVER_IPV6, extendedNextHop: true }, faults: [] },
  },
  {
    says: 'the same of a link-local session; its pair for IPv6 is right',
    ...{ config: DIRECT, negotiated: LINK_LOCAL, faults: ['not on the link, lacks RFC 8950: 10.0.0.1'] },
  },
  {
    says: 'nothing of a link-local session with RFC 8950',
    ...{ config: DIRECT, negotiated: { ...LINK_LOCAL, extendedNextHop: true }, faults: [] },
  },
  {
    says: 'nothing of a neighbour that may be further away: it may have a route of its own',
    ...{ config: {}, negotiated: OVER_IPV6, faults: [] },
  },
  {
    says: 'nothing of a neighbour in our own AS: its other routes tell it the way',
    ...{ as: 65000, config: DIRECT, negotiated: OVER_IPV6, faults: [] },
  },
  {
    says: 'nothing where the link is not known',
    ...{ config: DIRECT, negotiated: { localAddress: '10.0.0.1' }, faults: [] },
  },
  {
    says: 'nothing of routes that are not sent',
    ...{ config: { ...DIRECT, export: REJECT_ALL }, negotiated: OVER_IPV6, faults: [] },
  },
  {
    says: 'routes that stay here because no address could go out with them, in our own AS too',
    ...{ as: 65000, config: { nextHopSelf: { ipv6: 'fd00::1' } }, negotiated: OVER_IPV6 },
    faults: ['no address, lacks RFC 8950: none'],
  },
  {
    says: 'not those that the policy keeps here anyway',
    ...{ config: { nextHopSelf: {}, export: REJECT_ALL }, negotiated: OVER_IPV6, faults: [] },
  },
  {
    says: 'another router’s next hop that is kept and is not on the link',
    ...{ config: KEEP, negotiated: { ...OVER_IPV4, families: ['ipv4'] }, theirs: '10.0.0.2' },
    faults: ['kept, not on the link: 10.0.0.2'],
  },
  {
    says: 'the same of a route server',
    ...{ config: { ...DIRECT, routeServerClient: true }, negotiated: { ...OVER_IPV4, families: ['ipv4'] } },
    ...{ theirs: '10.0.0.2', faults: ['kept, not on the link, route server: 10.0.0.2'] },
  },
  {
    says: 'not one that is on the link (RFC 4271 section 5.1.3)',
    config: KEEP,
    negotiated: { ...OVER_IPV4, families: ['ipv4'], sharedLink: { ...UPLINK, network: '192.0.2.0/24' } },
    ...{ theirs: '192.0.2.77', faults: [] },
  },
  {
    says: 'not one that our own takes the place of',
    ...{ config: DIRECT, negotiated: { ...OVER_IPV4, families: ['ipv4'] }, theirs: '10.0.0.2', faults: [] },
  },
  {
    says: 'not one of a link of which only our own address is known',
    config: KEEP,
    negotiated: { ...OVER_IPV4, families: ['ipv4'], sharedLink: { ...UPLINK, network: '192.0.2.1/32' } },
    ...{ theirs: '10.0.0.2', faults: [] },
  },
];

describe('next hops that a neighbour surely cannot use', () => {
  for (const one of CASES) {
    it(one.says, () => {
      const lab = new RibLab();
      lab.rib.originated.originate(
        ['10.9.0.0/26', 'fd00:9::/122'].map((prefix) => ({ prefix, why: 'block' })),
      );
      lab.up({
        ...{ id: 'tor', address: '192.0.2.0', as: one.as ?? 65001, config: one.config },
        ...{
          negotiated: one.negotiated,
          ...(one.negotiated.families && { families: one.negotiated.families }),
        },
      });
      if (one.theirs !== undefined) {
        lab.up({ id: 'n2', address: '10.0.0.2', as: 65000 });
        lab.announce('n2', ['10.9.1.0/26'], { path: [], nextHop: one.theirs, localPref: 100 });
      }
      lab.settle();
      const found = nextHopFaults(lab.rib, lab.rib.peer('tor')!).map((fault) => {
        const lacks = 'lacksExtendedNextHop' in fault && fault.lacksExtendedNextHop ? ', lacks RFC 8950' : '';
        const server = 'isRouteServer' in fault && fault.isRouteServer ? ', route server' : '';
        return `${fault.kind}${lacks}${server}: ${'nextHop' in fault ? fault.nextHop : 'none'}`;
      });
      assert.deepEqual(found, one.faults);
    });
  }

  it('are no longer told of when the session is down', () => {
    const lab = new RibLab();
    lab.rib.originated.originate([{ prefix: '10.9.0.0/26', why: 'block' }]);
    lab.up({ id: 'tor', address: '2001:db8::2', as: 65001, config: DIRECT, negotiated: OVER_IPV6 });
    lab.settle();
    const peer = lab.rib.peer('tor')!;
    assert.equal(nextHopFaults(lab.rib, peer).length, 1);
    lab.down('tor');
    assert.deepEqual(nextHopFaults(lab.rib, peer), []);
  });
});
