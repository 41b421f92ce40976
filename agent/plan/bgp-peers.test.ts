// Tables of BGPPeers in and sessions out: targets, fields, selectors, conflicts, fail closed, differences.
import assert from 'node:assert/strict';
import { formatProblem, type Kind, nothingRefused } from '#api';
import { makePlan } from './plan.ts';
import { nodeYaml, objectYaml, planOf, type PlannedTest, resourcesFromYaml } from './testing/cluster-yaml.ts';

const N1 = nodeYaml('n1', ['10.0.1.1', 'fd00:1::1'], 'labels: { rack: r1 }');
const N2 = nodeYaml('n2', ['10.0.2.1', 'fd00:2::1'], 'labels: { rack: r2 }');
const NO_MESH = objectYaml('BGPConfiguration', 'default', '{ nodeToNodeMeshEnabled: false }');
const POOL = objectYaml('IPPool', 'pods', '{ cidr: 10.244.0.0/16 }');

function plan(spec: string, more: readonly string[] = [], node = 'n1'): PlannedTest {
  return planOf(resourcesFromYaml(N1, N2, NO_MESH, POOL, objectYaml('BGPPeer', 'tor', spec), ...more), node);
}

function config(spec: string, more: readonly string[] = []) {
  return plan(spec, more).peer('tor').config;
}

