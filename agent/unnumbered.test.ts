// A whole agent with a neighbour that is found on its link (peerInterface), in simulated time.
import assert from 'node:assert/strict';
import { KernelError, MemoryKernel, MemoryRouterDiscovery, type RouterSocket } from '#linux';
import { nodeYaml, objectYaml } from './plan/testing/cluster-yaml.ts';
import { startNode, TestCluster, type TestNode } from './testing/cluster.ts';

const NODE = nodeYaml('n1', ['10.0.0.1']);
const NO_MESH = objectYaml('BGPConfiguration', 'default', '{ nodeToNodeMeshEnabled: false }');
const TOR = objectYaml('BGPPeer', 'tor', '{ peerInterface: eth1, asNumber: external }');

/** A router at the other end of a new link eth1 of the node. */
class Router {
  readonly #kernel = new MemoryKernel('tor');
  readonly #socket: RouterSocket;

  constructor({ kernel }: TestNode) {
    const wire = { type: 'addLink', kind: 'veth', name: 'eth1', up: true, peer: { name: 'swp1' } } as const;
    assert.equal(kernel.addPair(wire, this.#kernel), undefined);
    kernel.change({ type: 'addAddress', device: 'eth1', address: 'fe80::1/64' });
    this.#kernel.change({ type: 'setLink', device: 'swp1', up: true });
    const socket = new MemoryRouterDiscovery(this.#kernel).open('swp1', () => undefined);
    if (socket instanceof KernelError) throw socket;
    this.#socket = socket;
  }

  advertise(address: string): void {
    this.#kernel.change({ type: 'addAddress', device: 'swp1', address: `${address}/64` });
    assert.equal(this.#socket.send({ type: 'advertisement', lifetimeSeconds: 0 }), undefined);
    this.#kernel.change({ type: 'deleteAddress', device: 'swp1', address: `${address}/64` });
  }
}

describe('an agent with a neighbour that is found on its link', () => {
  it('waits for it, in words; has a session with the address that is heard, and follows it', async () => {
    const store = new TestCluster();
    store.set(NODE, NO_MESH, TOR);
    await using node = await startNode(1, store);
    const texts = () => node.source.status().problems.map(({ text }) => text);
    const remotes = () => node.source.status().sessions.map(({ id, remote }) => `${id} ${remote}`);
    assert.deepEqual(node.source.status().waiting, [
      { id: 'tor', from: 'BGPPeer tor', device: 'eth1', why: 'this node has no link eth1' },
    ]);
    assert.equal(node.source.notReady(), 'none of 1 sessions is established');
    const router = new Router(node);
    await store.simulation.run(100);
    assert.match(
      texts().join(),
      /spec\.peerInterface: "eth1" has no neighbour: no router advertisement heard on eth1/,
    );
    router.advertise('fe80::a');
    await store.simulation.run(100);
    assert.deepEqual(
      [remotes(), texts(), node.source.status().waiting],
      [['tor fe80::a%eth1'], [], undefined],
    );

    // Another one on the link: said, and not taken while the first goes on speaking.
    for (let i = 0; i < 6; i++) {
      for (const address of ['fe80::a', 'fe80::b']) router.advertise(address);
      await store.simulation.run(10_000);
    }
    assert.deepEqual(remotes(), ['tor fe80::a%eth1']);
    assert.match(texts().join(), /leads to more than one router: fe80::a is taken.* and fe80::b is not/);

    // The first is silent: its session is down, the other is the neighbour now.
    for (let i = 0; i < 4; i++) {
      router.advertise('fe80::b');
      await store.simulation.run(10_000);
    }
    assert.deepEqual([remotes(), texts()], [['tor fe80::b%eth1'], []]);

    // Without its Node there is no plan: what is in force stays, also what was heard.
    store.set(NO_MESH, TOR);
    await store.simulation.run(1000);
    assert.equal(node.source.status().plan.isStale, true);
    store.set(NODE, NO_MESH, TOR);
    await store.simulation.run(100);
    assert.deepEqual([remotes(), texts()], [['tor fe80::b%eth1'], []]);

    node.kernel.change({ type: 'deleteLink', device: 'eth1' });
    await store.simulation.run(100);
    assert.deepEqual(remotes(), []);
    assert.equal(node.source.status().waiting?.[0]?.why, 'this node has no link eth1');
  });
});
