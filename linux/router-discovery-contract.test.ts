// What podroute expects of router discovery, asked of Linux itself (two hosts with two wires between them) and of kernels
// in memory; and of Linux what others put on the wire.
import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseOctets } from '#ip';
import { waitUntil } from '#world';
import { KernelError } from './kernel-error.ts';
import type { Kernel, Request } from './kernel.ts';
import { MemoryKernel } from './memory/memory-kernel.ts';
import { MemoryRouterDiscovery } from './memory/memory-router-discovery.ts';
import { addon } from './native/addon.ts';
import { routerDiscovery } from './native/icmp6-socket.ts';
import { withNetns } from './native/netns.ts';
import { openKernel } from './real/real-kernel.ts';
import { readSysctl, writeSysctl } from './real/sysctl.ts';
import type { RouterDiscovery, RouterSocket } from './router-discovery.ts';
import type { RouterMessage } from './router-messages.ts';
import { needNamespaces, TestNetns } from './testing/temporary-netns.ts';

interface Host {
  readonly kernel: Kernel;
  readonly discovery: RouterDiscovery;
  /** Of Linux only. */
  readonly netns: string;
}
interface Hosts {
  readonly a: Host;
  readonly b: Host;
}

/** a eth0 fe80::a ── fe80::b eth0 b, a eth1 fe80::a1 ── fe80::b1 eth1 b */
const WIRES = { eth0: { a: 'fe80::a', b: 'fe80::b' }, eth1: { a: 'fe80::a1', b: 'fe80::b1' } };
const ADVERTISEMENT: RouterMessage = { type: 'advertisement', lifetimeSeconds: 0, mac: '02:00:00:00:00:0a' };

async function must(kernel: Kernel, ...requests: Request[]): Promise<void> {
  for (const result of await kernel.apply(requests)) assert.equal(result, undefined);
}

async function addresses(a: Kernel, b: Kernel): Promise<void> {
  for (const [device, own] of Object.entries(WIRES)) {
    for (const [kernel, address] of [
      [a, own.a],
      [b, own.b],
    ] as const) {
      await must(
        kernel,
        { type: 'setLink', device, up: true },
        { type: 'addAddress', device, address: `${address}/64`, noDad: true },
      );
    }
  }
}

async function inMemory(cleanUp: AsyncDisposableStack): Promise<Hosts> {
  const [a, b] = ['a', 'b'].map((name) => cleanUp.use(new MemoryKernel(name)));
  for (const name of Object.keys(WIRES)) {
    assert.equal(a!.addPair({ type: 'addLink', kind: 'veth', name, peer: { name } }, b!), undefined);
  }
  await addresses(a!, b!);
  return {
    a: { kernel: a!, discovery: new MemoryRouterDiscovery(a!), netns: '' },
    b: { kernel: b!, discovery: new MemoryRouterDiscovery(b!), netns: '' },
  };
}

const closing = (fd: number) => ({ fd, [Symbol.dispose]: () => closeSync(fd) });

async function ofLinux(cleanUp: AsyncDisposableStack): Promise<Hosts> {
  const [spaceA, spaceB] = [0, 1].map(() => cleanUp.use(new TestNetns()));
  const a = cleanUp.use(await openKernel({ netns: spaceA!.path }));
  const b = cleanUp.use(await openKernel({ netns: spaceB!.path }));
  // Else the kernel makes a link-local address of its own beside ours, and solicits routers itself.
  for (const { path } of [spaceA!, spaceB!]) {
    withNetns(path, () => {
      writeSysctl('net/ipv6/conf/default/addr_gen_mode', 1);
      writeSysctl('net/ipv6/conf/default/router_solicitations', 0);
    });
  }
  using netnsB = closing(openSync(spaceB!.path, 'r'));
  for (const name of Object.keys(WIRES)) {
    await must(a, { type: 'addLink', kind: 'veth', name, peer: { name, netnsFd: netnsB.fd } });
  }
  await addresses(a, b);
  const inside = (netns: string): RouterDiscovery => ({
    open: (device, heard) => withNetns(netns, () => routerDiscovery.open(device, heard)),
  });
  const hosts = {
    a: { kernel: a, discovery: inside(spaceA!.path), netns: spaceA!.path },
    b: { kernel: b, discovery: inside(spaceB!.path), netns: spaceB!.path },
  };
  for (const name of Object.keys(WIRES)) await carries(name, hosts);
  return hosts;
}

