import assert from 'node:assert/strict';
import { shownPlan } from './offline.ts';
import { nodeYaml, objectYaml, planOf, resourcesFromYaml } from './testing/cluster-yaml.ts';

describe('the plan as it is shown', () => {
  it('is the plan to the byte, but that of a password only this is told: there is one', () => {
    const resources = resourcesFromYaml(
      nodeYaml('n1', ['10.0.0.1']),
      nodeYaml('n2', ['10.0.0.2']),
      'apiVersion: v1\nkind: Secret\nmetadata: { name: bgp }\nstringData: { md5: geheim }',
      objectYaml(
        'BGPConfiguration',
        'default',
        '{ nodeMeshPassword: { secretKeyRef: { name: bgp, key: md5 } } }',
      ),
      objectYaml('BGPPeer', 'tor', '{ peerIP: 10.0.1.0, asNumber: 65000 }'),
    );
    const { plan } = planOf(resources, 'n1');
    const text = JSON.stringify(plan);
    assert.match(text, /"md5Key":"geheim"/);
    assert.equal(
      JSON.stringify(shownPlan(plan)),
      text.replaceAll('"md5Key":"geheim"', '"md5Key":"(secret)"'),
    );
  });

  it('lists of a session what its document, being one of Calico, implies', () => {
    const calico =
      'apiVersion: projectcalico.org/v3\nkind: BGPPeer\nmetadata: { name: tor }\nspec: { peerIP: 10.0.1.0, asNumber: 65000, addPaths: Send }';
    const { plan } = planOf(
      resourcesFromYaml(nodeYaml('n1', ['10.0.0.1']), nodeYaml('n2', ['10.0.0.2']), calico),
      'n1',
    );
    const [mesh, tor] = shownPlan(plan).peers;
    assert.equal(mesh?.implied, undefined);
    assert.deepEqual(
      tor?.implied?.map((line) => line.split(' (')[0]),
      [
        'import: All',
        'export: Pools',
        'multihop: 255',
        'maxPrefixes.limit: none',
        'gracefulRestart.mode: Full',
      ],
    );
  });
});
