// Detection over the datagrams of kernels in memory: a and b with a router between, ports and TTLs on the wire.
import assert from 'node:assert/strict';
import type { BfdChange, BfdSessionConfig } from '#bfd';
import { type Datagram, KernelError, MemoryDatagrams, MemoryKernel, type Request } from '#linux';
import { SeededRandom } from '#world';
import { FakeClock } from '#world/testing';
import type { Detection } from './detection.ts';
import { localDetection } from './local-detection.ts';

interface Host {
  readonly kernel: MemoryKernel;
  readonly datagrams: MemoryDatagrams;
  readonly detection: Detection;
  readonly changes: BfdChange[];
}

async function must(kernel: MemoryKernel, ...requests: Request[]): Promise<void> {
  for (const result of await kernel.apply(requests)) assert.equal(result, undefined);
}

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

describe('local detection', () => {
  let cleanUp: AsyncDisposableStack;
  let clock: FakeClock;
  let a: Host;
  let router: Host;
  let b: Host;

  function start(kernel: MemoryKernel, seed: number): Host {
    const datagrams = new MemoryDatagrams(kernel);
    const detection = localDetection({ clock, scheduler: clock, random: new SeededRandom(seed), datagrams });
    const changes: BfdChange[] = [];
    detection.onChange((change) => changes.push(change));
    cleanUp.use(detection);
    return { kernel, datagrams, detection, changes };
  }

  beforeEach(async () => {
    cleanUp = new AsyncDisposableStack();
    clock = new FakeClock();
    const kernels = ['a', 'router', 'b'].map((name) => cleanUp.use(new MemoryKernel(name)));
    const [ofA, ofRouter, ofB] = kernels as [MemoryKernel, MemoryKernel, MemoryKernel];
    for (const [host, name] of [
      [ofA, 'toA'],
      [ofB, 'toB'],
    ] as const)
      host.addPair({ type: 'addLink', kind: 'veth', name: 'eth0', peer: { name } }, ofRouter);
    for (const name of ['net/ipv4/ip_forward', 'net/ipv6/conf/all/forwarding'])
      ofRouter.sysctl.write(name, '1');
    await must(ofRouter, up('lo'), up('toA'), up('toB'));
    await must(ofRouter, own('toA', '10.1.0.254/24'), own('toB', '10.2.0.254/24'));
    await must(ofRouter, own('toA', 'fe80::1/64'), own('toB', 'fe80::2/64'));
    await must(ofA, up('lo'), up('eth0'), own('eth0', '10.1.0.1/24'), via('10.0.0.0/8', '10.1.0.254'));
    await must(ofA, own('eth0', 'fe80::a/64'));
    await must(ofB, up('lo'), up('eth0'), own('eth0', '10.2.0.1/24'), via('10.0.0.0/8', '10.2.0.254'));
    a = start(ofA, 1);
    router = start(ofRouter, 2);
    b = start(ofB, 3);
  });
  afterEach(() => cleanUp.disposeAsync());

  const between = (
    local: string,
    remote: string,
    more: Partial<BfdSessionConfig> = {},
  ): BfdSessionConfig => ({
    id: remote,
    local,
    remote,
    hops: 'single',
    leastTtl: 255,
    transmitMicros: 100_000,
    receiveMicros: 100_000,
    multiplier: 3,
    ...more,
  });
  const overSeveral = { hops: 'multi', leastTtl: 254 } as const;
  const state = (host: Host, id: string) => host.detection.status(id)?.state;

  /** What arrives at a port of the kernel, instead of BFD. */
  function listen(host: Host, port: number): Datagram[] {
    const heard: Datagram[] = [];
    const local = { address: '0.0.0.0', port };
    const socket = host.datagrams.bind({ local }, (datagram) => heard.push(datagram));
    assert.ok(!(socket instanceof KernelError));
    cleanUp.use(socket);
    return heard;
  }

  for (const { what, ofA, ofRouter } of [
    {
      what: 'IPv4',
      ofA: between('10.1.0.1', '10.1.0.254'),
      ofRouter: between('10.1.0.254', '10.1.0.1', { device: 'toA' }),
    },
    {
      what: 'link-local IPv6',
      ofA: between('fe80::a%eth0', 'fe80::1%eth0', { device: 'eth0' }),
      ofRouter: between('fe80::1%toA', 'fe80::a%toA', { device: 'toA' }),
    },
  ]) {
    it(`finds the neighbour on a link by ${what}, and that the link is cut`, async () => {
      a.detection.apply([ofA]);
      router.detection.apply([ofRouter]);
      await clock.run(1000);
      assert.deepEqual([state(a, ofA.id), state(router, ofRouter.id)], ['Up', 'Up']);
      await must(a.kernel, { type: 'setLink', device: 'eth0', up: false });
      await clock.run(400);
      assert.deepEqual([state(a, ofA.id), state(router, ofRouter.id)], ['Down', 'Down']);
      assert.deepEqual(router.changes.map(({ to, diagnostic }) => `${to} ${diagnostic}`).at(-1), 'Down 1');
    });
  }

  it('counts what belongs to no session, and says from where to where it went', async () => {
    a.detection.apply([between('10.1.0.1', '10.1.0.9')]);
    router.detection.apply([between('10.1.0.254', '10.1.0.1', { device: 'toA' })]);
    assert.deepEqual(a.detection.unclaimed(), { packets: 0 });
    await clock.run(2_500);
    const { packets, lastReason } = a.detection.unclaimed();
    assert.ok(packets >= 2 && packets <= 4, `${packets} packets`);
    assert.equal(lastReason, 'from 10.1.0.254 to 10.1.0.1, between which there is no session');
  });

  it('finds a neighbour over several hops, with the TTL that is left', async () => {
    a.detection.apply([between('10.1.0.1', '10.2.0.1', overSeveral)]);
    b.detection.apply([between('10.2.0.1', '10.1.0.1', { ...overSeveral, leastTtl: 255 })]);
    await clock.run(2000);
    assert.notEqual(state(a, '10.2.0.1'), 'Up');
    const { lastRefusal } = b.detection.status('10.1.0.1')!;
    assert.equal(lastRefusal, 'TTL 254, wanted 255 at least');
    b.detection.apply([between('10.2.0.1', '10.1.0.1', overSeveral)]);
    await clock.run(2000);
    assert.deepEqual([state(a, '10.2.0.1'), state(b, '10.1.0.1')], ['Up', 'Up']);
  });

  it('does not take a neighbour behind a router for one on the link', async () => {
    a.detection.apply([between('10.1.0.1', '10.2.0.1')]);
    b.detection.apply([between('10.2.0.1', '10.1.0.1')]);
    await clock.run(5000);
    assert.deepEqual([state(a, '10.2.0.1'), state(b, '10.1.0.1')], ['Down', 'Down']);
    assert.equal(a.detection.status('10.2.0.1')!.packetsIn, 0);
  });

  it('sends with TTL 255 from one port of 49152..65535 a session, to 3784 or 4784 (RFC 5881 §4, RFC 5883 §5)', async () => {
    const single = listen(router, 3784);
    const multi = listen(b, 4784);
    a.detection.apply([between('10.1.0.1', '10.1.0.254'), between('10.1.0.1', '10.2.0.1', overSeveral)]);
    await clock.run(5000);
    for (const [heard, ttl] of [
      [single, 255],
      [multi, 254],
    ] as const) {
      assert.ok(heard.length >= 5);
      assert.equal(new Set(heard.map(({ from }) => from.port)).size, 1);
      const [{ from, ttl: left }] = heard as [Datagram];
      assert.ok(from.port >= 49_152);
      assert.equal(left, ttl);
    }
    assert.notEqual(single[0]!.from.port, multi[0]!.from.port);
  });

  it('says why it cannot hear or send, and tries until it can', async () => {
    const taken = listen(a, 3784);
    a.detection.apply([between('10.1.0.1', '10.1.0.254'), between('10.9.9.9', '10.2.0.1', overSeveral)]);
    assert.equal(a.detection.status('10.1.0.254')!.problem, 'bind UDP 0.0.0.0 port 3784: EADDRINUSE');
    assert.equal(a.detection.status('10.2.0.1')!.problem, 'bind UDP 10.9.9.9 port 0: EADDRNOTAVAIL');
    assert.equal(taken.length, 0);
    await must(a.kernel, own('eth0', '10.9.9.9/32'));
    await clock.run(1000);
    assert.equal(a.detection.status('10.2.0.1')!.problem, undefined);
    assert.ok(a.detection.status('10.1.0.254')!.problem !== undefined);
  });

  it('listens only while a session needs it', () => {
    a.detection.apply([between('10.1.0.1', '10.1.0.254'), between('10.1.0.1', '10.1.0.7')]);
    const bind = () => a.datagrams.bind({ local: { address: '0.0.0.0', port: 3784 } }, () => undefined);
    assert.ok(bind() instanceof KernelError);
    a.detection.apply([between('10.1.0.1', '10.1.0.7')]);
    assert.ok(bind() instanceof KernelError);
    a.detection.apply([between('10.9.9.9', '10.1.0.7')]);
    const free = bind();
    assert.ok(!(free instanceof KernelError));
    free[Symbol.dispose]();
  });

  it('says AdminDown to every neighbour before it ends', async () => {
    a.detection.apply([between('10.1.0.1', '10.1.0.254')]);
    router.detection.apply([between('10.1.0.254', '10.1.0.1')]);
    await clock.run(1000);
    router.changes.splice(0);
    await a.detection[Symbol.asyncDispose]();
    await clock.run(5000);
    assert.deepEqual(
      router.changes.map(({ to, remoteState }) => `${to} ${remoteState}`),
      ['Down AdminDown'],
    );
  });
});
