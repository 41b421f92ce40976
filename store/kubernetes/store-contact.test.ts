// What the store of an API server says of that server itself: whether it is heard, and for how long it was silent.
import assert from 'node:assert/strict';
import { SeededRandom } from '#world';
import { FakeClock, MemoryDisk } from '#world/testing';
import { openKubernetesStore } from './kubernetes-store.ts';
import { RESOURCE_PATHS } from './resource-paths.ts';
import { MemoryApiServer } from './testing/memory-api-server.ts';

describe('contact with an API server', () => {
  const bench = () => {
    const clock = new FakeClock();
    const server = new MemoryApiServer(clock);
    for (const { base, plural } of Object.values(RESOURCE_PATHS)) server.resources.add(`${base} ${plural}`);
    const store = openKubernetesStore({
      ...{ api: server.connect(), clock, disk: new MemoryDisk(), random: new SeededRandom(1) },
      namespace: 'podroute-system',
    });
    return { clock, server, store, contact: () => store.contact!() };
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
});
