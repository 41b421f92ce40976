import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { realDisk } from '#linux';
import { filesBeforeOurs, writeConflist } from './conflist.ts';

describe('conflist', () => {
  const root = mkdtempSync(join(tmpdir(), 'podroute-conflist-'));
  const folder = join(root, 'net.d');
  const options = { socketPath: '/run/podroute/cni.sock', stateDir: '/var/lib/podroute' };
  after(() => rmSync(root, { recursive: true }));

  it('appears whole, in a folder made for it, and says what a runtime needs', async () => {
    await writeConflist(folder, options, realDisk);
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

  it('keeps what an operator has put into it: plugins before and behind ours, their order, his MTU', async () => {
    const path = join(folder, '10-podroute.conflist');
    const others = [
      { type: 'tuning', sysctl: { 'net.core.somaxconn': '500' } },
      { type: 'portmap', capabilities: { portMappings: true } },
    ];
    const written = {
      cniVersion: '1.0.0',
      name: 'pods',
      disableCheck: true,
      plugins: [
        others[0],
        { type: 'podroute', socketPath: '/old.sock', stateDir: '/old', mtu: 1400, capabilities: { x: true } },
        others[1],
      ],
    };
    writeFileSync(path, JSON.stringify(written));
    await writeConflist(folder, options, realDisk);
    const capabilities = { x: true, ips: true, mac: true, 'io.kubernetes.cri.pod-annotations': true };
    assert.deepEqual(JSON.parse(readFileSync(path, 'utf8')), {
      ...written,
      plugins: [others[0], { type: 'podroute', ...options, mtu: 1400, capabilities }, others[1]],
    });
    const first = statSync(path);
    await writeConflist(folder, options, realDisk);
    assert.equal(statSync(path).ino, first.ino, 'the runtime need not read it again');
  });

  it('is made anew when nobody can read it', async () => {
    const path = join(folder, '10-podroute.conflist');
    for (const text of ['', '{"plugins":7}', 'plugins: [']) {
      writeFileSync(path, text);
      await writeConflist(folder, options, realDisk);
      assert.match(readFileSync(path, 'utf8'), /"type": "podroute"/, text);
    }
  });

  it('says which files the runtime takes instead', async () => {
    for (const name of ['05-flannel.conflist', '09-x.conf.disabled', '99-later.conf', '.hidden']) {
      writeFileSync(join(folder, name), '{}');
    }
    assert.deepEqual(await filesBeforeOurs(folder, realDisk), ['05-flannel.conflist']);
    assert.deepEqual(await filesBeforeOurs(join(root, 'nowhere'), realDisk), []);
  });
});
