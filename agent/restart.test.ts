// An agent that stops, crashes or leaves, and starts again on what its kernel still has (RFC 4724): what the others do with
// its routes meanwhile, and it with theirs.
import assert from 'node:assert/strict';
import { FAMILIES } from '#ip';
import type { Kernel, Request } from '#linux';
import { ownRoutes } from './fib/testing/rib-and-host.ts';
import { nodeYaml, objectYaml } from './plan/testing/cluster-yaml.ts';
import { startNode, TestCluster, type TestNode } from './testing/cluster.ts';

const POOLS = [
  objectYaml('IPPool', 'pods', '{ cidr: 10.244.0.0/16 }'),
  objectYaml('IPPool', 'pods6', '{ cidr: "fd00:244::/48", blockSize: 122 }'),
];
const node = (n: number, more = '') => nodeYaml(`n${n}`, [`10.0.0.${n}`], more);
const ALL = [node(1), node(2), node(3), ...POOLS];

const CORDONED = node(3).replace('podCIDRs: []', 'unschedulable: true');

const block = (n: number) => `10.244.${n}.0/26 via 10.0.0.${n} dev eth0`;

/** What a start on the same kernel finds. */
async function leftIn(kernel: Kernel): Promise<Request[]> {
  const routes = (
    await Promise.all(FAMILIES.map((family) => kernel.routes({ family, protocol: 179 })))
  ).flat();
  return routes.map(({ destination, type, metric, nextHops }) => ({
    type: 'addRoute',
    route: {
      destination,
      type,
      metric,
      nextHops: nextHops.map(({ gateway, device }) => ({ gateway: gateway!, device: device! })),
    },
  }));
}

/** Counts what becomes of routes there. */
function changesOf({ kernel }: TestNode): string[] {
  const changes: string[] = [];
  kernel.watch(
    (event) => {
      if (event.type === 'route') changes.push(`${event.change} ${event.route.destination}`);
    },
    { kinds: ['route'], skipOwn: false },
  );
  return changes;
}

async function mesh(store: TestCluster): Promise<{ one: TestNode; two: TestNode; three: TestNode }> {
  store.set(...ALL);
  const [one, two, three] = [await startNode(1, store), await startNode(2, store), await startNode(3, store)];
  await store.until('everybody to know everybody', async () => {
    const known = await Promise.all([one, two, three].map(({ kernel }) => ownRoutes(kernel)));
    return known.every((routes) => routes.length === 3);
  });
  // Until then a restart says that nothing was kept.
  await store.simulation.run(5_000);
  return { one, two, three };
}

describe('an agent that starts again', () => {
  for (const how of ['was stopped', 'was killed'] as const) {
    it(`and ${how}: the others change no route, and neither does it`, async () => {
      const store = new TestCluster();
      const { one, two, three } = await mesh(store);
      await using _one = one;
      await using _two = two;
      const left = await leftIn(three.kernel);
      const before = await ownRoutes(three.kernel);
      const changes = changesOf(one);
      if (how === 'was stopped') await three[Symbol.asyncDispose]();
      else three.crash();
      await store.simulation.run(20_000);
      assert.deepEqual((await ownRoutes(one.kernel)).includes(block(3)), true);
      await using again = await startNode(3, store, undefined, store, left);
      const its = changesOf(again);
      await store.until(
        'all of them to have heard one another',
        () => again.source.status().fib!.isConverged,
      );
      await store.simulation.run(130_000);
      assert.deepEqual(changes, []);
      assert.deepEqual(its, []);
      assert.deepEqual(await ownRoutes(again.kernel), before);
      if (how === 'was killed') await three[Symbol.asyncDispose]();
    });
  }

  it('with an empty kernel, as after a reboot, says so: the others drop what they kept at once', async () => {
    const store = new TestCluster();
    const { one, two, three } = await mesh(store);
    await using _one = one;
    await using _two = two;
    const changes = changesOf(one);
    three.crash();
    await using _again = await startNode(3, store, []);
    await store.until('its block to be gone', () =>
      changes.some((change) => change.includes('10.244.3.0/26')),
    );
    await three[Symbol.asyncDispose]();
  });

  it('not within its restart time is gone then', async () => {
    const store = new TestCluster();
    const { one, two, three } = await mesh(store);
    await using _one = one;
    await using _two = two;
    await three[Symbol.asyncDispose]();
    await store.simulation.run(115_000);
    assert.ok((await ownRoutes(one.kernel)).includes(block(3)));
    await store.simulation.run(10_000);
    assert.ok(!(await ownRoutes(one.kernel)).includes(block(3)));
  });
});

