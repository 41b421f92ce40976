// What a node is warned of before its aggregates cut pods off, the default routes that it makes, and names for communities.
import assert from 'node:assert/strict';
import { nodeYaml, objectYaml, planOf, resourcesFromYaml } from './testing/cluster-yaml.ts';

describe('an aggregate with summaryOnly', () => {
  const TOR = objectYaml('BGPPeer', 'tor', '{ peerIP: 10.20.0.254, asNumber: 64800 }');
  const TWO = [nodeYaml('n1', ['10.20.0.1']), nodeYaml('n2', ['10.20.0.2'])];
  const problems = (nodes: readonly string[], spec: string, ...peers: string[]) => {
    const pool = objectYaml('IPPool', 'pods', '{ cidr: 10.60.0.0/16 }');
    const configuration = objectYaml('BGPConfiguration', 'default', `{ ${spec} }`);
    return planOf(resourcesFromYaml(...nodes, pool, configuration, ...peers), 'n1').problems;
  };
  const summary = (isOnly: boolean) => `aggregates: [{ cidr: 10.60.0.0/16, summaryOnly: ${isOnly} }]`;
  const ALONE = 'nodeToNodeMeshEnabled: false';

  it('is warned of where nodes hear of one another by a router alone', () => {
    const [warning = '', ...more] = problems(TWO, `${ALONE}, ${summary(true)}`, TOR);
    assert.match(
      warning,
      /BGPConfiguration default: spec\.aggregates\[0\]\.summaryOnly: true .*pods of one node do not reach those of others; .*nodeToNodeMeshEnabled/,
    );
    assert.deepEqual(more, []);
  });

  it('is not where they speak with one another, there is one node, or the prefixes inside go out as well', () => {
    assert.deepEqual(problems(TWO, summary(true), TOR), []);
    const n2 = objectYaml('BGPPeer', 'n2', '{ peerIP: 10.20.0.2, asNumber: 64512 }');
    assert.deepEqual(problems(TWO, `${ALONE}, ${summary(true)}`, TOR, n2), []);
    assert.deepEqual(problems(TWO.slice(0, 1), `${ALONE}, ${summary(true)}`, TOR), []);
    assert.deepEqual(problems(TWO, `${ALONE}, ${summary(false)}`, TOR), []);
  });
});

describe('the default route of defaultOriginate', () => {
  it('is of the families that neighbours ask for, and marked while its node is about to go (RFC 8326)', () => {
    const peers = ['IPv4', 'None'].map((value, i) =>
      objectYaml(
        'BGPPeer',
        `p${i}`,
        `{ peerIP: 10.20.0.${i + 9}, asNumber: 64800, defaultOriginate: ${value} }`,
      ),
    );
    for (const [annotations, communities, localPref] of [
      ['', [], undefined],
      ['annotations: { podroute.io/GracefulShutdown: "true" }', ['65535:0'], 0],
    ] as const) {
      const node = nodeYaml('n1', ['10.20.0.1'], annotations);
      const [route, ...more] = planOf(resourcesFromYaml(node, ...peers), 'n1').plan.originations;
      assert.deepEqual(more, []);
      assert.deepEqual(
        [route?.prefix, route?.onRequest, route?.communities, route?.localPref],
        ['0.0.0.0/0', true, communities, localPref],
      );
    }
  });
});

describe('names for communities', () => {
  const N1 = nodeYaml('n1', ['10.0.0.1']);

  it('are the cluster’s beside those of the BGPConfiguration of the node', () => {
    const named =
      '{ communities: [{ name: pods, value: "65000:1" }, { name: rack, value: "65000:2" }], prefixAdvertisements: [{ cidr: 10.244.0.0/16, communities: [pods, rack] }], aggregates: [{ cidr: 10.244.0.0/16, communities: [pods] }] }';
    const resources = resourcesFromYaml(
      N1,
      objectYaml('BGPConfiguration', 'default', named),
      objectYaml('BGPConfiguration', 'node.n1', '{ communities: [{ name: rack, value: "65000:9" }] }'),
      objectYaml('BGPFilter', 'f', '{ exportV4: [{ communities: { any: ["set:pods"] }, action: Accept }] }'),
      objectYaml('BGPPeer', 'tor', '{ peerIP: 10.0.0.254, asNumber: 65000, filters: [f] }'),
    );
    const { plan, problems } = planOf(resources, 'n1', { localBlocks: [{ cidr: '10.244.1.0/24' }] });
    const wanted = [['65000:1', '65000:9']];
    assert.deepEqual(
      plan.originations.map(({ communities }) => communities),
      wanted,
    );
    assert.deepEqual(
      plan.speaker.aggregates?.map(({ communities }) => communities),
      wanted,
    );
    assert.deepEqual(problems, []);
  });

  it('are told where two are the same, and which one counts', () => {
    const twice = (...names: string[]) =>
      `communities: [${names.map((name, i) => `{ name: ${name}, value: "65000:${i}" }`).join(', ')}]`;
    const sets = 'communitySets: [{ name: b, values: [] }]';
    const resources = resourcesFromYaml(
      N1,
      objectYaml('BGPConfiguration', 'default', `{ ${twice('a', 'b', 'a')}, ${sets} }`),
      objectYaml('BGPConfiguration', 'node.n1', `{ ${twice('a', 'a')} }`),
    );
    const names = 'spec.communities';
    assert.deepEqual(planOf(resources, 'n1').problems, [
      `warning: BGPConfiguration node.n1: ${names}[1].name: "a" has no effect: it is that of communities[0] too`,
      `warning: BGPConfiguration default: ${names}[1].name: "b" is that of communitySets[0] too: 'set:b' in a filter means that one`,
      `warning: BGPConfiguration default: ${names}[2].name: "a" has no effect: it is that of communities[0] too`,
    ]);
  });
});
