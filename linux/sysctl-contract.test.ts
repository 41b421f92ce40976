// What podroute expects of kernel switches, asked of Linux itself (in a fresh namespace) and of those in memory.
import assert from 'node:assert/strict';
import type { AddLink, Sysctl } from './kernel.ts';
import { KernelError } from './kernel-error.ts';
import { MemoryKernel } from './memory/memory-kernel.ts';
import { withNetns } from './native/netns.ts';
import { openKernel } from './real/real-kernel.ts';
import { readSysctl, writeSysctl } from './real/sysctl.ts';
import { needNamespaces, TestNetns } from './testing/temporary-netns.ts';

const IPV4 = 'net/ipv4/ip_forward';
const IPV6 = 'net/ipv6/conf/all/forwarding';
const bindings = [
  { name: 'in memory', isReal: false },
  { name: 'of Linux', isReal: true },
];

for (const { name, isReal } of bindings) {
  describe(`kernel switches ${name}`, function () {
    if (isReal) needNamespaces(this);
    let cleanUp: AsyncDisposableStack;
    let sysctl: Sysctl;
    let addLink: (name: string) => Promise<void>;
    let deleteLink: (name: string) => Promise<void>;
    beforeEach(async () => {
      cleanUp = new AsyncDisposableStack();
      const netns = isReal ? cleanUp.use(new TestNetns()) : undefined;
      const kernel = netns === undefined ? new MemoryKernel() : await openKernel({ netns: netns.path });
      cleanUp.use(kernel);
      sysctl =
        kernel instanceof MemoryKernel
          ? kernel.sysctl
          : {
              read: (key) => withNetns(netns!.path, () => readSysctl(key)),
              write: (key, value) => withNetns(netns!.path, () => writeSysctl(key, value)),
            };
      const link = (device: string): AddLink => ({
        type: 'addLink',
        kind: 'veth',
        name: device,
        peer: { name: `${device}b` },
      });
      addLink = async (device) => assert.deepEqual(await kernel.apply([link(device)]), [undefined]);
      deleteLink = async (device) =>
        assert.deepEqual(await kernel.apply([{ type: 'deleteLink', device }]), [undefined]);
    });
    afterEach(() => cleanUp.disposeAsync());

    it('of forwarding hold for the links that there are and those that come', async () => {
      await addLink('eth7');
      for (const value of ['1', '0', '1']) {
        sysctl.write(IPV4, value);
        sysctl.write(IPV6, value);
        const names = ['ipv4', 'ipv6'].flatMap((family) =>
          ['all', 'default', 'lo', 'eth7', 'eth7b'].map((place) => `net/${family}/conf/${place}/forwarding`),
        );
        for (const key of [IPV4, ...names]) assert.equal(sysctl.read(key), value, key);
      }
      await addLink('eth8');
      assert.equal(sysctl.read('net/ipv4/conf/eth8/forwarding'), '1');
      assert.equal(sysctl.read('net/ipv6/conf/eth8/forwarding'), '1');
    });

    it('of a link are its own from then on', async () => {
      sysctl.write('net/ipv4/conf/default/rp_filter', '2');
      await addLink('eth7');
      sysctl.write('net/ipv4/conf/default/rp_filter', '1');
      assert.equal(sysctl.read('net/ipv4/conf/eth7/rp_filter'), '2');
      sysctl.write('net/ipv4/conf/eth7/rp_filter', '0');
      assert.equal(sysctl.read('net/ipv4/conf/eth7b/rp_filter'), '2');
    });

    it('that there are none of are errors with the name', async () => {
      await addLink('eth7');
      await deleteLink('eth7');
      for (const key of ['net/ipv4/conf/eth7/rp_filter', 'net/ipv4/nothing']) {
        assert.throws(
          () => sysctl.read(key),
          (error) => error instanceof KernelError && error.message === `read sysctl ${key}: ENOENT`,
        );
        assert.throws(() => sysctl.write(key, '1'), /^KernelError: write sysctl net\/ipv4\/.* = 1: ENOENT$/);
      }
    });
  });
}