/** A wire of Linux takes a moment before it carries what is sent. */
async function carries(device: string, { a, b }: Hosts): Promise<void> {
  await using cleanUp = new AsyncDisposableStack();
  let count = 0;
  open(b, device, cleanUp, () => count++);
  const socket = open(a, device, cleanUp, () => undefined);
  await waitUntil(`${device} carries`, 10_000, () => {
    if (count === 0) socket.send(ADVERTISEMENT);
    return count > 0;
  });
}

function open(
  host: Host,
  device: string,
  cleanUp: AsyncDisposableStack,
  heard: (message: RouterMessage, from: string) => void,
): RouterSocket {
  const socket = host.discovery.open(device, heard);
  if (socket instanceof KernelError) throw socket;
  return cleanUp.use(socket);
}

for (const { name, isReal, make } of [
  { name: 'in memory', isReal: false, make: inMemory },
  { name: 'of Linux', isReal: true, make: ofLinux },
]) {
  describe(`router discovery ${name}`, function () {
    if (isReal) needNamespaces(this);
    let cleanUp: AsyncDisposableStack;
    let hosts: Hosts;
    let heard: [where: string, message: RouterMessage, from: string][];
    beforeEach(async () => {
      cleanUp = new AsyncDisposableStack();
      hosts = await make(cleanUp);
      heard = [];
    });
    afterEach(() => cleanUp.disposeAsync());
    const listen = (host: 'a' | 'b', device: string): RouterSocket =>
      open(hosts[host], device, cleanUp, (message, from) => heard.push([`${host} ${device}`, message, from]));

    it('is heard by the others of the link, with the address of the link that it was sent by, and not by itself', async () => {
      const a = listen('a', 'eth0');
      listen('a', 'eth1');
      const b = listen('b', 'eth0');
      listen('b', 'eth1');
      assert.equal(a.send(ADVERTISEMENT), undefined);
      await waitUntil('b hears it', 5000, () => heard.length > 0);
      assert.equal(b.send({ type: 'solicitation' }), undefined);
      await waitUntil('a hears the answer', 5000, () => heard.length > 1);
      assert.deepEqual(heard, [
        ['b eth0', ADVERTISEMENT, 'fe80::a'],
        ['a eth0', { type: 'solicitation' }, 'fe80::b'],
      ]);
    });

    it('is heard by every socket of the link; one that is closed hears and sends nothing', async () => {
      const a = listen('a', 'eth1');
      const closed = listen('b', 'eth1');
      listen('b', 'eth1');
      closed[Symbol.dispose]();
      assert.equal(closed.send(ADVERTISEMENT)?.code, 'EBADF');
      a.send(ADVERTISEMENT);
      await waitUntil('b hears it', 5000, () => heard.length > 0);
      assert.deepEqual(heard, [['b eth1', ADVERTISEMENT, 'fe80::a1']]);
    });

    it('says why nothing can be sent: no such link, no address, link down, link gone', async () => {
      const absent = hosts.a.discovery.open('eth7', () => undefined);
      assert.ok(absent instanceof KernelError);
      assert.equal(absent.message, 'hear routers on eth7: ENODEV');
      const a = listen('a', 'eth0');
      await must(hosts.a.kernel, { type: 'deleteAddress', device: 'eth0', address: 'fe80::a/64' });
      assert.equal(a.send(ADVERTISEMENT)?.code, 'EADDRNOTAVAIL');
      await must(hosts.a.kernel, { type: 'setLink', device: 'eth0', up: false });
      assert.match(a.send(ADVERTISEMENT)!.code, /^ENETUNREACH|ENETDOWN$/);
      await must(hosts.a.kernel, { type: 'deleteLink', device: 'eth0' });
      assert.match(a.send(ADVERTISEMENT)!.message, /^send router advertisement on eth0: ENETUNREACH$/);
    });
  });
}

