import assert from 'node:assert/strict';
import { conditions, type Facts } from './conditions.ts';

const WELL = {
  sessions: [{ id: 'tor-a', state: 'Established' }],
  ranges: [{ id: 'rack' }],
  fib: { failed: 0, wanted: { ipv4: 2, ipv6: 1 }, installed: { ipv4: 2, ipv6: 1 } },
  problems: [],
} as unknown as Facts;

const wrong = (part: object): string =>
  conditions({ ...WELL, ...part })
    .filter(({ isTrue }) => !isTrue)
    .map(({ type, reason, message }) => `${type} ${reason}: ${message}`)
    .join();

describe('a node does its work', () => {
  it('when sessions are up, pods get addresses, routes are in the kernel and nothing is reported', () => {
    assert.equal(wrong({}), '');
    assert.equal(wrong({ fib: undefined }), '');
  });

  for (const [what, part, expected] of [
    [
      'a session is down',
      {
        sessions: [
          { id: 'tor-a', state: 'Established' },
          { id: 'tor-b', state: 'Active' },
        ],
      },
      'SessionsEstablished SessionsDown: 1 of 2 sessions are up; not tor-b',
    ],
    [
      'a session has a hint',
      { sessions: [{ id: 'tor-a', state: 'Established', hint: 'as-override' }] },
      'SessionsEstablished NotAsMeant: tor-a: as-override',
    ],
    [
      'a range is held down',
      { ranges: [{ id: 'rack', shutdown: 'no key' }] },
      'SessionsEstablished SessionsDown: 1 of 1 sessions are up; not rack',
    ],
    [
      'a session waits for its neighbour',
      { waiting: [{ id: 'eth1' }] },
      'SessionsEstablished SessionsDown: 1 of 2 sessions are up; not eth1',
    ],
    ['pods get no addresses', { whyNoPods: 'no block' }, 'PodsServed NoAddresses: no block'],
    [
      'a route was refused',
      { fib: { ...WELL.fib, failed: 1 } },
      'RoutesInstalled RoutesRefused: 2 of 2 IPv4 and 1 of 1 IPv6 routes are in the kernel; it refuses 1',
    ],
    [
      'an IPv4 route is not there yet',
      { fib: { ...WELL.fib, installed: { ipv4: 1, ipv6: 1 } } },
      'RoutesInstalled RoutesMissing: 1 of 2 IPv4 and 1 of 1 IPv6 routes are in the kernel',
    ],
    [
      'an IPv6 route is not there yet',
      { fib: { ...WELL.fib, installed: { ipv4: 2, ipv6: 0 } } },
      'RoutesInstalled RoutesMissing: 2 of 2 IPv4 and 0 of 1 IPv6 routes are in the kernel',
    ],
    [
      'something is reported',
      { problems: [{ text: 'a pool is exhausted' }, { text: 'b' }] },
      'NoProblems ProblemsReported: a pool is exhausted, and 1 more',
    ],
  ] as const) {
    it(`and not when ${what}`, () => assert.equal(wrong(part), expected));
  }
});
