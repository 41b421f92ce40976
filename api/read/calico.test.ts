import assert from 'node:assert/strict';
import { formatProblem, nodeBgp, parseText, type Resource, validateTexts } from '../index.ts';

const read = (text: string) => parseText(text, 'f.yaml');
const problemsOf = (text: string) => read(text).flatMap(({ problems }) => problems.map(formatProblem));
/** The resources of a text that must have no problem. */
const good = (text: string): Resource[] => {
  assert.deepEqual(problemsOf(text), []);
  return read(text).flatMap(({ resource }) => resource ?? []);
};
const object = (kind: string, spec: string, version = 'projectcalico.org/v3') =>
  `apiVersion: ${version}\nkind: ${kind}\nmetadata: { name: x }\nspec: ${spec}\n`;

describe('a document of Calico with values that Go writes for "not set"', () => {
  it('has a peer without AS and address beside its peerSelector', () => {
    const spec = `{ asNumber: 0, node: "", nodeSelector: all(), peerIP: "", peerSelector: reflector == 'true' }`;
    const item = object('BGPPeer', spec).trim().replaceAll('\n', '\n  ');
    const [peer] = good(
      `apiVersion: projectcalico.org/v3\nkind: BGPPeerList\nmetadata: { resourceVersion: "1" }\nitems:\n- ${item}\n`,
    );
    assert.ok(peer?.kind === 'BGPPeer');
    assert.deepEqual(
      [peer.spec.asNumber, peer.spec.peerIP, peer.spec.node, peer.spec.peerSelector],
      [undefined, undefined, undefined, `reflector == 'true'`],
    );
  });

  it('has a pool with the usual blocks, for all nodes, without tunnels', () => {
    const spec = '{ cidr: 10.60.0.0/16, blockSize: 0, nodeSelector: "", ipipMode: "", vxlanMode: "" }';
    const [pool] = good(object('IPPool', spec));
    assert.ok(pool?.kind === 'IPPool');
    assert.deepEqual([pool.spec.blockSize, pool.spec.nodeSelector], [26, 'all()']);
  });

  it('has rules without condition', () => {
    const [filter] = good(
      object(
        'BGPFilter',
        '{ importV4: [ { cidr: "", matchOperator: "", source: "", interface: "", peerType: "", action: Reject } ] }',
      ),
    );
    assert.ok(filter?.kind === 'BGPFilter');
    assert.deepEqual(filter.spec.importV4, [{ action: 'Reject' }]);
  });

  it('keeps a 0 that says something, and an empty text inside a list', () => {
    const [filter] = good(
      object(
        'BGPFilter',
        '{ importV4: [ { cidr: 0.0.0.0/0, matchOperator: In, prefixLength: { min: 0, max: 0 }, action: Accept } ] }',
      ),
    );
    assert.ok(filter?.kind === 'BGPFilter');
    assert.deepEqual(filter.spec.importV4[0]?.prefixLength, { min: 0, max: 0 });
    assert.match(
      problemsOf(object('BGPPeer', '{ peerIP: 10.0.0.1, asNumber: 1, filters: [""] }')).join(),
      /filters\[0\]: "" is empty/,
    );
  });

  it('of our own group is wrong with them', () => {
    const [problem] = problemsOf(object('BGPPeer', '{ peerIP: 10.0.0.1, asNumber: 0 }', 'podroute.io/v1'));
    assert.match(problem ?? '', /spec\.asNumber: 0 is not an AS number/);
  });
});

