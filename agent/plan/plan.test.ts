// Tables of YAML in and plan out: node, mesh, reflectors, blocks, speaker.
import assert from 'node:assert/strict';
import { hashedRouterId } from './node-bgp.ts';
import { makePlan } from './plan.ts';
import { nodeYaml, objectYaml, planOf, resourcesFromYaml } from './testing/cluster-yaml.ts';

const N1 = nodeYaml('n1', ['10.0.0.1', 'fd00::1']);
const N2 = nodeYaml('n2', ['10.0.0.2', 'fd00::2']);
const N3 = nodeYaml('n3', ['10.0.0.3']);
const POOL = objectYaml('IPPool', 'pods', '{ cidr: 10.244.0.0/16 }');

describe('the plan of a node', () => {
  it('without a Node document does not exist, and says which are there', () => {
    const { plan, problems } = makePlan({
      resources: resourcesFromYaml(N1),
      nodeName: 'n9',
      localBlocks: [],
    });
    assert.equal(plan, undefined);
    assert.equal(problems[0]?.object, 'Node n9');
    assert.match(problems[0]?.allowed ?? '', /there are n1/);
  });

  it('without an address does not exist', () => {
    const resources = resourcesFromYaml(nodeYaml('n1', []));
    const { plan, problems } = makePlan({ resources, nodeName: 'n1', localBlocks: [] });
    assert.equal(plan, undefined);
    assert.equal(problems[0]?.field, 'status.addresses');
  });

  it('takes AS, addresses and router ID from annotations before defaults', () => {
    const annotated = nodeYaml(
      'n1',
      ['10.0.0.1'],
      'annotations: { projectcalico.org/ASNumber: "65001", podroute.io/IPv4Address: 10.9.9.9/24 }',
    );
    const { plan } = planOf(resourcesFromYaml(annotated), 'n1');
    assert.deepEqual(plan.node, {
      name: 'n1',
      asNumber: 65001,
      routerId: '10.9.9.9',
      addresses: { ipv4: '10.9.9.9' },
    });
    assert.equal(planOf(resourcesFromYaml(N1), 'n1').plan.node.asNumber, 64512);
    const configured = resourcesFromYaml(
      N1,
      objectYaml('BGPConfiguration', 'default', '{ routerID: 1.2.3.4 }'),
    );
    assert.equal(planOf(configured, 'n1').plan.speaker.routerId, '1.2.3.4');
  });

  it('has a router ID that is a hash of the name when there is no IPv4 address', () => {
    const { plan } = planOf(resourcesFromYaml(nodeYaml('n1', ['fd00::1'])), 'n1');
    assert.equal(plan.node.routerId, hashedRouterId('n1'));
    assert.match(plan.node.routerId, /^\d+\.\d+\.\d+\.\d+$/);
    assert.notEqual(hashedRouterId('n1'), hashedRouterId('n2'));
  });

  it('has a hashed router ID that could be a host’s address: others refuse those of class D and E', () => {
    const firsts = Array.from({ length: 5000 }, (_, i) =>
      Number(hashedRouterId(`worker-${i}`).split('.')[0]),
    );
    assert.ok(firsts.every((first) => first >= 1 && first <= 223 && first !== 127));
    assert.equal(new Set(firsts).size, 222);
  });

  it('has the router ID of the agent’s environment before all others', () => {
    const resources = resourcesFromYaml(
      N1,
      objectYaml('BGPConfiguration', 'default', '{ routerID: 1.2.3.4 }'),
    );
    assert.equal(planOf(resources, 'n1', { routerId: '5.6.7.8' }).plan.speaker.routerId, '5.6.7.8');
    assert.equal(planOf(resources, 'n1', { routerId: 'hash' }).plan.node.routerId, hashedRouterId('n1'));
  });

  it('is changed by the BGPConfiguration of this node, in what is a node’s own', () => {
    const resources = resourcesFromYaml(
      N1,
      N2,
      objectYaml('BGPConfiguration', 'default', '{ asNumber: 65001, holdTime: 30s, listenPort: 1179 }'),
      objectYaml('BGPConfiguration', 'node.n1', '{ listenPort: 1790, routerID: 9.9.9.9, asNumber: 65009 }'),
    );
    const n1 = planOf(resources, 'n1');
    assert.deepEqual(n1.plan.speaker.listen, [
      { address: '0.0.0.0', port: 1790 },
      { address: '::', port: 1790 },
    ]);
    assert.deepEqual([n1.plan.node.routerId, n1.plan.node.asNumber], ['9.9.9.9', 65001]);
    const { config } = n1.peer('mesh/n2/ipv4');
    assert.equal(config.holdTimeSeconds, 30, 'what it does not write is the cluster’s');
    assert.deepEqual(config.remote, { kind: 'address', address: '10.0.0.2', port: 1179 });
    assert.deepEqual(n1.problems, [
      "warning: BGPConfiguration node.n1: spec.asNumber: has no effect here: it is the whole cluster's, and counts in the BGPConfiguration 'default' only",
    ]);
    const n2 = planOf(resources, 'n2');
    assert.deepEqual(n2.problems, []);
    assert.deepEqual(n2.plan.speaker.listen[0], { address: '0.0.0.0', port: 1179 });
    assert.deepEqual(
      n2.peer('mesh/n1/ipv4').config.remote,
      { kind: 'address', address: '10.0.0.1', port: 1790 },
      'others dial the port on which it listens',
    );
  });

  it('listens where there is something to listen for', () => {
    const listen = (...yaml: string[]) => planOf(resourcesFromYaml(...yaml), 'n1').plan.speaker.listen;
    assert.deepEqual(listen(N1), [
      { address: '0.0.0.0', port: 179 },
      { address: '::', port: 179 },
    ]);
    assert.deepEqual(listen(nodeYaml('n1', ['10.0.0.1'])), [{ address: '0.0.0.0', port: 179 }]);
    const nodeIp = objectYaml('BGPConfiguration', 'default', '{ bindMode: NodeIP, listenPort: 1179 }');
    assert.deepEqual(listen(N1, nodeIp), [
      { address: '10.0.0.1', port: 1179 },
      { address: 'fd00::1', port: 1179 },
    ]);
    const given = objectYaml('BGPConfiguration', 'default', '{ listenAddresses: [192.0.2.1] }');
    assert.deepEqual(listen(N1, given), [{ address: '192.0.2.1', port: 179 }]);
    const own = objectYaml('BGPConfiguration', 'node.n1', '{ bindMode: None, listenPort: 1790 }');
    assert.deepEqual(
      listen(N1, nodeIp, own).map(({ address }) => address),
      ['0.0.0.0', '::'],
      'what a node writes counts, also where it is the default',
    );
  });

  it('is the same for the same inputs, whatever their order', () => {
    const one = planOf(resourcesFromYaml(N1, N2, N3, POOL), 'n1').plan;
    const other = planOf(resourcesFromYaml(POOL, N3, N2, N1), 'n1').plan;
    assert.deepEqual(one, other);
  });

  it('warns of an address that two nodes have', () => {
    const { problems } = planOf(resourcesFromYaml(N1, nodeYaml('n2', ['10.0.0.1'])), 'n1');
    assert.match(problems.join('\n'), /Node n1: status.addresses: "10.0.0.1" is the address of Node n2 too/);
  });
});

