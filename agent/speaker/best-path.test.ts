// What BGPConfiguration says of choosing among paths, from its YAML to the kernel's routes, while sessions go on.
import assert from 'node:assert/strict';
import { ownRoutes } from '../fib/testing/rib-and-host.ts';
import { nodeYaml, objectYaml } from '../plan/testing/cluster-yaml.ts';
import { startNode, TestCluster } from '../testing/cluster.ts';

const ANYCAST = '10.244.9.0/26';
const inAs = (n: number, as: number) =>
  nodeYaml(`n${n}`, [`10.0.0.${n}`], `annotations: { podroute.io/ASNumber: "${as}" }`);
const peer = (name: string, spec: string) => objectYaml('BGPPeer', name, `{ ${spec} }`);

const OBJECTS = [
  ...[inAs(1, 65001), inAs(2, 65002), inAs(3, 65003)],
  objectYaml('IPPool', 'pods', '{ cidr: 10.244.0.0/16 }'),
  objectYaml(
    'BGPFilter',
    'med',
    '{ exportV4: [{ action: Accept, operations: [{ setMED: { value: 9 } }] }] }',
  ),
  peer('a', 'node: n1, peerIP: 10.0.0.3, asNumber: 65003, filters: [med]'),
  peer('b', 'node: n2, peerIP: 10.0.0.3, asNumber: 65003'),
  peer('nodes', 'node: n3, peerRange: 10.0.0.0/24, asNumber: external, import: All'),
];

/** Its own words for how to choose, beside what all of these tests have. */
const config = (words: string) =>
  objectYaml('BGPConfiguration', 'default', `{ nodeToNodeMeshEnabled: false, ${words} }`);

describe('bestPath of BGPConfiguration', () => {
  it('compares MED of all neighbouring ASes, and missing MED, as it says now', async () => {
    const store = new TestCluster();
    store.set(...OBJECTS, config('multipath: { ebgp: 1 }'));
    await using _one = await startNode(1, store, [ANYCAST]);
    await using _two = await startNode(2, store, [ANYCAST]);
    await using reader = await startNode(3, store, []);
    const routes = () => reader.source.routes({ view: 'all', longer: false, limit: 9 }).routes;
    await store.until('both paths', () => routes().length === 2);
    assert.deepEqual(
      routes().map(({ med }) => med),
      [9, undefined],
    );
    const since = () => reader.source.status().sessions.map((session) => session.since);
    const before = since();
    for (const [words, hop] of [
      ['', 1],
      [', bestPath: { alwaysCompareMED: true }', 2],
      [', bestPath: { alwaysCompareMED: true, missingMEDAsWorst: true }', 1],
      [', bestPath: { missingMEDAsWorst: true }', 1],
    ] as const) {
      store.set(...OBJECTS, config(`multipath: { ebgp: 1 }${words}`));
      await store.until(`n${hop} to be best${words}`, async () =>
        (await ownRoutes(reader.kernel)).includes(`${ANYCAST} via 10.0.0.${hop} dev eth0`),
      );
    }
    assert.deepEqual(since(), before);
    assert.equal(since().length, 2);
  });
});
