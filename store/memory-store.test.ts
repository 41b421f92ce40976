// What the store in memory does besides the contract: it can be late, and can give no answers, the same way each time.
import assert from 'node:assert/strict';
import { FakeClock } from '#world/testing';
import type { IPPool } from '#api';
import { MemoryStore } from './memory-store.ts';

const pool = (name: string): IPPool =>
  ({
    apiVersion: 'podroute.io/v1',
    kind: 'IPPool',
    metadata: { name },
    spec: { cidr: '10.0.0.0/16' },
  }) as IPPool;

describe('the store in memory, out of reach', () => {
  it('answers and tells as late as it is told to', async () => {
    const clock = new FakeClock();
    const shared = new MemoryStore(clock);
    await using view = shared.view();
    await view.start();
    view.delayMs = 400;
    const begin = clock.now();
    const log: string[] = [];
    const note = (what: string) => log.push(`${clock.now() - begin} ${what}`);
    view.subscribe(() => note(`told ${view.snapshot().ipPools.size}`));
    void view.create(pool('a')).then(({ kind }) => note(kind));
    void view.get({ kind: 'IPPool', name: 'a' }).then((found) => note(`${found?.metadata.name}`));
    await clock.run(300);
    shared.apply(pool('b'));
    await clock.run(1000);
    assert.deepEqual(log, ['400 stored', '400 a', '600 told 2']);
  });

  it('rejects every question while it fails, and tells afterwards what was missed', async () => {
    const clock = new FakeClock();
    const shared = new MemoryStore(clock);
    await using broken = shared.view();
    await using whole = shared.view();
    for (const view of [broken, whole]) await view.start();
    broken.failure = 'the API server does not answer';
    await assert.rejects(broken.list('IPPool'), /does not answer/);
    assert.equal((await whole.create(pool('a'))).kind, 'stored');
    await clock.run(5_000);
    assert.equal(whole.snapshot().ipPools.size, 1);
    assert.equal(broken.snapshot().ipPools.size, 0);
    broken.failure = undefined;
    await clock.run(1_000);
    assert.equal(broken.snapshot().ipPools.size, 1);
    assert.equal((await broken.list('IPPool')).length, 1);
  });
});