describe('the node-to-node mesh', () => {
  it('has one session a family with each other node that has both ends’ addresses', () => {
    const { ids, peer } = planOf(resourcesFromYaml(N1, N2, N3), 'n1');
    assert.deepEqual(ids, ['mesh/n2/ipv4', 'mesh/n2/ipv6', 'mesh/n3/ipv4']);
    const { config, from } = peer('mesh/n2/ipv6');
    assert.equal(from, 'node-to-node mesh, Node n2');
    assert.deepEqual(config.remote, { kind: 'address', address: 'fd00::2', port: 179 });
    assert.equal(config.localAddress, 'fd00::1');
    assert.equal(config.remoteAs, 64512);
    assert.deepEqual(config.families, ['ipv6']);
    assert.deepEqual(config.ttl, { kind: 'multihop', hops: 255 });
    assert.deepEqual(config.nextHopSelf, { ipv4: '10.0.0.1', ipv6: 'fd00::1' });
    assert.equal(config.routeReflectorClient, false);
    assert.equal(config.holdTimeSeconds, 90);
  });

  it('is off when BGPConfiguration says so', () => {
    const off = objectYaml('BGPConfiguration', 'default', '{ nodeToNodeMeshEnabled: false }');
    assert.deepEqual(planOf(resourcesFromYaml(N1, N2, off), 'n1').ids, []);
  });

  it('leaves nodes with a cluster ID out, as Calico does', () => {
    const reflector = nodeYaml(
      'n3',
      ['10.0.0.3'],
      'annotations: { projectcalico.org/RouteReflectorClusterID: 10.0.0.250 }',
    );
    const resources = resourcesFromYaml(N1, N2, reflector);
    assert.deepEqual(planOf(resources, 'n1').ids, ['mesh/n2/ipv4', 'mesh/n2/ipv6']);
    assert.deepEqual(planOf(resources, 'n3').ids, []);
  });

  it('stays down while its password is missing, and has it when it is there', () => {
    const config = objectYaml(
      'BGPConfiguration',
      'default',
      '{ nodeMeshPassword: { secretKeyRef: { name: bgp, key: md5 } } }',
    );
    const without = planOf(resourcesFromYaml(N1, N2, N3, config), 'n1');
    assert.ok(without.plan.peers.every((peer) => peer.config.shutdown !== undefined));
    assert.deepEqual(without.problems, [
      'BGPConfiguration default: spec.nodeMeshPassword.secretKeyRef.name: "bgp" is no Secret: the session stays down until it has its password',
    ]);
    const secret = 'apiVersion: v1\nkind: Secret\nmetadata: { name: bgp }\nstringData: { md5: geheim }';
    const { peer, problems } = planOf(resourcesFromYaml(N1, N2, config, secret), 'n1');
    assert.equal(peer('mesh/n2/ipv4').config.md5Key, 'geheim');
    assert.deepEqual(problems, []);
  });
});

