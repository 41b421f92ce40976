// Who is the same neighbour: address, interface and port.
import assert from 'node:assert/strict';
import { nodeYaml, objectYaml, planOf, resourcesFromYaml } from './testing/cluster-yaml.ts';

const N1 = nodeYaml('n1', ['10.0.1.1', 'fd00:1::1'], 'labels: { rack: r1 }');
const NO_MESH = objectYaml('BGPConfiguration', 'default', '{ nodeToNodeMeshEnabled: false }');

describe('a neighbour behind a gateway', () => {
  const plan = (spec: string) =>
    planOf(
      resourcesFromYaml(
        N1,
        NO_MESH,
        objectYaml('BGPPeer', 'tor', `{ asNumber: 65010, multihop: 2, ${spec} }`),
      ),
      'n1',
    ).plan;

  it('is reached through it, and the kernel is told so', () => {
    const { kernel, peers } = plan('peerIP: 192.0.2.1, reachableBy: 10.0.1.254');
    assert.deepEqual(kernel.gateways, { '192.0.2.1': '10.0.1.254' });
    assert.equal(peers[0]?.reachableBy, '10.0.1.254');
  });

  it('of the other family, or that is the neighbour itself, is none', () => {
    for (const spec of [
      'peerIP: 192.0.2.1, reachableBy: "fd00::1"',
      'peerIP: 192.0.2.1, reachableBy: 192.0.2.1',
      'peerIP: 192.0.2.1',
    ]) {
      assert.deepEqual(plan(spec).kernel.gateways, {}, spec);
    }
  });
});

describe('a gateway that is no way to the neighbour', () => {
  const problems = (spec: string) =>
    planOf(resourcesFromYaml(N1, NO_MESH, objectYaml('BGPPeer', 'tor', `{ asNumber: 65010, ${spec} }`)), 'n1')
      .problems;
  for (const [spec, why] of [
    [
      'peerIP: 192.0.2.1, reachableBy: "fd00::1"',
      '"fd00::1" has no effect: it is of another family than 192.0.2.1',
    ],
    ['peerIP: "fe80::1%eth0", reachableBy: "fe80::2"', '"fe80::2" has no effect: fe80::1 is on link eth0'],
    [
      'peerRange: 10.9.0.0/24, reachableBy: 10.0.1.254',
      '"10.0.1.254" has no effect: neighbours of a range are reached as the kernel reaches them',
    ],
  ] as const) {
    it(`is named: ${spec}`, () => {
      assert.deepEqual(problems(spec), [`warning: BGPPeer tor: spec.reachableBy: ${why}`]);
    });
  }

  it('is nothing to tell of where it is the neighbour itself, or leads there', () => {
    assert.deepEqual(problems('peerIP: 192.0.2.1, multihop: 2, reachableBy: 192.0.2.1'), []);
    assert.deepEqual(problems('peerIP: 192.0.2.1, multihop: 2, reachableBy: 10.0.1.254'), []);
  });
});

describe('several neighbours on one address', () => {
  it('that differ in the port are different neighbours', () => {
    const at = (name: string, peerIP: string) =>
      objectYaml('BGPPeer', name, `{ peerIP: "${peerIP}", asNumber: 65010 }`);
    const resources = resourcesFromYaml(
      N1,
      NO_MESH,
      at('a', '10.9.9.9:1179'),
      at('b', '10.9.9.9:1180'),
      at('c', '10.9.9.9'),
    );
    const { ids, problems } = planOf(resources, 'n1');
    assert.deepEqual([ids, problems], [['a', 'b', 'c'], []]);
    const same = planOf(resourcesFromYaml(N1, NO_MESH, at('a', '10.9.9.9:179'), at('b', '10.9.9.9')), 'n1');
    assert.deepEqual(same.ids, ['a']);
    assert.equal(same.problems.length, 1);
  });
});
