// Whole agents in one process: network, kernels and store in memory, time simulated.
import assert from 'node:assert/strict';
import { Speaker } from '#bgp';
import { fakeConfig } from '../bgp/rib/testing/fake-session.ts';
import { ownRoutes } from './fib/testing/rib-and-host.ts';
import { blockYaml, nodeYaml, objectYaml } from './plan/testing/cluster-yaml.ts';
import { startNode, TestCluster } from './testing/cluster.ts';
import { SimulatedProcess } from './testing/simulation.ts';

const NODES = [1, 2, 3].map((n) => nodeYaml(`n${n}`, [`10.0.0.${n}`], n < 3 ? 'labels: { rr: "true" }' : ''));
const POOL = objectYaml('IPPool', 'pods', '{ cidr: 10.244.0.0/16 }');
const MESH = objectYaml('BGPConfiguration', 'default', '{}');
const REFLECTED = objectYaml('BGPConfiguration', 'default', '{ routeReflectors: { nodeSelector: has(rr) } }');

const route = (n: number) => `10.244.${n}.0/26 via 10.0.0.${n} dev eth0`;

describe('agents that speak with one another', () => {
  it('take no route to a block of a pool that there never was, whatever its node writes and announces', async () => {
    const store = new TestCluster();
    const claimed = blockYaml('198.51.100.0/26', 'n2', 'none-such');
    store.set(...NODES, POOL, MESH, claimed);
    await using a = await startNode(1, store);
    // What is no block of a pool it announces here as its podCIDR.
    await using _b = await startNode(2, store, ['10.244.2.0/26', '198.51.100.0/26']);
    await store.until('n1 to have the block of n2', async () =>
      (await ownRoutes(a.kernel)).includes(route(2)),
    );
    const { routes } = a.source.routes({ view: 'received', peer: 'mesh/n2/ipv4', longer: false, limit: 10 });
    assert.deepEqual(routes.map(({ prefix }) => prefix).sort(), ['10.244.2.0/26', '198.51.100.0/26']);
    assert.deepEqual(await ownRoutes(a.kernel), [route(2), 'unreachable 10.244.1.0/26']);
    assert.match(
      a.source
        .status()
        .problems.map(({ message }) => message)
        .join(),
      /not let in nor held/,
    );
  });

  it('in a mesh learn each other’s blocks into their kernels, and follow what the store says', async () => {
    const store = new TestCluster();
    store.set(...NODES, POOL, MESH);
    await using a = await startNode(1, store);
    await using _b = await startNode(2, store);
    await store.until('n1 to have the block of n2', async () =>
      (await ownRoutes(a.kernel)).includes(route(2)),
    );
    {
      await using c = await startNode(3, store);
      await store.until('everybody to know everybody', async () => {
        const expected = [route(1), route(2), 'unreachable 10.244.3.0/26'].join();
        return (
          (await ownRoutes(c.kernel)).join() === expected && (await ownRoutes(a.kernel)).includes(route(3))
        );
      });
      const status = a.source.status();
      assert.deepEqual(
        status.sessions.map((s) => [
          s.id,
          s.state,
          s.type,
          s.prefixes.received.ipv4,
          s.prefixes.advertised.ipv4,
        ]),
        [
          ['mesh/n2/ipv4', 'Established', 'ibgp', 1, 1],
          ['mesh/n3/ipv4', 'Established', 'ibgp', 1, 1],
        ],
      );
      assert.deepEqual(status.fib?.installed, { ipv4: 3, ipv6: 0 });
      assert.deepEqual(status.problems, []);
      assert.throws(
        () => a.source.routes({ view: 'received', peer: 'nobody', longer: false, limit: 10 }),
        /^RequestError: no session nobody on this node; there are: mesh\/n2\/ipv4, mesh\/n3\/ipv4$/,
      );
      const { routes } = a.source.routes({ view: 'best', longer: false, limit: 10 });
      assert.deepEqual(
        routes.map((r) => [r.prefix, r.isLocal, r.peer, r.nextHops[0]]),
        [
          ['10.244.1.0/26', true, undefined, routes[0]?.nextHops[0]],
          ['10.244.2.0/26', false, 'mesh/n2/ipv4', '10.0.0.2'],
          ['10.244.3.0/26', false, 'mesh/n3/ipv4', '10.0.0.3'],
        ],
      );
    }
    // n3 has stopped, and forwards: its neighbours keep its block until it is back, or is no node any more.
    await store.simulation.run(60_000);
    assert.ok((await ownRoutes(a.kernel)).includes(route(3)));
    const since = a.source.status().sessions.find((s) => s.id === 'mesh/n2/ipv4')?.since;
    store.set(NODES[0]!, NODES[1]!, POOL, MESH);
    await store.until('the session with n3 to go', () => a.source.status().sessions.length === 1);
    await store.until(
      'n1 to lose the block of n3',
      async () => !(await ownRoutes(a.kernel)).includes(route(3)),
    );
    assert.equal(a.source.status().sessions[0]?.since, since, 'the other session was not touched');
  });

  it('through a reflector learn what it reflects, with the next hop of who has it', async () => {
    const store = new TestCluster();
    const fourth = nodeYaml('n4', ['10.0.0.4']);
    store.set(...NODES, fourth, POOL, REFLECTED);
    await using a = await startNode(1, store);
    await using _b = await startNode(2, store);
    await using c = await startNode(3, store);
    await using d = await startNode(4, store);
    await store.until('the clients to know one another', async () => {
      const [ofC, ofD] = await Promise.all([ownRoutes(c.kernel), ownRoutes(d.kernel)]);
      return ofC.includes(route(4)) && ofD.includes(route(3)) && ofD.length === 4;
    });
    assert.deepEqual(
      d.source.status().sessions.map((s) => s.id),
      ['reflector/n1/ipv4', 'reflector/n2/ipv4'],
    );
    assert.equal(a.source.status().sessions.length, 3);
    const { routes } = d.source.routes({ view: 'all', prefix: '10.244.3.0/26', longer: false, limit: 10 });
    assert.equal(routes.length, 2);
    assert.ok(routes.every((r) => r.originatorId === '10.0.0.3'));
  });

  it('each keep their block when another announces it, and say who does', async () => {
    const store = new TestCluster();
    store.set(NODES[0]!, NODES[1]!, POOL, MESH);
    await using a = await startNode(1, store);
    const own = ['10.244.2.0/26', '10.244.1.0/26', '10.244.1.64/28'];
    {
      await using _b = await startNode(2, store, own);
      await store.until('a problem', () => a.source.status().problems.length > 0);
      assert.deepEqual(
        a.source.status().problems.map(({ text }) => text),
        [
          'node-to-node mesh, Node n2: neighbour 10.0.0.2 announces our block: 10.244.1.0/26, not used here; find who originates it, and stop it there',
        ],
      );
      const [session] = a.source.status().sessions;
      assert.deepEqual(
        [session?.prefixes.ownClaims, session?.prefixes.advertised],
        [
          { ipv4: 1, ipv6: 0 },
          { ipv4: 1, ipv6: 0 },
        ],
      );
      const { routes } = a.source.routes({ view: 'all', prefix: own[1]!, longer: false, limit: 9 });
      assert.deepEqual(
        routes.map(({ isBest, isLocal, why }) => [isBest, isLocal, why]),
        [
          [true, true, routes[0]!.why],
          [false, false, routes[1]!.why],
        ],
      );
      assert.match(routes[1]!.why, /a block of this node: only this node announces it/);
      assert.deepEqual(await ownRoutes(a.kernel), [
        '10.244.1.64/28 via 10.0.0.2 dev eth0',
        route(2),
        'unreachable 10.244.1.0/26',
      ]);
    }
    store.set(NODES[0]!, POOL, MESH);
    await store.until('no problem', () => a.source.status().problems.length === 0);
  });

  it('take nothing from a neighbour that covers or splits their network, or that is inside their block', async () => {
    const store = new TestCluster();
    const tor = (spec: string) =>
      objectYaml('BGPPeer', 'tor', `{ peerIP: 10.0.0.9, asNumber: internal, ${spec} }`);
    const noMesh = objectYaml('BGPConfiguration', 'default', '{ nodeToNodeMeshEnabled: false }');
    store.set(NODES[0]!, POOL, noMesh, tor('import: Cluster'));
    await using a = await startNode(1, store);
    await a.kernel.apply([{ type: 'addAddress', device: 'eth0', address: '10.244.77.1/24' }]);
    await store.until('n1 to say that', () => a.source.status().problems.length > 0);
    const life = new SimulatedProcess(store.simulation, 'tor');
    const speaker = new Speaker(
      { asNumber: 64512, routerId: '10.0.0.9', listen: [], multipath: { ebgp: 1, ibgp: 1, relax: false } },
      { clock: life, random: life, scheduler: life, transport: store.network.host('10.0.0.9'), log: life },
    );
    await speaker.start();
    speaker.addPeer({
      ...fakeConfig({ id: 'n1', address: '10.0.0.1', as: 64512 }),
      passive: false,
      nextHopSelf: { ipv4: '10.0.0.9' },
      nextHop: 'self',
    });
    const bad = ['10.244.77.64/26', '10.244.77.0/24', '10.244.76.0/23', '10.244.0.0/16', '10.244.77.1/32'];
    const ours = ['10.244.1.0/26', '10.244.1.7/32'];
    const good = '10.244.9.0/26 via 10.0.0.9 dev eth0';
    speaker.originate(
      [...bad, ...ours, '10.244.9.0/26'].map((prefix) => ({ prefix, localPref: 200, why: 'test' })),
    );
    try {
      await store.until('n1 to have a route', async () => (await ownRoutes(a.kernel)).includes(good));
      assert.deepEqual(await ownRoutes(a.kernel), [good, 'unreachable 10.244.1.0/26']);
      const told = /BGPPeer tor: neighbour 10\.0\.0\.9 announces our block: \S+ and 1 more/;
      await store.until('a problem', () => a.source.status().problems.some(({ text }) => told.test(text)));
      // What an operator asks for in so many words is let in, but for what is ours.
      store.set(NODES[0]!, POOL, noMesh, tor('import: All'));
      await store.until('n1 to have all', async () => (await ownRoutes(a.kernel)).length > 3);
      const all = await ownRoutes(a.kernel);
      assert.ok(all.includes('10.244.77.64/26 via 10.0.0.9 dev eth0'));
      assert.ok(!all.some((text) => text.includes('10.244.1.7/32')), all.join());
      assert.ok(all.includes('unreachable 10.244.1.0/26'));
    } finally {
      await speaker.stop();
      life.die();
    }
  });

  it('keep what an earlier run left until all neighbours have sent their routes, or a minute has passed', async () => {
    const left = (...prefixes: string[]) =>
      prefixes.map((destination) => {
        const nextHops = [{ gateway: '10.0.0.2', device: 'eth0' }];
        return { type: 'addRoute', route: { destination, nextHops, metric: 1024 } } as const;
      });
    const store = new TestCluster();
    store.set(...NODES.slice(0, 2), POOL, MESH);
    const old = ['10.244.2.0/26', '10.244.7.0/26'];
    await using a = await startNode(1, store, undefined, store, left(...old));
    await store.simulation.run(30_000);
    assert.equal((await ownRoutes(a.kernel)).length, 3, 'n2 has not come yet');
    await using _b = await startNode(2, store);
    await store.until('what n2 does not have to go', async () => (await ownRoutes(a.kernel)).length === 2);
    assert.ok((await ownRoutes(a.kernel)).includes(route(2)));
    await using c = await startNode(3, store, undefined, store, left(...old));
    store.set(...NODES, POOL, MESH, objectYaml('BGPPeer', 'gone', '{ peerIP: 10.0.0.99, asNumber: 1 }'));
    await store.until('n3 to have the route of n1', async () =>
      (await ownRoutes(c.kernel)).includes(route(1)),
    );
    assert.equal((await ownRoutes(c.kernel)).length, 4, 'one neighbour has sent nothing');
    await store.simulation.run(60_000);
    assert.equal((await ownRoutes(c.kernel)).length, 3);
  });

  it('keep the last good plan when the inputs give none, and say so', async () => {
    const store = new TestCluster();
    store.set(...NODES.slice(0, 2), POOL, MESH);
    await using a = await startNode(1, store);
    await using _b = await startNode(2, store);
    await store.until('n1 to have the block of n2', async () =>
      (await ownRoutes(a.kernel)).includes(route(2)),
    );
    store.set(POOL, MESH);
    await store.until('a problem', () => a.source.status().problems.length === 1);
    const status = a.source.status();
    assert.match(status.problems[0]?.text ?? '', /Node n1: metadata.name: does not exist/);
    assert.equal(status.plan.isStale, true);
    assert.equal(status.sessions[0]?.state, 'Established');
    assert.ok((await ownRoutes(a.kernel)).includes(route(2)));
    store.set(...NODES.slice(0, 2), POOL, MESH);
    await store.until('no problem', () => a.source.status().problems.length === 0);
    assert.equal(a.source.status().plan.generation, 1);
  });

  it('without a plan are not ready, and start with the first good one', async () => {
    const store = new TestCluster();
    await using a = await startNode(1, store);
    assert.match(a.source.notReady() ?? '', /no plan yet/);
    assert.equal(a.source.status().asNumber, undefined);
    store.set(NODES[0]!, POOL, MESH);
    await store.until('a plan', () => a.source.notReady() === undefined);
    assert.equal(a.source.plan().generation, 1);
  });
});
