// When an agent has to follow other nodes' objects, of documents; and that it asks for no more once it need not.
import assert from 'node:assert/strict';
import { needsOthers } from './needs-others.ts';
import { nodeYaml, objectYaml, resourcesFromYaml } from './plan/testing/cluster-yaml.ts';

const N1 = nodeYaml('n1', ['10.0.0.1'], 'labels: { rack: r1 }');
const NO_MESH = objectYaml('BGPConfiguration', 'default', '{ nodeToNodeMeshEnabled: false }');
const POOL = objectYaml('IPPool', 'pods', '{ cidr: 10.244.0.0/16 }');
const needs = (...yaml: string[]) => [...needsOthers(resourcesFromYaml(...yaml), 'n1')].sort().join();
const peer = (spec: string) => needs(N1, NO_MESH, POOL, objectYaml('BGPPeer', 'p', spec));
const config = (spec: string) => needs(N1, POOL, objectYaml('BGPConfiguration', 'default', spec));

describe('other nodes’ objects', () => {
  it('are needed in a mesh, and where nodes reflect', () => {
    assert.equal(needs(N1, POOL), 'Node');
    assert.equal(needs(NO_MESH, POOL), 'Node', 'without its own Node nobody can tell');
    assert.equal(needs(N1, NO_MESH, POOL), '');
    const reflectors = (spec: string) => config(`{ nodeToNodeMeshEnabled: false, routeReflectors: ${spec} }`);
    assert.equal(reflectors('{ mode: Auto }'), 'Node');
    assert.equal(reflectors('{ nodeSelector: has(rr) }'), 'Node');
    assert.equal(reflectors('{ mode: Disabled, nodeSelector: has(rr) }'), '');
  });

  it('are needed for neighbours that are nodes, or may be', () => {
    assert.equal(peer('{ peerIP: 10.9.9.9, asNumber: 65000 }'), '');
    assert.equal(peer('{ peerIP: 10.9.9.9, asNumber: external }'), '');
    assert.equal(peer('{ peerIP: 10.9.9.9, asNumber: internal }'), 'Node');
    assert.equal(peer('{ peerIP: 10.9.9.9, asNumber: 64512 }'), 'Node');
    assert.equal(peer('{ node: n2, peerIP: 10.9.9.9, asNumber: internal }'), '');
    assert.equal(peer('{ peerSelector: has(rr) }'), 'Node');
    assert.equal(peer("{ node: n2, peerSelector: rack == 'r1' }"), 'Node', 'it is the other side');
    assert.equal(peer("{ node: n2, peerSelector: rack == 'r2' }"), '');
    assert.equal(peer("{ node: n2, peerSelector: rack == 'r1', reversePeering: Manual }"), '');
  });

  it('are needed where podCIDRs are what is let in, and no pool stands for them', () => {
    const n1 = nodeYaml('n1', ['10.0.0.1'], '', ['10.9.0.0/24', 'fd09::/64']);
    assert.equal(needs(n1, NO_MESH, POOL), 'Node');
    assert.equal(needs(n1, NO_MESH, POOL, objectYaml('IPPool', 'six', '{ cidr: "fd10::/48" }')), '');
  });

  it('are needed while a pool may not be used, or one of this node’s blocks is of a pool that is gone', () => {
    const block = (node: string, pool: string) =>
      objectYaml('IPAMBlock', `b-${node}`, `{ cidr: 10.244.1.0/26, node: ${node}, pool: ${pool} }`);
    assert.equal(needs(N1, NO_MESH, POOL, block('n1', 'pods')), '');
    assert.equal(needs(N1, NO_MESH, POOL, block('n1', 'gone')), 'IPAMBlock');
    assert.equal(
      needs(N1, NO_MESH, POOL, block('n2', 'gone')),
      '',
      'the answer does not hang on what is asked for',
    );
    const gone = [{ name: 'gone', cidr: '10.60.0.0/16' }];
    const all = needsOthers(resourcesFromYaml(N1, NO_MESH, POOL), 'n1', gone);
    assert.deepEqual([...all], ['IPAMBlock'], 'other nodes may have blocks of it');
    const inner = objectYaml('IPPool', 'inner', '{ cidr: 10.244.7.0/24 }');
    assert.equal(needs(N1, NO_MESH, POOL, inner), 'IPAMBlock');
    const overNode = objectYaml('IPPool', 'nodes', '{ cidr: 10.0.0.0/24 }');
    assert.equal(needs(N1, NO_MESH, overNode), 'IPAMBlock', 'its blocks in use are let in');
  });
});
