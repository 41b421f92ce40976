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
  await disk.syncFolder();
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
      found.add(text(disk.recover(() => chance).contents('/s/j')));
    }
    assert.deepEqual([...found], ['one', 'onet', 'onetw', 'onetwo']);
  });

  it('may forget a rename until the folder is synced', async () => {
    for (const isSynced of [false, true]) {
      const disk = await written();
      const file = await disk.open('/s/j.new', 'truncate');
      await file.append(bytes('new'));
      await file.sync();
      await disk.rename('/s/j.new', '/s/j');
      if (isSynced) await disk.syncFolder();
      disk.crash();
      assert.equal(text(disk.recover(() => 0).contents('/s/j')), isSynced ? 'new' : 'one');
      assert.equal(text(disk.recover(() => 0.999).contents('/s/j')), 'new');
    }
  });
});
