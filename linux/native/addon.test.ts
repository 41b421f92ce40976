import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

describe('the native addon', () => {
  it('is not needed to import the door; the first use without it says how to build it', () => {
    const elsewhere = mkdtempSync(join(tmpdir(), 'podroute-linux-'));
    try {
      cpSync(join(import.meta.dirname, '..'), join(elsewhere, 'linux'), { recursive: true });
      // what it stands on, and the names of the doors
      for (const name of ['ip', 'world', 'package.json'])
        symlinkSync(join(import.meta.dirname, '../..', name), join(elsewhere, name));
      const code = `
        import { openKernel, MemoryKernel } from './linux/index.ts';
        await new MemoryKernel().links();
        await openKernel().catch((error) => console.log(error.message));`;
      const args = ['--no-warnings', '--input-type=module', '-e', code];
      const said = execFileSync(process.execPath, args, { cwd: elsewhere, encoding: 'utf8' });
      assert.match(said, /^build\/podroute_linux\.node is not there .* Build it with: {2}npm run build/);
    } finally {
      rmSync(elsewhere, { recursive: true });
    }
  });
});
