// Which sessions of reflectors carry all paths of a prefix (RFC 7911) when nobody says so.
import assert from 'node:assert/strict';
import { nodeYaml, objectYaml, planOf, resourcesFromYaml } from './testing/cluster-yaml.ts';

const nodes = [1, 2, 3].map((n) => nodeYaml(`n${n}`, [`10.0.0.${n}`], n < 3 ? 'labels: { rr: "true" }' : ''));
const reflected = (more: string) =>
  objectYaml(
    'BGPConfiguration',
    'default',
    `{ routeReflectors: { mode: Manual, nodeSelector: "has(rr)"${more} } }`,
  );

const addPathsOf = (config: string, nodeName: string) =>
  Object.fromEntries(
    planOf(resourcesFromYaml(...nodes, config), nodeName).plan.peers.map((peer) => [
      peer.config.id,
      peer.config.addPaths,
    ]),
  );

describe('all paths of a prefix', () => {
  const shared = reflected(', clusterID: 10.0.0.250');

  it('go both ways between nodes and reflectors of one cluster ID, and not between reflectors', () => {
    assert.deepEqual(addPathsOf(shared, 'n1'), { 'reflector/n2/ipv4': 'none', 'reflector/n3/ipv4': 'both' });
    assert.deepEqual(addPathsOf(shared, 'n3'), { 'reflector/n1/ipv4': 'both', 'reflector/n2/ipv4': 'both' });
  });

  it('do not where reflectors have cluster IDs of their own: each would tell copies', () => {
    for (const name of ['n1', 'n3'])
      assert.deepEqual([...new Set(Object.values(addPathsOf(reflected(''), name)))], ['none']);
  });

  it('do not in a mesh', () => {
    assert.deepEqual(addPathsOf('', 'n3'), { 'mesh/n1/ipv4': 'none', 'mesh/n2/ipv4': 'none' });
  });
});
