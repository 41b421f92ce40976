import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { bgpConfigurationOf, formatProblem, nodeBgp, parseText, resourcesOf } from '../index.ts';
import { parseDocument } from './parse-document.ts';
import type { Resource } from '../index.ts';

const problemsOf = (text: string) =>
  parseText(text, 'f.yaml').flatMap(({ problems }) => problems.map(formatProblem));
/** The resources of a text that must have no problem. */
const resources = (text: string): Resource[] => {
  assert.deepEqual(problemsOf(text), []);
  return parseText(text, 'f.yaml').flatMap(({ resource }) => resource ?? []);
};
const names = (text: string) =>
  parseText(text, 'f.yaml').map(({ identity }) => identity && `${identity.kind} ${identity.name}`);

const pool = (name: string, more = '') =>
  `apiVersion: podroute.io/v1\nkind: IPPool\nmetadata: { name: ${name} }\nspec: { cidr: 10.1.0.0/16${more} }\n`;

const reflector = `# A route reflector: any iBGP client from 10.98.0.0/16.
apiVersion: podroute.io/v1
kind: BGPConfiguration
metadata: { name: default }
spec: { asNumber: 65000, nodeToNodeMeshEnabled: false, listenPort: 1179, routerID: 10.98.0.1 }
---
apiVersion: podroute.io/v1
kind: BGPPeer
metadata: { name: clients }
spec:
  peerRange: 10.98.0.0/16
  maxPeers: 5000
  asNumber: internal
  passive: true
  holdTime: 600s
  families: [IPv4]
  routeReflectorClient: true
  import: All
  export: All
  maxPrefixes: { limit: 5000000 }
  gracefulRestart: { mode: Disabled }
---
apiVersion: v1
kind: Node
metadata: { name: dut }
status: { addresses: [{ type: InternalIP, address: 10.98.0.1 }] }
`;

const table = `# A speaker that accepts any eBGP peer from 10.99.0.0/24 and passes everything on.
apiVersion: podroute.io/v1
kind: BGPConfiguration
metadata: { name: default }
spec: { asNumber: 65000, nodeToNodeMeshEnabled: false, listenPort: 1179, routerID: 10.99.0.1 }
---
apiVersion: podroute.io/v1
kind: BGPPeer
metadata: { name: load }
spec:
  peerRange: 10.99.0.0/24
  asNumber: external
  passive: true
  holdTime: 600s
  families: [IPv4]
  nextHopMode: Self
  import: All
  export: All
  maxPrefixes: { limit: 5000000 }
  gracefulRestart: { mode: Disabled }
---
apiVersion: v1
kind: Node
metadata: { name: dut }
status: { addresses: [{ type: InternalIP, address: 10.99.0.1 }] }
`;

