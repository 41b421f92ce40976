// What podroute expects of UDP, asked of Linux itself (two hosts with a router between them) and of kernels in memory.
import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { waitUntil } from '#world';
import type { Datagram, DatagramOptions, Datagrams, DatagramSocket } from './datagrams.ts';
import { KernelError } from './kernel-error.ts';
import type { Kernel, Request } from './kernel.ts';
import { MemoryDatagrams } from './memory/memory-datagrams.ts';
import { MemoryKernel } from './memory/memory-kernel.ts';
import { withNetns } from './native/netns.ts';
import { udp } from './native/udp-socket.ts';
import { openKernel } from './real/real-kernel.ts';
import { writeSysctl } from './real/sysctl.ts';
import { enableForwarding, needNamespaces, TestNetns } from './testing/temporary-netns.ts';

interface Host {
  readonly kernel: Kernel;
  readonly datagrams: Datagrams;
}
interface Hosts {
  readonly a: Host;
  readonly router: Host;
  readonly b: Host;
  /** Deletes eth0 of a, and makes it again with its link-local addresses only. */
  wireAnew(): Promise<void>;
}

/** a 10.1.0.1, fd01::1, fe80::a ── fe80::1 router ── b 10.2.0.1, fd02::1 */
const NETS = [
  { net: '10.0.0.0/8', a: '10.1.0.1', ra: '10.1.0.254', b: '10.2.0.1', rb: '10.2.0.254', length: 24 },
  { net: 'fd00::/8', a: 'fd01::1', ra: 'fd01::fe', b: 'fd02::1', rb: 'fd02::fe', length: 64 },
];

async function must(kernel: Kernel, ...requests: Request[]): Promise<void> {
  for (const result of await kernel.apply(requests)) assert.equal(result, undefined);
}

const up = (device: string): Request => ({ type: 'setLink', device, up: true });
const own = (device: string, address: string): Request => ({
  type: 'addAddress',
  device,
  address,
  noDad: true,
});

async function linkLocals(a: Kernel, router: Kernel): Promise<void> {
  await must(a, up('eth0'), own('eth0', 'fe80::a/64'));
  await must(router, up('toA'), own('toA', 'fe80::1/64'));
}

async function addresses(a: Kernel, router: Kernel, b: Kernel): Promise<void> {
  const via = (destination: string, gateway: string): Request => ({
    type: 'addRoute',
    route: { destination, nextHops: [{ gateway }] },
  });
  await must(a, up('lo'), up('eth0'));
  await must(b, up('lo'), up('eth0'));
  await must(router, up('lo'), up('toA'), up('toB'));
  await linkLocals(a, router);
  await must(router, own('toB', 'fe80::2/64'));
  await must(b, own('eth0', 'fe80::b/64'));
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
  const host = (kernel: MemoryKernel) => ({ kernel, datagrams: new MemoryDatagrams(kernel) });
  return {
    a: host(a!),
    router: host(router!),
    b: host(b!),
    async wireAnew() {
      await must(a!, { type: 'deleteLink', device: 'eth0' });
      wire(a!, 'toA');
      await linkLocals(a!, router!);
    },
  };
}

const closing = (fd: number) => ({ fd, [Symbol.dispose]: () => closeSync(fd) });

