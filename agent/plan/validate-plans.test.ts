// What is wrong with a folder, for every node in it.
import assert from 'node:assert/strict';
import { formatProblem } from '#api';
import { nodeYaml, objectYaml } from './testing/cluster-yaml.ts';
import { validateWithPlans } from './validate-plans.ts';

const N1 = nodeYaml('n1', ['10.0.0.1'], 'labels: { rack: a }');
const N2 = nodeYaml('n2', ['10.0.0.2'], 'labels: { rack: b }');
const peer = (spec: string) => objectYaml('BGPPeer', 'tor', `{ asNumber: 64800, ${spec} }`);
const said = (...yaml: string[]) =>
  validateWithPlans(yaml.map((text, i) => ({ file: `${i}.yaml`, text }))).problems.map(formatProblem);

describe('what every node of a folder says of it', () => {
  it('is nothing of one that is right', () => {
    assert.deepEqual(said(N1, N2, peer('nodeSelector: has(rack), peerIP: 10.0.0.9')), []);
  });

  for (const [what, yaml, expected] of [
    [
      'a node that is not there',
      [N1, N2, peer('node: n9, peerIP: 10.0.0.9')],
      /^2\.yaml:4: warning: BGPPeer tor: spec\.node: "n9" is no Node of the cluster: nobody has this session$/,
    ],
    [
      'a node without an address',
      [N1, nodeYaml('n2', [])],
      /^1\.yaml:5: Node n2: status\.addresses: has no address for BGP/,
    ],
    [
      'a selector that matches no node',
      [N1, N2, peer("nodeSelector: rack == 'c', peerIP: 10.0.0.9")],
      /^2\.yaml:4: warning: BGPPeer tor: spec\.nodeSelector: "rack == 'c'" matches no Node in these files: nobody has/,
    ],
    [
      'a peerSelector that matches no node',
      [N1, N2, objectYaml('BGPPeer', 'tor', '{ peerSelector: has(reflects) }')],
      /warning: BGPPeer tor: spec\.peerSelector: "has\(reflects\)" matches no Node/,
    ],
    [
      'a pool for no node',
      [N1, objectYaml('IPPool', 'p', "{ cidr: 10.9.0.0/16, nodeSelector: rack == 'c' }")],
      /warning: IPPool p: spec\.nodeSelector: .* nobody takes blocks from it/,
    ],
    [
      'a neighbour that is the node itself',
      [N1, N2, peer('node: n1, peerIP: 10.0.0.1')],
      /^2\.yaml:4: warning: BGPPeer tor: spec\.peerIP: "10\.0\.0\.1" is the own address of Node n1, the only node/,
    ],
    [
      'a pool over the nodes',
      [N1, objectYaml('IPPool', 'p', '{ cidr: 10.0.0.0/24 }')],
      /^1\.yaml:4: IPPool p: spec\.cidr: "10\.0\.0\.0\/24" contains 10\.0\.0\.1, the address of Node n1: this pool is not used$/,
    ],
  ] as const) {
    it(`is told once of ${what}`, () => {
      const lines = said(...yaml);
      assert.equal(lines.length, 1, lines.join('\n'));
      assert.match(lines[0]!, expected);
    });
  }

  it('is that two nodes have one address, on each of them', () => {
    const lines = said(N1, nodeYaml('n2', ['10.0.0.1']));
    assert.deepEqual(
      lines.map((line) => line.replace(/:.*?: /, ': ').slice(0, 16)),
      ['0.yaml: Node n1:', '1.yaml: Node n2:'],
    );
  });

  it('is told of three nodes when it is the same on many', () => {
    const nodes = Array.from({ length: 9 }, (_, i) => nodeYaml(`m${i}`, [`10.0.1.${i}`]));
    const lines = said(
      ...nodes,
      objectYaml('BGPPeer', 'a', '{ asNumber: 1, peerFrom: { nodeAnnotation: x/tor } }'),
    );
    assert.equal(lines.length, 4, lines.join('\n'));
    assert.match(lines[3]!, /the same on 6 more nodes$/);
  });

  it('is a warning of a password with the end of a line, which is not shown', () => {
    const secret =
      'apiVersion: v1\nkind: Secret\nmetadata: { name: bgp }\ndata: { tor: czNjcmV0Cg==, ca: czNjcmV0Cg== }\n';
    const password = 'peerIP: 10.0.0.9, password: { secretKeyRef: { name: bgp, key: tor } }';
    for (const nodes of [[], [N1]]) {
      const lines = said(...nodes, secret, peer(password));
      assert.equal(lines.length, 1, lines.join('\n'));
      assert.match(
        lines[0]!,
        /warning: BGPPeer tor: spec\.password\.secretKeyRef\.key: "tor" ends with the end of a line/,
      );
      assert.match(lines[0]!, /\(7 octets\)/);
    }
  });

  it('says nothing of default routes: they are in no file', () => {
    assert.deepEqual(
      said(N1, objectYaml('BGPPeer', 'a', '{ asNumber: 1, peerFrom: { defaultGateway: ipv4 } }')),
      [],
    );
  });
});
