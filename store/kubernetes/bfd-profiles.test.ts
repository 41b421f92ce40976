// BFDProfiles of a cluster: one that has no such kind yet, and the Secrets of their keys.
import assert from 'node:assert/strict';
import { SeededRandom } from '#world';
import { FakeClock, MemoryDisk } from '#world/testing';
import { openKubernetesStore } from './kubernetes-store.ts';
import { RESOURCE_PATHS } from './resource-paths.ts';
import type { Store } from '../store.ts';
import { cidrs, peer, pool, profile, secret, texts } from './testing/given-objects.ts';
import { MemoryApiServer } from './testing/memory-api-server.ts';

const POOLS = '/apis/podroute.io/v1 ippools';
const PEERS = '/apis/podroute.io/v1 bgppeers';
const PROFILES = '/apis/podroute.io/v1 bfdprofiles';
const CONFIGURATIONS = '/apis/podroute.io/v1 bgpconfigurations';
const SECRETS = '/api/v1 secrets';
const TOLD_MS = 200;

describe('BFDProfiles in a cluster', () => {
  let clock: FakeClock;
  let server: MemoryApiServer;
  let store: Store;

  beforeEach(() => {
    clock = new FakeClock();
    server = new MemoryApiServer(clock);
    for (const { base, plural } of Object.values(RESOURCE_PATHS)) server.resources.add(`${base} ${plural}`);
    store = openKubernetesStore({
      ...{ api: server.connect(), clock, disk: new MemoryDisk(), random: new SeededRandom(1) },
      namespace: 'podroute-system',
    });
  });
  afterEach(() => store[Symbol.asyncDispose]());

  it('are missed in a cluster whose CRDs are older, and all else is followed', async () => {
    server.resources.delete(PROFILES);
    server.apply(PEERS, peer({ bfd: { profile: 'fast' } }));
    server.apply(POOLS, pool('a', '10.1.0.0/16'));
    await store.start();
    assert.deepEqual([store.snapshot().bgpPeers.size, cidrs(store)], [1, ['a 10.1.0.0/16']]);
    assert.ok(store.refused().kinds.has('BFDProfile'));
    assert.deepEqual(store.problems(), []);
    await clock.run(11_000);
    assert.deepEqual(texts(store.problems()), [
      'bfdprofiles.podroute.io: the API server does not know this kind: install podroute’s CRDs',
    ]);
    server.resources.add(PROFILES);
    server.apply(PROFILES, profile('fast', 'bgp'));
    server.apply(SECRETS, secret('podroute-system', 'geheim'));
    await clock.run(10_000 + TOLD_MS);
    assert.deepEqual(store.problems(), []);
    assert.equal(store.refused().kinds.size, 0);
    assert.equal(store.snapshot().bfdProfiles.get('fast')?.spec.authentication?.keyID, 1);
  });

  it('have the Secrets of their keys read while a peer or the mesh names them', async () => {
    server.apply(SECRETS, secret('podroute-system', 'geheim'));
    server.apply(PROFILES, profile('fast', 'bgp'));
    await store.start();
    assert.equal(server.log.filter((line) => line.includes('secrets')).length, 0);
    const isRead = async () => {
      await clock.run(TOLD_MS);
      return store.snapshot().secrets.get('bgp')?.values['tor'] === 'geheim';
    };
    server.apply(PEERS, peer({ bfd: { profile: 'fast' } }));
    assert.equal(await isRead(), true);
    server.apply(PEERS, peer({ bfd: { profile: 'slow' } }));
    assert.equal(await isRead(), false);
    server.apply(CONFIGURATIONS, {
      ...{ apiVersion: 'podroute.io/v1', kind: 'BGPConfiguration', metadata: { name: 'default' } },
      spec: { nodeMeshBFD: { profile: 'fast' } },
    });
    assert.equal(await isRead(), true);
  });
});
