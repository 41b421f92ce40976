// What a StoreDisk promises, kept by the real one and by the one in memory.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { storeDisk } from './store-disk.ts';
import type { StoreDisk } from '#store';
import { MemoryDisk } from '../../store/directory/testing/memory-folder.ts';

for (const [name, disk] of [
  ['the real disk', storeDisk],
  ['the disk in memory', new MemoryDisk()],
] as const satisfies [string, StoreDisk][]) {
  describe(name, () => {
    let root: string;
    const at = (path: string) => `${root}/${path}`;
    const paths = async (folder = root) => (await disk.list(folder))?.map(({ path }) => path);

    beforeEach(async () => {
      root = mkdtempSync(join(tmpdir(), 'podroute-disk-'));
      await disk.replace(at('b/y.yaml'), 'y');
      await disk.replace(at('a.yaml'), 'a');
    });
    afterEach(() => rmSync(root, { recursive: true }));

    it('lists files below a folder by their paths inside it, sorted', async () => {
      assert.deepEqual(await paths(), ['a.yaml', 'b/y.yaml']);
      assert.deepEqual(await paths(at('b')), ['y.yaml']);
      assert.equal(await disk.list(at('nowhere')), undefined);
    });

    it('reads what was written last; nothing of what is not there or is a folder', async () => {
      assert.equal(await disk.readText(at('a.yaml')), 'a');
      await disk.replace(at('a.yaml'), 'longer text, ü');
      assert.equal(await disk.readText(at('a.yaml')), 'longer text, ü');
      assert.equal(await disk.readText(at('none')), undefined);
      assert.equal(await disk.readText(at('b')), undefined);
    });

    it('gives a file another stamp when it is written, also with the same text', async () => {
      const stamps = async () => (await disk.list(root))?.map(({ stamp }) => stamp);
      const before = await stamps();
      assert.deepEqual(await stamps(), before);
      await disk.replace(at('a.yaml'), 'a');
      const after = await stamps();
      assert.notEqual(after?.[0], before?.[0]);
      assert.equal(after?.[1], before?.[1]);
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
        await disk.replace(at(path), path);
        assert.ok(await tells(path), path);
      }
      await disk.remove(at('c/d/deep.yaml'));
      assert.ok(await tells('c/d/deep.yaml'));
      watch[Symbol.dispose]();
      await disk.replace(at('a.yaml'), 'unseen');
      await new Promise((done) => setTimeout(done, 20));
      assert.equal(told.size, 0);
    });
  });
}
