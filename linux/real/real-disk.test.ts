// What a Disk promises, kept by the real one and by the one in memory.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Disk } from '#world';
import { MemoryDisk } from '#world/testing';
import { realDisk } from './real-disk.ts';

for (const [name, disk] of [
  ['the real disk', realDisk],
  ['the disk in memory', new MemoryDisk()],
] as const satisfies [string, Disk][]) {
  describe(name, () => {
    let root: string;
    const at = (path: string) => `${root}/${path}`;
    const paths = async (folder = root) => (await disk.list(folder))?.map(({ path }) => path);

    const write = (path: string, text: string) => disk.replace(path, Buffer.from(text));
    const text = async (path: string) => {
      const bytes = await disk.read(path);
      return bytes && Buffer.from(bytes).toString();
    };

    beforeEach(async () => {
      root = mkdtempSync(join(tmpdir(), 'podroute-disk-'));
      await write(at('b/y.yaml'), 'y');
      await write(at('a.yaml'), 'a');
    });
    afterEach(() => rmSync(root, { recursive: true }));

    it('lists files below a folder by their paths inside it, sorted', async () => {
      assert.deepEqual(await paths(), ['a.yaml', 'b/y.yaml']);
      assert.deepEqual(await paths(at('b')), ['y.yaml']);
      assert.equal(await disk.list(at('nowhere')), undefined);
    });

    it('reads what was written last; nothing of what is not there or is a folder', async () => {
      assert.equal(await text(at('a.yaml')), 'a');
      await write(at('a.yaml'), 'longer text, ü');
      assert.equal(await text(at('a.yaml')), 'longer text, ü');
      assert.equal(await text(at('none')), undefined);
      assert.equal(await text(at('b')), undefined);
      assert.equal(await text(at('a.yaml/below')), undefined);
    });

    it('does not read a file that is larger than the caller will have', async () => {
      await write(at('a.yaml'), 'x'.repeat(100));
      assert.equal((await disk.read(at('a.yaml'), { mostBytes: 100 }))?.length, 100);
      await assert.rejects(
        disk.read(at('a.yaml'), { mostBytes: 99 }),
        /has 100 bytes; more than 99 are not read/,
      );
    });

    it('gives a file another stamp when it is written, also with the same text', async () => {
      const stamps = async () => (await disk.list(root))?.map(({ stamp }) => stamp);
      const before = await stamps();
      assert.deepEqual(await stamps(), before);
      await write(at('a.yaml'), 'a');
      const after = await stamps();
      assert.notEqual(after?.[0], before?.[0]);
      assert.equal(after?.[1], before?.[1]);
    });

    it('appends to what is there, or begins anew; a file under another name is still the one that is open', async () => {
      const journal = at('s/journal');
      await disk.makeFolder(at('s'));
      assert.equal(await disk.read(journal), undefined);
      const put = async (mode: 'append' | 'truncate', what: string) => {
        const file = await disk.open(journal, mode);
        await file.append(Buffer.from(what));
        await file.sync();
        return file;
      };
      await (await put('append', 'one')).close();
      assert.equal(await text(journal), 'one');
      await (await put('append', 'two')).close();
      assert.equal(await text(journal), 'onetwo');
      const open = await put('truncate', 'three');
      await disk.rename(journal, at('s/other'));
      await disk.syncFolder(at('s'));
      await open.append(Buffer.from('four'));
      await open.close();
      assert.equal(await text(journal), undefined);
      assert.equal(await text(at('s/other')), 'threefour');
      await assert.rejects(disk.rename(journal, at('s/third')), /ENOENT/);
    });

    it('removes a file once', async () => {
      assert.equal(await disk.remove(at('a.yaml')), true);
      assert.equal(await disk.remove(at('a.yaml')), false);
      assert.deepEqual(await paths(), ['b/y.yaml']);
    });

    it('lets one action at a time hold a lock, also after one that failed', async () => {
      const lock = at('lock');
      let holders = 0;
      let most = 0;
      const action = (fails: boolean) =>
        disk.locked(lock, async () => {
          most = Math.max(most, ++holders);
          await new Promise((done) => setTimeout(done, 2));
          holders--;
          if (fails) throw new Error('on purpose');
          return 'done';
        });
      const results = await Promise.allSettled([
        action(false),
        action(true),
        action(false),
        action(true),
        action(false),
      ]);
      assert.equal(most, 1);
      assert.deepEqual(results.map(({ status }) => status).sort(), [
        'fulfilled',
        'fulfilled',
        'fulfilled',
        'rejected',
        'rejected',
      ]);
    });

    it('tells of files that are new, written, gone; also in folders that come later; until it is disposed of', async () => {
      const told = new Set<string | undefined>();
      const tells = async (path: string) => {
        for (let i = 0; i < 100 && !told.has(path) && !told.has(undefined); i++) {
          await new Promise((done) => setTimeout(done, 5));
        }
        const isTold = told.has(path) || told.has(undefined);
        await new Promise((done) => setTimeout(done, 10));
        told.clear();
        return isTold;
      };
      const watch = disk.watch(root, (path) => told.add(path));
      for (const path of ['new.yaml', 'b/y.yaml', 'c/d/deep.yaml', 'c/d/second.yaml', 'c/d/deep.yaml']) {
        await write(at(path), path);
        assert.ok(await tells(path), path);
      }
      await disk.remove(at('c/d/deep.yaml'));
      assert.ok(await tells('c/d/deep.yaml'));
      watch[Symbol.dispose]();
      await write(at('a.yaml'), 'unseen');
      await new Promise((done) => setTimeout(done, 20));
      assert.equal(told.size, 0);
    });
  });
}
