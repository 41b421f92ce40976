import assert from 'node:assert/strict';
import { formatProblem, validateTexts } from '../index.ts';

const object = (kind: string, name: string, spec: string) =>
  `apiVersion: podroute.io/v1\nkind: ${kind}\nmetadata: { name: ${name} }\nspec: ${spec}\n`;
const node = (name: string, labels: string) =>
  `apiVersion: v1\nkind: Node\nmetadata: { name: ${name}, labels: { ${labels} } }\n`;
const tor = (name: string, more = '', ip = '10.0.0.1') =>
  object('BGPPeer', name, `{ peerIP: "${ip}", asNumber: 65000${more} }`);

/** Each argument is a file: a.yaml, b.yaml, … */
const problems = (...texts: string[]) =>
  validateTexts(texts.map((text, i) => ({ file: `${'abcdef'[i]}.yaml`, text }))).problems.map(formatProblem);

describe('files checked together', () => {
  it('that fit each other have no problem', () => {
    assert.deepEqual(
      problems(tor('a'), tor('b', '', '10.0.0.2'), object('IPPool', 'p', '{ cidr: 10.1.0.0/16 }')),
      [],
    );
    assert.deepEqual(
      validateTexts([{ file: 'x', text: `${tor('a')}---\n${tor('b', '', 'fd00::1')}` }]).documents,
      2,
    );
  });

  it('one object in two files: the first stays in force', () => {
    assert.deepEqual(problems(tor('a'), tor('a', '', '10.0.0.2')), [
      'b.yaml:3: BGPPeer a: metadata.name: stands in a.yaml already, and that one is in force; delete one of them',
    ]);
  });

  it('two pools that overlap', () => {
    assert.deepEqual(
      problems(
        object('IPPool', 'b', '\n  cidr: 10.1.128.0/20'),
        object('IPPool', 'a', '{ cidr: 10.1.0.0/16 }'),
      ),
      [
        'a.yaml:5: IPPool b: spec.cidr: "10.1.128.0/20" overlaps IPPool a (10.1.0.0/16), which stays in force; this pool is not used',
      ],
    );
  });

  it('two peers for one address, in whatever way it is written', () => {
    assert.deepEqual(problems(tor('b', '', '[FD00::1]:179'), tor('a', '', 'fd00:0::1')), [
      'a.yaml:4: BGPPeer b: spec.peerIP: "[fd00::1]:179" is the neighbour of BGPPeer a too, on every node: a stays in force there, b is not used',
    ]);
    assert.deepEqual(problems(tor('b', '', 'fd00:0:0::2'), tor('a', '', 'FD00::2')), [
      'a.yaml:4: BGPPeer b: spec.peerIP: "fd00::2" is the neighbour of BGPPeer a too, on every node: a stays in force there, b is not used',
    ]);
  });

  it('two peers for the neighbour on one link', () => {
    const onLink = (name: string, device: string) =>
      object('BGPPeer', name, `{ peerInterface: ${device}, asNumber: external }`);
    assert.deepEqual(problems(onLink('b', 'eth1'), onLink('a', 'eth1'), onLink('c', 'eth2')), [
      'a.yaml:4: BGPPeer b: spec.peerInterface: "eth1" is the neighbour of BGPPeer a too, on every node: a stays in force there, b is not used',
    ]);
  });

  it('two peers for one address on the nodes that both are for; the closer one wins', () => {
    const nodes = `${node('n1', 'rack: r1')}---\n${node('n2', 'rack: r1')}---\n${node('n3', 'rack: r2')}`;
    const rack = (name: string, value: string) => tor(name, `, nodeSelector: "rack == '${value}'"`);
    assert.deepEqual(problems(nodes, rack('a', 'r1'), rack('b', 'r2')), []);
    assert.deepEqual(problems(nodes, tor('a'), rack('z', 'r1')), [
      'b.yaml:4: BGPPeer a: spec.peerIP: "10.0.0.1" is the neighbour of BGPPeer z too, on node n1 and 1 more: z stays in force there, a is not used',
    ]);
    assert.deepEqual(problems(nodes, tor('z', ', node: n3'), rack('a', 'r2')), [
      'c.yaml:4: BGPPeer a: spec.peerIP: "10.0.0.1" is the neighbour of BGPPeer z too, on node n3: z stays in force there, a is not used',
    ]);
  });

  it('without Nodes, only what is certain', () => {
    const rack = (name: string, value: string) => tor(name, `, nodeSelector: "rack == '${value}'"`);
    assert.deepEqual(
      problems(rack('a', 'r1'), rack('b', 'r2'), tor('c', ', node: n1'), tor('d', ', node: n2')),
      [],
    );
    assert.equal(problems(rack('a', 'r1'), rack('b', 'r1')).length, 1);
    assert.equal(problems(tor('a', ', node: n1'), tor('b', ', node: n1')).length, 1);
    assert.match(problems(tor('a', ', node: n1'), tor('b'))[0] ?? '', /on some nodes: a stays in force/);
  });

  it('a Secret of podroute’s own namespace or of none, and never one of another', () => {
    const secret = (where: string, key: string) =>
      `apiVersion: v1\nkind: Secret\nmetadata: { name: bgp${where} }\nstringData: { ${key}: x }\n`;
    const peer =
      'apiVersion: podroute.io/v1\nkind: BGPPeer\nmetadata: { name: a }\nspec: { peerIP: 10.0.0.1, asNumber: 1, password: { secretKeyRef: { name: bgp, key: tor } } }\n';
    const check = (...texts: string[]) =>
      validateTexts(texts.map((text, i) => ({ file: `${i}.yaml`, text }))).problems.map(formatProblem);
    const [own, other] = [secret(', namespace: kube-system', 'tor'), secret(', namespace: other', 'leaf')];
    assert.deepEqual(check(other, own, peer), []);
    assert.deepEqual(check(other, secret('', 'tor'), peer), []);
    assert.match(
      check(own, own, peer).join(),
      /^1.yaml:3: Secret kube-system\/bgp: metadata.name: stands in 0.yaml/,
    );
    assert.match(
      check(other, peer).join(),
      /"bgp" is a Secret of namespace other, and podroute takes those of/,
    );
    const long = secret('', 'tor').replace('tor: x', `tor: ${'x'.repeat(81)}`);
    assert.match(check(long, peer).join(), /has 81 octets in Secret bgp, and TCP MD5 takes 80/);
    assert.match(check(long.replace(/x+ /, '"" '), peer).join(), /is empty in Secret bgp/);
  });

  it('a BFDProfile that is nowhere, its key, and one that a lost packet is enough for', () => {
    const peer = tor('a', ', bfd: { profile: fast, required: true }');
    const config = object('BGPConfiguration', 'default', '{ nodeMeshBFD: { profile: fast } }');
    assert.deepEqual(problems(peer, config), [
      'a.yaml:4: BGPPeer a: spec.bfd.profile: "fast" is no BFDProfile: the session, which requires BFD, stays down until there is one',
      'b.yaml:4: BGPConfiguration default: spec.nodeMeshBFD.profile: "fast" is no BFDProfile: the session runs without BFD until there is one',
    ]);
    const key =
      'authentication: { type: KeyedMD5, keyID: 1, keyFrom: { secretKeyRef: { name: keys, key: bfd } } }';
    const profile = object('BFDProfile', 'fast', `{ detectMultiplier: 1, ${key} }`);
    const secret = (value: string) =>
      `apiVersion: v1\nkind: Secret\nmetadata: { name: keys }\nstringData: { bfd: "${value}" }\n`;
    const hasty =
      'c.yaml:4: warning: BFDProfile fast: spec.detectMultiplier: 1 lets one lost packet end the session; 3 is usual';
    assert.deepEqual(problems(peer, config, profile, secret('geheim')), [hasty]);
    const then =
      'until it is right, sessions with this profile run without BFD, and those that require it stay down';
    const at = 'c.yaml:4: BFDProfile fast: spec.authentication.keyFrom.secretKeyRef';
    assert.deepEqual(problems(peer, config, profile), [`${at}.name: "keys" is no Secret: ${then}`, hasty]);
    assert.deepEqual(problems(peer, config, profile, secret('geheim'.repeat(3))), [
      `${at}.key: "bfd" has 18 octets in Secret keys, and KeyedMD5 takes 16: ${then}`,
      hasty,
    ]);
    assert.match(
      problems(peer, config, profile, secret('geheim\\n'))[0] ?? '',
      /warning: BFDProfile fast: .*ends with the end of a line in Secret keys/,
    );
    const broken = object('BFDProfile', 'fast', '{ detectMultiplier: 0 }');
    assert.match(problems(peer, broken).join(), /is a BFDProfile whose document is refused/);
  });

  it('a set that a filter names and that is nowhere, with no Node beside it', () => {
    const filter = object(
      'BGPFilter',
      'f',
      "{ communitySets: [{ name: own, values: ['1:1'] }], importV4: [{ action: Accept, prefixSet: dc, communities: { any: ['set:own', 'set:x'] } }] }",
    );
    const of = 'of this filter or of the BGPConfiguration: until it is, sessions with the filter neither';
    const said = problems(filter);
    assert.deepEqual(
      said.map((line) => line.replace(/ accept nor announce anything$/, '')),
      [
        `a.yaml:4: BGPFilter f: spec.importV4[0].prefixSet: "dc" is no name from prefixSets ${of}`,
        `a.yaml:4: BGPFilter f: spec.importV4[0].communities.any[1]: "set:x" is no name from communitySets ${of}`,
      ],
    );
    const config = (name: string, sets: string) => object('BGPConfiguration', name, `{ ${sets} }`);
    const dc = 'prefixSets: [{ name: dc, prefixes: [] }]';
    const x = "communities: [{ name: x, value: '2:2' }]";
    assert.deepEqual(problems(filter, config('default', `${dc}, ${x}`)), []);
    const wrong = problems(filter, config('default', `${dc}, ${x}, asNumber: x`));
    assert.equal(wrong.length, 1, wrong.join());
  });

  it('a filter that asks for what no route and no neighbour is, as warnings', () => {
    const filter = object(
      'BGPFilter',
      'f',
      `{ prefixSets: [
        { name: six, prefixes: [{ cidr: 'fd00::/48', prefixLength: { min: 64, max: 56 } }] },
        { name: four, prefixes: [{ cidr: 10.0.0.0/8, prefixLength: { min: 33 } }] } ],
        importV4: [
        { cidr: 10.0.0.0/8, matchOperator: In, prefixLength: { min: 24, max: 16 }, action: Accept },
        { cidr: 10.0.0.0/8, matchOperator: NotIn, prefixLength: { max: 7 }, action: Accept },
        { cidr: 10.0.0.0/8, matchOperator: Equal, prefixLength: { min: 16 }, action: Accept },
        { prefixSet: six, asPath: { length: { min: 5, max: 2 } }, action: Reject },
        { nextHops: [], peers: [], action: Reject },
        { peers: [a, toor, 10.9.9.9], action: Reject },
        { cidr: 10.0.0.0/8, matchOperator: In, prefixLength: { min: 8, max: 32 }, asPath: { length: { max: 0 } }, action: Accept } ] }`,
    );
    const said = problems(filter, tor('a', ', filters: [f]'));
    assert.deepEqual(
      said.map((line) => line.replace(/^a.yaml:\d+: warning: BGPFilter f: spec[.]/, '')),
      [
        'prefixSets[0].prefixes[0].prefixLength: {"min":64,"max":56} leaves no length: min is above max; no route is in the set by it',
        'prefixSets[1].prefixes[0].prefixLength: {"min":33} leaves no length: IPv4 has none above /32; no route is in the set by it',
        'importV4[0].prefixLength: {"min":24,"max":16} leaves no length: min is above max; the rule holds for no route',
        'importV4[1].prefixLength: {"max":7} leaves no length: what is inside 10.0.0.0/8 is /8 or longer; every prefix is taken for one outside',
        'importV4[2].prefixLength: {"min":16} has no effect with matchOperator: Equal',
        'importV4[3].prefixSet: "six" has no prefix of IPv4: the rule holds for no route',
        'importV4[3].asPath.length: {"min":5,"max":2} has min above max: the rule holds for no route',
        'importV4[4].nextHops: [] is empty: the rule holds for no route',
        'importV4[4].peers: [] is empty: the rule holds for no route',
        'importV4[5].peers[1]: "toor" is neither the name of a BGPPeer nor an address',
      ],
    );
    assert.equal(problems(filter).length, said.length - 1, 'without BGPPeers their names are not known');
  });

  it('a filter, a Secret and a key that are not there', () => {
    const secret = 'apiVersion: v1\nkind: Secret\nmetadata: { name: bgp }\nstringData: { tor: x }\n';
    const filter = object('BGPFilter', 'f', '{}');
    const wants = (key: string, name = 'bgp') =>
      tor('a', `, filters: [f], password: { secretKeyRef: { name: ${name}, key: ${key} } }`);
    assert.deepEqual(problems(secret, filter, wants('tor')), []);
    const until = 'no session is opened until it has its password';
    assert.deepEqual(problems(secret, wants('leaf')), [
      'b.yaml:4: BGPPeer a: spec.filters[0]: "f" is no BGPFilter: nothing is accepted from or announced to this neighbour until there is one',
      `b.yaml:4: BGPPeer a: spec.password.secretKeyRef.key: "leaf" is no key of Secret bgp: ${until}`,
    ]);
    const wrong = object('BGPFilter', 'f', '{ importV4: x }');
    assert.match(
      problems(secret, wrong, wants('tor')).at(-1) ?? '',
      /^c.yaml:4: BGPPeer a: spec.filters\[0\]: "f" is a BGPFilter whose document is refused \(see its own problem\): nothing is/,
    );
    const unreadable = secret.replace('stringData', 'data');
    assert.match(
      problems(unreadable, filter, wants('tor')).at(-1) ?? '',
      /^c.yaml:4: BGPPeer a: spec.password.secretKeyRef.name: "bgp" is a Secret whose document is refused \(see its own problem\): no session/,
    );
    assert.deepEqual(problems(filter, wants('tor', 'other')), [
      `b.yaml:4: BGPPeer a: spec.password.secretKeyRef.name: "other" is no Secret: ${until}`,
    ]);
    const mesh = object(
      'BGPConfiguration',
      'default',
      '{ nodeMeshPassword: { secretKeyRef: { name: x, key: z } } }',
    );
    assert.match(
      problems(mesh)[0] ?? '',
      /BGPConfiguration default: spec\.nodeMeshPassword\.secretKeyRef\.name: "x"/,
    );
  });

  it('a BGPConfiguration that is neither the default nor a node’s', () => {
    assert.deepEqual(problems(object('BGPConfiguration', 'nodes', '{}')), [
      `a.yaml:3: warning: BGPConfiguration nodes: metadata.name: "nodes" has no effect: only 'default', and 'node.NAME' for one node, are in force`,
    ]);
  });

  it('a BGPConfiguration of a node that is not there, or with what is the cluster’s', () => {
    const n1 = object('BGPConfiguration', 'node.n1', '{ listenPort: 1790 }');
    assert.deepEqual(problems(n1), []);
    assert.deepEqual(problems(n1, node('n1', 'a: b')), []);
    assert.deepEqual(problems(n1, node('n2', 'a: b')), [
      'a.yaml:3: warning: BGPConfiguration node.n1: metadata.name: "node.n1" has no effect: there is no Node n1',
    ]);
    assert.match(
      problems(object('BGPConfiguration', 'node.n1', '\n  nodeToNodeMeshEnabled: false'))[0] ?? '',
      /^a.yaml:5: warning: BGPConfiguration node.n1: spec.nodeToNodeMeshEnabled: has no effect here/,
    );
  });

  it('two peers on one address with different ports are two neighbours', () => {
    assert.deepEqual(problems(tor('a', '', '10.0.0.1:1179'), tor('b', '', '10.0.0.1:1180'), tor('c')), []);
    assert.equal(problems(tor('a', '', '10.0.0.1:179'), tor('b')).length, 1);
  });

  it('an object that is wrong takes no part', () => {
    const wrong = object('IPPool', 'a', '{ cidr: 10.1.0.0/16, colour: red }');
    assert.deepEqual(problems(wrong, object('IPPool', 'b', '{ cidr: 10.1.0.0/16 }')).length, 1);
  });
});
