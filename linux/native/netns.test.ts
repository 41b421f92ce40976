import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createNetns, deleteNetns, listNetns, netnsPath, withNetns } from './netns.ts';
import { readSysctl, writeSysctl } from '../real/sysctl.ts';
import { enableForwarding, needNamespaces, sweepNetns, TestNetns } from '../testing/temporary-netns.ts';

describe('network namespaces', function () {
  needNamespaces(this);
  const here = () => readlinkSync('/proc/thread-self/ns/net');

  it('are made and deleted as ip netns does, so that ip sees them', () => {
    const name = `pr-linux-named-${process.pid}`;
    const path = createNetns(name);
    try {
      assert.equal(path, `/run/netns/${name}`);
      assert.ok(listNetns().includes(name));
      const links = execFileSync('ip', ['-n', name, '-o', 'link'], { encoding: 'utf8' });
      assert.match(links, /^1: lo: <LOOPBACK>/);
    } finally {
      deleteNetns(name);
    }
    assert.equal(existsSync(path), false);
  });

  it('that are there already, or are not, are errors that name them', () => {
    using netns = new TestNetns();
    assert.throws(
      () => createNetns(netns.name),
      new RegExp(`create network namespace ${netns.name}: EEXIST .*already`),
    );
    assert.throws(() => deleteNetns('pr-linux-none'), /delete network namespace pr-linux-none: ENOENT/);
    assert.throws(
      () => withNetns(netnsPath('pr-linux-none'), here),
      /pr-linux-none: ENOENT \(no such namespace\)/,
    );
    assert.throws(
      () => withNetns('/etc/hostname', here),
      /enter network namespace \/etc\/hostname: EINVAL \(not a network/,
    );
    assert.throws(() => createNetns('../evil'), /name "\.\.\/evil": wanted letters/);
  });

  it('of tests that were killed are taken away by the next, and no others', () => {
    using own = new TestNetns();
    const dead = `pr-linux-${spawnSync('true').pid}-0`;
    const foreign = `${dead}-other`;
    for (const name of [dead, foreign]) createNetns(name);
    try {
      sweepNetns();
      assert.equal(existsSync(netnsPath(dead)), false);
      for (const name of [own.name, foreign]) assert.ok(existsSync(netnsPath(name)), name);
    } finally {
      deleteNetns(foreign);
    }
  });

  it('that are pipes are refused, not waited for', () => {
    const folder = mkdtempSync(join(tmpdir(), 'podroute-netns-'));
    try {
      execFileSync('mkfifo', [join(folder, 'pipe')]);
      assert.throws(() => withNetns(join(folder, 'pipe'), here), /pipe: EINVAL \(not a network namespace/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('are entered for the length of a function, and left when it throws', () => {
    using netns = new TestNetns();
    const home = here();
    const inside = withNetns(netns.path, here);
    assert.notEqual(inside, home);
    assert.equal(here(), home);
    assert.throws(
      () =>
        withNetns(netns.path, () => {
          throw new Error('inside');
        }),
      /inside/,
    );
    assert.equal(here(), home);
    assert.equal(withNetns({ pid: process.pid }, here), home);
    using other = new TestNetns();
    const nested = withNetns(netns.path, () => [withNetns(other.path, here), here()]);
    assert.equal(nested[1], inside);
    assert.notEqual(nested[0], inside);
  });

  it('have switches of their own', () => {
    using netns = new TestNetns();
    const before = readSysctl('net/ipv4/ip_forward');
    const name = 'net/ipv4/conf/all/rp_filter';
    const inside = withNetns(netns.path, () => {
      enableForwarding();
      writeSysctl(name, 2);
      return [
        readSysctl('net/ipv4/ip_forward'),
        readSysctl('net/ipv6/conf/all/forwarding'),
        readSysctl(name),
      ];
    });
    assert.deepEqual(inside, ['1', '1', '2']);
    assert.equal(readSysctl('net/ipv4/ip_forward'), before);
    assert.throws(() => readSysctl('net/nope'), /read sysctl net\/nope: ENOENT/);
    assert.throws(
      () => withNetns(netns.path, () => writeSysctl(name, 'x')),
      /write sysctl .*rp_filter = x: EINVAL/,
    );
  });
});
