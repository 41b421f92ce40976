// What is said of choosing among paths and of sharing traffic among them, from YAML to the kernel's routes and to other
// neighbours, while sessions go on.
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
  objectYaml(
    'BGPConfiguration',
    'default',
    `{ nodeToNodeMeshEnabled: false${words === '' ? '' : `, ${words}`} }`,
  );

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

describe('the link bandwidth of routes', () => {
  /** 1e9 and 2e9 octets a second, of a form that stays in the AS. */
  const BANDWIDTHS = ['generic:0x4004:0xfde94e6e6b28', 'generic:0x4004:0xfde94eee6b28'].map((value, i) =>
    objectYaml(
      'BGPFilter',
      `lb${i + 1}`,
      `{ exportV4: [{ action: Accept, operations: [{ addCommunity: { value: "${value}" } }] }] }`,
    ),
  );
  const sender = (n: number, more: string) =>
    peer(`s${n}`, `node: n${n}, peerIP: 10.0.0.3, asNumber: 65003, filters: [lb${n}]${more}`);
  const NODES = [inAs(1, 65001), inAs(2, 65002), inAs(3, 65003), inAs(4, 65004)];
  const POOL = objectYaml('IPPool', 'pods', '{ cidr: 10.244.0.0/16 }');

  it('goes to another AS with Send, weighs the kernel’s next hops, and is added up with Sum', async () => {
    const cluster = (from: string, words: string, to: string) => [
      ...NODES,
      ...BANDWIDTHS,
      POOL,
      config(words),
      ...[1, 2].map((n) => sender(n, from)),
      peer('t', `node: n3, peerIP: 10.0.0.4, asNumber: 65004, export: All${to}`),
      peer('nodes', 'node: n3, peerRange: 10.0.0.0/30, asNumber: external, import: All, linkBandwidth: Use'),
      peer('up', 'node: n4, peerIP: 10.0.0.3, asNumber: 65003, import: All'),
    ];
    const store = new TestCluster();
    store.set(...cluster('', 'multipath: {}', ''));
    await using _one = await startNode(1, store, [ANYCAST]);
    await using _two = await startNode(2, store, [ANYCAST]);
    await using reader = await startNode(3, store, []);
    await using last = await startNode(4, store, []);
    const kernelHas = (first: string, second: string) =>
      store.until(`weights '${first}' and '${second}'`, async () =>
        (await ownRoutes(reader.kernel)).includes(
          `${ANYCAST} via 10.0.0.1 dev eth0${first} via 10.0.0.2 dev eth0${second}`,
        ),
      );
    const toldLast = () =>
      JSON.stringify(last.source.routes({ view: 'all', longer: false, limit: 9 }).routes.at(0) ?? {});
    await kernelHas('', '');
    store.set(...cluster(', linkBandwidth: Send', 'multipath: {}', ''));
    await kernelHas('', ' weight 2');
    await store.until('that of one at the last', () => toldLast().includes('transitive-lb:65001:1000000000'));
    store.set(...cluster(', linkBandwidth: Send', 'multipath: {}', ', linkBandwidth: Sum'));
    await store.until('the sum at the last', () => toldLast().includes('transitive-lb:65003:3000000000'));
    store.set(...cluster(', linkBandwidth: Send', 'multipath: { weighted: false }', ', linkBandwidth: Sum'));
    await kernelHas('', '');
    store.set(...cluster(', linkBandwidth: Send', '', ', linkBandwidth: Sum'));
    await kernelHas('', ' weight 2');
    const off = cluster(', linkBandwidth: Send', '', ', linkBandwidth: Sum').map((text) =>
      text.replace('linkBandwidth: Use', 'linkBandwidth: Ignore'),
    );
    store.set(...off);
    await kernelHas('', '');
    await store.until('none at the last', () => toldLast().includes(ANYCAST) && !toldLast().includes('-lb'));
    assert.ok(reader.source.status().sessions.every(({ flaps }) => flaps === 0));
  });
});
