// The mark of an agent without kernel routes that it has run.
import assert from 'node:assert/strict';
import { MemoryDisk } from '#world/testing';
import { noteRun } from './earlier-run.ts';
import { SILENT } from './log.ts';

describe('the note of an earlier run', () => {
  it('is not there at first, and from then on', async () => {
    const disk = new MemoryDisk();
    assert.equal(await noteRun(disk, '/state', SILENT), false);
    assert.equal(await noteRun(disk, '/state', SILENT), true);
    assert.equal(await noteRun(disk, '/other', SILENT), false);
  });

  it('is never there on a disk that takes nothing, which is told and no more', async () => {
    const disk = new MemoryDisk();
    disk.replace = () => Promise.reject(new Error('EROFS'));
    const said: string[] = [];
    const log = { ...SILENT, warn: (_: object, text: string) => void said.push(text) };
    assert.equal(await noteRun(disk, '/state', log), false);
    assert.equal(await noteRun(disk, '/state', log), false);
    assert.equal(said.length, 2);
  });
});
