// The metric that a policy gives a route (setPriority), from the RIB's wish to the kernel: with the kernel in memory, and
// with a real one when we are root.
import assert from 'node:assert/strict';
import type { Kernel, KernelEvent, RouteSpec } from '#linux';
import { waitUntil } from '#world';
import type { Fib } from './fib.ts';
import { fibPage, fibStatus } from './report.ts';
import { ownRoutes, TestRib } from './testing/rib-and-host.ts';
import { describeOnKernels, newFib, openTestKernel, type TestKernel } from './testing/test-kernel.ts';

const PREFIXES = ['10.1.0.0/24', 'fd01::/64'] as const;

/** As ownRoutes() says them. */
const at = (metric: number, hop = 2) => {
  const words = metric === 1024 ? '' : ` metric ${metric}`;
  return [`10.1.0.0/24 via 10.9.0.${hop} dev eth0${words}`, `fd01::/64 via fd09::${hop} dev eth0${words}`];
};

describeOnKernels('the metric of a route', (isReal) => {
  let place: TestKernel;
  let kernel: Kernel;
  let others: Kernel;
  let rib: TestRib;
  let fib: Fib;

  beforeEach(async () => {
    place = await openTestKernel(isReal);
    ({ kernel, others } = place);
    await start();
  });
  afterEach(async () => {
    await fib[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  });

  /** A run of the agent, on what the kernel has. */
  async function start(): Promise<void> {
    rib = new TestRib();
    fib = newFib(kernel);
    await fib.start();
    await fib.idle();
  }

  async function restart(): Promise<void> {
    await fib[Symbol.asyncDispose]();
    await start();
  }

  /** @param metric 0: no policy says one */
  async function learn(metric: number, hop = 2): Promise<void> {
    rib.metric = metric;
    const told = (change: Parameters<Fib['routesChanged']>[0]) => fib.routesChanged(change, rib);
    rib.set(PREFIXES.slice(0, 1), [`10.9.0.${hop}`], told);
    rib.set(PREFIXES.slice(1), [`fd09::${hop}`], told);
    await fib.idle();
  }

  /** Own routes as the kernel told of them, 'new 500' or 'deleted 1024', of one prefix. */
  function listen(prefix: string): { readonly heard: string[] } & Disposable {
    const heard: string[] = [];
    const hear = (event: KernelEvent) => {
      if (event.type === 'route' && event.route.destination === prefix && event.route.protocol === 179)
        heard.push(`${event.change} ${event.route.metric}`);
    };
    const watch = others.watch(hear, { kinds: ['route'] });
    return { heard, [Symbol.dispose]: () => watch[Symbol.dispose]() };
  }

  it('is the one that a policy says, and 1024 when none does', async () => {
    await learn(500);
    assert.deepEqual(await ownRoutes(kernel), at(500));
    await learn(0);
    assert.deepEqual(await ownRoutes(kernel), at(1024));
    await learn(1024);
    assert.deepEqual(await ownRoutes(kernel), at(1024));
  });

  it('changes while the route is used: the new one is there before the old one goes', async () => {
    await learn(0);
    for (const [metric, before, now] of [
      [500, 1024, 500],
      [2000, 500, 2000],
      [0, 2000, 1024],
    ] as const) {
      using ofV4 = listen(PREFIXES[0]);
      using ofV6 = listen(PREFIXES[1]);
      await learn(metric, metric === 2000 ? 3 : 2);
      await waitUntil('the old ones to go', 2000, () => ofV4.heard.length + ofV6.heard.length >= 4);
      for (const { heard } of [ofV4, ofV6]) assert.deepEqual(heard, [`new ${now}`, `deleted ${before}`]);
      assert.deepEqual(await ownRoutes(kernel), at(now, metric === 2000 ? 3 : 2));
    }
    const { wanted, installed, failed } = fibStatus(fib.state, 254, 179, 1024);
    assert.deepEqual([wanted, installed, failed], [{ ipv4: 1, ipv6: 1 }, { ipv4: 1, ipv6: 1 }, 0]);
  });

  it('may change to and fro faster than the kernel is told', async () => {
    rib.metric = 0;
    for (const metric of [500, 0, 500, 700, 0, 700, 500]) {
      const learning = learn(metric);
      if (metric === 700) await learning;
    }
    await fib.idle();
    assert.deepEqual(await ownRoutes(kernel), at(500));
  });

  it('of one route gone, routes of other metrics lead where they did, also when they are made anew', async () => {
    const told = (change: Parameters<Fib['routesChanged']>[0]) => fib.routesChanged(change, rib);
    const wants = async (prefix: string, metric: number, ...hops: string[]) => {
      rib.metric = metric;
      rib.set([prefix], hops, told);
      await fib.idle();
    };
    const [error] = await others.apply([
      { type: 'addRoute', route: { destination: '10.7.0.0/26', type: 'unreachable', metric: 77 } },
    ]);
    assert.equal(error, undefined);
    await restart();
    fib.settle();
    await fib.idle();
    await wants('10.1.0.0/24', 0, '10.9.0.2');
    await wants('10.3.0.0/24', 500, '10.9.0.2');
    await wants('10.3.0.0/24', 500);
    await wants('10.4.0.0/24', 0, '10.9.1.2');
    await wants('10.5.0.0/24', 0, '10.9.0.2');
    fib.holdBlocks(['10.2.0.0/26']);
    await fib.idle();
    assert.deepEqual(await ownRoutes(kernel), [
      '10.1.0.0/24 via 10.9.0.2 dev eth0',
      '10.4.0.0/24 via 10.9.1.2 dev eth1',
      '10.5.0.0/24 via 10.9.0.2 dev eth0',
      'unreachable 10.2.0.0/26',
    ]);
  });

  it('is shown', async () => {
    await learn(500);
    const { routes } = fibPage(fib.state, { limit: 1 });
    assert.equal(routes[0]?.kernel?.route, 'via 10.9.0.2 dev eth0 metric 500');
  });

  it('outlives the agent: what an earlier run made is adopted with its metric, and not touched', async () => {
    await learn(500);
    await restart();
    assert.deepEqual(await ownRoutes(kernel), at(500));
    using of = listen(PREFIXES[0]);
    await learn(500);
    fib.settle();
    await fib.idle();
    assert.deepEqual(await ownRoutes(kernel), at(500));
    assert.deepEqual(of.heard, []);
  });

  it('changes over a restart without a gap; what nobody wants any more goes when all is settled', async () => {
    await learn(500);
    await restart();
    using of = listen(PREFIXES[0]);
    rib.metric = 0;
    rib.set([PREFIXES[0]], ['10.9.0.2'], (change) => fib.routesChanged(change, rib));
    await fib.idle();
    await waitUntil('the old one to go', 2000, () => of.heard.length >= 2);
    assert.deepEqual(of.heard, ['new 1024', 'deleted 500']);
    assert.deepEqual(await ownRoutes(kernel), [at(1024)[0], at(500)[1]]);
    fib.settle();
    await fib.idle();
    assert.deepEqual(await ownRoutes(kernel), [at(1024)[0]]);
  });

  it('of an agent that ended between making the new route and deleting the old one: one is left', async () => {
    const route = (metric: number): RouteSpec => ({
      destination: PREFIXES[0],
      nextHops: [{ gateway: '10.9.0.2', device: 'eth0' }],
      metric,
    });
    await fib[Symbol.asyncDispose]();
    for (const metric of [1024, 500, 300]) {
      const [error] = await others.apply([{ type: 'addRoute', route: route(metric) }]);
      assert.equal(error, undefined);
    }
    await start();
    await learn(500);
    assert.deepEqual(await ownRoutes(kernel), at(500));
  });

  it('is put back when somebody deletes the route, and another own route beside it goes', async () => {
    await learn(500);
    const [own] = await kernel.routes({ protocol: 179 });
    const extra = { ...own!, metric: 77 };
    for (const request of [
      { type: 'deleteRoute', route: own! },
      { type: 'addRoute', route: extra },
    ] as const) {
      const [error] = await others.apply([request]);
      assert.equal(error, undefined);
    }
    await waitUntil('the route as it should be', 2000, async () => {
      await fib.idle();
      return (await ownRoutes(kernel)).join() === at(500).join();
    });
    assert.ok(fib.state.repaired > 0);
  });
});
