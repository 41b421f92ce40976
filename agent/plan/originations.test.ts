// What a node is warned of before its aggregates cut pods off, and the default routes that it makes.
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