describe('a BGPPeer with an address', () => {
  it('is a direct eBGP session from the node’s address, with safe defaults', () => {
    const tor = config('{ peerIP: 10.0.1.0, asNumber: 65000 }');
    assert.deepEqual(tor.remote, { kind: 'address', address: '10.0.1.0', port: 179 });
    assert.equal(tor.description, 'BGPPeer tor');
    assert.equal(tor.remoteAs, 65000);
    assert.equal(tor.localAddress, '10.0.1.1');
    assert.deepEqual(tor.ttl, { kind: 'direct' });
    assert.deepEqual(tor.families, ['ipv4']);
    assert.equal(tor.holdTimeSeconds, 90);
    assert.equal(tor.connectRetrySeconds, 5);
    assert.equal(tor.enforceFirstAs, true);
    assert.equal(tor.md5Key, undefined);
    assert.equal(tor.shutdown, undefined);
    assert.deepEqual(tor.maxPrefixes, { limit: 10_000, warnPercent: 80 });
    assert.deepEqual(tor.gracefulRestart, { mode: 'full', restartSeconds: 120, longLivedSeconds: 0 });
  });

  const fields: [string, string, (tor: ReturnType<typeof config>) => unknown, unknown][] = [
    [
      'a port',
      'peerIP: "10.0.1.0:1179"',
      (t) => t.remote,
      { kind: 'address', address: '10.0.1.0', port: 1179 },
    ],
    [
      'a port of IPv6',
      'peerIP: "[fd00:1::2]:1179"',
      (t) => t.remote,
      { kind: 'address', address: 'fd00:1::2', port: 1179 },
    ],
    [
      'the port of a node',
      'peerIP: 10.0.2.1',
      (t) => t.remote,
      { kind: 'address', address: '10.0.2.1', port: 179 },
    ],
    ['IPv6', 'peerIP: "fd00:1::2"', (t) => [t.families, t.localAddress], [['ipv6'], 'fd00:1::1']],
    [
      'both families',
      'peerIP: 10.0.1.0, families: [IPv4, IPv6]',
      (t) => [t.families, t.nextHopSelf.ipv6],
      [['ipv4', 'ipv6'], 'fd00:1::1'],
    ],
    ['a source of its own', 'peerIP: 10.0.1.0, sourceAddress: None', (t) => t.localAddress, undefined],
    [
      'timers',
      'peerIP: 10.0.1.0, holdTime: 30s, connectRetryTime: 2s',
      (t) => [t.holdTimeSeconds, t.connectRetrySeconds],
      [30, 2],
    ],
    ['keepalives', 'peerIP: 10.0.1.0, keepaliveTime: 7s', (t) => t.keepaliveTimeSeconds, 7],
    ['GTSM', 'peerIP: 10.0.1.0, ttlSecurity: 1', (t) => t.ttl, { kind: 'gtsm', hops: 1 }],
    ['many hops', 'peerIP: 10.0.1.0, multihop: 4', (t) => t.ttl, { kind: 'multihop', hops: 4 }],
    ['an unchanged next hop', 'peerIP: 10.0.1.0, nextHopMode: Keep', (t) => t.nextHop, 'keep'],
    ['own ASes in paths', 'peerIP: 10.0.1.0, numAllowedLocalASNumbers: 2', (t) => t.allowedLocalAs, 2],
    ['another AS of ours', 'peerIP: 10.0.1.0, localASNumber: 65009', (t) => t.localAs, 65009],
    [
      'a limit',
      'peerIP: 10.0.1.0, maxPrefixes: { limit: 5, restartTime: 60s }',
      (t) => t.maxPrefixes,
      { limit: 5, warnPercent: 80, restartSeconds: 60 },
    ],
    ['passivity', 'peerIP: 10.0.1.0, passive: true', (t) => t.passive, true],
    [
      'a role',
      'peerIP: 10.0.1.0, role: RouteServerClient',
      (t) => [t.role, t.enforceFirstAs],
      ['rs-client', false],
    ],
    ['one family twice', 'peerIP: 10.0.1.0, families: [IPv6, IPv6]', (t) => t.families, ['ipv6']],
    ['add-path', 'peerIP: 10.0.1.0, addPaths: Both', (t) => t.addPaths, 'both'],
  ];
  for (const [name, spec, read, expected] of fields) {
    it(`can have ${name}`, () => assert.deepEqual(read(config(`{ ${spec}, asNumber: 65000 }`)), expected));
  }

  const idle: [string, RegExp][] = [
    [
      'asNumber: 64512, role: Peer',
      /spec.role: "Peer" has no effect: the neighbour is in our own AS \(iBGP\)/,
    ],
    ['asNumber: internal, removePrivateAS: true', /spec.removePrivateAS: true has no effect/],
    ['asNumber: internal, asOverride: true', /spec.asOverride: true has no effect/],
    [
      'asNumber: 65000, defaultOriginate: Both',
      /spec.defaultOriginate: "Both" has no effect for IPv6: the session carries IPv4 only/,
    ],
    [
      'asNumber: 65000, gracefulRestart: { mode: Helper, longLivedTime: 1h }',
      /spec.gracefulRestart.longLivedTime: "3600s" has no effect with mode: Helper/,
    ],
    [
      'asNumber: 65000, routeReflectorClient: true',
      /spec.routeReflectorClient: true has no effect: .*another AS/,
    ],
    [
      'asNumber: 65000, localASNumber: 64512, localASMode: PrependBoth',
      /spec.localASMode: "PrependBoth" has no effect: 64512 is the node's own AS/,
    ],
    [
      'asNumber: internal, localASNumber: 65000, localASMode: Prepend',
      /localASMode: "Prepend" has no effect: .*iBGP/,
    ],
    [
      'asNumber: 65000, holdTime: 0, keepaliveTime: 10s',
      /spec.keepaliveTime: 10 has no effect: the hold time is off/,
    ],
    ['asNumber: 65000, addPathLimit: 2', /spec.addPathLimit: 2 has no effect without addPaths/],
    [
      'asNumber: 65000, maxRestartTime: 60s, gracefulRestart: { mode: Disabled }',
      /spec.gracefulRestart.mode: "Disabled" leaves the restart time of 60 s without effect: nobody keeps this node's routes/,
    ],
  ];
  for (const [fields, expected] of idle) {
    it(`says that it asks for what its session has not: ${fields}`, () => {
      const { problems, peer } = plan(`{ peerIP: 10.9.9.9, ${fields} }`);
      assert.equal(problems.length, 1);
      assert.match(problems[0]!, expected);
      assert.equal(peer('tor').config.role, undefined);
      assert.equal(peer('tor').config.localAsRules, undefined);
    });
  }

  it('on a link is reached through it, from the link’s own address', () => {
    const tor = config('{ peerIP: "fe80::1%eth0", asNumber: external, families: [IPv4, IPv6] }');
    assert.deepEqual(tor.remote, { kind: 'address', address: 'fe80::1', port: 179, device: 'eth0' });
    assert.equal(tor.localAddress, undefined);
    assert.equal(tor.extendedNextHop, true);
    assert.equal(tor.nextHopSelf.ipv6, 'fd00:1::1');
  });

  it('in the own AS may be any number of hops away', () => {
    assert.deepEqual(config('{ peerIP: 10.9.9.9, asNumber: internal }').ttl, { kind: 'multihop', hops: 255 });
    assert.deepEqual(config('{ peerIP: 10.9.9.9, asNumber: 64512 }').ttl, { kind: 'multihop', hops: 255 });
  });

  it('of Calico may be any number of hops away too', () => {
    const calico =
      'apiVersion: projectcalico.org/v3\nkind: BGPPeer\nmetadata: { name: far }\nspec: { peerIP: 192.0.2.1, asNumber: 65000 }';
    const { peer } = planOf(resourcesFromYaml(N1, NO_MESH, calico), 'n1');
    assert.deepEqual(peer('far').config.ttl, { kind: 'multihop', hops: 255 });
  });

  it('that is this node’s own is left out', () => {
    assert.deepEqual(plan('{ peerIP: 10.0.1.1, asNumber: internal }').ids, []);
    assert.deepEqual(plan('{ peerIP: 10.0.1.1, asNumber: internal }', [], 'n2').ids, ['tor']);
  });
});