describe('route reflectors', () => {
  it('their sessions have the password of the mesh', () => {
    const configuration = objectYaml(
      'BGPConfiguration',
      'default',
      '{ routeReflectors: { mode: Manual, nodeSelector: "all()" }, nodeMeshPassword: { secretKeyRef: { name: bgp, key: mesh } } }',
    );
    const secret = 'apiVersion: v1\nkind: Secret\nmetadata: { name: bgp }\nstringData: { mesh: hush }';
    const { peer, ids } = planOf(resourcesFromYaml(N1, N2, configuration, secret), 'n1');
    assert.deepEqual(ids, ['reflector/n2/ipv4', 'reflector/n2/ipv6']);
    for (const id of ids) assert.equal(peer(id).config.md5Key, 'hush');
    const missing = planOf(resourcesFromYaml(N1, N2, configuration), 'n1');
    assert.ok(missing.peer(ids[0]!).config.shutdown?.because === 'missing key');
    assert.match(
      missing.problems.join(),
      /BGPConfiguration default: spec.nodeMeshPassword.secretKeyRef.name/,
    );
  });

  const label = 'labels: { rr: "true" }';
  const nodes = [
    nodeYaml('n1', ['10.0.0.1'], label),
    nodeYaml('n2', ['10.0.0.2'], label),
    nodeYaml('n3', ['10.0.0.3']),
    nodeYaml('n4', ['10.0.0.4']),
  ];
  const manual = objectYaml(
    'BGPConfiguration',
    'default',
    '{ routeReflectors: { mode: Manual, nodeSelector: rr == "true", clusterID: 10.0.0.250 } }'.replaceAll(
      'rr == "true"',
      '"has(rr)"',
    ),
  );

  it('by selector speak with everybody, and only those that do not reflect are clients', () => {
    const { ids, peer, plan } = planOf(resourcesFromYaml(...nodes, manual), 'n1');
    assert.deepEqual(ids, ['reflector/n2/ipv4', 'reflector/n3/ipv4', 'reflector/n4/ipv4']);
    assert.equal(plan.speaker.clusterId, '10.0.0.250');
    assert.equal(peer('reflector/n2/ipv4').config.routeReflectorClient, false);
    assert.equal(peer('reflector/n3/ipv4').config.routeReflectorClient, true);
    const reflected = peer('reflector/n3/ipv4').config.export.terms.map((term) => term.match.source);
    assert.deepEqual(reflected, ['local', 'ibgp']);
  });

  it('replace the mesh: a client speaks only with them, and does not reflect', () => {
    const { ids, peer, plan } = planOf(resourcesFromYaml(...nodes, manual), 'n3');
    assert.deepEqual(ids, ['reflector/n1/ipv4', 'reflector/n2/ipv4']);
    assert.equal(plan.speaker.clusterId, undefined);
    const { config } = peer('reflector/n1/ipv4');
    assert.equal(config.routeReflectorClient, false);
    assert.deepEqual(
      config.export.terms.map((term) => term.match.source),
      ['local'],
    );
  });

  it('that select nobody leave the mesh as it is and are a problem', () => {
    const nobody = objectYaml(
      'BGPConfiguration',
      'default',
      `{ routeReflectors: { nodeSelector: "has(reflector)" } }`,
    );
    const { ids, problems } = planOf(resourcesFromYaml(...nodes, nobody), 'n3');
    assert.equal(ids.length, 3);
    assert.match(problems.join('\n'), /routeReflectors.nodeSelector.*matches no node/);
  });

  it('in mode Auto are two, the same as seen from every node, once the mesh is large', () => {
    const auto = objectYaml(
      'BGPConfiguration',
      'default',
      '{ routeReflectors: { mode: Auto, meshUpTo: 3 } }',
    );
    const resources = resourcesFromYaml(...nodes, auto);
    const counts = ['n1', 'n2', 'n3', 'n4'].map((name) => planOf(resources, name).ids.length);
    assert.deepEqual(
      counts.sort((a, b) => a - b),
      [2, 2, 3, 3],
    );
    const few = objectYaml('BGPConfiguration', 'default', '{ routeReflectors: { mode: Auto, meshUpTo: 4 } }');
    assert.deepEqual(planOf(resourcesFromYaml(...nodes, few), 'n1').ids, [
      'mesh/n2/ipv4',
      'mesh/n3/ipv4',
      'mesh/n4/ipv4',
    ]);
  });

  it('in mode Auto are two of every zone with perZone', () => {
    const zoned = ['a', 'a', 'a', 'b', 'b', 'b'].map((zone, i) =>
      nodeYaml(`z${i}`, [`10.0.1.${i + 1}`], `labels: { topology.kubernetes.io/zone: ${zone} }`),
    );
    const auto = '{ routeReflectors: { mode: Auto, meshUpTo: 3, perZone: true } }';
    const resources = resourcesFromYaml(...zoned, objectYaml('BGPConfiguration', 'default', auto));
    const counts = zoned.map((_, i) => planOf(resources, `z${i}`).ids.length);
    // Four reflectors speak with all five others, a client of either zone with the four.
    for (const zone of [counts.slice(0, 3), counts.slice(3)]) {
      assert.deepEqual(
        zone.sort((a, b) => a - b),
        [4, 5, 5],
      );
    }
  });

  it('made with annotations and a BGPPeer, as in Calico, have sessions from both sides', () => {
    const calico = [
      nodeYaml(
        'n1',
        ['10.0.0.1'],
        'labels: { rr: "true" }, annotations: { projectcalico.org/RouteReflectorClusterID: 10.0.0.250 }',
      ),
      nodeYaml('n2', ['10.0.0.2']),
      'apiVersion: projectcalico.org/v3\nkind: BGPPeer\nmetadata: { name: to-rr }\nspec: { nodeSelector: all(), peerSelector: has(rr) }',
      'apiVersion: projectcalico.org/v3\nkind: BGPConfiguration\nmetadata: { name: default }\nspec: { nodeToNodeMeshEnabled: false, asNumber: 64512 }',
    ];
    const resources = resourcesFromYaml(...calico);
    const client = planOf(resources, 'n2').peer('to-rr/n1/ipv4').config;
    assert.equal(client.routeReflectorClient, false);
    const reflector = planOf(resources, 'n1').peer('to-rr/n2/ipv4').config;
    assert.equal(reflector.routeReflectorClient, true);
    assert.equal(planOf(resources, 'n1').plan.speaker.clusterId, '10.0.0.250');
  });
});

