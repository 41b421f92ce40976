// How files become documents: links, large files, files that are half written.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatProblem, parseText } from '#api';
import { realDisk } from '#linux';
import { systemClock, waitUntil } from '#world';
import { FakeClock, MemoryDisk } from '#world/testing';
import { openDirectoryStore, type Store } from '../index.ts';

const pool = (name: string, cidr: string) =>
  `apiVersion: podroute.io/v1\nkind: IPPool\nmetadata: { name: ${name} }\nspec: { cidr: ${cidr} }\n`;

const poolsOf = (store: Store) =>
  [...store.snapshot().ipPools].map(([name, { spec }]) => `${name} ${spec.cidr}`);

describe('the files of a directory store', () => {
  it('are read once in a mounted ConfigMap, and again as soon as that is replaced', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'podroute-files-'));
    const data = (name: string, cidr: string) => {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, 'net.yaml'), pool('m', cidr));
    };
    data('..2026_01', '10.31.0.0/16');
    symlinkSync('..2026_01', join(folder, '..data'));
    symlinkSync('..data/net.yaml', join(folder, 'net.yaml'));
    await using store = openDirectoryStore(folder, { clock: systemClock, disk: realDisk });
    await store.start();
    assert.deepEqual(poolsOf(store), ['m 10.31.0.0/16']);
    assert.deepEqual(store.problems(), []);
    data('..2026_02', '10.32.0.0/16');
    symlinkSync('..2026_02', join(folder, '..data_tmp'));
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
    rmSync(join(folder, '..2026_01'), { recursive: true });
    // Without a word from the kernel it would be half a minute.
    await waitUntil('the new one to be read', 5_000, () => poolsOf(store)[0] === 'm 10.32.0.0/16');
    assert.deepEqual(store.problems(), []);
    rmSync(folder, { recursive: true });
  });

  it('are parsed aside when they are large, and refused when too large: what such a file held stays', async () => {
    const disk = new MemoryDisk();
    const aside: string[] = [];
    const parseAside = async (text: string, file: string) => {
      aside.push(file);
      if (text.includes('too slow')) throw new Error('took too long');
      return parseText(text, file);
    };
    const clock = new FakeClock();
    disk.put('/s/large.yaml', Buffer.from(`${pool('a', '10.1.0.0/16')}${'# filler\n'.repeat(3_000)}`));
    disk.put('/s/small.yaml', Buffer.from(pool('b', '10.2.0.0/16')));
    await using large = openDirectoryStore('/s', { clock, disk, parseAside });
    await large.start();
    assert.deepEqual([...large.snapshot().ipPools.keys()], ['a', 'b']);
    assert.deepEqual(aside, ['large.yaml']);
    disk.put('/s/large.yaml', Buffer.from(`# too slow\n${'# filler\n'.repeat(3_000)}`));
    disk.put('/s/small.yaml', Buffer.alloc(4 * 1024 * 1024 + 1));
    await clock.run(1_000);
    assert.deepEqual([...large.snapshot().ipPools.keys()].sort(), ['a', 'b']);
    assert.deepEqual(
      large.problems().map(({ file, message }) => `${file}: ${message}`),
      ['small.yaml: has 4194305 bytes; more than 4194304 are not read', 'large.yaml: took too long'],
    );
  });

  it('lose nothing while they are written anew, or moved to another name', async () => {
    const text = `${pool('a', '10.1.0.0/16')}---\n${pool('b', '10.2.0.0/16')}`;
    const disk = new MemoryDisk();
    const clock = new FakeClock();
    const put = (content: string) => disk.put('/s/pools.yaml', Buffer.from(content));
    put(text);
    await using edited = openDirectoryStore('/s', { clock, disk });
    await edited.start();
    const names = () => [...edited.snapshot().ipPools.keys()].join('');
    const seen: string[] = [];
    edited.subscribe(() => seen.push(names()));
    const steps: (() => Promise<void> | void)[] = [
      () => put(''),
      () => put(pool('a', '10.1.0.0/16')),
      () => put(text),
      () => disk.rename('/s/pools.yaml', '/s/pools.yaml~'),
      () => disk.rename('/s/pools.yaml~', '/s/renamed.yaml'),
    ];
    for (const step of steps) {
      await step();
      await clock.run(45);
    }
    await clock.run(150);
    assert.equal(names(), 'ab');
    assert.deepEqual([...new Set(seen)], ['ab']);
    assert.deepEqual(edited.problems(), []);
    // What is away for longer is gone.
    put('');
    await disk.remove('/s/renamed.yaml');
    await clock.run(150);
    assert.equal(names(), '');
  });

  it('of agents are one object each: rubbish in one is nothing that an operator may have written', async () => {
    const disk = new MemoryDisk();
    disk.put('/store/pools.yaml', Buffer.from(pool('a', '10.1.0.0/16')));
    for (const [i, text] of [
      '\u0001\u0002',
      'kind: [',
      'apiVersion: podroute.io/v1\nkind: IPAMBlock\n',
    ].entries())
      disk.put(`/store/.podroute/IPAMBlock/10-1-${i}-0-26.yaml`, Buffer.from(text));
    disk.put('/store/.podroute/IPAMBlock/10-1-3-0-26.yaml', new Uint8Array());
    disk.damaged.set('/store/.podroute/IPAMBlock/10-1-3-0-26.yaml', 'EIO: i/o error');
    await using first = openDirectoryStore('/store', { clock: systemClock, disk });
    await first.start();
    const { files, objects } = first.refused();
    assert.deepEqual([...files], []);
    assert.deepEqual(
      [...objects],
      [0, 1, 2].map((i) => `IPAMBlock 10-1-${i}-0-26`),
    );
    const told = first.problems().map(formatProblem).join('\n');
    for (const i of [0, 1, 2]) assert.match(told, new RegExp(`IPAMBlock 10-1-${i}-0-26: is not in force`));
    assert.match(told, /10-1-3-0-26\.yaml: file: EIO: i\/o error/);
    assert.doesNotMatch(told, /is empty/);
  });
});