describe('a reflector without kernel routes that starts again', () => {
  const reflected = objectYaml(
    'BGPConfiguration',
    'default',
    '{ routeReflectors: { nodeSelector: has(rr) } }',
  );
  const docs = [node(1), node(2), node(3, 'labels: { rr: "1" }'), ...POOLS, reflected];
  const reflector = (store: TestCluster, hasRunBefore: boolean) =>
    startNode(3, store, [], store, [], { hasRunBefore });

  for (const hasRunBefore of [true, false]) {
    it(`${hasRunBefore ? 'loses nothing of what it reflects' : 'loses it when nobody knows that it ran before'}`, async () => {
      const store = new TestCluster();
      store.set(...docs);
      await using one = await startNode(1, store);
      await using _two = await startNode(2, store);
      store.network.latencyMs = 20;
      const three = await reflector(store, false);
      const known = async () => (await ownRoutes(one.kernel)).includes(block(2));
      await store.until('the block of n2', known);
      await store.simulation.run(5_000);
      const changes = changesOf(one);
      three.crash();
      await store.simulation.run(3_000);
      const again = await reflector(store, hasRunBefore);
      await store.simulation.run(130_000);
      assert.equal(await known(), true);
      assert.equal(changes.length === 0, hasRunBefore, changes.join(', '));
      await again[Symbol.asyncDispose]();
      await three[Symbol.asyncDispose]();
    });
  }
});

describe('an agent that stops on a node that is leaving', () => {
  for (const [what, isDrained, documents] of [
    ['by its annotation', false, node(3, 'annotations: { podroute.io/GracefulShutdown: "true" }')],
    ['cordoned, without pods', true, CORDONED],
  ] as const) {
    it(`(${what}) says farewell: nothing is sent there any more`, async () => {
      const store = new TestCluster();
      const { one, two, three } = await mesh(store);
      await using _one = one;
      await using _two = two;
      three.ipam.hasPod = !isDrained;
      store.set(node(1), node(2), documents, ...POOLS);
      await store.simulation.run(1_000);
      await three[Symbol.asyncDispose]();
      await store.until(
        'its block to be gone',
        async () => !(await ownRoutes(one.kernel)).includes(block(3)),
      );
      const said = store.simulation.events.filter((line) => line.includes('are told farewell'));
      assert.equal(said.length, 1, 'and its log says so');
      assert.ok(said[0]!.includes(isDrained ? 'drained' : 'annotation'), said[0]);
      const [session] = one.source.status().sessions.filter(({ id }) => id === 'mesh/n3/ipv4');
      assert.deepEqual(session?.losses, { 'notification received': 1 });
    });
  }

  it('(no Node any more) says farewell, too', async () => {
    const [store, own] = [new TestCluster(), new TestCluster()];
    store.set(...ALL);
    own.set(...ALL);
    await using one = await startNode(1, store);
    {
      await using _three = await startNode(3, store, undefined, own);
      await store.until('its block', async () => (await ownRoutes(one.kernel)).includes(block(3)));
      own.set(node(1), node(2), ...POOLS);
    }
    await store.until('it to be gone', async () => !(await ownRoutes(one.kernel)).includes(block(3)));
  });

  it('but cordoned only, with pods on it, keeps them reachable while it starts anew', async () => {
    const store = new TestCluster();
    const { one, two, three } = await mesh(store);
    await using _one = one;
    await using _two = two;
    three.ipam.hasPod = true;
    store.set(node(1), node(2), CORDONED, ...POOLS);
    await store.simulation.run(1_000);
    await three[Symbol.asyncDispose]();
    await store.simulation.run(60_000);
    assert.ok((await ownRoutes(one.kernel)).includes(block(3)));
  });
});

describe('a peer that wants no graceful restart', () => {
  it('loses the routes of who stops, as before', async () => {
    const store = new TestCluster();
    const peers = [1, 2].map((n) =>
      objectYaml(
        'BGPPeer',
        `to-n${3 - n}`,
        `{ node: n${n}, peerIP: 10.0.0.${3 - n}, asNumber: internal, gracefulRestart: { mode: Disabled } }`,
      ),
    );
    const noMesh = objectYaml('BGPConfiguration', 'default', '{ nodeToNodeMeshEnabled: false }');
    store.set(node(1), node(2), ...POOLS, noMesh, ...peers);
    await using one = await startNode(1, store);
    {
      await using _two = await startNode(2, store);
      await store.until('the block of n2', async () => (await ownRoutes(one.kernel)).includes(block(2)));
    }
    await store.until('it to be gone', async () => !(await ownRoutes(one.kernel)).includes(block(2)));
  });
});