describe('what a node originates', () => {
  const blocks = [
    { cidr: '10.244.0.64/26', pool: 'pods' },
    { cidr: '10.99.0.0/26', pool: 'private' },
  ];
  const hidden = objectYaml('IPPool', 'private', '{ cidr: 10.99.0.0/16, disableBGPExport: true }');

  it('is its blocks, except those of a pool that is not to be announced; all are held in the kernel', () => {
    const { plan } = planOf(resourcesFromYaml(N1, POOL, hidden), 'n1', { localBlocks: blocks });
    assert.deepEqual(plan.originations, [
      { prefix: '10.244.0.64/26', communities: [], largeCommunities: [], why: 'block of IPPool pods' },
    ]);
    assert.deepEqual(plan.kernel.unreachable, ['10.99.0.0/26', '10.244.0.64/26']);
    assert.deepEqual([plan.kernel.table, plan.kernel.protocol, plan.kernel.metric], [254, 179, 1024]);
  });

  it('carries the communities of every advertisement that it lies in', () => {
    const config = objectYaml(
      'BGPConfiguration',
      'default',
      `{ communities: [{ name: pods, value: "64512:7" }], prefixAdvertisements: [
        { cidr: 10.244.0.0/16, communities: [pods, "64512:1:2"] }, { cidr: 10.244.0.0/24, communities: ["64512:9"] },
        { cidr: 10.245.0.0/16, communities: ["64512:8"] }] }`,
    );
    const { plan } = planOf(resourcesFromYaml(N1, POOL, config), 'n1', { localBlocks: blocks.slice(0, 1) });
    assert.deepEqual(plan.originations[0]?.communities, ['64512:7', '64512:9']);
    assert.deepEqual(plan.originations[0]?.largeCommunities, ['64512:1:2']);
  });
});

