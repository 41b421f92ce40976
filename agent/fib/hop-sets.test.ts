// Shares of the traffic by link bandwidth, from the next hops that the RIB uses together to the kernel's weights: with the
// kernel in memory, and with a real one when we are root.
import assert from 'node:assert/strict';
import type { Kernel, Request } from '#linux';
import { systemClock } from '#world';
import { FakeClock } from '#world/testing';
import type { Fib } from './fib.ts';
import { fibPage } from './report.ts';
import { ownRoutes, TestRib } from './testing/rib-and-host.ts';
import { describeOnKernels, newFib, openTestKernel, type TestKernel } from './testing/test-kernel.ts';

describeOnKernels('weighted next hops', (isReal) => {
  let place: TestKernel;
  let kernel: Kernel;
  let rib: TestRib;
  let fib: Fib;

  beforeEach(async () => {
    place = await openTestKernel(isReal);
    ({ kernel } = place);
    rib = new TestRib();
    fib = newFib(kernel, isReal ? systemClock : new FakeClock());
  });
  afterEach(async () => {
    await fib[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  });

  async function learn(prefix: string, ...hops: string[]): Promise<string> {
    rib.set([prefix], hops, (change) => fib.routesChanged(change, rib));
    await fib.idle();
    return (await ownRoutes(kernel)).find((route) => route.startsWith(prefix)) ?? 'none';
  }

  async function add(destination: string, nextHops: readonly object[]): Promise<void> {
    const route = { destination, protocol: 4, nextHops };
    assert.deepEqual(await place.others.apply([{ type: 'addRoute', route } as Request]), [undefined]);
  }

  it('are the kernel’s, follow a change of one, and are none where the shares are equal', async () => {
    await fib.start();
    const both = (first: string, second: string) =>
      `10.1.0.0/24 via 10.9.0.2 dev eth0${first} via 10.9.1.2 dev eth1${second}`;
    assert.equal(await learn('10.1.0.0/24', '10.9.0.2*3', '10.9.1.2*1'), both(' weight 3', ''));
    assert.equal(await learn('10.1.0.0/24', '10.9.1.2*5', '10.9.0.2*2'), both(' weight 2', ' weight 5'));
    assert.equal(await learn('10.1.0.0/24', '10.9.0.2', '10.9.1.2'), both('', ''));
    assert.equal(await learn('10.1.0.0/24', '10.9.0.2*240', '10.9.1.2'), both(' weight 240', ''));
    assert.equal(await learn('10.1.0.0/24', '10.9.0.2*7'), '10.1.0.0/24 via 10.9.0.2 dev eth0');
    assert.equal(
      await learn('fd01::/64', 'fd09::2*2', 'fd09::3'),
      'fd01::/64 via fd09::2 dev eth0 weight 2 via fd09::3 dev eth0',
    );
  });

  it('add up where several next hops lead through one gateway', async () => {
    await add('10.20.0.0/16', [{ gateway: '10.9.0.2', device: 'eth0' }]);
    await fib.start();
    assert.equal(
      await learn('10.1.0.0/24', '10.20.0.1', '10.20.0.2', '10.9.1.2'),
      '10.1.0.0/24 via 10.9.0.2 dev eth0 weight 2 via 10.9.1.2 dev eth1',
      'two routers behind it get what two get',
    );
    assert.equal(
      await learn('10.1.0.0/24', '10.20.0.1*240', '10.20.0.2*240', '10.9.1.2*16'),
      '10.1.0.0/24 via 10.9.0.2 dev eth0 weight 30 via 10.9.1.2 dev eth1',
      'and no more than the kernel takes',
    );
  });

  it('go by the weights of the route that leads to a next hop', async () => {
    const through = (weight: number) => [
      { gateway: '10.9.0.2', device: 'eth0', weight },
      { gateway: '10.9.1.2', device: 'eth1' },
    ];
    await add('10.20.0.0/16', through(3));
    await fib.start();
    assert.equal(
      await learn('10.1.0.0/24', '10.20.0.1'),
      '10.1.0.0/24 via 10.9.0.2 dev eth0 weight 3 via 10.9.1.2 dev eth1',
    );
    assert.equal(
      await learn('10.1.0.0/24', '10.20.0.1', '10.9.1.2'),
      '10.1.0.0/24 via 10.9.0.2 dev eth0 weight 3 via 10.9.1.2 dev eth1 weight 5',
    );
    const { routes } = fibPage(fib.state, { limit: 9 });
    assert.match(
      JSON.stringify(routes),
      /via 10\.9\.0\.2 dev eth0 weight 3 via 10\.9\.1\.2 dev eth1 weight 5/,
    );
  });
});
