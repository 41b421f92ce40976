// Which Pods the node has: its own alone, by the UID that the runtime is told, and known only while the server is heard.
import assert from 'node:assert/strict';
import { SeededRandom } from '#world';
import { FakeClock, MemoryDisk } from '#world/testing';
import type { Store } from '../store.ts';
import { openKubernetesStore } from './kubernetes-store.ts';
import { RESOURCE_PATHS } from './resource-paths.ts';
import { type Given, texts } from './testing/given-objects.ts';
import { MemoryApiServer } from './testing/memory-api-server.ts';

const PODS = '/api/v1 pods';
const pod = (name: string, nodeName: string, more: object = {}): Given =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', ...more },
    spec: { nodeName },
  }) as Given;

describe('the Pods of the own node', () => {
  let clock: FakeClock;
  let server: MemoryApiServer;
  let store: Store;

  beforeEach(() => {
    clock = new FakeClock();
    server = new MemoryApiServer(clock);
    for (const { base, plural } of Object.values(RESOURCE_PATHS)) server.resources.add(`${base} ${plural}`);
    server.resources.add(PODS);
  });
  afterEach(() => store[Symbol.asyncDispose]());

  async function start(hasPods = true): Promise<void> {
    store = openKubernetesStore({
      ...{ api: server.connect(), clock, disk: new MemoryDisk(), random: new SeededRandom(1) },
      ...{ namespace: 'podroute-system', own: { node: 'n1', needsOthers: () => new Set(), hasPods } },
    });
    const started = store.start();
    await clock.run(10_000);
    await started;
  }
  const has = (name: string, uid?: string) => store.ownPods?.()?.has('default', name, uid);

  it('are followed by one watch of that node’s, and no others are heard', async () => {
    server.apply(PODS, pod('web', 'n1'));
    server.apply(PODS, pod('far', 'n2'));
    await start();
    assert.deepEqual([has('web'), has('far')], [true, false]);
    server.apply(PODS, pod('late', 'n1'));
    server.remove(PODS, 'default/web');
    await clock.run(100);
    assert.deepEqual([has('web'), has('late')], [false, true]);
    const asked = server.log.filter((line) => line.includes('/pods'));
    assert.equal(asked.length, 1);
    assert.match(asked[0]!, /fieldSelector=spec\.nodeName%3Dn1/);
  });

  it('are no documents of the store, and wake nobody', async () => {
    await start();
    let told = 0;
    store.subscribe(() => told++);
    server.apply(PODS, pod('web', 'n1'));
    await clock.run(1_000);
    assert.equal(told, 0);
  });

  it('are known by their UID: one that was made anew under its name is another', async () => {
    server.apply(PODS, pod('web', 'n1'));
    await start();
    assert.deepEqual([has('web', 'uid-1'), has('web', 'uid-0'), has('web')], [true, false, true]);
    server.remove(PODS, 'default/web');
    server.apply(PODS, pod('web', 'n1'));
    await clock.run(100);
    assert.deepEqual([has('web', 'uid-1'), has('web')], [false, true]);
  });

  it('are known by what the kubelet tells the runtime where they are mirrors of static ones', async () => {
    server.apply(PODS, pod('etcd', 'n1', { annotations: { 'kubernetes.io/config.mirror': 'hash' } }));
    await start();
    assert.deepEqual([has('etcd', 'hash'), has('etcd', 'uid-1')], [true, false]);
  });

  it('are not known while the server is away, and known anew from when it is heard again', async () => {
    server.apply(PODS, pod('web', 'n1'));
    await start();
    const first = store.ownPods?.()?.heardSinceMs;
    server.stop();
    await clock.run(1_000);
    assert.equal(store.ownPods?.(), undefined);
    server.remove(PODS, 'default/web');
    await clock.run(600_000);
    assert.equal(store.ownPods?.(), undefined);
    server.start();
    await clock.run(30_000);
    assert.equal(has('web'), false);
    assert.ok(store.ownPods!()!.heardSinceMs >= first! + 600_000);
  });

  it('are not asked for by a node that gives no addresses', async () => {
    await start(false);
    assert.equal(store.ownPods?.(), undefined);
    assert.deepEqual(
      server.log.filter((line) => line.includes('/pods')),
      [],
    );
  });

  it('are a problem where the account may not see them, and nothing else is', async () => {
    server.resources.delete(PODS);
    const api = server.connect();
    const forbidden = {
      kind: 'refused',
      status: 403,
      reason: 'Forbidden',
      message: 'pods is forbidden',
    } as const;
    store = openKubernetesStore({
      api: {
        ...api,
        stream: (path, sink) => {
          if (!path.startsWith('/api/v1/pods?')) return api.stream(path, sink);
          void Promise.resolve().then(() => sink.end(forbidden));
          return { [Symbol.dispose]: () => undefined };
        },
      },
      ...{ clock, disk: new MemoryDisk(), random: new SeededRandom(1), namespace: 'podroute-system' },
      own: { node: 'n1', needsOthers: () => new Set(), hasPods: true },
    });
    const started = store.start();
    await clock.run(9_000);
    await started;
    assert.deepEqual(texts(store.problems()), [], 'it may not have read its roles yet');
    let told = 0;
    store.subscribe(() => told++);
    await clock.run(5_000);
    assert.equal(told, 1);
    assert.deepEqual(texts(store.problems()), [
      "pods: the API server refuses to show this node's: 403 Forbidden: pods is forbidden; addresses of Pods that are gone are not looked for",
    ]);
    assert.equal(store.ownPods?.(), undefined);
  });
});
