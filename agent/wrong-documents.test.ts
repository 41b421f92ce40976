// Agents whose folder has wrong documents when they start: what an earlier run had in force stays, and what nobody knows
// is not made up. A real store over a disk in memory, in simulated time.
import assert from 'node:assert/strict';
import { openDirectoryStore } from '#store';
import { MemoryDisk } from '#world/testing';
import { nodeYaml, objectYaml } from './plan/testing/cluster-yaml.ts';
import { startNode, TestCluster } from './testing/cluster.ts';

const NODES = [nodeYaml('n1', ['10.0.0.1']), nodeYaml('n2', ['10.0.0.2'])];
const CONFIG = objectYaml('BGPConfiguration', 'default', '{ asNumber: 64700, nodeToNodeMeshEnabled: false }');
const WRONG_CONFIG = CONFIG.replace('64700', '64700, holdTime: 2m30');
const TOR = objectYaml('BGPPeer', 'tor', '{ peerIP: 10.0.0.2, asNumber: 64800, port: 0 }').replace(
  ', port: 0',
  '',
);
const WRONG_TOR = TOR.replace('asNumber', 'asNumbr');
const POOL = objectYaml('IPPool', 'pods', '{ cidr: 10.244.0.0/16 }');

/** An agent of n1 over /store, as one run after another of it. */
class Runs {
  readonly cluster = new TestCluster();
  readonly disk = new MemoryDisk();

  write(...yaml: string[]): void {
    this.disk.put('/store/objects.yaml', Buffer.from(yaml.join('\n---\n')));
  }

  /** What the agent has in force a second after its start, or after `during` has changed something. */
  async once(during?: () => void) {
    const { clock } = this.cluster.simulation;
    const store = openDirectoryStore('/store', { clock, disk: this.disk, keepIn: '/state/last-good' });
    await store.start();
    const node = await startNode(1, this.cluster, [], store);
    await this.cluster.simulation.run(1_000);
    if (during) {
      during();
      await this.cluster.simulation.run(1_000);
    }
    const { plan } = node.agent.inForce ?? {};
    const seen = {
      as: plan?.speaker.asNumber,
      peers: plan?.peers.map(({ config }) => `${config.id} AS ${config.remoteAs}`),
      problems: node.source.status().problems.map(({ text }) => text),
    };
    await store[Symbol.asyncDispose]();
    await node[Symbol.asyncDispose]();
    return seen;
  }
}

const GOOD = { as: 64700, peers: ['tor AS 64800'] };
const inForce = ({ as, peers }: { as?: number | undefined; peers?: string[] | undefined }) => ({ as, peers });

describe('an agent that starts while documents are wrong', () => {
  it('goes on with what was in force when it stopped', async () => {
    const runs = new Runs();
    runs.write(...NODES, CONFIG, TOR, POOL);
    assert.deepEqual(inForce(await runs.once()), GOOD);
    runs.write(...NODES, WRONG_CONFIG, WRONG_TOR, POOL);
    for (const _ of [1, 2]) {
      const seen = await runs.once();
      assert.deepEqual(inForce(seen), GOOD);
      assert.match(seen.problems.join('\n'), /BGPConfiguration default: spec\.holdTime: "2m30"/);
    }
    runs.disk.put('/store/objects.yaml', Buffer.from('kind: ['));
    assert.deepEqual(inForce(await runs.once()), GOOD);
  });

  it('goes on with what came into force while it ran', async () => {
    const runs = new Runs();
    runs.write(...NODES, CONFIG.replace('64700', '64701'), TOR, POOL);
    assert.deepEqual(inForce(await runs.once(() => runs.write(...NODES, CONFIG, TOR, POOL))), GOOD);
    runs.write(...NODES, WRONG_CONFIG, TOR, POOL);
    assert.deepEqual(inForce(await runs.once()), GOOD);
  });

  it('opens no session when the configuration was never right, says why, and begins once it is', async () => {
    const runs = new Runs();
    for (const wrong of [WRONG_CONFIG, 'apiVersion: podroute.io/v1\nkind: BGPConfiguration\n', 'kind: [']) {
      runs.write(...NODES, TOR, POOL, wrong);
      const { as, problems } = await runs.once();
      assert.equal(as, undefined, wrong);
      assert.match(problems.join('\n'), /no session is opened until it is right/);
    }
    runs.write(...NODES, WRONG_CONFIG, TOR, POOL);
    const mended = await runs.once(() => runs.write(...NODES, CONFIG, TOR, POOL));
    assert.deepEqual(mended, { ...GOOD, problems: [] });
  });

  it('has no session of a BGPPeer that was never right, and those of all others', async () => {
    const runs = new Runs();
    runs.write(...NODES, CONFIG, WRONG_TOR, POOL, TOR.replace('name: tor', 'name: other'));
    const { as, peers, problems } = await runs.once();
    assert.deepEqual({ as, peers }, { as: 64700, peers: ['other AS 64800'] });
    assert.match(problems.join('\n'), /BGPPeer tor: is not in force: .* no earlier version of it is known/);
  });

  it('lets a wrong document that comes while it runs change nothing, nor at the next start', async () => {
    const runs = new Runs();
    runs.write(...NODES, POOL);
    const before = await runs.once();
    assert.equal(before.as, 64512);
    for (const wrong of [WRONG_CONFIG, 'kind: [']) {
      const during = await runs.once(() => runs.write(...NODES, POOL, wrong));
      assert.deepEqual(inForce(during), inForce(before));
      assert.deepEqual(inForce(await runs.once()), inForce(before));
      assert.equal(during.problems.length, 1);
      runs.write(...NODES, POOL);
      await runs.once();
    }
  });

  it('forgets what was deleted while it was away', async () => {
    const runs = new Runs();
    runs.write(...NODES, CONFIG, TOR, POOL);
    await runs.once();
    runs.write(...NODES, CONFIG, POOL);
    assert.deepEqual(inForce(await runs.once()), { as: 64700, peers: [] });
  });
});
