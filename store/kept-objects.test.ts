// What a node keeps on its own disk of the objects in force, and what a restart makes of it.
import assert from 'node:assert/strict';
import { FakeClock, MemoryDisk } from '#world/testing';
import { openDirectoryStore } from './index.ts';

const KEPT = '/state/last-good/objects.jsonl';
const pool = 'apiVersion: podroute.io/v1\nkind: IPPool\nmetadata: { name: a }\nspec: { cidr: 10.1.0.0/16 }\n';
const secret =
  'apiVersion: v1\nkind: Secret\nmetadata: { name: s, namespace: infra }\ndata: { tor: czNjcmV0 }\n';

describe('the last good versions that a directory store keeps', () => {
  let clock: FakeClock;
  let disk: MemoryDisk;
  const write = (text: string) => disk.put('/store/a.yaml', Buffer.from(text));
  /** What one run has in force and complains of, at its end. */
  const run = async (during?: () => Promise<void> | void, folder = '/store') => {
    const store = openDirectoryStore(folder, { clock, disk, keepIn: '/state/last-good' });
    await store.start();
    await during?.();
    const { ipPools, secrets } = store.snapshot();
    const problems = store.problems().map(({ object, message }) => `${object}: ${message}`);
    await store[Symbol.asyncDispose]();
    return {
      pools: [...ipPools.values()].map(({ spec }) => spec.cidr),
      secrets: [...secrets].map(([key, { values }]) => [key, values.tor]),
      problems,
    };
  };

  beforeEach(() => {
    clock = new FakeClock();
    disk = new MemoryDisk();
    write(`${pool}---\n${secret}`);
  });

  it('have Secrets, namespaces and all', async () => {
    await run();
    write(`${pool.replace('cidr', 'cird')}---\n${secret.replace('czNjcmV0', '"?"')}`);
    for (const _ of [1, 2]) {
      const { pools, secrets, problems } = await run();
      assert.deepEqual([pools, secrets], [['10.1.0.0/16'], [['infra/s', 's3cret']]]);
      assert.equal(problems.length, 3, problems.join('\n'));
    }
  });

  it('have BFDProfiles: a mistake in one takes BFD from no session', async () => {
    const profile = (spec: string) =>
      `apiVersion: podroute.io/v1\nkind: BFDProfile\nmetadata: { name: fast }\nspec: { ${spec} }\n`;
    write(profile('detectMultiplier: 5'));
    await run();
    write(profile('detectMultiplier: 500'));
    const store = openDirectoryStore('/store', { clock, disk, keepIn: '/state/last-good' });
    await store.start();
    assert.equal(store.snapshot().bfdProfiles.get('fast')?.spec.detectMultiplier, 5);
    await store[Symbol.asyncDispose]();
  });

  it('hold for a file that is there and cannot be read', async () => {
    await run();
    disk.damaged.set('/store/a.yaml', 'EIO: i/o error');
    const { pools, problems } = await run();
    assert.deepEqual(pools, ['10.1.0.0/16']);
    assert.deepEqual(problems, ['file: EIO: i/o error']);
  });

  it('have pools that are gone, until none of their blocks is left', async () => {
    const block = (n: number) => {
      const spec = `{ cidr: 10.1.0.${n * 64}/26, node: n${n}, pool: a }`;
      return `---\napiVersion: podroute.io/v1\nkind: IPAMBlock\nmetadata: { name: 10-1-0-${n * 64}-26 }\nspec: ${spec}\n`;
    };
    const formerOf = async (text: string) => {
      write(text);
      const store = openDirectoryStore('/store', { clock, disk, keepIn: '/state/last-good' });
      await store.start();
      const { formerPools } = store.refused();
      await store[Symbol.asyncDispose]();
      return formerPools;
    };
    const gone = [{ name: 'a', cidr: '10.1.0.0/16' }];
    const other = pool.replace('name: a', 'name: b').replace('10.1.', '10.2.');
    assert.equal(await formerOf(pool + block(0)), undefined);
    assert.deepEqual(await formerOf(other + block(0) + block(1)), gone, 'deleted while nobody looked');
    assert.deepEqual(await formerOf(other + block(1)), gone);
    assert.deepEqual(await formerOf(`${other}---\n{`), gone, 'there may be one in what cannot be read');
    assert.equal(await formerOf(pool + block(1)), undefined, 'it is back');
    assert.deepEqual(await formerOf(other + block(1)), gone);
    assert.deepEqual(await formerOf(pool.replace('10.1.', '10.3.') + block(1)), gone, 'now it is another');
    assert.equal(await formerOf(other), undefined);
    assert.equal(await formerOf(other + block(1)), undefined, 'what comes later has no pool');
  });

  it('are written when they change, and not when nothing does', async () => {
    await run();
    const first = disk.contents(KEPT);
    await run(async () => {
      write(`${pool}---\n# a comment\n${secret}`);
      await clock.run(1_000);
    });
    assert.equal(disk.contents(KEPT), first);
    write(pool.replace('10.1', '10.2'));
    await run();
    assert.match(Buffer.from(disk.contents(KEPT)!).toString(), /10\.2\.0\.0/);
  });

  it('say nothing of another folder, and nothing when they are damaged, which is a problem until they are whole', async () => {
    await run();
    const wrong = Buffer.from(pool.replace('cidr', 'cird'));
    disk.put('/other/a.yaml', wrong);
    assert.deepEqual((await run(undefined, '/other')).pools, []);
    await run();
    const kept = disk.contents(KEPT)!;
    disk.put(KEPT, kept.subarray(0, kept.length - 20));
    disk.put('/store/a.yaml', wrong);
    const { pools, problems } = await run();
    assert.deepEqual(pools, []);
    assert.match(problems.join('\n'), /objects\.jsonl: cannot be read/);
    assert.doesNotMatch((await run()).problems.join('\n'), /objects\.jsonl/);
  });

  it('that cannot be written are a warning, told at once and gone once they are', async () => {
    let told = 0;
    const store = openDirectoryStore('/store', { clock, disk, keepIn: '/state/last-good' });
    await store.start();
    store.subscribe(() => told++);
    disk.failure = 'EROFS: read-only file system';
    await clock.run(1_000);
    assert.equal(told, 1);
    assert.match(store.problems()[0]?.message ?? '', /cannot be written: EROFS/);
    disk.failure = undefined;
    write(pool);
    await clock.run(1_000);
    assert.deepEqual(store.problems(), []);
    await store[Symbol.asyncDispose]();
  });
});
