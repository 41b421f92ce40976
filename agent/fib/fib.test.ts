// The FIB against a kernel: each behaviour runs with the one in memory, and with a real one when we are root.
import assert from 'node:assert/strict';
import type { Kernel, RouteSpec } from '#linux';
import { type Clock, systemClock, waitUntil } from '#world';
import { FakeClock } from '#world/testing';
import type { Fib } from './fib.ts';
import { fibPage, fibStatus } from './report.ts';
import { ownRoutes, TestRib } from './testing/rib-and-host.ts';
import { describeOnKernels, newFib, openTestKernel, type TestKernel } from './testing/test-kernel.ts';

const TABLE = 254;
const OSPF = 188;

const LIMIT_MS = 3000;

/** Time stands in memory, and is moved until it is true; the kernel of Linux takes its own. */
async function until(what: string, clock: Clock, isTrue: () => boolean | Promise<boolean>): Promise<void> {
  if (!(clock instanceof FakeClock)) return void (await waitUntil(what, LIMIT_MS, isTrue));
  for (let ms = 0; !(await isTrue()); ms += 10) {
    assert.ok(ms < LIMIT_MS, `never: ${what}`);
    await clock.run(10);
  }
}

describeOnKernels('the FIB', (isReal) => {
  const clock = isReal ? systemClock : new FakeClock();
  let place: TestKernel;
  let kernel: Kernel;
  let rib: TestRib;
  let fib: Fib;
  const told = new Map<string, boolean>();
  let hostChanges = 0;

  beforeEach(async () => {
    place = await openTestKernel(isReal);
    ({ kernel } = place);
    rib = new TestRib();
    fib = makeFib();
  });
  afterEach(async () => {
    await fib[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
    told.clear();
  });

  function makeFib(): Fib {
    return newFib(kernel, clock, {
      nextHopChanged: (address, isReachable) => told.set(address, isReachable),
      hostChanged: () => hostChanges++,
    });
  }

  async function learn(prefixes: readonly string[], ...hops: string[]): Promise<void> {
    rib.set(prefixes, hops, (change) => fib.routesChanged(change, rib));
    await fib.idle();
  }

  async function foreign(type: 'addRoute' | 'deleteRoute', route: RouteSpec): Promise<void> {
    const request = type === 'addRoute' ? { type, route, replace: true } : { type, route };
    const [error] = await place.others.apply([request]);
    assert.equal(error, undefined);
  }

  it('installs, changes and withdraws learned routes of both families', async () => {
    await fib.start();
    await learn(['10.1.0.0/24', '10.1.1.0/24'], '10.9.0.2');
    await learn(['fd01::/64'], 'fd09::2');
    assert.deepEqual(await ownRoutes(kernel), [
      '10.1.0.0/24 via 10.9.0.2 dev eth0',
      '10.1.1.0/24 via 10.9.0.2 dev eth0',
      'fd01::/64 via fd09::2 dev eth0',
    ]);
    await learn(['10.1.0.0/24'], '10.9.1.2');
    await learn(['10.1.1.0/24']);
    assert.deepEqual(await ownRoutes(kernel), [
      '10.1.0.0/24 via 10.9.1.2 dev eth1',
      'fd01::/64 via fd09::2 dev eth0',
    ]);
    const status = fibStatus(fib.state, TABLE, 179, 1024);
    assert.deepEqual(
      [status.wanted, status.installed],
      [
        { ipv4: 1, ipv6: 1 },
        { ipv4: 1, ipv6: 1 },
      ],
    );
  });

  it('knows the addresses and connected networks of its node, and hears of new ones', async () => {
    await fib.start();
    await foreign('addRoute', {
      destination: '10.50.0.0/16',
      nextHops: [{ gateway: '10.9.0.9' }],
      protocol: 4,
    });
    const before = hostChanges;
    await kernel.apply([{ type: 'addAddress', device: 'eth1', address: '10.8.0.1/30' }]);
    await until('the change', clock, () => hostChanges > before);
    const networks = fib.hostNetworks().map(({ prefix, what }) => `${prefix} ${what}`);
    const of1 = networks.filter((text) => text.startsWith('10.8.') || text.startsWith('fd09')).sort();
    assert.equal(
      of1.join('; '),
      '10.8.0.0/30 the network of link eth1; 10.8.0.1/32 an address of this node; fd09::/64 the network of link eth0; fd09::1/128 an address of this node',
    );
  });

  it('spreads over several next hops, and follows a change of the set', async () => {
    await fib.start();
    await learn(['10.1.0.0/24'], '10.9.0.2', '10.9.1.2', '10.9.0.3');
    assert.deepEqual(await ownRoutes(kernel), [
      '10.1.0.0/24 via 10.9.0.2 dev eth0 via 10.9.0.3 dev eth0 via 10.9.1.2 dev eth1',
    ]);
    await learn(['10.1.0.0/24'], '10.9.1.2', '10.9.0.2');
    assert.deepEqual(await ownRoutes(kernel), ['10.1.0.0/24 via 10.9.0.2 dev eth0 via 10.9.1.2 dev eth1']);
    await learn(['fd01::/64'], 'fd09::2', 'fd09::3');
    await learn(['fd01::/64'], 'fd09::3');
    assert.ok((await ownRoutes(kernel)).includes('fd01::/64 via fd09::3 dev eth0'));
  });

  it('has a route to each neighbour behind a gateway, which no learned route replaces', async () => {
    await fib.start();
    fib.reachThrough(
      new Map([
        ['192.0.2.1', '10.9.0.254'],
        ['2001:db8::1', 'fd09::fe'],
      ]),
    );
    await learn(['10.1.0.0/24'], '192.0.2.1');
    await learn(['192.0.2.0/24', '192.0.2.1/32'], '10.9.1.2');
    const others = ['10.1.0.0/24 via 10.9.0.254 dev eth0', '192.0.2.0/24 via 10.9.1.2 dev eth1'];
    const behind = ['192.0.2.1/32 via 10.9.0.254 dev eth0', '2001:db8::1/128 via fd09::fe dev eth0'];
    assert.deepEqual(await ownRoutes(kernel), [...others, ...behind]);
    fib.track('192.0.2.1', undefined);
    await until('the next hop', clock, () => told.get('192.0.2.1') === true);
    fib.reachThrough(new Map([['192.0.2.1', '10.9.1.254']]));
    await fib.idle();
    assert.deepEqual(await ownRoutes(kernel), [
      '10.1.0.0/24 via 10.9.1.254 dev eth1',
      '192.0.2.0/24 via 10.9.1.2 dev eth1',
      '192.0.2.1/32 via 10.9.1.254 dev eth1',
    ]);
    fib.reachThrough(new Map());
    await fib.idle();
    assert.deepEqual(await ownRoutes(kernel), [
      '192.0.2.0/24 via 10.9.1.2 dev eth1',
      '192.0.2.1/32 via 10.9.1.2 dev eth1',
    ]);
  });

  it('holds own blocks by unreachable routes, whatever is learned for them', async () => {
    await fib.start();
    fib.holdBlocks(['10.2.0.0/26', 'fd02::/122']);
    await learn(['10.2.0.0/26'], '10.9.0.2');
    assert.deepEqual(await ownRoutes(kernel), ['unreachable 10.2.0.0/26', 'unreachable fd02::/122']);
    fib.holdBlocks(['fd02::/122']);
    await fib.idle();
    assert.deepEqual(await ownRoutes(kernel), [
      '10.2.0.0/26 via 10.9.0.2 dev eth0',
      'unreachable fd02::/122',
    ]);
  });

  it('resolves a distant next hop through others’ routes, never through its own', async () => {
    await foreign('addRoute', {
      destination: '10.50.0.0/16',
      protocol: OSPF,
      metric: 20,
      nextHops: [{ gateway: '10.9.1.9', device: 'eth1' }],
    });
    await fib.start();
    await learn(['10.1.0.0/24'], '10.50.0.1');
    await learn(['10.60.0.0/16'], '10.9.0.2');
    await learn(['10.3.0.0/24'], '10.60.0.1');
    assert.deepEqual(await ownRoutes(kernel), [
      '10.1.0.0/24 via 10.9.1.9 dev eth1',
      '10.60.0.0/16 via 10.9.0.2 dev eth0',
    ]);
    const { nextHops } = fibStatus(fib.state, TABLE, 179, 1024);
    assert.equal(nextHops.find((hop) => hop.address === '10.60.0.1')?.how, 'no route leads to it');
    const page = fibPage(fib.state, { prefix: '10.3.0.0/24', limit: 10 });
    assert.equal(page.routes[0]?.why, 'next hop 10.60.0.1 no route leads to it');
    await foreign('addRoute', {
      destination: '10.50.0.0/16',
      protocol: OSPF,
      metric: 20,
      nextHops: [{ gateway: '10.9.0.9', device: 'eth0' }],
    });
    await until('it follows', clock, async () =>
      (await ownRoutes(kernel)).includes('10.1.0.0/24 via 10.9.0.9 dev eth0'),
    );
  });

  it('tells the speaker which next hops can be reached, and again when that changes', async () => {
    await fib.start();
    fib.track('10.9.0.2', undefined);
    fib.track('10.77.0.1', undefined);
    await until('first answers', clock, () => told.size === 2);
    assert.deepEqual(Object.fromEntries(told), { '10.9.0.2': true, '10.77.0.1': false });
    await foreign('addRoute', {
      destination: '10.77.0.0/16',
      protocol: OSPF,
      nextHops: [{ gateway: '10.9.0.9', device: 'eth0' }],
    });
    await until('it is reachable', clock, () => told.get('10.77.0.1') === true);
    await kernel.apply([{ type: 'setLink', device: 'b0', up: false }]);
    await until(
      'both are lost',
      clock,
      () => told.get('10.9.0.2') === false && told.get('10.77.0.1') === false,
    );
  });

  it('knows the default gateways of others, and says when they change', async () => {
    await fib.start();
    assert.deepEqual(fib.defaultGateways(), {});
    hostChanges = 0;
    await foreign('addRoute', {
      destination: '0.0.0.0/0',
      protocol: 4,
      nextHops: [{ gateway: '10.9.0.9', device: 'eth0' }],
    });
    await until('it is told', clock, () => hostChanges > 0 && fib.defaultGateways().ipv4 !== undefined);
    assert.deepEqual(fib.defaultGateways(), { ipv4: { address: '10.9.0.9', device: 'eth0' } });
    await learn(['10.1.0.0/24'], '192.0.2.1');
    assert.deepEqual(await ownRoutes(kernel), ['10.1.0.0/24 via 10.9.0.9 dev eth0']);
  });

  it('comes back after its link was down', async () => {
    await fib.start();
    await learn(['10.1.0.0/24'], '10.9.0.2');
    await learn(['10.1.1.0/24'], '10.9.1.2', '10.9.0.2');
    await kernel.apply([{ type: 'setLink', device: 'eth0', up: false }]);
    await until('its routes are gone', clock, async () => {
      return (await ownRoutes(kernel)).join() === '10.1.1.0/24 via 10.9.1.2 dev eth1';
    });
    await kernel.apply([{ type: 'setLink', device: 'eth0', up: true }]);
    await until('they are back', clock, async () => {
      return (
        (await ownRoutes(kernel)).join() ===
        '10.1.0.0/24 via 10.9.0.2 dev eth0,10.1.1.0/24 via 10.9.0.2 dev eth0 via 10.9.1.2 dev eth1'
      );
    });
  });

  it('adopts what an earlier run left, and deletes what nobody wants only when told', async () => {
    await fib.start();
    await learn(['10.1.0.0/24', '10.1.1.0/24'], '10.9.0.2');
    fib.holdBlocks(['10.2.0.0/26']);
    await fib.idle();
    await fib[Symbol.asyncDispose]();
    const before = await ownRoutes(kernel);

    fib = makeFib();
    rib = new TestRib();
    await fib.start();
    assert.deepEqual(await ownRoutes(kernel), before);
    assert.equal(fibStatus(fib.state, TABLE, 179, 1024).adopted, 3);
    await learn(['10.1.0.0/24'], '10.9.1.2');
    fib.holdBlocks(['10.2.0.0/26']);
    await fib.idle();
    fib.settle();
    await fib.idle();
    assert.deepEqual(await ownRoutes(kernel), [
      '10.1.0.0/24 via 10.9.1.2 dev eth1',
      'unreachable 10.2.0.0/26',
    ]);
  });

  it('never touches pod routes or routes of others', async () => {
    const pod = { destination: '10.2.0.5/32', protocol: 179, metric: 1024, nextHops: [{ device: 'eth1' }] };
    const bird = {
      destination: '10.8.0.0/16',
      protocol: 12,
      metric: 1024,
      nextHops: [{ gateway: '10.9.0.7', device: 'eth0' }],
    };
    await foreign('addRoute', pod);
    await foreign('addRoute', bird);
    await fib.start();
    await learn(['10.8.0.0/16', '10.2.0.5/32'], '10.9.1.2');
    fib.settle();
    await fib.idle();
    const routes = (await kernel.routes({ table: TABLE, family: 'ipv4' })).filter((r) => r.protocol !== 2);
    assert.deepEqual(routes.map((r) => `${r.destination} ${r.protocol} ${r.nextHops[0]?.gateway}`).sort(), [
      '10.2.0.5/32 179 undefined',
      '10.8.0.0/16 12 10.9.0.7',
    ]);
    const { failures } = fibStatus(fib.state, TABLE, 179, 1024);
    assert.deepEqual(failures.map((failure) => failure.reason).sort(), [
      'EEXIST: a pod of this node has a route to the same prefix with metric 1024',
      'EEXIST: routing protocol 12 has a route to the same prefix with metric 1024',
    ]);
    await foreign('deleteRoute', bird);
    await until('it takes the place', clock, async () =>
      (await ownRoutes(kernel)).includes('10.8.0.0/16 via 10.9.1.2 dev eth1'),
    );
  });

  // In memory there is one handle, and what it does itself is not told.
  if (isReal)
    it('puts back what somebody else deletes or changes', async () => {
      await fib.start();
      await learn(['10.1.0.0/24'], '10.9.0.2');
      fib.holdBlocks(['fd02::/122']);
      await fib.idle();
      const before = await ownRoutes(kernel);
      await foreign('deleteRoute', { destination: '10.1.0.0/24', protocol: 179, metric: 1024 });
      await foreign('deleteRoute', { destination: 'fd02::/122', protocol: 179, metric: 1024 });
      await until('both are back', clock, async () => (await ownRoutes(kernel)).join() === before.join());
      await foreign('addRoute', {
        destination: '10.1.0.0/24',
        protocol: 179,
        metric: 1024,
        nextHops: [{ gateway: '10.9.1.7', device: 'eth1' }],
      });
      await until('it is as before', clock, async () => (await ownRoutes(kernel)).join() === before.join());
      assert.ok(fibStatus(fib.state, TABLE, 179, 1024).repaired >= 3);
    });

  it('shows pages of routes with what the kernel has', async () => {
    await fib.start();
    await learn(['10.1.0.0/24', '10.1.1.0/24', '10.3.0.0/16'], '10.9.0.2');
    const first = fibPage(fib.state, { limit: 2 });
    assert.equal(first.routes.length, 2);
    const rest = fibPage(fib.state, {
      limit: 2,
      ...(first.nextCursor ? { cursor: first.nextCursor } : {}),
    });
    assert.equal(rest.routes.length, 1);
    assert.equal(rest.nextCursor, undefined);
    const inside = fibPage(fib.state, { limit: 9, prefix: '10.1.0.0/23', longer: true });
    assert.deepEqual(inside.routes.map((route) => route.prefix).sort(), ['10.1.0.0/24', '10.1.1.0/24']);
    assert.deepEqual(inside.routes[0]?.kernel, { state: 'installed', route: 'via 10.9.0.2 dev eth0' });
    assert.deepEqual(inside.routes[0]?.nextHops, ['10.9.0.2']);
    for (const longer of [false, true]) {
      const asked = fibPage(fib.state, { limit: 9, prefix: '10.3.7.1/16', longer });
      assert.deepEqual(
        asked.routes.map(({ prefix }) => prefix),
        ['10.3.0.0/16'],
        'host bits are no part of a prefix',
      );
    }
    assert.throws(() => fibPage(fib.state, { limit: 1, cursor: 'x' }), RangeError);
  });
});
