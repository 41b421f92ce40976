// What is made of all nodes' own words.
import assert from 'node:assert/strict';
import type { BGPNodeStatus } from '#api';
import { clusterView } from './cluster-view.ts';

const NOW = Date.parse('2026-01-01T01:00:00.000Z');
const statusOf = (name: string, status: object) =>
  ({ metadata: { name }, spec: { node: name }, status }) as unknown as BGPNodeStatus;
const WELL = {
  ...{ version: '1', asNumber: 64512, ready: 'True', established: 2, configured: 2 },
  updatedAt: '2026-01-01T00:59:00.000Z',
  blocks: [
    { cidr: '10.0.0.0/26', used: 3, free: 1 },
    { cidr: '10.0.1.0/26', used: 4, free: 1 },
  ],
  conditions: [{ type: 'SessionsEstablished', status: 'True', message: '2 sessions are up' }],
};

describe('a cluster as its nodes describe it', () => {
  it('has a row for every node, by name, with sums of its blocks and the age of its words', () => {
    const { nodes } = clusterView(['n2', 'n1'], [statusOf('n1', WELL)], NOW);
    assert.deepEqual(
      nodes.map(({ node, agent, isReady }) => [node, agent, isReady]),
      [
        ['n1', 'reports', true],
        ['n2', 'none', false],
      ],
    );
    const [first] = nodes;
    assert.deepEqual(
      [
        first!.established,
        first!.wanted,
        first!.blocks,
        first!.addressesInUse,
        first!.ageSeconds,
        first!.wrong,
      ],
      [2, 2, 2, 7, 60, []],
    );
  });

  it('is not well where a node says so, is silent, or has no Node', () => {
    const bad = { type: 'SessionsEstablished', status: 'False', message: '1 of 2 sessions are up' };
    const { nodes } = clusterView(
      ['down', 'silent'],
      [
        statusOf('down', { ...WELL, ready: 'False', conditions: [bad] }),
        statusOf('gone', WELL),
        statusOf('silent', { ...WELL, updatedAt: '2026-01-01T00:45:00.000Z' }),
      ],
      NOW,
    );
    assert.deepEqual(
      nodes.map(({ node, agent, isReady, wrong }) => [node, agent, isReady, wrong[0]?.slice(0, 26)]),
      [
        ['down', 'reports', false, 'SessionsEstablished: 1 of '],
        ['gone', 'reports', false, 'there is no Node of this n'],
        ['silent', 'silent', false, 'its agent has written noth'],
      ],
    );
  });

  it('takes a clock that is ahead of ours for now', () => {
    const { nodes } = clusterView(
      ['n1'],
      [statusOf('n1', { ...WELL, updatedAt: '2026-01-01T02:00:00.000Z' })],
      NOW,
    );
    assert.deepEqual([nodes[0]!.ageSeconds, nodes[0]!.isReady], [0, true]);
  });

  it('has of a node how many Pods are gone and have addresses, where there are any', () => {
    const { nodes } = clusterView(
      ['n1', 'n2'],
      [statusOf('n1', { ...WELL, leaked: 3 }), statusOf('n2', WELL)],
      NOW,
    );
    assert.deepEqual(
      nodes.map(({ leaked, isReady }) => [leaked, isReady]),
      [
        [3, true],
        [undefined, true],
      ],
    );
  });
});
