import assert from 'node:assert/strict';
import { nodeYaml, objectYaml, planOf, resourcesFromYaml } from '../testing/cluster-yaml.ts';

const N1 = nodeYaml('n1', ['10.0.0.1', 'fd00::1']);
const POOL = objectYaml('IPPool', 'pods', '{ cidr: 10.244.0.0/16 }');

describe('addresses and networks of a node inside a pool', () => {
  const hostNetworks = [
    { prefix: '10.244.3.0/24', what: 'the network of link cni0' },
    { prefix: '10.244.3.1/32', what: 'an address of this node' },
    { prefix: '172.16.0.0/12', what: 'the network of link docker0' },
  ];
  const localBlocks = ['10.244.3.64/26', '10.244.2.0/23', '10.244.4.0/26'].map((cidr) => ({
    cidr,
    pool: 'pods',
  }));

  it('are a problem of the pool, which says what is there', () => {
    assert.deepEqual(planOf(resourcesFromYaml(N1, POOL), 'n1', { hostNetworks }).problems, [
      'IPPool pods: spec.cidr: "10.244.0.0/16" overlaps the network of link cni0 (10.244.3.0/24) and 1 more: no block that does is held, announced or given out; give pods a range of their own',
    ]);
  });

  it('are in no block that is announced or held', () => {
    const { plan } = planOf(resourcesFromYaml(N1, POOL), 'n1', { hostNetworks, localBlocks });
    assert.deepEqual(plan.kernel.unreachable, ['10.244.4.0/26']);
    assert.deepEqual(
      plan.originations.map(({ prefix }) => prefix),
      ['10.244.4.0/26'],
    );
  });

  it('neither are they in blocks of a pool that is not used, because nodes or routers have addresses in it', () => {
    const resources = resourcesFromYaml(N1, objectYaml('IPPool', 'pods', '{ cidr: 10.0.0.0/16 }'));
    const blocks = ['10.0.0.0/26', '10.0.1.0/26'].map((cidr) => ({ cidr, pool: 'pods' }));
    const { plan } = planOf(resources, 'n1', { localBlocks: blocks });
    assert.deepEqual(plan.kernel.unreachable, ['10.0.1.0/26']);
  });
});

describe('a podCIDR', () => {
  const OTHER = nodeYaml('n2', ['10.0.0.2'], '', ['10.1.2.0/24']);
  const planned = (podCidrs: readonly string[], ...others: readonly string[]) => {
    const resources = resourcesFromYaml(nodeYaml('n1', ['10.0.0.1'], '', podCidrs), ...others);
    return planOf(resources, 'n1', { localBlocks: podCidrs.map((cidr) => ({ cidr })) });
  };

  for (const cidr of ['127.0.0.0/24', '224.1.0.0/16', '255.255.255.0/24', 'ff05::/64', '::/0']) {
    it(`over addresses that no host can have is not held, announced or let in: ${cidr}`, () => {
      const { plan, problems } = planned(['10.1.1.0/24', cidr], OTHER);
      assert.match(
        problems.join('\n'),
        /^Node n1: spec.podCIDRs: ".*" overlaps .* which cannot be routed.*: no block that does/,
      );
      assert.deepEqual(plan.kernel.unreachable, ['10.1.1.0/24']);
      assert.deepEqual(plan.kernel.clusterPrefixes, ['10.1.1.0/24', '10.1.2.0/24']);
    });
  }

  it('over the address of a node lets nothing in, like a pool that is not used', () => {
    const { plan } = planned(['10.1.1.0/24'], nodeYaml('n2', ['10.0.0.2'], '', ['10.0.0.0/24']));
    assert.deepEqual(plan.kernel.clusterPrefixes, ['10.1.1.0/24']);
  });

  it('that another node has too is a problem of both, and of none while a pool serves the family', () => {
    const twin = nodeYaml('n2', ['10.0.0.2'], '', ['10.1.1.128/25']);
    assert.deepEqual(planned(['10.1.1.0/24'], twin).problems, [
      'Node n1: spec.podCIDRs: "10.1.1.0/24" overlaps 10.1.1.128/25 of Node n2: both give out its addresses, and two pods may get one; give each node a podCIDR of its own',
    ]);
    assert.deepEqual(planned(['10.1.1.0/24'], twin, POOL).problems, []);
  });
});
