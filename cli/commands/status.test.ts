import assert from 'node:assert/strict';
import type { StatusReply } from '#agent-api';
import { statusTable } from '../status-table.ts';
import { sessionNamed } from './status.ts';

describe('podroute status SESSION', () => {
  const reply = {
    sessions: [{ id: 'tor-a', remote: '10.0.0.1' }],
    waiting: [{ id: 'tor-b', from: 'BGPPeer tor-b', device: 'eth1', why: 'link eth1 is down' }],
  } as unknown as StatusReply;
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