describe('a BGPPeer with a range', () => {
  it('is passive and bounded', () => {
    const tor = config('{ peerRange: 10.99.0.0/24, maxPeers: 7, asNumber: external }');
    assert.deepEqual(tor.remote, { kind: 'range', prefix: '10.99.0.0/24', maxPeers: 7 });
    assert.equal(tor.passive, true);
    assert.equal(tor.remoteAs, 'external');
  });
});

describe('which nodes have a BGPPeer', () => {
  const spec = 'peerIP: 192.0.2.1, asNumber: 65000';
  const rows: [string, string, string[], string[]][] = [
    ['every node', `{ ${spec} }`, ['tor'], ['tor']],
    ['one', `{ node: n2, ${spec} }`, [], ['tor']],
    ['those of a rack', `{ nodeSelector: "rack == 'r1'", ${spec} }`, ['tor'], []],
  ];
  for (const [name, text, onN1, onN2] of rows) {
    it(name, () => {
      assert.deepEqual(plan(text).ids, onN1);
      assert.deepEqual(plan(text, [], 'n2').ids, onN2);
    });
  }

  it('a node that does not exist is a warning', () => {
    assert.match(plan(`{ node: n7, ${spec} }`).problems.join(), /spec.node: "n7" is no Node of the cluster/);
    const resources = resourcesFromYaml(
      nodeYaml('n1', ['10.0.0.1']),
      objectYaml('BGPPeer', 'tor', `{ node: n7, ${spec} }`),
    );
    const refused = { ...nothingRefused, ownOnly: new Set(['Node'] as const) };
    assert.deepEqual(
      planOf(resources, 'n1', { refused }).problems,
      [],
      'nobody knows where others are not followed',
    );
  });
});

describe('a BGPPeer with a peerSelector', () => {
  const spec = `{ nodeSelector: "rack == 'r1'", peerSelector: "rack == 'r2'" }`;

  it('has a session a family on both sides', () => {
    assert.deepEqual(plan(spec).ids, ['tor/n2/ipv4', 'tor/n2/ipv6']);
    assert.deepEqual(plan(spec, [], 'n2').ids, ['tor/n1/ipv4', 'tor/n1/ipv6']);
    const remoteAs = nodeYaml(
      'n2',
      ['10.0.2.1'],
      'labels: { rack: r2 }, annotations: { podroute.io/ASNumber: "65002" }',
    );
    assert.equal(plan(spec, [remoteAs]).peer('tor/n2/ipv4').config.remoteAs, 65002);
  });

  it('leaves the other side to the operator with reversePeering: Manual', () => {
    const manual = `{ nodeSelector: "rack == 'r1'", peerSelector: "rack == 'r2'", reversePeering: Manual }`;
    assert.deepEqual(plan(manual, [], 'n2').ids, []);
  });

  it('gives the other side the counterpart of what is not the same at both ends', () => {
    const far = nodeYaml(
      'n2',
      ['10.0.2.1'],
      'labels: { rack: r2 }, annotations: { podroute.io/ASNumber: "65002" }',
    );
    const uneven = `{ nodeSelector: "rack == 'r1'", peerSelector: "rack == 'r2'", role: Provider, addPaths: Send, passive: true, localASNumber: 65001, defaultOriginate: Both }`;
    const ours = plan(uneven, [far]);
    const near = ours.peer('tor/n2/ipv4').config;
    assert.deepEqual(
      [near.role, near.addPaths, near.passive, near.localAs, near.remoteAs, near.defaultOriginate],
      ['provider', 'send', true, 65001, 65002, ['ipv4', 'ipv6']],
    );
    assert.deepEqual(ours.problems, []);
    const other = plan(uneven, [far], 'n2').peer('tor/n1/ipv4').config;
    assert.deepEqual(
      [other.role, other.addPaths, other.passive, other.localAs, other.remoteAs, other.defaultOriginate],
      ['customer', 'receive', false, undefined, 65001, undefined],
    );
  });

  it('goes before the mesh’s session with the same node, without a word', () => {
    const mesh = objectYaml('BGPConfiguration', 'default', '{ nodeToNodeMeshEnabled: true }');
    const { ids, problems } = plan(`{ peerSelector: "rack == 'r2'", holdTime: 9s, families: [IPv4] }`, [
      mesh,
    ]);
    assert.deepEqual(ids, ['tor/n2/ipv4', 'tor/n2/ipv6']);
    assert.deepEqual(problems, []);
  });
});