describe('a field that has no effect', () => {
  it('never refuses a document, whatever its value', () => {
    for (const [kind, more, field, value] of [
      ['BGPConfiguration', 'serviceClusterIPs: 5', 'serviceClusterIPs', '5'],
      ['BGPConfiguration', 'ignoredInterfaces: [5]', 'ignoredInterfaces[0]', '5'],
      ['BGPConfiguration', 'logSeverityScreen: Loud', 'logSeverityScreen', '"Loud"'],
      ['IPPool', 'cidr: 10.1.0.0/16, natOutgoing: 5', 'natOutgoing', '5'],
    ] as const) {
      for (const version of ['projectcalico.org/v3', 'podroute.io/v1']) {
        const [document] = read(object(kind, `{ ${more} }`, version));
        assert.equal(document?.resource?.kind, kind, more);
        const told = document.problems.map(formatProblem).filter((line) => line.includes(`spec.${field}`));
        assert.equal(told.length, 1, document.problems.map(formatProblem).join('\n'));
        assert.ok(told[0]?.startsWith(`f.yaml:4: warning: ${kind} x: spec.${field}: ${value} `), told[0]);
        assert.match(
          told[0] ?? '',
          /is not supported yet by this version: the field has no effect( \(expected|$)/,
        );
      }
    }
  });

  it('does not hide what else is wrong', () => {
    const [document] = read(object('BGPConfiguration', '{ logSeverityScreen: Loud, asNumber: many }'));
    assert.equal(document?.resource, undefined);
    assert.match(
      document?.problems.map(formatProblem).join('\n') ?? '',
      /asNumber: "many" is not an AS number/,
    );
  });

  it('logSeverityScreen is known in any case', () => {
    for (const word of ['INFO', 'info', 'Info']) {
      const [configuration] = good(
        object('BGPConfiguration', `{ asNumber: 64700, logSeverityScreen: ${word} }`),
      );
      assert.ok(configuration?.kind === 'BGPConfiguration' && configuration.spec.asNumber === 64700);
    }
    assert.match(
      problemsOf(object('BGPConfiguration', '{ logSeverityScreen: debug }')).join(),
      /^f.yaml:4: warning: .*"debug" is not supported yet/,
    );
  });
});

describe('a document of the group in which Calico’s objects lie', () => {
  it('is read, as kubectl prints it', () => {
    const text = `apiVersion: v1
kind: List
metadata: { resourceVersion: "" }
items:
- apiVersion: crd.projectcalico.org/v1
  kind: BGPPeer
  metadata:
    annotations: { projectcalico.org/metadata: '{"creationTimestamp":null}' }
    creationTimestamp: "2024-01-01T00:00:00Z"
    generation: 1
    name: tor-a
    resourceVersion: "5"
    uid: 6a
  spec: { peerIP: 10.20.0.254, asNumber: 64800 }
- apiVersion: crd.projectcalico.org/v1
  kind: BGPConfiguration
  metadata: { name: default }
  spec: { asNumber: 64701, nodeToNodeMeshEnabled: false }
`;
    const [peer, configuration] = good(text);
    assert.ok(peer?.kind === 'BGPPeer' && configuration?.kind === 'BGPConfiguration');
    assert.deepEqual(
      [peer.apiVersion, peer.spec.multihop, configuration.spec.asNumber],
      ['podroute.io/v1', 255, 64701],
    );
  });

  it('is one object with that of the other group', () => {
    const both = object('IPPool', '{ cidr: 10.1.0.0/16 }');
    const { problems } = validateTexts([
      { file: 'a', text: both },
      { file: 'b', text: both.replace('projectcalico.org/v3', 'crd.projectcalico.org/v1') },
    ]);
    assert.match(problems.map(formatProblem).join(), /^b:3: IPPool x: metadata.name: stands in a already/);
  });
});

describe('Calico’s Node', () => {
  const node = (spec: string, more = '') =>
    `apiVersion: projectcalico.org/v3\nkind: Node\nmetadata: { name: w1, labels: { rack: a } ${more} }\nspec: ${spec}\n`;

  it('gives AS, addresses, cluster ID and labels', () => {
    const [w1] = good(
      node(
        '{ bgp: { asNumber: 64710, ipv4Address: 10.20.0.1/24, ipv6Address: "FD00::1/64", ipv4IPIPTunnelAddr: 10.9.9.9, routeReflectorClusterID: 244.0.0.1 }, orchRefs: [ { nodeName: w1, orchestrator: k8s } ] }\nstatus: { podCIDRs: [ 10.1.0.0/24 ] }',
      ),
    );
    assert.ok(w1?.kind === 'Node');
    assert.deepEqual(w1.metadata.labels, { rack: 'a' });
    assert.deepEqual(nodeBgp(w1), {
      asNumber: 64710,
      addresses: { ipv4: '10.20.0.1', ipv6: 'fd00::1' },
      clusterId: '244.0.0.1',
      podCIDRs: { ipv4: ['10.1.0.0/24'], ipv6: [] },
    });
  });

  it('without bgp has its addresses, but not the external ones', () => {
    const [w1] = good(
      node(
        '{ bgp: { asNumber: "1.10", ipv4Address: "" }, addresses: [ { address: 192.0.2.1, type: ExternalIP }, { address: 10.20.0.7/24, type: CalicoNodeIP } ] }',
      ),
    );
    assert.ok(w1?.kind === 'Node');
    assert.deepEqual([nodeBgp(w1).asNumber, nodeBgp(w1).addresses], [65546, { ipv4: '10.20.0.7' }]);
  });

  it('with a wrong field is a problem there', () => {
    assert.deepEqual(problemsOf(node('{ bgp: { asNumber: x, ipv4Address: "fd00::1/64" } }')), [
      `f.yaml:4: Node w1: spec.bgp.asNumber: "x" is not an AS number (expected 1 to 4294967295, or dotted as '1.10')`,
      'f.yaml:4: Node w1: spec.bgp.ipv4Address: "fd00::1/64" is not an IPv4 address (expected an IPv4 address, optionally with /length)',
    ]);
  });
});

describe('a document that nobody reads', () => {
  const told = (version: string, kind: string) => problemsOf(object(kind, '{ cidr: 10.1.0.0/16 }', version));

  it('is told of with the kind that was meant', () => {
    for (const [version, kind, what] of [
      ['projectcalico.org/v3', 'BgpPeer', '"BgpPeer" is not read (did you mean "BGPPeer"?)'],
      ['projectcalico.org/v3', 'ipPool', '"ipPool" is not read (did you mean "IPPool"?)'],
      ['crd.projectcalico.org/v1', 'IPPools', '"IPPools" is not read (did you mean "IPPool"?)'],
      [
        'projectcalico.org/v3beta1',
        'BGPPeer',
        '"BGPPeer" is not read in this version: "projectcalico.org/v3beta1" (expected projectcalico.org/v3 or crd.projectcalico.org/v1)',
      ],
      [
        'metallb.io/v1beta2',
        'BGPPeer',
        '"BGPPeer" is not read in this API group: "metallb.io/v1beta2" (expected kind: BGPPeer and apiVersion: podroute.io/v1 or projectcalico.org/v3, if it is meant for podroute)',
      ],
      [
        'v1',
        'nodes',
        '"nodes" is not read in this API group: "v1" (expected kind: Node and apiVersion: v1, if it is meant for podroute)',
      ],
      [
        'projectcalico.org/v3',
        'BlockAffinity',
        '"BlockAffinity" is not read: podroute keeps in IPAMBlocks of its own which node has which block, and claims them anew',
      ],
      [
        'crd.projectcalico.org/v1',
        'IPAMBlock',
        '"IPAMBlock" is not read: podroute claims blocks by itself; its IPAMBlock is one of podroute.io/v1',
      ],
      [
        'projectcalico.org/v3',
        'FelixConfiguration',
        '"FelixConfiguration" is not read: podroute reads of Calico BGPConfiguration, BGPPeer, BGPFilter, IPPool, IPReservation, Node',
      ],
    ] as const) {
      assert.deepEqual(told(version, kind), [`f.yaml:2: warning: ${kind} x: kind: ${what}`]);
    }
  });

  it('and is not about routes at all gives no warning, but is named where all is said to be good', () => {
    const { problems, unread } = validateTexts([
      { file: 'f', text: object('ConfigMap', '{}', 'v1').repeat(1) },
    ]);
    assert.deepEqual([problems, unread], [[], ['v1 ConfigMap is not a kind that podroute reads']]);
    const warned = validateTexts([{ file: 'f', text: object('BgpPeer', '{}') }]);
    assert.deepEqual(
      [warned.problems.length, warned.unread],
      [1, []],
      'what a warning names is not told twice',
    );
  });
});

describe('an IPReservation', () => {
  it('takes a plain address for itself alone', () => {
    const [reservation] = good(
      object('IPReservation', '{ reservedCIDRs: [ 10.60.0.1, "FD00::1", 10.60.1.0/24 ] }'),
    );
    assert.ok(reservation?.kind === 'IPReservation');
    assert.deepEqual(reservation.spec.reservedCIDRs, ['10.60.0.1/32', 'fd00::1/128', '10.60.1.0/24']);
    assert.match(
      problemsOf(object('IPReservation', '{ reservedCIDRs: [ 10.60.0.1/24 ] }')).join(),
      /reservedCIDRs\[0\]: "10.60.0.1\/24" /,
    );
  });
});

describe('what a document of Calico implies', () => {
  const peer = (spec: string, version?: string) => {
    const [resource] = good(object('BGPPeer', spec, version));
    assert.ok(resource?.kind === 'BGPPeer');
    return resource;
  };

  it('is what Calico does, and is told; ours has narrower defaults', () => {
    const spec = '{ peerIP: 192.0.2.1, asNumber: 65000 }';
    for (const version of ['projectcalico.org/v3', 'crd.projectcalico.org/v1']) {
      const { spec: read, implied } = peer(spec, version);
      assert.deepEqual(
        [read.import, read.multihop, read.addPaths, read.maxPrefixes, read.gracefulRestart.mode],
        ['All', 255, 'Both', { limit: 0xffffffff, warnPercent: 80, action: 'Close' }, 'Full'],
      );
      assert.deepEqual(
        implied?.map(({ field }) => field),
        ['import', 'export', 'multihop', 'addPaths', 'maxPrefixes', 'gracefulRestart'],
      );
    }
    const ours = peer(spec, 'podroute.io/v1');
    assert.deepEqual(
      [ours.implied, ours.spec.import, ours.spec.multihop, ours.spec.addPaths, ours.spec.maxPrefixes.limit],
      [undefined, 'Cluster', undefined, undefined, 10_000],
    );
  });

  it('never goes before what it says', () => {
    const { spec, implied } = peer(
      '{ peerIP: 192.0.2.1, asNumber: 65000, ttlSecurity: 1, import: None, maxPrefixes: { limit: 5 } }',
    );
    assert.deepEqual([spec.import, spec.multihop, spec.maxPrefixes.limit], ['None', undefined, 5]);
    assert.deepEqual(
      implied?.map(({ field }) => field),
      ['export', 'addPaths', 'gracefulRestart'],
    );
  });
});
