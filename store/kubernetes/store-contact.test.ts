// What the store of an API server says of that server itself: whether it is heard, for how long it was silent, and what it
// refuses.
import assert from 'node:assert/strict';
import { SeededRandom } from '#world';
import { FakeClock, MemoryDisk } from '#world/testing';
import type { ApiServer } from './api-server.ts';
import { openKubernetesStore } from './kubernetes-store.ts';
import { RESOURCE_PATHS } from './resource-paths.ts';
import { peer, texts } from './testing/given-objects.ts';
import { MemoryApiServer } from './testing/memory-api-server.ts';

describe('contact with an API server', () => {
  const bench = (connect?: () => ApiServer) => {
    const clock = new FakeClock();
    const server = new MemoryApiServer(clock);
    for (const { base, plural } of Object.values(RESOURCE_PATHS)) server.resources.add(`${base} ${plural}`);
    const store = openKubernetesStore({
      ...{ api: connect?.() ?? server.connect(), clock, disk: new MemoryDisk(), random: new SeededRandom(1) },
      namespace: 'podroute-system',
    });
    return {
      clock,
      server,
      store,
      contact: () => store.contact!(),
      told: () => texts(store.problems()).join('\n'),
    };
  };

  it('is there while it is heard, and silence is counted from its last word', async () => {
    const { clock, server, store, contact } = bench();
    await using _store = store;
    await store.start();
    await clock.run(30_000);
    const { isConnected, silentMs } = contact();
    assert.ok(isConnected && silentMs! <= 30_000, `${silentMs}`);
    server.stop();
    await clock.run(120_000);
    const away = contact();
    assert.ok(!away.isConnected && away.silentMs! >= 120_000 && away.silentMs! <= 150_000);
    server.start();
    await clock.run(30_000);
    assert.ok(contact().isConnected);
    assert.ok(contact().silentMs! <= 30_000);
  });

  it('was never there when nothing was ever heard', async () => {
    const { clock, server, store, contact } = bench();
    await using _store = store;
    server.stop();
    const start = store.start();
    await clock.run(60_000);
    await start;
    assert.deepEqual(contact(), { isConnected: false });
  });

  it('says what a server refuses when it has refused it for 10 s, so that one that comes back is given time', async () => {
    const { clock, server, store, told } = bench();
    await using _store = store;
    const refusal = { kind: 'refused', status: 403, reason: 'Forbidden', message: 'no such role' } as const;
    server.failure = refusal;
    const start = store.start();
    await clock.run(9_000);
    await start;
    assert.equal(told(), '', 'this agent has just started');
    await clock.run(2_000);
    assert.match(
      told(),
      /ippools.podroute.io: the API server refuses to show these: 403 .*nothing was ever heard/,
    );
    server.failure = undefined;
    await clock.run(16_000);
    assert.equal(told(), '');
    server.stop();
    await clock.run(60_000);
    assert.match(told(), /does not answer/);
    server.start();
    server.failure = refusal;
    while (/does not answer/.test(told())) await clock.run(100);
    assert.match(
      told(),
      /^store kubernetes: the API server https:..api.test:6443 does not serve everything yet \(403/,
    );
    assert.doesNotMatch(told(), /refuses/);
    await clock.run(20_000);
    assert.match(told(), /ippools.podroute.io: the API server refuses to show these/);
  });

  it('says that a kind is not there when a server has said so for 10 s: one that starts learns of its CRDs', async () => {
    const { clock, server, store, told } = bench();
    await using _store = store;
    await store.start();
    server.stop();
    await clock.run(60_000);
    const { base, plural } = RESOURCE_PATHS.IPPool;
    server.resources.delete(`${base} ${plural}`);
    server.start();
    const startedMs = clock.now();
    const saidMs: number[] = [];
    store.subscribe(() => {
      if (told().includes('does not know this kind')) saidMs.push(clock.now() - startedMs);
    });
    await clock.run(9_000);
    assert.deepEqual(saidMs, []);
    await clock.run(30_000);
    assert.ok(saidMs[0]! >= 10_000, `${saidMs[0]}`);
    assert.match(told(), /ippools.podroute.io: the API server does not know this kind/);
  });

  it('says of a server that has never answered that it does not, after 10 s and not before', async () => {
    const api = {
      place: 'https://api.test:6443',
      ask: () => new Promise<never>(() => {}),
      stream: () => ({ [Symbol.dispose]() {} }),
    };
    const { clock, store, told } = bench(() => api);
    await using _store = store;
    let heard = '';
    store.subscribe(() => (heard = told()));
    const start = store.start();
    await clock.run(9_900);
    await start;
    assert.equal(heard, '');
    await clock.run(200);
    assert.match(heard, /does not answer; nothing was ever heard from it/);
  });

  it('says of a Secret that it may not read where to name it, and that it never heard of it, also while it runs', async () => {
    const clock = new FakeClock();
    const server = new MemoryApiServer(clock);
    for (const { base, plural } of Object.values(RESOURCE_PATHS)) server.resources.add(`${base} ${plural}`);
    const api = server.connect();
    const message = 'secrets "bgp" is forbidden';
    const forbidden = { kind: 'refused', status: 403, reason: 'Forbidden', message } as const;
    await using store = openKubernetesStore({
      api: {
        ...api,
        stream: (path, sink) => {
          if (!path.includes('/secrets?')) return api.stream(path, sink);
          void Promise.resolve().then(() => sink.end(forbidden));
          return { [Symbol.dispose]: () => undefined };
        },
      },
      ...{ clock, disk: new MemoryDisk(), random: new SeededRandom(1), namespace: 'podroute-system' },
    });
    await store.start();
    const password = { secretKeyRef: { name: 'bgp', key: 'tor' } };
    server.apply('/apis/podroute.io/v1 bgppeers', peer({ password }));
    await clock.run(30_000);
    assert.deepEqual(texts(store.problems()), [
      'secrets/bgp: the API server refuses to show it: 403 Forbidden: secrets "bgp" is forbidden; nothing was ever heard of it; ' +
        'name it in the Role podroute-agent of namespace podroute-system (Helm: agent.passwordSecrets)',
    ]);
  });
});
