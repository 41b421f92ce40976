// The disk in memory behaves as ipam expects of a disk. (The real one is under test wherever a journal is on it.)
import assert from 'node:assert/strict';
import { MemoryDisk } from './memory-disk.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (b: Uint8Array | undefined): string | undefined => b && new TextDecoder().decode(b);

async function written(): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  const file = await disk.open('/s/j', 'append');
  await file.append(bytes('one'));
  await file.sync();
  await disk.syncFolder('/s');
  await file.append(bytes('two'));
  return disk;
}

describe('disk in memory', () => {
  it('reads what was written, synced or not', async () => {
    assert.equal(text(await (await written()).read('/s/j')), 'onetwo');
    assert.equal(await new MemoryDisk().read('/none'), undefined);
  });

  it('keeps what was synced and any part of the rest when power is lost', async () => {
    const found = new Set<string | undefined>();
    for (const chance of [0, 0.3, 0.6, 0.99]) {
      const disk = await written();
      disk.crash();
      await assert.rejects(disk.read('/s/j'), /machine is off/);
      found.add(text(disk.recover({ next: () => chance }).contents('/s/j')));
    }
    assert.deepEqual([...found], ['one', 'onet', 'onetw', 'onetwo']);
  });

  it('forgets what was done in one folder though another was synced, and forgets no part of replace', async () => {
    const disk = new MemoryDisk();
    await disk.replace('/a/one', bytes('new'));
    disk.put('/b/two', bytes('old'));
    disk.put('/c/three', bytes('old'));
    await disk.remove('/b/two');
    await disk.remove('/c/three');
    await disk.syncFolder('/b');
    disk.crash();
    const found = disk.recover({ next: () => 0 });
    assert.deepEqual(
      ['/a/one', '/b/two', '/c/three'].map((path) => text(found.contents(path))),
      ['new', undefined, 'old'],
    );
  });

  it('holds the old file or the new one wherever power is lost while one is replaced', async () => {
    const found = new Set<string | undefined>();
    for (let steps = 0; steps < 8; steps++) {
      for (const chance of [0, 0.5, 0.999]) {
        const disk = new MemoryDisk();
        disk.put('/a/one', bytes('old'));
        disk.crashAfter(steps);
        const told = await disk.replace('/a/one', bytes('new')).then(
          () => true,
          () => false,
        );
        disk.crash();
        const has = text(disk.recover({ next: () => chance }).contents('/a/one'));
        assert.ok(has === 'new' || (has === 'old' && !told), `${has} after ${steps} calls`);
        found.add(has);
      }
    }
    assert.deepEqual(found, new Set(['old', 'new']));
  });

  it('may forget a rename until the folder is synced', async () => {
    for (const isSynced of [false, true]) {
      const disk = await written();
      const file = await disk.open('/s/j.new', 'truncate');
      await file.append(bytes('new'));
      await file.sync();
      await disk.rename('/s/j.new', '/s/j');
      if (isSynced) await disk.syncFolder('/s');
      disk.crash();
      assert.equal(text(disk.recover({ next: () => 0 }).contents('/s/j')), isSynced ? 'new' : 'one');
      assert.equal(text(disk.recover({ next: () => 0.999 }).contents('/s/j')), 'new');
    }
  });
});