describe('what counts as the cluster’s prefixes', () => {
  it('is pools that are used, and no service ranges: nothing is done with those yet', () => {
    const services = objectYaml(
      'BGPConfiguration',
      'default',
      '{ serviceClusterIPs: [{ cidr: 10.96.0.0/12 }] }',
    );
    const twice = objectYaml('IPPool', 'zz-wider', '{ cidr: 10.0.0.0/8 }');
    const { plan } = planOf(resourcesFromYaml(N1, POOL, twice, services), 'n1');
    assert.deepEqual(plan.kernel.clusterPrefixes, ['10.244.0.0/16']);
  });

  it('is the nodes’ podCIDRs for a family without a pool', () => {
    const nodes = [
      nodeYaml('n1', ['10.0.0.1'], '', ['10.1.1.0/24', 'fd01::/64']),
      nodeYaml('n2', ['10.0.0.2'], '', ['10.1.2.0/24', 'fd02::/64']),
    ];
    const { plan } = planOf(resourcesFromYaml(...nodes, POOL), 'n1');
    assert.deepEqual(plan.kernel.clusterPrefixes, ['10.244.0.0/16', 'fd01::/64', 'fd02::/64']);
  });
});

describe('pools that overlap', () => {
  it('are among the plan’s problems', () => {
    const inside = objectYaml('IPPool', 'zz-inside', '{ cidr: 10.244.128.0/20 }');
    const { problems } = planOf(resourcesFromYaml(N1, POOL, inside), 'n1');
    assert.match(problems.join(), /^IPPool zz-inside: spec.cidr: "10.244.128.0\/20"/);
  });
});
