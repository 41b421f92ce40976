import assert from 'node:assert/strict';
import type { NextHopFault } from '#bgp';
import { nextHopProblem } from './next-hop-problem.ts';

const LINK = { nextHop: '10.0.0.1', device: 'eth0', lacksExtendedNextHop: false } as const;

const CASES: readonly { fault: NextHopFault; words: readonly RegExp[] }[] = [
  {
    fault: { kind: 'no address', family: 'ipv6', lacksExtendedNextHop: false },
    words: [
      /^IPv6 routes are not sent to neighbour fe80::9%eth0/,
      /; give the Node an IPv6 address, or leave IPv6/,
    ],
  },
  {
    fault: { kind: 'no address', family: 'ipv4', lacksExtendedNextHop: true },
    words: [/; let the neighbour offer IPv6 next hops .*RFC 8950.*, or give the Node an IPv4 address/],
  },
  {
    fault: { kind: 'not on the link', family: 'ipv4', ...LINK },
    words: [
      /10\.0\.0\.1 is not on link eth0/,
      /; give eth0 an IPv4 address/,
      /podroute session tor reset/,
      /multihop: 2/,
    ],
  },
  {
    fault: { kind: 'not on the link', family: 'ipv4', ...LINK, lacksExtendedNextHop: true },
    words: [/; let the neighbour offer IPv6 next hops .*RFC 8950.*, or give eth0 an IPv4 address/],
  },
  {
    fault: {
      kind: 'kept, not on the link',
      family: 'ipv4',
      ...LINK,
      network: '192.0.2.0/31',
      isRouteServer: false,
    },
    words: [/10\.0\.0\.1 is not on link eth0 \(192\.0\.2\.0\/31\)/, /; nextHopMode: Auto/],
  },
  {
    fault: {
      kind: 'kept, not on the link',
      family: 'ipv4',
      ...LINK,
      network: '192.0.2.0/31',
      isRouteServer: true,
    },
    words: [/; a route server \(role: RouteServer\) is for neighbours that share one link/],
  },
];

describe('a next hop that a neighbour cannot use', () => {
  for (const { fault, words } of CASES) {
    it(`is told with what to do: ${fault.kind}, ${JSON.stringify(words.map(({ source }) => source))}`, () => {
      const doubt = { id: 'tor', remote: 'fe80::9%eth0', description: 'BGPPeer tor', fault };
      const { object, message } = nextHopProblem(doubt);
      assert.equal(object, 'BGPPeer tor');
      for (const pattern of words) assert.match(message, pattern);
    });
  }
});