async function ofLinux(cleanUp: AsyncDisposableStack): Promise<Hosts> {
  const spaces = [0, 1, 2].map(() => cleanUp.use(new TestNetns()));
  const kernels: Kernel[] = [];
  for (const { path } of spaces) kernels.push(cleanUp.use(await openKernel({ netns: path })));
  const [a, router, b] = kernels;
  const wire = async (host: Kernel, name: string) => {
    using routersNetns = closing(openSync(spaces[1]!.path, 'r'));
    const peer = { name, netnsFd: routersNetns.fd };
    await must(host, { type: 'addLink', kind: 'veth', name: 'eth0', peer });
  };
  for (const { path } of spaces) withNetns(path, () => writeSysctl('net/ipv6/conf/default/addr_gen_mode', 1));
  await wire(a!, 'toA');
  await wire(b!, 'toB');
  withNetns(spaces[1]!.path, enableForwarding);
  await addresses(a!, router!, b!);
  const [hostA, hostRouter, hostB] = spaces.map(({ path }, i) => ({
    kernel: kernels[i]!,
    datagrams: {
      bind: (options, received) => withNetns(path, () => udp.bind(options, received)),
    } satisfies Datagrams,
  }));
  return {
    a: hostA!,
    router: hostRouter!,
    b: hostB!,
    async wireAnew() {
      await must(a!, { type: 'deleteLink', device: 'eth0' });
      await wire(a!, 'toA');
      await linkLocals(a!, router!);
    },
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

    const heard: (Omit<Datagram, 'bytes'> & { text: string })[] = [];
    beforeEach(() => heard.splice(0));
    function open(
      host: Host,
      address: string,
      options: Omit<DatagramOptions, 'local'> & { port?: number } = {},
    ): DatagramSocket {
      const { port = 0, ...rest } = options;
      const socket = host.datagrams.bind({ local: { address, port }, ...rest }, ({ bytes, ...datagram }) =>
        heard.push({ text: Buffer.from(bytes).toString(), ...datagram }),
      );
      if (socket instanceof KernelError) throw socket;
      return cleanUp.use(socket);
    }
    const texts = () => heard.map(({ text }) => text);

    for (const net of NETS) {
      const all = net.a.includes(':') ? '::' : '0.0.0.0';

      it(`go from ${net.a} to ${net.b} and back, and tell from where, to where, by which link and with which TTL`, async () => {
        const a = open(hosts.a, net.a);
        const b = open(hosts.b, all, { port: 3784, ttl: 255 });
        const bytes = Buffer.from('there');
        a.send(bytes, { address: net.b, port: 3784 });
        bytes.fill(0);
        await waitUntil('b hears it', 5000, () => heard.length === 1);
        assert.deepEqual(heard, [{ text: 'there', from: a.local, to: net.b, device: 'eth0', ttl: 63 }]);
        b.send(Buffer.from('back'), a.local);
        await waitUntil('a hears it', 5000, () => heard.length === 2);
        const from = { address: net.b, port: 3784 };
        assert.deepEqual(heard[1], { text: 'back', from, to: net.a, device: 'eth0', ttl: 254 });
      });

      it(`do not outlive their TTL on the way to ${net.b}, and are dropped where it is less than wanted`, async () => {
        const to = { address: net.b, port: 3784 };
        const b = open(hosts.b, all, { port: 3784 });
        for (const ttl of [1, 2]) open(hosts.a, net.a, { ttl }).send(Buffer.from(`${ttl}`), to);
        await waitUntil('b hears one', 5000, () => heard.length > 0);
        b[Symbol.dispose]();
        open(hosts.b, all, { port: 3784, leastTtl: 254 });
        for (const ttl of [64, 254, 255]) open(hosts.a, net.a, { ttl }).send(Buffer.from(`${ttl}`), to);
        await waitUntil('b hears another', 5000, () => heard.length > 1);
        assert.deepEqual(texts(), ['2', '255']);
      });

      it(`are heard by the socket of their link, and sent by it (${net.rb})`, async () => {
        const byLink = open(hosts.router, all, { port: 3784, device: 'toB' });
        const a = open(hosts.a, net.a, { port: 3784 });
        const b = open(hosts.b, net.b, { port: 3784 });
        a.send(Buffer.from('by toA'), { address: net.ra, port: 3784 });
        byLink.send(Buffer.from('to a'), a.local);
        byLink.send(Buffer.from('to b'), b.local);
        await waitUntil('b hears it', 5000, () => heard.length > 0);
        b.send(Buffer.from('by toB'), heard[0]!.from);
        await waitUntil('the router hears it', 5000, () => heard.length > 1);
        assert.deepEqual(texts(), ['to b', 'by toB']);
        assert.deepEqual([heard[0]!.from.address, heard[1]!.to, heard[1]!.device], [net.rb, net.rb, 'toB']);
      });
    }

    it('go to link-local addresses of a link, and find one that was made again', async () => {
      const router = open(hosts.router, '::', { port: 3784, leastTtl: 255, ttl: 255 });
      const a = open(hosts.a, 'fe80::a%eth0', { ttl: 255, device: 'eth0' });
      const to = { address: 'fe80::1%eth0', port: 3784 };
      a.send(Buffer.from('first'), to);
      await waitUntil('the router hears it', 5000, () => heard.length > 0);
      const { from } = heard[0]!;
      assert.deepEqual(from, { address: 'fe80::a%toA', port: a.local.port });
      assert.deepEqual([heard[0]!.to, heard[0]!.device], ['fe80::1%toA', 'toA']);
      router.send(Buffer.from('back'), from);
      await waitUntil('a hears it', 5000, () => heard.length > 1);
      assert.deepEqual([heard[1]!.text, heard[1]!.from.address], ['back', 'fe80::1%eth0']);
      open(hosts.router, '0.0.0.0', { port: 3784 });
      const a4 = open(hosts.a, '10.1.0.1', { device: 'eth0' });
      await hosts.wireAnew();
      await must(hosts.a.kernel, own('eth0', '10.1.0.1/24'));
      await must(hosts.router.kernel, own('toA', '10.1.0.254/24'));
      await waitUntil('the router hears both again', 5000, () => {
        a.send(Buffer.from('again'), to);
        a4.send(Buffer.from('IPv4 again'), { address: '10.1.0.254', port: 3784 });
        return texts().includes('again') && texts().includes('IPv4 again');
      });
    });

    it('leave by a port of the range that is asked for, while it has one', async () => {
      const ports = { first: 49_152, last: 49_153 };
      const open1 = () => hosts.a.datagrams.bind({ local: { address: '10.1.0.1', port: 0 }, ports });
      const sockets = [open1(), open1()].map((socket) => {
        if (socket instanceof KernelError) throw socket;
        return cleanUp.use(socket);
      });
      const used = new Set(sockets.map(({ local }) => local.port));
      assert.deepEqual(used, new Set([49_152, 49_153]));
      const third = open1();
      assert.ok(third instanceof KernelError);
      assert.equal(third.message, 'bind UDP 10.1.0.1 port 0: EADDRINUSE');
      // What only sends hears nothing, also of what came while it was open.
      const b = open(hosts.b, '10.2.0.1', { port: 3784 });
      b.send(Buffer.from('to a sender'), sockets[0]!.local);
      sockets[0]!.send(Buffer.from('from a sender'), b.local);
      await waitUntil('b hears it', 5000, () => heard.length > 0);
      assert.deepEqual(texts(), ['from a sender']);
    });

    it('are lost without a word where nobody listens, the way is down or the socket is closed', async () => {
      const a = open(hosts.a, '10.1.0.1');
      const b = open(hosts.b, '10.2.0.1', { port: 3784 });
      a.send(Buffer.from('nobody'), { address: '10.2.0.1', port: 9 });
      a.send(Buffer.from('no way'), { address: '192.0.2.1', port: 3784 });
      const closed = open(hosts.a, '10.1.0.1');
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
      assert.deepEqual(texts(), ['up']);
    });

    it('need an address of the host, a link of it and a port that is free', () => {
      const bind = (address: string, device?: string) =>
        hosts.a.datagrams.bind(
          { local: { address, port: 3784 }, ...(device === undefined ? {} : { device }) },
          () => undefined,
        );
      const elsewhere = bind('10.2.0.1');
      assert.ok(elsewhere instanceof KernelError);
      assert.equal(elsewhere.message, 'bind UDP 10.2.0.1 port 3784: EADDRNOTAVAIL');
      const absent = bind('0.0.0.0', 'eth7');
      assert.ok(absent instanceof KernelError);
      assert.equal(absent.message, 'bind UDP 0.0.0.0 port 3784 dev eth7: ENODEV');
      const first = open(hosts.a, '10.1.0.1', { port: 3784 });
      const second = bind('10.1.0.1');
      assert.ok(second instanceof KernelError);
      assert.equal(second.code, 'EADDRINUSE');
      const ofLink = bind('0.0.0.0', 'eth0');
      assert.ok(ofLink instanceof KernelError);
      assert.equal(ofLink.code, 'EADDRINUSE');
      first[Symbol.dispose]();
      open(hosts.a, '10.1.0.1', { port: 3784 });
    });
  });
}
