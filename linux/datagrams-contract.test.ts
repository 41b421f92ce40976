// What podroute expects of UDP, asked of Linux itself (two hosts with a router between them) and of kernels in memory.
import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { waitUntil } from '#world';
import type { Datagrams, DatagramSocket, Endpoint } from './datagrams.ts';
import { KernelError } from './kernel-error.ts';
import type { Kernel, Request } from './kernel.ts';
import { MemoryDatagrams } from './memory/memory-datagrams.ts';
import { MemoryKernel } from './memory/memory-kernel.ts';
import { withNetns } from './native/netns.ts';
import { openKernel } from './real/real-kernel.ts';
import { udp } from './real/udp.ts';
import { enableForwarding, needNamespaces, TestNetns } from './testing/temporary-netns.ts';

interface Host {
  readonly kernel: Kernel;
  readonly datagrams: Datagrams;
}
interface Hosts {
  readonly a: Host;
  readonly b: Host;
}

/** a 10.1.0.1, fd01::1 ── router ── b 10.2.0.1, fd02::1 */
const NETS = [
  { net: '10.0.0.0/8', a: '10.1.0.1', ra: '10.1.0.254', b: '10.2.0.1', rb: '10.2.0.254', length: 24 },
  { net: 'fd00::/8', a: 'fd01::1', ra: 'fd01::fe', b: 'fd02::1', rb: 'fd02::fe', length: 64 },
];

async function must(kernel: Kernel, ...requests: Request[]): Promise<void> {
  for (const result of await kernel.apply(requests)) assert.equal(result, undefined);
}

async function addresses(a: Kernel, router: Kernel, b: Kernel): Promise<void> {
  const up = (device: string): Request => ({ type: 'setLink', device, up: true });
  const own = (device: string, address: string): Request => ({
    type: 'addAddress',
    device,
    address,
    noDad: true,
  });
  const via = (destination: string, gateway: string): Request => ({
    type: 'addRoute',
    route: { destination, nextHops: [{ gateway }] },
  });
  await must(a, up('lo'), up('eth0'));
  await must(b, up('lo'), up('eth0'));
  await must(router, up('lo'), up('toA'), up('toB'));
  for (const { net, length, ...at } of NETS) {
    await must(router, own('toA', `${at.ra}/${length}`), own('toB', `${at.rb}/${length}`));
    await must(a, own('eth0', `${at.a}/${length}`), via(net, at.ra));
    await must(b, own('eth0', `${at.b}/${length}`), via(net, at.rb));
  }
}

async function inMemory(cleanUp: AsyncDisposableStack): Promise<Hosts> {
  const [a, router, b] = ['a', 'router', 'b'].map((name) => cleanUp.use(new MemoryKernel(name)));
  const wire = (host: MemoryKernel, name: string) =>
    assert.equal(
      host.addPair({ type: 'addLink', kind: 'veth', name: 'eth0', peer: { name } }, router!),
      undefined,
    );
  wire(a!, 'toA');
  wire(b!, 'toB');
  for (const name of ['net/ipv4/ip_forward', 'net/ipv6/conf/all/forwarding']) router!.sysctl.write(name, '1');
  await addresses(a!, router!, b!);
  return {
    a: { kernel: a!, datagrams: new MemoryDatagrams(a!) },
    b: { kernel: b!, datagrams: new MemoryDatagrams(b!) },
  };
}

const closing = (fd: number) => ({ fd, [Symbol.dispose]: () => closeSync(fd) });

async function ofLinux(cleanUp: AsyncDisposableStack): Promise<Hosts> {
  const spaces = [0, 1, 2].map(() => cleanUp.use(new TestNetns()));
  const kernels: Kernel[] = [];
  for (const { path } of spaces) kernels.push(cleanUp.use(await openKernel({ netns: path })));
  const [a, router, b] = kernels;
  using routersNetns = closing(openSync(spaces[1]!.path, 'r'));
  for (const [host, name] of [
    [a!, 'toA'],
    [b!, 'toB'],
  ] as const) {
    await must(host, {
      type: 'addLink',
      kind: 'veth',
      name: 'eth0',
      peer: { name, netnsFd: routersNetns.fd },
    });
  }
  withNetns(spaces[1]!.path, enableForwarding);
  await addresses(a!, router!, b!);
  const inside = (path: string): Datagrams => ({
    bind: (options, received) => withNetns(path, () => udp.bind(options, received)),
  });
  return {
    a: { kernel: a!, datagrams: inside(spaces[0]!.path) },
    b: { kernel: b!, datagrams: inside(spaces[2]!.path) },
  };
}

