import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { realDisk } from '#linux';
import { writeConflist } from './conflist.ts';

describe('conflist', () => {
  const root = mkdtempSync(join(tmpdir(), 'podroute-conflist-'));
  const folder = join(root, 'net.d');
  const options = { socketPath: '/run/podroute/cni.sock', stateDir: '/var/lib/podroute' };
  after(() => rmSync(root, { recursive: true }));

  it('appears whole, in a folder made for it, and says what a runtime needs', async () => {
    await writeConflist(folder, { ...options, chained: [{ type: 'portmap' }] }, realDisk);
    assert.deepEqual(readdirSync(folder), ['10-podroute.conflist']);
    const conflist = JSON.parse(readFileSync(join(folder, '10-podroute.conflist'), 'utf8')) as Record<
      string,
      unknown
    >;
    assert.deepEqual(conflist, {
      cniVersion: '1.1.0',
      name: 'podroute',
      plugins: [
        {
          type: 'podroute',
          ...options,
          capabilities: { ips: true, mac: true, 'io.kubernetes.cri.pod-annotations': true },
        },
        { type: 'portmap' },
      ],
    });
  });

  it('is left alone when it says the same, and replaced when it does not', async () => {
    const path = join(folder, '10-podroute.conflist');
    await writeConflist(folder, options, realDisk);
    const first = statSync(path);
    await writeConflist(folder, options, realDisk);
    assert.equal(statSync(path).ino, first.ino);
    await writeConflist(folder, { ...options, mtu: 1400 }, realDisk);
    assert.notEqual(statSync(path).ino, first.ino);
    assert.match(readFileSync(path, 'utf8'), /"mtu": 1400/);
  });
});
