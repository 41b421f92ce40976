// Who is the same neighbour: address, interface and port.
import assert from 'node:assert/strict';
import { nodeYaml, objectYaml, planOf, resourcesFromYaml } from './testing/cluster-yaml.ts';

const N1 = nodeYaml('n1', ['10.0.1.1', 'fd00:1::1'], 'labels: { rack: r1 }');
const NO_MESH = objectYaml('BGPConfiguration', 'default', '{ nodeToNodeMeshEnabled: false }');

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