for (const { name, isReal, make } of [
  { name: 'in memory', isReal: false, make: inMemory },
  { name: 'of Linux', isReal: true, make: ofLinux },
]) {
  describe(`datagrams ${name}`, function () {
    if (isReal) needNamespaces(this);
    let cleanUp: AsyncDisposableStack;
    let hosts: Hosts;
    beforeEach(async () => {
      cleanUp = new AsyncDisposableStack();
      hosts = await make(cleanUp);
    });
    afterEach(() => cleanUp.disposeAsync());

    const heard: { text: string; from: Endpoint }[] = [];
    beforeEach(() => heard.splice(0));
    function open(host: Host, local: Endpoint, ttl?: number): DatagramSocket {
      const socket = host.datagrams.bind({ local, ...(ttl === undefined ? {} : { ttl }) }, (bytes, from) =>
        heard.push({ text: Buffer.from(bytes).toString(), from }),
      );
      if (socket instanceof KernelError) throw socket;
      return cleanUp.use(socket);
    }

    for (const net of NETS) {
      it(`go from ${net.a} to ${net.b} and back, with the sender's address and port`, async () => {
        const a = open(hosts.a, { address: net.a, port: 0 });
        const b = open(hosts.b, { address: net.b, port: 3784 });
        const bytes = Buffer.from('there');
        a.send(bytes, b.local);
        bytes.fill(0);
        await waitUntil('b hears it', 5000, () => heard.length === 1);
        assert.deepEqual(heard, [{ text: 'there', from: a.local }]);
        b.send(Buffer.from('back'), a.local);
        await waitUntil('a hears it', 5000, () => heard.length === 2);
        assert.deepEqual(heard[1], { text: 'back', from: b.local });
      });

      it(`do not outlive their TTL on the way to ${net.b}`, async () => {
        const b = open(hosts.b, { address: net.b, port: 3784 });
        open(hosts.a, { address: net.a, port: 0 }, 1).send(Buffer.from('too short'), b.local);
        open(hosts.a, { address: net.a, port: 0 }, 2).send(Buffer.from('long enough'), b.local);
        await waitUntil('b hears one', 5000, () => heard.length > 0);
        assert.deepEqual(
          heard.map(({ text }) => text),
          ['long enough'],
        );
      });
    }

    it('are lost without a word where nobody listens, the way is down or the socket is closed', async () => {
      const a = open(hosts.a, { address: '10.1.0.1', port: 0 });
      const b = open(hosts.b, { address: '10.2.0.1', port: 3784 });
      a.send(Buffer.from('nobody'), { address: '10.2.0.1', port: 9 });
      a.send(Buffer.from('no way'), { address: '192.0.2.1', port: 3784 });
      const closed = open(hosts.a, { address: '10.1.0.1', port: 0 });
      closed[Symbol.dispose]();
      closed.send(Buffer.from('closed'), b.local);
      await must(hosts.a.kernel, { type: 'setLink', device: 'eth0', up: false });
      a.send(Buffer.from('down'), b.local);
      await must(hosts.a.kernel, { type: 'setLink', device: 'eth0', up: true });
      await must(hosts.a.kernel, {
        type: 'addRoute',
        route: { destination: '10.0.0.0/8', nextHops: [{ gateway: '10.1.0.254' }] },
      });
      a.send(Buffer.from('up'), b.local);
      await waitUntil('b hears what could be sent', 5000, () => heard.length > 0);
      assert.deepEqual(
        heard.map(({ text }) => text),
        ['up'],
      );
    });

    it('need an address of the host and a port that is free', () => {
      const bind = (address: string) =>
        hosts.a.datagrams.bind({ local: { address, port: 3784 } }, () => undefined);
      const elsewhere = bind('10.2.0.1');
      assert.ok(elsewhere instanceof KernelError);
      assert.equal(elsewhere.message, 'bind UDP 10.2.0.1 port 3784: EADDRNOTAVAIL');
      const first = open(hosts.a, { address: '10.1.0.1', port: 3784 });
      const second = bind('10.1.0.1');
      assert.ok(second instanceof KernelError);
      assert.equal(second.code, 'EADDRINUSE');
      first[Symbol.dispose]();
      open(hosts.a, { address: '10.1.0.1', port: 3784 });
    });
  });
}
