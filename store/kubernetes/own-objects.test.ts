// Of Nodes and IPAMBlocks a node follows its own alone while it needs no others, and loses sight of nothing when that changes.
import assert from 'node:assert/strict';
import { bgpConfigurationOf, ipamBlockLabels, type Refused, type Resources } from '#api';
import { SeededRandom } from '#world';
import { FakeClock, MemoryDisk } from '#world/testing';
import { openKubernetesStore } from './kubernetes-store.ts';
import { RESOURCE_PATHS } from './resource-paths.ts';
import type { Store } from '../store.ts';
import type { Given } from './testing/given-objects.ts';
import { MemoryApiServer } from './testing/memory-api-server.ts';

const NODES = '/api/v1 nodes';
const BLOCKS = '/apis/podroute.io/v1 ipamblocks';
const POOLS = '/apis/podroute.io/v1 ippools';
const CONFIGURATIONS = '/apis/podroute.io/v1 bgpconfigurations';

const ours = (kind: string, name: string, spec: object, labels?: object): Given =>
  ({ apiVersion: 'podroute.io/v1', kind, metadata: { name, labels }, spec }) as Given;
const node = (name: string): Given => ({ apiVersion: 'v1', kind: 'Node', metadata: { name } }) as Given;
const block = (name: string, owner: string, labels = ipamBlockLabels(owner)): Given =>
  ours('IPAMBlock', name, { cidr: `10.0.${name.at(-1)!}.0/26`, node: owner, pool: 'pods' }, labels);
const mesh = (nodeToNodeMeshEnabled: boolean) =>
  ours('BGPConfiguration', 'default', { nodeToNodeMeshEnabled });

describe('the store of one node', () => {
  let clock: FakeClock;
  let disk: MemoryDisk;
  let server: MemoryApiServer;
  let store: Store;

  beforeEach(() => {
    clock = new FakeClock();
    disk = new MemoryDisk();
    server = new MemoryApiServer(clock);
    for (const { base, plural } of Object.values(RESOURCE_PATHS)) server.resources.add(`${base} ${plural}`);
    for (const name of ['n1', 'n2', 'n3']) server.apply(NODES, node(name));
    server.apply(BLOCKS, block('b1', 'n1'));
    server.apply(BLOCKS, block('b2', 'n2'));
  });
  afterEach(() => store[Symbol.asyncDispose]());

  async function start(): Promise<void> {
    const needsOthers = (resources: Resources, { formerPools }: Refused) =>
      new Set([
        ...(bgpConfigurationOf(resources).spec.nodeToNodeMeshEnabled ? (['Node'] as const) : []),
        ...(formerPools === undefined ? [] : (['IPAMBlock'] as const)),
      ]);
    store = openKubernetesStore({
      ...{ api: server.connect(), clock, disk, random: new SeededRandom(1) },
      ...{ namespace: 'podroute-system', keepIn: '/state/last-good', own: { node: 'n1', needsOthers } },
    });
    const started = store.start();
    await clock.run(10_000);
    await started;
  }
  const names = () => [...store.snapshot().nodes.keys()].join();
  const blocks = () => [...store.snapshot().ipamBlocks.keys()].join();
  const ownOnly = () => [...(store.refused().ownOnly ?? [])].sort().join();
  const lists = (plural: string) =>
    server.log.filter((line) => line.includes(plural) && line.includes('sendInitialEvents')).length;

  it('has its own Node and blocks alone, and says so', async () => {
    server.apply(CONFIGURATIONS, mesh(false));
    await start();
    assert.deepEqual([names(), blocks(), ownOnly()], ['n1', 'b1', 'IPAMBlock,Node']);
    assert.deepEqual([lists('/nodes'), lists('/ipamblocks')], [1, 1]);
    server.apply(BLOCKS, block('b3', 'n1'));
    server.apply(BLOCKS, block('b4', 'n3'));
    await clock.run(1_000);
    assert.equal(blocks(), 'b1,b3');
    assert.deepEqual(store.problems(), []);
  });

  it('has all Nodes from the start where it needs them', async () => {
    await start();
    assert.deepEqual([names(), blocks(), ownOnly()], ['n1,n2,n3', 'b1', 'IPAMBlock']);
    assert.deepEqual(store.refused().kinds, new Set());
  });

  it('gets the others when it comes to need them, and leaves them when it does not', async () => {
    server.apply(CONFIGURATIONS, mesh(false));
    await start();
    server.apply(CONFIGURATIONS, mesh(true));
    await clock.run(1_000);
    assert.deepEqual([names(), ownOnly()], ['n1,n2,n3', 'IPAMBlock']);
    server.apply(NODES, node('n4'));
    await clock.run(1_000);
    assert.equal(names(), 'n1,n2,n3,n4');
    server.apply(CONFIGURATIONS, mesh(false));
    await clock.run(1_000);
    assert.deepEqual([names(), ownOnly()], ['n1', 'IPAMBlock,Node']);
    const before = server.log.length;
    server.apply(NODES, node('n5'));
    await clock.run(1_000);
    assert.deepEqual([names(), server.log.length], ['n1', before]);
  });

  it('keeps the others over a start without the server, and until it tells of them again', async () => {
    await start();
    await clock.run(1_000);
    await store[Symbol.asyncDispose]();
    server.stop();
    await start();
    assert.equal(names(), 'n1,n2,n3');
    const seen = new Set<string>();
    store.subscribe(() => void seen.add(names()));
    server.start();
    await clock.run(60_000);
    assert.deepEqual([...seen], ['n1,n2,n3']);
    assert.deepEqual([ownOnly(), store.problems()], ['IPAMBlock', []]);
  });

  it('looks whether others have blocks of a pool that is gone, also after a start, and forgets it with the last', async () => {
    const gone = [{ name: 'pods', cidr: '10.0.0.0/16' }];
    server.apply(CONFIGURATIONS, mesh(false));
    server.apply(POOLS, ours('IPPool', 'pods', { cidr: '10.0.0.0/16' }));
    await start();
    await clock.run(1_000);
    await store[Symbol.asyncDispose]();
    server.remove(POOLS, 'pods');
    server.remove(BLOCKS, 'b1');
    await start();
    await clock.run(1_000);
    assert.deepEqual([store.refused().formerPools, blocks(), ownOnly()], [gone, 'b2', 'Node']);
    server.remove(BLOCKS, 'b2');
    await clock.run(1_000);
    assert.deepEqual([store.refused().formerPools, ownOnly()], [undefined, 'IPAMBlock,Node']);
    server.apply(BLOCKS, block('b3', 'n3'));
    await clock.run(1_000);
    assert.deepEqual([store.refused().formerPools, blocks()], [undefined, '']);
  });
});
