import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { podroute } from '../testing/run.ts';

describe('podroute install-cni', function () {
  this.timeout(30_000);
  const folder = mkdtempSync(join(tmpdir(), 'podroute-install-'));
  after(() => rmSync(folder, { recursive: true }));
  const bin = join(folder, 'opt', 'bin');
  const target = join(bin, 'podroute');

  it('installs an executable that answers, and leaves one that is the same alone', async () => {
    const { stdout, code } = await podroute(['install-cni', bin]);
    assert.deepEqual([stdout, code], [`${target}: installed\n`, 0]);
    const version = execFileSync(target, {
      env: { CNI_COMMAND: 'VERSION' },
      input: '{"cniVersion":"1.1.0"}',
    });
    assert.match(version.toString(), /"supportedVersions"/);
    const { ino } = statSync(target);
    const again = await podroute(['install-cni', bin]);
    assert.deepEqual([again.stdout, again.code], [`${target}: is this version already\n`, 0]);
    assert.equal(statSync(target).ino, ino);
  });

  it('takes the place of another version by rename, and leaves nothing else there', async () => {
    writeFileSync(target, 'an older one');
    const { ino } = statSync(target);
    const { code } = await podroute(['install-cni', bin]);
    assert.equal(code, 0);
    assert.notEqual(statSync(target).ino, ino);
    assert.equal(statSync(target).mode & 0o777, 0o755);
    assert.deepEqual(readdirSync(bin), ['podroute']);
  });

  it('says where it could not be written', async () => {
    const { stderr, code } = await podroute(['install-cni', join(target, 'below')]);
    assert.match(stderr, /^podroute: install-cni: .*podroute\/below\/podroute: ENOTDIR/);
    assert.equal(code, 1);
  });
});
