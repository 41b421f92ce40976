// Blocks outside of the pools in use: which routes to them are let in, which of them a node holds, and what is said.
import assert from 'node:assert/strict';
import { nothingRefused } from '#api';
import { blockYaml, nodeYaml, objectYaml, planOf, resourcesFromYaml } from '../testing/cluster-yaml.ts';

const NODES = [nodeYaml('n1', ['10.0.0.1']), nodeYaml('n2', ['10.0.0.2'])];
const POOL = objectYaml('IPPool', 'pods', '{ cidr: 10.244.0.0/16 }');
const BLOCKS = [blockYaml('10.60.0.0/26', 'n1', 'old'), blockYaml('10.60.7.64/26', 'n2', 'old')];
const IN = ['10.60.0.0/26', '10.60.7.64/26', '10.244.0.0/16'];
const OWN = { localBlocks: [{ cidr: '10.60.0.0/26', pool: 'old' }] };
const former = (cidr: string, more: { disableBGPExport?: true } = {}) => ({
  refused: { ...nothingRefused, formerPools: [{ name: 'old', cidr, ...more }] },
});

describe('blocks outside of the pools in use', () => {
  it('are let in and announced as before while their pool is gone, and named', () => {
    const resources = resourcesFromYaml(...NODES, POOL, ...BLOCKS);
    const { plan, problems } = planOf(resources, 'n1', { ...OWN, ...former('10.60.0.0/16') });
    assert.deepEqual(plan.kernel.clusterPrefixes, IN);
    assert.deepEqual(plan.kernel.unreachable, ['10.60.0.0/26']);
    assert.deepEqual(
      plan.originations.map(({ prefix }) => prefix),
      ['10.60.0.0/26'],
    );
    assert.match(
      problems.join('\n'),
      /IPPool old: is gone while blocks of it are in use: 10\.60\.0\.0\/26 of node n1, 10\.60\.7\.64\/26 of node n2\..*write the pool again \(10\.60\.0\.0\/16, disabled\)/,
    );
    const hidden = planOf(resources, 'n1', { ...OWN, ...former('10.60.0.0/16', { disableBGPExport: true }) });
    assert.deepEqual(hidden.plan.originations, [], 'what was not announced is not');
  });

  it('of a pool that is there and may not be used are let in; and no more of that pool', () => {
    const over = objectYaml('IPPool', 'zz-wider', '{ cidr: 10.244.0.0/15 }');
    const block = blockYaml('10.245.0.0/26', 'n2', 'zz-wider');
    const used = blockYaml('10.244.0.0/26', 'n1', 'pods');
    const { plan } = planOf(resourcesFromYaml(...NODES, POOL, over, used, block), 'n1');
    assert.deepEqual(plan.kernel.clusterPrefixes, ['10.244.0.0/16', '10.245.0.0/26']);
  });

  it('of a pool that was never there are neither let in nor held: a node’s token can write them', () => {
    const { plan, problems } = planOf(resourcesFromYaml(...NODES, POOL, ...BLOCKS), 'n1', OWN);
    assert.deepEqual(plan.kernel.clusterPrefixes, ['10.244.0.0/16']);
    assert.deepEqual([plan.originations, plan.kernel.unreachable], [[], []]);
    assert.match(
      problems.join('\n'),
      /^IPAMBlock 10-60-0-0-26: spec\.pool: "old" is no IPPool, and none that was in force here before: not let in nor held: 10\.60\.0\.0\/26 of node n1, 10\.60\.7\.64\/26 of node n2\./m,
    );
  });

  it('that lie outside of what they name are not let in, whatever there was', () => {
    const others = [
      blockYaml('198.51.100.0/26', 'n2', 'old'),
      blockYaml('198.51.100.64/26', 'n2', 'pods'),
      blockYaml('10.0.0.0/8', 'n2', 'old'),
      blockYaml('10.60.9.0/26', 'n2', 'other'),
    ];
    const { plan, problems } = planOf(resourcesFromYaml(...NODES, POOL, ...BLOCKS, ...others), 'n1', {
      ...former('10.60.0.0/16'),
    });
    // A pool with a block outside may have been another: it is not used as a whole.
    assert.deepEqual(plan.kernel.clusterPrefixes, IN.slice(0, 2));
    assert.match(problems.join('\n'), /not let in nor held: 198\.51\.100\.0\/26 of node n2, /);
  });

  it('are named by the first few of them', () => {
    const many = Array.from({ length: 40 }, (_, i) => blockYaml(`192.0.2.${i}/32`, 'n2', `none-${i}`));
    const { problems } = planOf(resourcesFromYaml(...NODES, POOL, ...many), 'n1');
    assert.equal(problems.length, 1, problems.join('\n'));
    assert.match(problems.join(), /192\.0\.2\.4\/32 of node n2 and 35 more/);
  });
});
