// The blocks and addresses of a pool, added up.
import assert from 'node:assert/strict';
import { type IPAMBlock, type IPPool, MOST_POOL_NODES, parseDocument } from '#api';
import type { NodeReport } from './node-reports.ts';
import { countPools, overlapsOf, poolStatus } from './pool-sum.ts';

const NOW = '2026-01-01T00:00:00.000Z';
const pool = (name: string, cidr: string, more: object = {}, metadata: object = {}) =>
  parseDocument({
    apiVersion: 'podroute.io/v1',
    kind: 'IPPool',
    metadata: { name, ...metadata },
    spec: { cidr, ...more },
  }).resource as IPPool;
const block = (node: string, from: string, cidr = '10.0.0.0/26') =>
  ({ spec: { node, pool: from, cidr } }) as unknown as IPAMBlock;
const report = (node: string, from: string, ...used: readonly number[]): NodeReport =>
  ({
    node,
    status: { blocks: used.map((of) => ({ pool: from, used: of, free: 0, cidr: '10.0.0.0/26' })) },
  }) as unknown as NodeReport;

const FACTS = { count: undefined, overlapping: [], isUsable: true, problems: [] };
const reasonOf = (one: IPPool, facts: Partial<typeof FACTS> = {}) =>
  poolStatus(one, { ...FACTS, ...facts }, undefined, NOW).conditions![0]!.reason;

describe('the status of an IPPool', () => {
  it('counts blocks that nodes own, and addresses that nodes say are in use', () => {
    const counts = countPools(
      [
        block('n1', 'pods'),
        block('n1', 'pods', '10.0.0.64/26'),
        block('n2', 'pods'),
        block('n2', 'other', '10.1.0.0/26'),
      ],
      [report('n2', 'pods', 7), report('n1', 'pods', 3), report('n3', 'other', 50)],
    );
    const status = poolStatus(
      pool('pods', '10.0.0.0/24'),
      { ...FACTS, count: counts.get('pods') },
      undefined,
      NOW,
    );
    assert.deepEqual(
      [status.total, status.used, status.free, status.blocks, status.nodes],
      [
        '256',
        10,
        '246',
        3,
        [
          { node: 'n2', blocks: 1, used: 7 },
          { node: 'n1', blocks: 2, used: 3 },
        ],
      ],
    );
  });

  it('counts of what a node says nothing that is not its own, and no more than that holds', () => {
    const most = Number.MAX_SAFE_INTEGER;
    const counts = countPools(
      [block('n1', 'pods')],
      [report('n1', 'elsewhere', most, most, most), report('n2', 'pods', most)],
    );
    assert.deepEqual([...counts], [['pods', new Map([['n1', { blocks: 1, used: 64, leaked: 0 }]])]]);
  });

  it('counts addresses of Pods that are gone, as nodes report them, and says nothing where there are none', () => {
    const leaking = (node: string, leaked?: number): NodeReport => {
      const { status } = report(node, 'pods', 9);
      return { node, status: { ...status, blocks: [{ ...status.blocks![0]!, ...(leaked && { leaked }) }] } };
    };
    const statusOf = (...reports: NodeReport[]) => {
      const blocks = reports.map(({ node }) => block(node, 'pods'));
      const count = countPools(blocks, reports).get('pods');
      return poolStatus(pool('pods', '10.0.0.0/24'), { ...FACTS, count }, undefined, NOW);
    };
    const { leaked, nodes } = statusOf(leaking('n1', 2), leaking('n2'), leaking('n3', 3));
    assert.equal(leaked, 5);
    assert.deepEqual(
      nodes?.map((one) => [one.node, one.leaked]),
      [
        ['n1', 2],
        ['n2', undefined],
        ['n3', 3],
      ],
    );
    assert.ok(!('leaked' in statusOf(leaking('n1'))));
  });

  it('has numbers of any size for IPv6', () => {
    const { total, free } = poolStatus(pool('six', 'fd00::/48'), FACTS, undefined, NOW);
    assert.deepEqual([total, free], [String(2n ** 80n), String(2n ** 80n)]);
  });

  it('names so many nodes, those that use most, and counts all', () => {
    const nodes = Array.from({ length: 2_000 }, (_, i) => `n${i}`);
    const counts = countPools(
      nodes.map((node) => block(node, 'pods')),
      nodes.map((node, i) => report(node, 'pods', i % 60)),
    );
    const status = poolStatus(
      pool('pods', '10.0.0.0/8'),
      { ...FACTS, count: counts.get('pods') },
      undefined,
      NOW,
    );
    assert.equal(status.nodes!.length, MOST_POOL_NODES);
    assert.deepEqual([status.nodesLeftOut, status.blocks], [2_000 - MOST_POOL_NODES, 2_000]);
    assert.ok(status.nodes!.every(({ used }) => used >= 58));
    assert.equal(
      status.used,
      nodes.reduce((sum, _, i) => sum + (i % 60), 0),
    );
  });

  it('says why pods get nothing new of it', () => {
    assert.equal(reasonOf(pool('a', '10.0.0.0/16')), 'Usable');
    assert.equal(reasonOf(pool('a', '10.0.0.0/16', { disabled: true })), 'Disabled');
    assert.equal(reasonOf(pool('a', '10.0.0.0/16', { assignmentMode: 'Manual' })), 'NotHonoured');
    assert.equal(reasonOf(pool('a', '10.0.0.0/16'), { isUsable: false }), 'NotUsed');
    assert.equal(reasonOf(pool('a', '10.0.0.0/16', {}, { deletionTimestamp: NOW })), 'Deleting');
  });

  it('knows who overlaps whom', () => {
    const pools = [
      pool('a', '10.0.0.0/8'),
      pool('b', '10.1.0.0/16'),
      pool('c', '10.2.0.0/16'),
      pool('d', 'fd00::/48'),
    ];
    assert.deepEqual(
      [...overlapsOf(pools)],
      [
        ['a', ['b', 'c']],
        ['b', ['a']],
        ['c', ['a']],
      ],
    );
  });
});