describe('router discovery on a hostile link', function () {
  needNamespaces(this);
  let cleanUp: AsyncDisposableStack;
  let hosts: Hosts;
  beforeEach(async () => {
    cleanUp = new AsyncDisposableStack();
    hosts = await ofLinux(cleanUp);
  });
  afterEach(() => cleanUp.disposeAsync());

  /** Sends ICMPv6 octets to ff02::1 on eth0 of host a, as anybody with root there can. */
  function forger(from = 'fe80::a'): (octets: string, options?: { hops: number }) => void {
    const native = addon();
    const fd = withNetns(hosts.a.netns, () => native.socket(10, 3 | 2048, 58));
    const index = native.interfaceIndex(fd, 'eth0');
    cleanUp.defer(() => void native.close(fd));
    const int = (value: number) => new Uint8Array(Int32Array.of(value).buffer);
    /** struct sockaddr_in6 */
    const place = (address: string) =>
      Buffer.concat(
        [Uint16Array.of(10, 0), int(0), parseOctets(address)!, int(index)].map(
          (part) => new Uint8Array(part.buffer),
        ),
      );
    assert.equal(native.bind(fd, place(from)), 0);
    return (octets, { hops } = { hops: 255 }) => {
      native.setsockopt(fd, 41, 18, int(hops));
      const sent = native.sendTo(fd, Buffer.from(octets.replaceAll(' ', ''), 'hex'), place('ff02::1'));
      assert.ok(sent > 0, `${sent}`);
    };
  }
  const VALID = '8600 0000 00 00 0000 00000000 00000000';

  it('hears only what comes from the link itself, from a link-local address, and whole', async () => {
    await must(hosts.a.kernel, {
      type: 'addAddress',
      device: 'eth0',
      address: '2001:db8::a/64',
      noDad: true,
    });
    const froms: string[] = [];
    open(hosts.b, 'eth0', cleanUp, (message, from) => froms.push(`${message.type} ${from}`));
    const forge = forger();
    forge(VALID, { hops: 64 });
    forge(VALID, { hops: 254 });
    forger('2001:db8::a')(VALID);
    forge('8600 0000 00 00 0000 00000000');
    forge('8601 0000 00 00 0000 00000000 00000000');
    forge(`${VALID} 0100 000000000000`);
    // in fragments (RFC 6980)
    forge(`${VALID} ${'0501 0000 000005dc'.repeat(200)}`);
    forge('8700 0000 00000000 fe800000000000000000000000000001');
    forge(VALID);
    await waitUntil('the valid one is heard', 5000, () => froms.length > 0);
    await sleep(50);
    assert.deepEqual(froms, ['advertisement fe80::a']);
  });

  it('hears whatever accept_ra says, and leaves it and the routes of the host alone', async () => {
    const names = ['accept_ra', 'forwarding', 'hop_limit'].map((name) => `net/ipv6/conf/eth0/${name}`);
    withNetns(hosts.b.netns, () => {
      writeSysctl('net/ipv6/conf/eth0/accept_ra', 0);
      writeSysctl('net/ipv6/conf/all/forwarding', 1);
    });
    const settings = () => withNetns(hosts.b.netns, () => names.map(readSysctl));
    const before = settings();
    let count = 0;
    open(hosts.b, 'eth0', cleanUp, () => count++);
    forger()('8600 0000 00 00 0708 00000000 00000000');
    await waitUntil('it is heard', 5000, () => count > 0);
    assert.deepEqual(settings(), before);
    assert.deepEqual(await hosts.b.kernel.routes({ family: 'ipv6', protocol: 9 }), []);
  });

  it('takes a flood in slices: a bounded number a second, and the event loop goes on', async () => {
    let count = 0;
    open(hosts.b, 'eth0', cleanUp, () => count++);
    const forge = forger();
    const begin = performance.now();
    let sent = 0;
    // A machine that is busy may need longer for so many.
    while (performance.now() < begin + 300 || sent <= 2000) {
      for (let i = 0; i < 500; i++, sent++) forge(VALID);
      await sleep(1);
    }
    const most = (32 * 12 * (performance.now() - begin)) / 300;
    await sleep(100);
    assert.ok(count >= 32 && count <= most, `${count} of ${sent} were heard, ${most} at most`);
    // and after it all is as before
    await sleep(200);
    const before = count;
    forge(VALID);
    await waitUntil('the next one is heard', 5000, () => count > before);
  });
});