describe('a BGPPeer whose address differs from node to node', () => {
  it('is found in an annotation', () => {
    const annotated = nodeYaml('n1', ['10.0.1.1'], 'annotations: { example.org/tor: 10.0.1.0 }');
    const spec = '{ peerFrom: { nodeAnnotation: example.org/tor }, asNumber: 65000 }';
    const found = plan(spec, [annotated]);
    assert.deepEqual(found.peer('tor').config.remote, { kind: 'address', address: '10.0.1.0', port: 179 });
    assert.match(plan(spec, [], 'n2').problems.join(), /finds no neighbour: Node n2 has no such annotation/);
  });

  it('is the default gateway', () => {
    const spec = '{ peerFrom: { defaultGateway: ipv6 }, asNumber: external }';
    const resources = resourcesFromYaml(N1, NO_MESH, objectYaml('BGPPeer', 'tor', spec));
    const gateway = { address: 'fe80::9', device: 'eth1' };
    const { peer } = planOf(resources, 'n1', { defaultGateways: { ipv6: gateway } });
    assert.deepEqual(peer('tor').config.remote, { kind: 'address', port: 179, ...gateway });
    const without = (gateways?: object) => planOf(resources, 'n1', gateways).problems.join();
    assert.match(without({ defaultGateways: {} }), /no default route with a gateway/);
    assert.match(without(), /default routes of the node are not known here/);
  });
});

describe('two BGPPeers for one address', () => {
  const first = '{ peerIP: 10.0.1.0, asNumber: 65000 }';
  const second = objectYaml('BGPPeer', 'aaa', '{ peerIP: 10.0.1.0, asNumber: 65009 }');
  const expected =
    /BGPPeer \w+: spec.peerIP: "10.0.1.0" is the neighbour of BGPPeer \w+ \(session \w+\) already/;

  it('leave one in force and make the other a problem', () => {
    const { ids, problems } = plan(first, [second]);
    assert.deepEqual(ids, ['aaa']);
    assert.match(problems.join(), expected);
  });

  it('leave that in force which was', () => {
    const resources = resourcesFromYaml(N1, NO_MESH, objectYaml('BGPPeer', 'tor', first), second);
    assert.deepEqual(planOf(resources, 'n1', { inForce: new Set(['tor']) }).ids, ['tor']);
  });

  it('prefer the more specific', () => {
    assert.deepEqual(plan('{ node: n1, peerIP: 10.0.1.0, asNumber: 65000 }', [second]).ids, ['tor']);
  });
});

