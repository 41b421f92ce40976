import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitUntil } from '#world';
import { KernelError } from '../kernel-error.ts';
import { addon } from '../native/addon.ts';
import { listNetns, openNetns, withNetns } from '../native/netns.ts';
import { openKernel } from '../real/real-kernel.ts';
import { needNamespaces, TestNetns } from '../testing/temporary-netns.ts';
import { clockDiscipline } from './clock-discipline.ts';
import { tryDisk } from './disk-trial.ts';
import { echo } from './echo.ts';
import { KERNEL_FEATURES, tryKernelFeatures } from './kernel-features.ts';
import { signatureDropsIn } from './signature-drops.ts';
import { listeningSockets, tcpListeners } from './tcp-listeners.ts';
import { unixPeer } from './unix-peer.ts';

describe('what a machine is tried for', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'podroute-trial-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('a disk: a write that leaves no file, in the nearest folder that is there', async () => {
    const found = await tryDisk(join(folder, 'not', 'there'));
    assert.equal(found.folder, folder);
    assert.ok(found.freeBytes > 0 && found.sizeBytes >= found.freeBytes);
    assert.ok(found.syncMs === undefined || found.syncMs > 0);
    assert.deepEqual(readdirSync(folder), []);
    assert.equal((await tryDisk('/dev/shm')).kind, 'tmpfs');
    // No files without a name there: nothing is known of those with one.
    const { syncMs, refusal } = await tryDisk('/proc');
    assert.deepEqual([syncMs, refusal], [undefined, undefined]);
  });

  it('the clock: the kernel says whether somebody keeps it', () => {
    assert.equal(typeof clockDiscipline().isSynchronised, 'boolean');
  });

  it('a unix socket: which process serves it, or why none does', async () => {
    const path = join(folder, 's');
    const refused = (found: number | KernelError) => found instanceof KernelError && found.code;
    assert.equal(refused(unixPeer(path)), 'ENOENT');
    const server = createServer();
    await new Promise<void>((done) => server.listen(path, done));
    assert.equal(unixPeer(path), process.pid);
    await new Promise((done) => server.close(done));
    assert.equal(refused(unixPeer(join(folder, 'x'.repeat(200)))), 'EINVAL');
  });

  it('a TCP port: who listens there, by name', async () => {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as { port: number };
    const [found, ...more] = await tcpListeners(port);
    assert.deepEqual([found!.address, found!.process?.pid, more], ['127.0.0.1', process.pid, []]);
    assert.notEqual(found!.process!.name, '');
    await new Promise((done) => server.close(done));
    assert.deepEqual(await tcpListeners(port), []);
  });

  it('a TCP port: lines of /proc/net/tcp and tcp6', () => {
    const text = `
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100140A:00B3 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 5512 1 0000000 100 0 0 10 0
   1: 0100140A:00B3 FE00140A:9C40 01 00000000:00000000 00:00000000 00000000     0        0 5513 1 0000000 100 0 0 10 0
   2: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 5514 1 0000000 100 0 0 10 0
   0: 00000000000000000000000000000000:00B3 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 77 1`;
    assert.deepEqual(listeningSockets(text, 179), [
      { address: '10.20.0.1', port: 179, inode: '5512' },
      { address: '::', port: 179, inode: '77' },
    ]);
  });
});

describe('what a kernel is tried for', function () {
  needNamespaces(this);

  it('all that podroute needs works on a machine where its tests run, and no namespace is left', async () => {
    const before = listNetns();
    const tried = await tryKernelFeatures();
    assert.deepEqual(Object.keys(tried).sort(), [...KERNEL_FEATURES].sort());
    for (const name of ['veth pairs', 'IPv6', 'multipath routes', 'TCP MD5 keys'] as const)
      assert.equal(tried[name], undefined);
    assert.deepEqual(
      listNetns().filter((name) => !before.includes(name) && name.includes(`${process.pid}`)),
      [],
    );
  });

  for (const [family, own, other] of [
    ['IPv4', '10.1.1.1/24', '10.1.1.2/24'],
    ['IPv6', 'fd01::1/64', 'fd01::2/64'],
  ] as const) {
    it(`an echo of ${family}: which sizes arrive on a path with a smaller MTU than its link`, async () => {
      using a = new TestNetns();
      using b = new TestNetns();
      await using near = await openKernel({ netns: a.path });
      await using far = await openKernel({ netns: b.path });
      const netnsFd = openNetns(b.path) as number;
      const peer = { name: 'f', netnsFd };
      assert.deepEqual(await near.apply([{ type: 'addLink', kind: 'veth', name: 'e', peer }]), [undefined]);
      addon().close(netnsFd);
      await near.apply([
        { type: 'setLink', device: 'e', up: true },
        { type: 'addAddress', device: 'e', address: own, noDad: true },
      ]);
      await far.apply([
        { type: 'setLink', device: 'f', up: true, mtu: 1400 },
        { type: 'addAddress', device: 'f', address: other, noDad: true },
      ]);
      const address = other.slice(0, other.indexOf('/'));
      const isUp = async () =>
        ((await withNetns(a.path, () => echo(address, [64], 200))) as Set<number>).size > 0;
      await waitUntil('the link to carry packets', 10_000, isUp);
      const asked = withNetns(a.path, () => echo(address, [64, 1300, 1400, 1420, 1500, 9000], 900));
      assert.deepEqual(
        [...((await asked) as ReadonlySet<number>)].sort((x, y) => x - y),
        [64, 1300, 1400],
      );
      const nobody = await withNetns(a.path, () => echo('192.0.2.1', [64], 200));
      assert.ok(nobody instanceof KernelError && nobody.code === 'ENETUNREACH');
    });
  }
});

describe('the kernel’s counters of signatures', () => {
  it('are found by name', () => {
    const text =
      'TcpExt: SyncookiesSent TCPMD5NotFound TCPMD5Unexpected TCPMD5Failure X\nTcpExt: 9 1 2 3 4\nIpExt: InNoRoutes\nIpExt: 0\n';
    assert.deepEqual(signatureDropsIn(text), { unsigned: 1, unexpected: 2, wrong: 3 });
    assert.equal(signatureDropsIn('TcpExt: SyncookiesSent\nTcpExt: 9\n'), undefined);
  });
});