describe('a text of documents', () => {
  it('of the load harness is read without problem or warning', () => {
    const [, clients] = resources(reflector);
    assert.ok(clients?.kind === 'BGPPeer');
    assert.equal(clients.spec.holdTime, 600);
    assert.equal(clients.spec.maxPrefixes.limit, 5_000_000);
    const [config, load, node] = resources(table);
    assert.ok(config?.kind === 'BGPConfiguration' && load?.kind === 'BGPPeer' && node?.kind === 'Node');
    assert.equal(load.spec.nextHopMode, 'Self');
    assert.equal(bgpConfigurationOf(resourcesOf([config])).spec.listenPort, 1179);
  });

  it('may be JSON, a list, several documents, and have empty ones', () => {
    const json = JSON.stringify(
      { apiVersion: 'podroute.io/v1', kind: 'IPPool', metadata: { name: 'j' }, spec: { cidr: 'fd00::/48' } },
      null,
      1,
    );
    assert.deepEqual(names(json), ['IPPool j']);
    assert.deepEqual(names(`---\n${pool('a')}---\n---\n# nothing\n---\n${pool('b')}`), [
      'IPPool a',
      'IPPool b',
    ]);
    assert.deepEqual(names(''), []);
    const list = `apiVersion: v1\nkind: List\nitems:\n- ${pool('a').trim().replaceAll('\n', '\n  ')}\n- ${pool('b', ', disabled: 5').trim().replaceAll('\n', '\n  ')}\n`;
    assert.deepEqual(names(list), ['IPPool a', 'IPPool b']);
    assert.deepEqual(problemsOf(list), [
      'f.yaml:11: IPPool b: spec.disabled: 5 is not a boolean (expected true or false)',
    ]);
  });

  it('keeps its good documents when one is no YAML, and says on which line that is', () => {
    const text = `${pool('a')}---\nkind: [\n---\n${pool('b')}`;
    assert.deepEqual(names(text), ['IPPool a', undefined, 'IPPool b']);
    const [problem, ...more] = problemsOf(text);
    assert.match(problem ?? '', /^f\.yaml:7:1: document 2: kind: not readable as YAML: /);
    assert.deepEqual(more, []);
    assert.equal(parseText(text, 'f.yaml')[1]?.unreadable, true);
  });

  it('says on which line a key is there twice', () => {
    const text =
      'apiVersion: podroute.io/v1\nkind: IPPool\nmetadata: { name: a }\nspec:\n  cidr: 10.1.0.0/16\n  cidr: 10.2.0.0/16\n';
    assert.deepEqual(problemsOf(text), ['f.yaml:6: IPPool a: spec.cidr: is there twice']);
    assert.equal(parseText(text, 'f.yaml')[0]?.resource, undefined);
  });

  it('that is no object, or says not what it is, is a problem', () => {
    const noObject = 'is not an object with apiVersion, kind and metadata';
    assert.deepEqual(problemsOf('just words'), [`f.yaml:1: document: ${noObject}`]);
    assert.deepEqual(problemsOf('- 1\n- 2\n'), [`f.yaml:1: document: ${noObject}`]);
    assert.deepEqual(problemsOf('kind: BGPPeer\n'), [
      'f.yaml:1: BGPPeer: apiVersion: is missing (expected podroute.io/v1, projectcalico.org/v3 or v1)',
    ]);
    assert.match(
      problemsOf('apiVersion: podroute.io/v1\n')[0] ?? '',
      /^f\.yaml:1: document: kind: is missing/,
    );
    assert.deepEqual(problemsOf('apiVersion: podroute.io/v1\nkind: IPReservation\nspec: {}\n'), [
      'f.yaml:1: IPReservation (document): metadata.name: is missing',
    ]);
    assert.match(problemsOf(pool('Upper'))[0] ?? '', /metadata\.name: "Upper" is not a valid name/);
  });

  it('of somebody else is read over, with a reason', () => {
    for (const [apiVersion, kind] of [
      ['apps/v1', 'Deployment'],
      ['v1', 'ConfigMap'],
      ['v1', 'Pod'],
      ['networking.k8s.io/v1', 'NetworkPolicy'],
    ]) {
      const [document] = parseText(
        `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: { name: x }\n`,
        'f.yaml',
      );
      assert.equal(document?.ignored, `${apiVersion} ${kind} is not a kind that podroute reads`);
      assert.deepEqual(document.problems, []);
    }
  });

  it('knows the line of any field, also of one that is not there', () => {
    const [document] = parseText(`# head\n${pool('a').replace('{ cidr', '\n  { cidr')}`, 'f.yaml');
    assert.deepEqual(
      ['kind', 'spec', 'spec.cidr', 'spec.blockSize', 'status.x', ''].map(document!.lineOf),
      [3, 5, 6, 5, 2, 2],
    );
  });

  it('knows the line of a field in every document of a file', () => {
    const texts = ['# first\n', '%YAML 1.2\n---\n', '', '---\n# comment\n\n'].map(
      (before, i) => `${before}${pool(`p${i}`)}# after\n${i === 0 ? '...\n' : i === 1 ? '---\n' : ''}`,
    );
    const text = texts.join('');
    const lines = text.split('\n');
    const documents = parseText(text, 'f.yaml');
    assert.equal(documents.length, 4);
    for (const [i, { lineOf }] of documents.entries()) {
      const name = lines.findIndex((line) => line.includes(`name: p${i} `)) + 1;
      assert.deepEqual([lineOf('metadata.name'), lineOf('spec.cidr')], [name, name + 1], `document ${i + 1}`);
    }
  });

  it('that contains itself, or nothing but brackets, is a problem', () => {
    assert.deepEqual(problemsOf('&a { apiVersion: podroute.io/v1, kind: IPPool, spec: *a }'), [
      'f.yaml:1: document: is nested deeper than 50 levels',
    ]);
    assert.match(problemsOf('['.repeat(50_000))[0] ?? '', /^f\.yaml:1: document: not readable as YAML: /);
  });

  it('gives up neither on aliases that multiply nor on a text too large', () => {
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghi'
      .split('')
      .map((key, i) => `${key}: &${key} [${Array(9).fill(`*${'abcdefghi'[i]}`).join()}]`)
      .join('\n')}\n`;
    assert.match(problemsOf(bomb)[0] ?? '', /not readable as YAML: Excessive alias count/);
    assert.match(
      problemsOf('#'.repeat(5_000_000))[0] ?? '',
      /has more than 4194304 characters, and is not read/,
    );
  });

  it('and any value at all never throws', () => {
    fc.assert(fc.property(fc.string(), (text) => void parseText(text, 'f.yaml')));
    const anything = fc.anything({ withNullPrototype: true });
    const shaped = fc.record({
      apiVersion: fc.constantFrom('podroute.io/v1', 'v1', 'projectcalico.org/v3'),
      kind: fc.constantFrom('BGPPeer', 'BGPFilter', 'IPPool', 'Node', 'Secret', 'BGPConfiguration'),
      metadata: fc.oneof(anything, fc.constant({ name: 'x' })),
      spec: anything,
    });
    fc.assert(
      fc.property(
        fc.oneof(anything, shaped),
        (value) => void parseDocument(value).problems.map(formatProblem),
      ),
    );
  });
});

describe('a document of Calico', () => {
  const read = (kind: string, spec: string) => {
    const [document] = parseText(
      `apiVersion: projectcalico.org/v3\nkind: ${kind}\nmetadata: { name: x }\nspec: ${spec}\n`,
      'f.yaml',
    );
    return document;
  };

  it('is read as ours', () => {
    const peer = read(
      'BGPPeer',
      '{ peerIP: "192.20.30.40:1790", asNumber: "1.10", keepOriginalNextHop: true, maxRestartTime: 4m, gracefulRestart: null }',
    )?.resource;
    assert.ok(peer?.kind === 'BGPPeer');
    assert.equal(peer.apiVersion, 'podroute.io/v1');
    assert.equal(peer.spec.asNumber, 65546);
    assert.equal(peer.spec.peerIP, '192.20.30.40:1790');
    assert.equal(peer.spec.nextHopMode, 'Keep');
    assert.equal(peer.spec.gracefulRestart.restartTime, 240);
  });

  it('has sessions over several hops, as BIRD opens them there, unless it limits the hops itself', () => {
    const multihop = (spec: string) => {
      const resource = read('BGPPeer', spec)?.resource;
      assert.ok(resource?.kind === 'BGPPeer');
      return resource.spec.multihop;
    };
    assert.equal(multihop('{ peerIP: 192.0.2.1, asNumber: 65000 }'), 255);
    assert.equal(multihop('{ peerIP: 192.0.2.1, asNumber: 65000, ttlSecurity: 1 }'), undefined);
  });

  it('with every usual field of a pool, a configuration and a filter gives no error', () => {
    for (const [kind, spec] of [
      [
        'IPPool',
        '{ cidr: 192.168.0.0/16, blockSize: 26, ipipMode: Never, vxlanMode: Never, natOutgoing: false, nodeSelector: all(), allowedUses: [Workload, Tunnel], disableBGPExport: false }',
      ],
      [
        'BGPConfiguration',
        '{ logSeverityScreen: Info, nodeToNodeMeshEnabled: true, nodeMeshMaxRestartTime: 120s, asNumber: 63400, serviceClusterIPs: [{ cidr: 10.96.0.0/12 }], listenPort: 178, bindMode: NodeIP, communities: [{ name: bgp-large-community, value: "63400:300:100" }], prefixAdvertisements: [{ cidr: 172.218.4.0/26, communities: [bgp-large-community, "63400:120"] }] }',
      ],
      [
        'BGPFilter',
        '{ exportV4: [{ action: Accept, matchOperator: In, cidr: 77.0.0.0/16, source: RemotePeers, interface: "*.calico" }, { action: Reject }], importV6: [{ action: Accept, cidr: "5000::/64", matchOperator: NotEqual, prefixLength: { min: 64, max: 128 }, operations: [{ addCommunity: { value: "65000:1" } }, { prependASPath: { prefix: [65000, "1.1"] } }] }] }',
      ],
      ['IPReservation', '{ reservedCIDRs: [192.168.2.3/32, 10.0.2.3/32, "cafe:f00d::/123"] }'],
    ] as const) {
      const document = read(kind, spec);
      assert.ok(document?.resource, document?.problems.map(formatProblem).join('\n'));
      assert.ok(document.problems.every(({ severity }) => severity === 'warning'));
    }
  });
});

describe('a Node', () => {
  const node = (metadata: string, rest = '') =>
    `apiVersion: v1\nkind: Node\nmetadata: { name: n1, ${metadata} }\n${rest}`;
  const facts = (text: string) => {
    const [resource] = resources(text);
    assert.ok(resource?.kind === 'Node');
    return nodeBgp(resource);
  };
  const status =
    'status: { addresses: [{ type: Hostname, address: n1 }, { type: InternalIP, address: 10.0.0.1 }, { type: InternalIP, address: "FD00::1" }, { type: InternalIP, address: 10.9.9.9 }], capacity: { cpu: 4 } }\n';

  it('has the first InternalIP of each family', () => {
    assert.deepEqual(facts(node('labels: {}', status)), {
      addresses: { ipv4: '10.0.0.1', ipv6: 'fd00::1' },
      podCIDRs: { ipv4: [], ipv6: [] },
    });
  });

  it('has what Calico’s annotations say, and ours before them', () => {
    const calico =
      'projectcalico.org/ASNumber: "65001", projectcalico.org/IPv4Address: 192.0.2.1/24, projectcalico.org/RouteReflectorClusterID: 244.0.0.1';
    assert.deepEqual(facts(node(`annotations: { ${calico} }`, status)), {
      asNumber: 65001,
      addresses: { ipv4: '192.0.2.1', ipv6: 'fd00::1' },
      clusterId: '244.0.0.1',
      podCIDRs: { ipv4: [], ipv6: [] },
    });
    assert.equal(facts(node(`annotations: { ${calico}, podroute.io/ASNumber: "1.10" }`)).asNumber, 65546);
  });

  it('has no address that no host can have: a placeholder is none, and one in an annotation is wrong', () => {
    for (const address of ['0.0.0.0', '224.0.0.9', '255.255.255.255', '::', 'ff02::1'])
      assert.deepEqual(facts(node('uid: u', status.replace('10.0.0.1', `"${address}"`))).addresses, {
        ipv4: '10.9.9.9',
        ipv6: 'fd00::1',
      });
    assert.deepEqual(problemsOf(node('annotations: { podroute.io/IPv4Address: 0.0.0.0 }')), [
      'f.yaml:3: Node n1: metadata.annotations["podroute.io/IPv4Address"]: "0.0.0.0" is not an IPv4 address (expected an IPv4 address, optionally with /length)',
    ]);
    const cluster = 'annotations: { podroute.io/RouteReflectorClusterID: 224.0.0.1 }';
    assert.equal(facts(node(cluster)).clusterId, '224.0.0.1');
  });

  it('has podCIDRs by family; the old podCIDR counts when it is alone', () => {
    const both = 'spec: { podCIDR: 10.1.0.0/24, podCIDRs: [10.1.0.0/24, "fd00:1::/64"], providerID: x }\n';
    assert.deepEqual(facts(node('uid: u', both)).podCIDRs, { ipv4: ['10.1.0.0/24'], ipv6: ['fd00:1::/64'] });
    assert.deepEqual(facts(node('uid: u', 'spec: { podCIDR: 10.1.0.0/24 }\n')).podCIDRs.ipv4, [
      '10.1.0.0/24',
    ]);
  });

  it('has no two podCIDRs that overlap: two pods would get one address', () => {
    assert.deepEqual(
      problemsOf(node('uid: u', 'spec: { podCIDRs: [10.1.0.0/24, 10.2.0.0/24, 10.1.0.128/25] }\n')),
      [
        'f.yaml:4: Node n1: spec.podCIDRs[2]: "10.1.0.128/25" overlaps 10.1.0.0/24: each gives out addresses of its own',
      ],
    );
  });

  it('with a wrong annotation is a problem, not a node with other values', () => {
    assert.deepEqual(
      problemsOf(node('annotations: { podroute.io/ASNumber: "0", projectcalico.org/IPv6Address: 10.0.0.1 }')),
      [
        `f.yaml:3: Node n1: metadata.annotations["podroute.io/ASNumber"]: "0" is not an AS number (expected 1 to 4294967295, or dotted as '1.10')`,
        'f.yaml:3: Node n1: metadata.annotations["projectcalico.org/IPv6Address"]: "10.0.0.1" is not an IPv6 address (expected an IPv6 address, optionally with /length)',
      ],
    );
  });
});

describe('a Secret', () => {
  it('gives its values decoded; stringData goes before data', () => {
    const [secret] = resources(
      'apiVersion: v1\nkind: Secret\ntype: Opaque\nmetadata: { name: bgp }\ndata: { a: Z2VoZWlt, b: eA== }\nstringData: { b: z }\n',
    );
    assert.ok(secret?.kind === 'Secret');
    assert.deepEqual(secret.values, { a: 'geheim', b: 'z' });
  });

  it('is refused as a pool where no host can have its addresses', () => {
    const cidr = (text: string) =>
      problemsOf(
        `apiVersion: podroute.io/v1\nkind: IPPool\nmetadata: { name: p }\nspec: { cidr: "${text}" }\n`,
      ).join();
    for (const text of [
      '0.0.0.0/0',
      '0.0.0.0/9',
      '127.0.0.0/8',
      '126.0.0.0/7',
      '169.254.0.0/16',
      '224.0.0.0/4',
    ]) {
      assert.match(cidr(text), /overlaps .*, which cannot be routed/, text);
    }
    for (const text of [
      '239.1.0.0/16',
      '240.0.0.0/4',
      '::/0',
      'ff00::/8',
      'ff3e::/32',
      'fe80::/64',
      '::/96',
    ]) {
      assert.match(cidr(text), /overlaps .*, which cannot be routed/, text);
    }
    assert.match(cidr('::ffff:10.0.0.0/104'), /IPv4-mapped/);
    for (const text of [
      '240.0.0.0/8',
      '255.255.0.0/17',
      '1.0.0.0/8',
      '100.64.0.0/10',
      'fd00::/48',
      '2001:db8::/64',
    ]) {
      assert.equal(cidr(text), '', text);
    }
  });
});