describe('failing closed', () => {
  it('a filter that is not there lets nothing in or out', () => {
    const { peer, problems } = plan(
      '{ peerIP: 10.0.1.0, asNumber: 65000, filters: [nope], import: All, export: All }',
    );
    for (const policy of [peer('tor').config.import, peer('tor').config.export]) {
      const why = 'spec.filters[0] of BGPPeer tor: nope is no BGPFilter';
      assert.deepEqual(policy, {
        name: `reject all: ${why}`,
        terms: [{ match: {}, action: { verdict: 'reject' }, why }],
        otherwise: 'reject',
      });
    }
    assert.match(problems.join(), /BGPPeer tor: spec.filters\[0\]: "nope" is no BGPFilter/);
  });

  it('so does one whose document is refused, and it is told which of the two it is', () => {
    const resources = resourcesFromYaml(
      nodeYaml('n1', ['10.0.0.1']),
      objectYaml('BGPPeer', 'tor', '{ peerIP: 10.0.1.0, asNumber: 65000, filters: [wrong], import: All }'),
    );
    const refused = {
      objects: new Set(['BGPFilter wrong']),
      files: new Set<string>(),
      kinds: new Set<Kind>(),
    };
    const { plan: made, problems } = makePlan({ resources, refused, nodeName: 'n1', localBlocks: [] });
    assert.deepEqual(made?.peers[0]?.config.import.terms[0]?.match, {});
    assert.match(
      problems.map(formatProblem).join(),
      /"wrong" is a BGPFilter whose document is refused \(see its own problem\): until/,
    );
  });
});

describe('policies', () => {
  const tor = '{ peerIP: 10.0.1.0, asNumber: 65000 }';

  it('by default let in what is inside pools, and out what is our own', () => {
    const { import: imported, export: exported } = config(tor);
    assert.deepEqual(
      imported.terms.map((term) => [term.match, term.action.verdict]),
      [[{ family: 'ipv4', prefixes: [{ prefix: '10.244.0.0/16', operator: 'in' }] }, 'accept']],
    );
    assert.equal(imported.otherwise, 'reject');
    assert.deepEqual(
      exported.terms.map((term) => [term.match, term.action.verdict]),
      [[{ source: 'local' }, 'accept']],
    );
    assert.equal(exported.otherwise, 'reject');
  });

  it('All and None are just that', () => {
    const all = config('{ peerIP: 10.0.1.0, asNumber: 65000, import: All, export: None }');
    assert.deepEqual([all.import.terms, all.import.otherwise], [[], 'accept']);
    assert.deepEqual([all.export.terms, all.export.otherwise], [[], 'reject']);
  });

  it('ask filters first, in order, with the rules of their family and of the session’s type', () => {
    const filter = objectYaml(
      'BGPFilter',
      'f',
      `{ importV4: [{ cidr: 0.0.0.0/0, matchOperator: Equal, action: Accept }, { action: Reject, peerType: iBGP }],
         importV6: [{ cidr: "fd00::/8", matchOperator: NotIn, prefixLength: { min: 48, max: 64 }, action: Reject }],
         exportV4: [{ source: RemotePeers, communities: { values: ["65000:1"] }, asPathPrefix: [65000, 65001], action: Accept,
           operations: [{ addCommunity: { value: "64512:5" } }, { prependASPath: { prefix: [64512, 64512] } }] }] }`,
    );
    const { import: imported, export: exported } = config(
      '{ peerIP: 10.0.1.0, asNumber: 65000, filters: [f] }',
      [filter],
    );
    assert.deepEqual(imported.terms.slice(0, 2), [
      {
        match: { family: 'ipv4', prefixes: [{ prefix: '0.0.0.0/0', operator: 'equal' }] },
        action: { verdict: 'accept' },
        why: 'BGPFilter f, importV4 rule 1',
      },
      {
        match: {
          family: 'ipv6',
          prefixes: [{ prefix: 'fd00::/8', operator: 'notIn', minLength: 48, maxLength: 64 }],
        },
        action: { verdict: 'reject' },
        why: 'BGPFilter f, importV6 rule 1',
      },
    ]);
    assert.deepEqual(exported.terms[0], {
      match: { family: 'ipv4', source: 'remote', communities: ['65000:1'], asPathPrefix: [65000, 65001] },
      action: { verdict: 'accept', set: { addCommunities: ['64512:5'], prependAs: [64512, 64512] } },
      why: 'BGPFilter f, exportV4 rule 1',
    });
  });

  it('pass the interface of a rule on', () => {
    const filter = objectYaml('BGPFilter', 'f', '{ exportV4: [{ interface: "*.calico", action: Reject }] }');
    const { export: exported } = config('{ peerIP: 10.0.1.0, asNumber: 65000, filters: [f] }', [filter]);
    assert.deepEqual(exported.terms[0]?.match, { family: 'ipv4', interface: '*.calico' });
  });
});
