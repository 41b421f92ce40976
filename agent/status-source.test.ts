// What the socket says of pod addresses, from what ipam has.
import assert from 'node:assert/strict';
import type { Agent } from './agent.ts';
import { AgentStatusSource, type ProcessFacts } from './status-source.ts';

describe('the status source', () => {
  it('says when an address was given out as the rest of the socket says times, and in milliseconds', () => {
    const owner = { containerId: 'c1', ifname: 'eth0', network: 'n' };
    const allocation = { owner, addresses: { ipv4: '10.0.0.1' }, allocatedAtMs: 86_400_000 };
    const usage = { pools: [], blocks: [], allocations: [allocation], adopted: [], problems: [] };
    const agent = { ipam: { usage: () => usage } } as unknown as Agent;
    const source = new AgentStatusSource(agent, {} as ProcessFacts);
    assert.deepEqual(source.ipam().usage, {
      ...usage,
      allocations: [{ ...allocation, allocatedAt: '1970-01-02T00:00:00.000Z' }],
    });
  });
});
