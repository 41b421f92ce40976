import assert from 'node:assert/strict';
import { nodeYaml, objectYaml, planOf, resourcesFromYaml } from './testing/cluster-yaml.ts';

/** rr1 reflects for w1 and w2 and alone speaks with the rack's router, which is in another AS. */
function cluster(torObject: string, ...more: string[]) {
  return resourcesFromYaml(
    nodeYaml('rr1', ['10.20.0.1'], 'labels: { reflects: "true" }'),
    nodeYaml('w1', ['10.20.0.2']),
    nodeYaml('w2', ['10.20.0.3']),
    objectYaml('IPPool', 'pods', '{ cidr: 10.60.0.0/16 }'),
    objectYaml('IPPool', 'inside', '{ cidr: 10.61.0.0/16, disableBGPExport: true }'),
    objectYaml(
      'BGPConfiguration',
      'default',
      '{ asNumber: 64700, routeReflectors: { mode: Manual, nodeSelector: has(reflects), clusterID: 10.0.0.9 } }',
    ),
    torObject,
    ...more,
  );
}
const TOR = '{ nodeSelector: has(reflects), peerIP: 10.20.0.254, asNumber: 64800';

describe('a node that is the way out of others', () => {
  const warnings = (resources: ReturnType<typeof cluster>, node = 'rr1') =>
    planOf(resources, node).problems.filter((line) => line.includes('spec.export'));

  it('is told when its neighbour hears of its own pods alone, and what to write', () => {
    const [warning = ''] = warnings(cluster(objectYaml('BGPPeer', 'tor', `${TOR} }`)));
    assert.match(
      warning,
      /BGPPeer tor: spec\.export: "Cluster" .* pods of rr1 alone; w1, w2 have no session/,
    );
    assert.match(warning, /export: Pools/);
  });

  it('is not told where it passes them on, the others have a way of their own, or it has none', () => {
    const pools = cluster(objectYaml('BGPPeer', 'tor', `${TOR}, export: Pools }`));
    assert.deepEqual(warnings(pools), []);
    const own = objectYaml('BGPPeer', 'tor', '{ peerIP: 10.20.0.254, asNumber: 64800 }');
    assert.deepEqual(warnings(cluster(own)), []);
    assert.deepEqual(warnings(cluster(objectYaml('BGPPeer', 'tor', `${TOR} }`)), 'w1'), []);
  });

  it('is not told of a session with another node, whatever port that has', () => {
    const inside = '{ nodeSelector: has(reflects), peerIP: "10.20.0.2:1790", asNumber: 64800 }';
    assert.deepEqual(warnings(cluster(objectYaml('BGPPeer', 'w1', inside))), []);
  });

  it('passes on with Pools what others announce inside pools that may be known outside, and no more', () => {
    const resources = cluster(objectYaml('BGPPeer', 'tor', `${TOR}, export: Pools }`));
    const { terms, otherwise } = planOf(resources, 'rr1').peer('tor').config.export;
    assert.equal(otherwise, 'reject');
    assert.deepEqual(
      terms.map(({ match, why }) => [match.source, match.prefixes?.map(({ prefix }) => prefix), why]),
      [
        ['local', undefined, 'export: Cluster (own prefixes)'],
        ['remote', ['10.60.0.0/16'], 'export: Pools (of other nodes)'],
      ],
    );
  });

  it('passes them on by default where the BGPPeer is Calico’s', () => {
    const calico = objectYaml('BGPPeer', 'tor', `${TOR} }`).replace('podroute.io/v1', 'projectcalico.org/v3');
    const resources = cluster(calico);
    assert.match(planOf(resources, 'rr1').peer('tor').config.export.name, /Pools/);
    assert.deepEqual(warnings(resources), []);
  });
});
