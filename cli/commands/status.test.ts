import assert from 'node:assert/strict';
import type { StatusReply } from '#agent-api';
import { statusTable } from '../status-table.ts';
import { isWell, sessionNamed } from './status.ts';

const WELL = {
  sessions: [{ state: 'Established' }],
  ranges: [{ id: 'rack' }],
  fib: { failed: 0, wanted: { ipv4: 2, ipv6: 1 }, installed: { ipv4: 2, ipv6: 1 } },
  problems: [],
} as unknown as StatusReply;

/** With part of it otherwise. */
const but = (part: object): StatusReply => ({ ...WELL, ...part });

describe('podroute status exits with 0', () => {
  it('when sessions are up, pods get addresses, routes are in the kernel and nothing is reported', () => {
    assert.equal(isWell(WELL), true);
    assert.equal(isWell(but({ fib: undefined })), true);
  });

  for (const [what, part] of [
    ['a session is down', { sessions: [{ state: 'Established' }, { state: 'Active' }] }],
    ['a session has a hint', { sessions: [{ state: 'Established', hint: 'as-override' }] }],
    ['a range is held down', { ranges: [{ id: 'rack', shutdown: 'no key' }] }],
    ['pods get no addresses', { whyNoPods: 'no block' }],
    ['a route was refused', { fib: { ...WELL.fib, failed: 1 } }],
    ['an IPv4 route is not there yet', { fib: { ...WELL.fib, installed: { ipv4: 1, ipv6: 1 } } }],
    ['an IPv6 route is not there yet', { fib: { ...WELL.fib, installed: { ipv4: 2, ipv6: 0 } } }],
    ['something is reported', { problems: [{ text: 'a pool is exhausted' }] }],
  ] as const) {
    it(`and not when ${what}`, () => assert.equal(isWell(but(part)), false));
  }
});

describe('podroute status SESSION', () => {
  const reply = but({
    sessions: [{ id: 'tor-a', remote: '10.0.0.1' }],
    waiting: [{ id: 'tor-b', from: 'BGPPeer tor-b', device: 'eth1', why: 'link eth1 is down' }],
  });
  it('finds it by its id and by its address', () => {
    for (const name of ['tor-a', '10.0.0.1']) assert.equal(sessionNamed(reply, name).id, 'tor-a');
  });
  it('says why one has no neighbour yet', () => {
    assert.throws(() => sessionNamed(reply, 'tor-b'), {
      ...{ message: 'status: session tor-b has no neighbour yet: link eth1 is down', exitCode: 1 },
    });
  });
  it('names those that there are', () => {
    const message = 'status: no session tor on this node; there are: tor-a, tor-b';
    assert.throws(() => sessionNamed(reply, 'tor'), { message, exitCode: 2 });
  });
});

describe('podroute status shows', () => {
  it('a session whose neighbour is not found yet as waiting, with the link and the reason', () => {
    const status = {
      ...{
        node: 'n1',
        version: '0',
        plan: { generation: 1 },
        uptimeSeconds: 1,
        sessions: [],
        ranges: [],
        problems: [],
      },
      waiting: [{ id: 'tor', from: 'BGPPeer tor', device: 'eth1', why: 'link eth1 is down' }],
      rib: { prefixes: { ipv4: 0, ipv6: 0 }, paths: 0 },
      ipam: {
        ...{
          addressesInUse: { ipv4: 0, ipv6: 0 },
          addressesFree: { ipv4: 0, ipv6: 0 },
          blocks: { ipv4: 0, ipv6: 0 },
        },
      },
    } as unknown as StatusReply;
    const row = statusTable(status)
      .split('\n')
      .find((line) => line.startsWith('tor'));
    assert.match(row ?? '', /^tor +%eth1 +- +Waiting .* link eth1 is down$/);
  });
});
