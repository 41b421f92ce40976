// Aggregates of a BGPConfiguration, from its YAML to kernels and neighbours of whole agents: time simulated.
import assert from 'node:assert/strict';
import { ownRoutes } from './testing/rib-and-host.ts';
import { nodeYaml, objectYaml, planOf, resourcesFromYaml } from '../plan/testing/cluster-yaml.ts';
import { startNode, TestCluster, type TestNode } from '../testing/cluster.ts';

const POOL = objectYaml('IPPool', 'pods', '{ cidr: 10.244.0.0/16 }');
const peer = (name: string, spec: string) => objectYaml('BGPPeer', name, `{ ${spec} }`);
const config = (more: string) =>
  objectYaml('BGPConfiguration', 'default', `{ nodeToNodeMeshEnabled: false, ${more} }`);
const aggregate = (more: string) => config(`aggregates: [ { cidr: 10.244.0.0/16${more} } ]`);

/** n1 and n2 are nodes to one another; n3 is a router in another AS, with whom both speak. */
const cluster = (configuration: string, pool: string) => [
  ...[1, 2].map((n) => nodeYaml(`n${n}`, [`10.0.0.${n}`], 'labels: { rack: a }')),
  nodeYaml('n3', ['10.0.0.3'], 'annotations: { podroute.io/ASNumber: "65003" }'),
  ...[pool, configuration],
  peer('one-two', 'node: n1, peerIP: 10.0.0.2, asNumber: internal'),
  peer('two-one', 'node: n2, peerIP: 10.0.0.1, asNumber: internal'),
  peer('out', 'nodeSelector: has(rack), peerRange: 10.0.0.3/32, asNumber: 65003'),
  peer('in-one', 'node: n3, peerIP: 10.0.0.1, asNumber: 64512'),
  peer('in-two', 'node: n3, peerIP: 10.0.0.2, asNumber: 64512'),
];

const heard = (of: TestNode): string =>
  of.source
    .routes({ view: 'all', longer: false, limit: 50 })
    .routes.filter(({ isLocal }) => !isLocal)
    .map(({ prefix, peer: from }) => `${prefix} ${from}`)
    .sort()
    .join(', ');

describe('aggregates of a BGPConfiguration', () => {
  it('go out, hold their addresses, and leave the nodes their routes; live, and away with the last block', async () => {
    const store = new TestCluster();
    const set = (configuration: string, pool = POOL) => store.set(...cluster(configuration, pool));
    set(config(''));
    await using one = await startNode(1, store, ['10.244.1.0/26']);
    // This one has pods of others only, and forwards to them.
    await using two = await startNode(2, store, []);
    await using router = await startNode(3, store, []);
    const [block, whole] = ['10.244.1.0/26', '10.244.0.0/16'];
    await store.until('the block at both', () => heard(router).includes(block) && heard(two).includes(block));
    const since = [one, two].map(({ source }) => source.status().sessions.map((session) => session.since));

    set(aggregate(''));
    await store.until('the aggregate of each node', () => heard(router).split(whole).length === 3);
    assert.ok(heard(router).includes(block));
    assert.equal(heard(two), `${block} two-one`, 'a node gets no aggregate');
    const unreachable = `unreachable ${whole}`;
    await store.until('it in the kernel', async () => (await ownRoutes(two.kernel)).includes(unreachable));
    assert.ok((await ownRoutes(two.kernel)).includes(`${block} via 10.0.0.1 dev eth0`), 'pods are reached');
    const shown = two.source.routes({ view: 'fib', prefix: whole, longer: false, limit: 5 }).routes[0]!;
    assert.equal(shown.why, 'aggregate of this node: what no route inside it takes answers unreachable');
    assert.equal(shown.kernel?.state, 'installed');

    const alone = aggregate(', summaryOnly: true, communities: ["65000:1"]');
    set(alone);
    await store.until('the aggregates alone', () => heard(router) === `${whole} in-one, ${whole} in-two`);
    const [first] = router.source.routes({ view: 'all', prefix: whole, longer: false, limit: 5 }).routes;
    assert.deepEqual(first!.communities, ['65000:1']);
    assert.equal(heard(two), `${block} two-one`);

    const kernels = () => Promise.all([one, two].map(({ kernel }) => ownRoutes(kernel)));
    set(alone, objectYaml('IPPool', 'pods', '{ cidr: 10.244.0.0/16, disableBGPExport: true }'));
    await store.until('none is left', () => heard(router) === '');
    await store.until('none in the kernels', async () => {
      const [first, second] = await kernels();
      return first!.join() === `unreachable ${block}` && second!.length === 0;
    });
    set(alone);
    await store.until('they are back', () => heard(router) === `${whole} in-one, ${whole} in-two`);
    set(config(''));
    await store.until('the block alone', () => heard(router) === `${block} in-one`);
    await store.until('no hold', async () => !(await ownRoutes(two.kernel)).includes(unreachable));
    const now = [one, two].map(({ source }) => source.status().sessions.map((session) => session.since));
    assert.deepEqual(now, since, 'no session saw it');
  });

  it('are left out where they would cut off a node or a neighbour, and it is told', () => {
    const node = (name: string, address: string) => nodeYaml(name, [address]);
    const far = node('far', '10.9.0.1');
    const list = '{ cidr: 10.0.0.0/8 }, { cidr: 10.244.0.0/16, communities: [c] }, { cidr: 192.0.2.0/24 }';
    const more = 'communities: [{ name: c, value: "65000:1:1" }]';
    const resources = resourcesFromYaml(
      ...[node('n1', '172.16.0.1'), far, POOL, config(`aggregates: [${list}], ${more}`)],
      peer('tor', 'peerIP: 192.0.2.7, asNumber: 65000, multihop: 2'),
    );
    const { plan, problems } = planOf(resources, 'n1');
    assert.deepEqual(plan.speaker.aggregates, [
      {
        prefix: '10.244.0.0/16',
        summaryOnly: false,
        communities: [],
        largeCommunities: ['65000:1:1'],
        why: 'aggregate of BGPConfiguration default',
      },
    ]);
    const told = problems.filter((text) => text.includes('aggregates'));
    assert.match(
      told[0]!,
      /BGPConfiguration default: spec.aggregates\[0\].cidr: "10.0.0.0\/8" overlaps the address of Node far \(10.9.0.1\): it is not announced/,
    );
    assert.match(
      told[1]!,
      /spec.aggregates\[2\].cidr: "192.0.2.0\/24" overlaps the neighbour of BGPPeer tor \(192.0.2.7\)/,
    );
    assert.equal(told.length, 2);
  });
});
