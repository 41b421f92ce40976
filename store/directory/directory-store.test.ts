import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatProblem, type IPAMBlock } from '#api';
import { realDisk } from '#linux';
import { systemClock, waitUntil } from '#world';
import { FakeClock, MemoryDisk } from '#world/testing';
import { openDirectoryStore, type Store } from '../index.ts';

const pool = (name: string, cidr: string) =>
  `apiVersion: podroute.io/v1\nkind: IPPool\nmetadata: { name: ${name} }\nspec: { cidr: ${cidr} }\n`;

const block: IPAMBlock = {
  apiVersion: 'podroute.io/v1',
  kind: 'IPAMBlock',
  metadata: { name: '10-244-0-0-26' },
  spec: { cidr: '10.244.0.0/26', node: 'n1', pool: 'pods' },
};

describe('the directory store', () => {
  let folder: string;
  let store: Store;
  const write = (file: string, text: string) => writeFileSync(join(folder, file), text);
  const pools = () => [...store.snapshot().ipPools].map(([name, { spec }]) => `${name} ${spec.cidr}`);
  const problems = () =>
    store.problems().map(({ file, line, object, field }) => ({ file, line, object, field }));
  /** Resolves at the next change; fails after 200 ms, the time within which a change must be seen. */
  const changed = () =>
    new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('no change was seen within 200 ms')), 200);
      const unsubscribe = store.subscribe(() => {
        clearTimeout(timer);
        unsubscribe();
        resolve();
      });
    });

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'podroute-store-'));
    write('pools.yaml', `${pool('a', '10.1.0.0/16')}---\n${pool('b', '10.2.0.0/16')}`);
    store = openDirectoryStore(folder, { clock: systemClock, disk: realDisk });
    await store.start();
  });
  afterEach(async () => {
    await store[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  it('reads many documents, in one file or in many, without keeping others from their turn', async () => {
    const many = Array.from({ length: 60 }, (_, i) => pool(`p${i}`, `10.${i}.0.0/16`));
    const disk = new MemoryDisk();
    disk.put('/big/one.yaml', Buffer.from(many.slice(0, 30).join('---\n')));
    for (const [i, text] of many.slice(30).entries()) disk.put(`/big/${i}.yaml`, Buffer.from(text));
    let nowMs = 0;
    let pauses = 0;
    // Each look at the clock finds 1 ms gone, as if a document took that long; other timers never fire.
    const clock = {
      now: () => nowMs++,
      wall: () => 0,
      setTimer: (delayMs: number, callback: () => void) => {
        if (delayMs > 0) return { cancel: () => {} };
        pauses++;
        setImmediate(callback);
        return { cancel: () => {} };
      },
    };
    await using big = openDirectoryStore('/big', { clock, disk });
    await big.start();
    assert.equal(big.snapshot().ipPools.size, 60);
    assert.ok(pauses >= 6, `${pauses} pauses for 60 documents of 1 ms`);
  });

  it('reads every document of every file, also in folders below, and nothing else', async () => {
    mkdirSync(join(folder, 'more'));
    write(
      'more/c.json',
      JSON.stringify({
        apiVersion: 'podroute.io/v1',
        kind: 'IPPool',
        metadata: { name: 'c' },
        spec: { cidr: '10.3.0.0/16' },
      }),
    );
    write('.hidden.yaml', pool('hidden', '10.9.0.0/16'));
    write('notes.txt', 'not YAML: [');
    await changed();
    assert.deepEqual(pools(), ['c 10.3.0.0/16', 'a 10.1.0.0/16', 'b 10.2.0.0/16']);
    assert.deepEqual(problems(), []);
  });

  it('sees a new, a changed and a deleted file within 200 ms', async () => {
    const added = changed();
    write('new.yaml', pool('new', '10.7.0.0/16'));
    await added;
    assert.ok(pools().includes('new 10.7.0.0/16'));
    const replaced = changed();
    write('.new.tmp', pool('new', '10.8.0.0/16'));
    renameSync(join(folder, '.new.tmp'), join(folder, 'new.yaml'));
    await replaced;
    assert.ok(pools().includes('new 10.8.0.0/16'));
    const gone = changed();
    rmSync(join(folder, 'new.yaml'));
    await gone;
    assert.deepEqual(pools(), ['a 10.1.0.0/16', 'b 10.2.0.0/16']);
  });

  it('keeps the last good version of an object whose document became wrong, and says where', async () => {
    write('pools.yaml', `${pool('a', '10.1.0.0/33')}---\n${pool('b', '10.22.0.0/16')}`);
    await changed();
    assert.deepEqual(pools(), ['a 10.1.0.0/16', 'b 10.22.0.0/16']);
    assert.deepEqual(problems(), [{ file: 'pools.yaml', line: 4, object: 'IPPool a', field: 'spec.cidr' }]);
    assert.match(formatProblem(store.problems()[0]!), /; the last good version stays in force$/);
    write('new.yaml', pool('c', '10.3.0.0/33'));
    await changed();
    assert.doesNotMatch(formatProblem(store.problems()[0]!), /stays in force/);
  });

  it('keeps every object of a file that is no YAML any more', async () => {
    write('pools.yaml', 'kind: [');
    await changed();
    assert.deepEqual(pools(), ['a 10.1.0.0/16', 'b 10.2.0.0/16']);
    assert.equal(store.problems()[0]?.file, 'pools.yaml');
  });

  it('takes the first of two documents for one object, in the order of their files, and names both', async () => {
    write('second.yaml', pool('b', '10.99.0.0/16'));
    await changed();
    assert.deepEqual(pools(), ['a 10.1.0.0/16', 'b 10.2.0.0/16']);
    const [problem] = store.problems();
    assert.deepEqual([problem?.file, problem?.object], ['second.yaml', 'IPPool b']);
    assert.match(problem?.message ?? '', /pools\.yaml/);
  });

  it('keeps CIDR and block size of a pool that blocks were cut from, and takes another CIDR once they are gone', async () => {
    const cut = { ...block, spec: { ...block.spec, cidr: '10.1.3.0/26', pool: 'a' } };
    const claimed = changed();
    const created = await store.create(cut);
    await claimed;
    write('pools.yaml', `${pool('a', '10.11.0.0/16')}---\n${pool('b', '10.22.0.0/16')}`);
    await changed();
    assert.deepEqual(pools(), ['a 10.1.0.0/16', 'b 10.22.0.0/16']);
    assert.deepEqual(problems(), [{ file: 'pools.yaml', line: 4, object: 'IPPool a', field: 'spec.cidr' }]);
    assert.match(
      store.problems()[0]?.message ?? '',
      /cannot be changed while .* 10\.1\.0\.0\/16 stays in force/,
    );
    write('pools.yaml', pool('a', '10.1.0.0/16').replace('/16', '/16, blockSize: 28'));
    await changed();
    assert.equal(store.snapshot().ipPools.get('a')?.spec.blockSize, 26);
    write('pools.yaml', pool('a', '10.11.0.0/16'));
    assert.ok(created.kind === 'stored');
    const given = changed();
    await store.delete(
      { kind: 'IPAMBlock', name: cut.metadata.name },
      created.object.metadata.resourceVersion!,
    );
    await given;
    for (let i = 0; i < 20 && pools()[0] !== 'a 10.11.0.0/16'; i++) await changed().catch(() => {});
    assert.deepEqual(pools(), ['a 10.11.0.0/16']);
    assert.deepEqual(problems(), []);
  });

  it('writes texts so that they are read again as texts', async () => {
    for (const node of ['no', 'y', '0123', '1_0', '12:30']) {
      const object = { ...block, spec: { ...block.spec, node } };
      const stored = await store.create(object);
      assert.ok(stored.kind === 'stored', node);
      const key = { kind: 'IPAMBlock', name: block.metadata.name } as const;
      assert.equal((await store.get(key))?.spec.node, node);
      await store.delete(key, stored.object.metadata.resourceVersion!);
    }
  });

  it('does not start on a folder that is not there, and keeps what it has when the folder goes', async () => {
    const nowhere = openDirectoryStore(join(folder, 'nowhere'), { clock: systemClock, disk: realDisk });
    await assert.rejects(nowhere.start(), /nowhere: no such folder/);
    await nowhere[Symbol.asyncDispose]();
    const gone = changed();
    renameSync(folder, `${folder}-away`);
    await gone;
    assert.deepEqual(pools(), ['a 10.1.0.0/16', 'b 10.2.0.0/16']);
    assert.deepEqual(
      store.problems().map(({ message }) => message),
      ['no such folder'],
    );
    renameSync(`${folder}-away`, folder);
  });

  it('tells what another process wrote, too', async () => {
    const other = openDirectoryStore(folder, { clock: systemClock, disk: realDisk });
    const seen = changed();
    assert.equal((await other.create(block)).kind, 'stored');
    await seen;
    assert.equal(store.snapshot().ipamBlocks.get('10-244-0-0-26')?.spec.node, 'n1');
  });

  it('takes the good documents of a file beside one that is no YAML', async () => {
    write('pools.yaml', `kind: [\n---\n${pool('b', '10.22.0.0/16')}`);
    await changed();
    assert.deepEqual(pools().sort(), ['a 10.1.0.0/16', 'b 10.22.0.0/16']);
    assert.equal(store.problems().length, 1);
  });

  it('keeps the objects of a file when one document does not say any more which object it is', async () => {
    write(
      'pools.yaml',
      `${pool('a', '10.1.0.0/16').replace('IPPool', 'IPPol')}---\n${pool('b', '10.2.0.0/16')}`,
    );
    await changed();
    assert.deepEqual(pools().sort(), ['a 10.1.0.0/16', 'b 10.2.0.0/16']);
    assert.deepEqual(problems(), [{ file: 'pools.yaml', line: 2, object: 'IPPol a', field: 'kind' }]);
  });

  it('lets nothing go because another change makes it look again at once', async () => {
    const clock = new FakeClock();
    class BusyDisk extends MemoryDisk {
      /** While the empty file is being read, another comes. */
      override async read(path: string): Promise<Uint8Array | undefined> {
        const bytes = await super.read(path);
        if (bytes?.length === 0) this.put('/half/other.yaml', Buffer.from(pool('b', '10.2.0.0/16')));
        return bytes;
      }
    }
    const disk = new BusyDisk();
    const text = Buffer.from(pool('a', '10.1.0.0/16'));
    disk.put('/half/one.yaml', text);
    await using other = openDirectoryStore('/half', { clock, disk });
    await other.start();
    const seen: number[] = [];
    other.subscribe(() => seen.push(other.snapshot().ipPools.has('a') ? 1 : 0));
    disk.put('/half/one.yaml', new Uint8Array());
    await clock.run(20);
    await clock.run(50);
    disk.put('/half/one.yaml', text);
    await clock.run(200);
    assert.deepEqual([...other.snapshot().ipPools.keys()].sort(), ['a', 'b']);
    assert.ok(
      seen.every((count) => count >= 1),
      String(seen),
    );
    await disk.remove('/half/one.yaml');
    await clock.run(190);
    assert.deepEqual([...other.snapshot().ipPools.keys()], ['b'], 'one that stays away is believed');
  });

  it('lets nothing go that moved to a file of which nobody has told yet', async () => {
    class DeafDisk extends MemoryDisk {
      override watch(below: string, told: (path: string | undefined) => void): Disposable {
        return super.watch(below, (path) => {
          if (path === 'one.yaml') told(path);
        });
      }
    }
    const disk = new DeafDisk();
    const text = Buffer.from(pool('a', '10.1.0.0/16'));
    disk.put('/moved/one.yaml', text);
    await using other = openDirectoryStore('/moved', { clock: systemClock, disk });
    await other.start();
    const seen: number[] = [];
    other.subscribe(() => seen.push(other.snapshot().ipPools.size));
    disk.put('/moved/two.yaml', text);
    await disk.remove('/moved/one.yaml');
    await waitUntil('the file where it stands now', 2_000, () => {
      return other.locate({ object: 'IPPool a', field: '', message: '' }).file === 'two.yaml';
    });
    assert.ok(
      seen.every((count) => count === 1),
      String(seen),
    );
  });

  it('knows file and line of a problem that others find with an object', async () => {
    assert.deepEqual(store.locate({ object: 'IPPool b', field: 'spec.cidr', message: 'm' }), {
      file: 'pools.yaml',
      line: 9,
      object: 'IPPool b',
      field: 'spec.cidr',
      message: 'm',
    });
    const unknown = { object: 'IPPool z', field: '', message: 'm' };
    assert.equal(store.locate(unknown), unknown);
  });

  it('follows its folder when that comes back as another one', async function () {
    this.timeout(5_000);
    rmSync(folder, { recursive: true });
    mkdirSync(folder);
    write('pools.yaml', pool('again', '10.5.0.0/16'));
    await waitUntil('the new pool', 3_000, () => pools().join() === 'again 10.5.0.0/16');
    await waitUntil('no problem', 1_000, () => problems().length === 0);
    const seen = changed();
    write('pools.yaml', pool('again', '10.6.0.0/16'));
    await seen;
    assert.deepEqual(pools(), ['again 10.6.0.0/16']);
  });

  it('says which file it cannot read, and keeps what that held', async () => {
    const disk = new MemoryDisk();
    disk.put('/store/pools.yaml', Buffer.from(pool('a', '10.1.0.0/16')));
    await using other = openDirectoryStore('/store', { clock: systemClock, disk });
    await other.start();
    disk.damaged.set('/store/pools.yaml', 'EACCES: permission denied');
    disk.put('/store/pools.yaml', new Uint8Array());
    await waitUntil('a problem', 200, () => other.problems().length > 0);
    assert.deepEqual(other.problems(), [
      { file: 'pools.yaml', object: 'file', field: '', message: 'EACCES: permission denied' },
    ]);
    assert.deepEqual([...other.snapshot().ipPools.keys()], ['a']);
  });

  it('keeps an object that cannot be read from no other: left out of lists, refused by name, and named', async () => {
    const other = {
      ...block,
      metadata: { name: '10-244-0-64-26' },
      spec: { ...block.spec, cidr: '10.244.0.64/26' },
    };
    await store.create(block);
    await store.create(other);
    const seen = changed();
    write('.podroute/IPAMBlock/10-244-0-0-26.yaml', '');
    await seen;
    assert.deepEqual(
      (await store.list('IPAMBlock')).map(({ spec }) => spec.cidr),
      ['10.244.0.64/26'],
    );
    const claimed = await store.create(block);
    assert.ok(claimed.kind === 'unreadable');
    assert.match(claimed.why, /10-244-0-0-26\.yaml: not a readable IPAMBlock: it holds no such object/);
    assert.deepEqual(problems(), [
      {
        file: '.podroute/IPAMBlock/10-244-0-0-26.yaml',
        line: undefined,
        object: 'IPAMBlock 10-244-0-0-26',
        field: '',
      },
    ]);
    assert.equal((await store.get({ kind: 'IPAMBlock', name: '10-244-0-64-26' }))?.spec.node, 'n1');
  });

  it('loses no change of several processes, and tears no file when writers are killed', async function () {
    this.timeout(30_000);
    await store.create(block);
    const writer = join(import.meta.dirname, 'testing', 'writer.ts');
    const start = (count: number) => {
      const child = spawn(process.execPath, [writer, folder, '10-244-0-0-26', String(count)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let done = 0;
      child.stdout.on('data', (chunk: Buffer) => {
        done += chunk.length;
      });
      const ended = new Promise<number>((resolve) => child.once('close', () => resolve(done)));
      return { child, ended, started: new Promise((resolve) => child.stdout.once('data', resolve)) };
    };
    const kills = 4;
    /** One writer after the other, each killed some while after its first change. */
    const killed = async () => {
      let told = 0;
      for (let i = 0; i < kills; i++) {
        const victim = start(1_000_000);
        await victim.started;
        await new Promise((resolve) => setTimeout(resolve, 37 * i));
        victim.child.kill('SIGKILL');
        told += await victim.ended;
      }
      return told;
    };
    const counts = await Promise.all([killed(), ...[start(80), start(80), start(80)].map((w) => w.ended)]);
    const told = counts.reduce((sum, count) => sum + count, 0);
    const stored = Number(
      (await store.get({ kind: 'IPAMBlock', name: '10-244-0-0-26' }))?.metadata.labels?.['changes'],
    );
    // Each that was killed may have made its last change without telling.
    assert.ok(stored >= told && stored <= told + kills, `${stored} changes are stored, ${told} were told`);
    assert.deepEqual(
      readdirSync(join(folder, '.podroute', 'IPAMBlock')).filter((name) => name.endsWith('.yaml')),
      ['10-244-0-0-26.yaml'],
    );
  });
});
