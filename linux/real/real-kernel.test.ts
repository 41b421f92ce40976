// What only the kernel of Linux can show: lost notifications, other threads, namespaces of processes.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { KernelEvent } from '../kernel.ts';
import { openKernel } from './real-kernel.ts';
import { needNamespaces, TestNetns } from '../testing/temporary-netns.ts';

describe('the kernel of a namespace', function () {
  needNamespaces(this);
  let netns: TestNetns;
  beforeEach(async () => {
    netns = new TestNetns();
    await using kernel = await openKernel({ netns: netns.path });
    await kernel.apply([
      { type: 'setLink', device: 'lo', up: true },
      { type: 'addLink', kind: 'veth', name: 'eth7', up: true, peer: { name: 'eth8' } },
      { type: 'setLink', device: 'eth8', up: true },
      { type: 'addAddress', device: 'eth7', address: '10.1.1.1/16' },
    ]);
  });
  afterEach(() => netns[Symbol.dispose]());

  it('hears what other programs change', async () => {
    await using kernel = await openKernel({ netns: netns.path });
    const events: KernelEvent[] = [];
    using _watch = kernel.watch((event) => events.push(event), { kinds: ['route'], skipOwn: true });
    execFileSync('ip', ['-n', netns.name, 'route', 'add', '10.9.0.0/24', 'via', '10.1.1.2', 'proto', '4']);
    const find = () => events.find((e) => e.type === 'route' && e.route.destination === '10.9.0.0/24');
    for (let i = 0; i < 100 && find() === undefined; i++) await new Promise((done) => setTimeout(done, 5));
    const event = find();
    assert.ok(event?.type === 'route' && event.change === 'new');
    assert.deepEqual([event.route.protocol, event.route.nextHops[0]?.device], [4, 'eth7']);
  });

  it('says so when notifications were lost', async () => {
    await using kernel = await openKernel({ netns: netns.path });
    let overruns = 0;
    let heard = 0;
    using _watch = kernel.watch((event) => (event.type === 'overrun' ? overruns++ : heard++), {
      kinds: ['neighbour'],
    });
    // More than its buffer holds, in one synchronous call that the event loop cannot read beside.
    const lines: string[] = [];
    for (let i = 0; i < 30_000; i++) {
      lines.push(
        `neigh replace 10.1.${1 + (i >> 8)}.${i & 255} lladdr 02:00:00:00:00:09 dev eth7 nud permanent`,
      );
    }
    execFileSync('ip', ['-n', netns.name, '-batch', '-'], { input: lines.join('\n') });
    for (let i = 0; i < 200 && overruns === 0; i++) await new Promise((done) => setTimeout(done, 5));
    assert.equal(overruns, 1);
    assert.ok(heard > 0 && heard < 30_000, `${heard} notifications were heard`);
  }).timeout(20_000);

  it('reads and watches in a worker thread, which can end at any time', async () => {
    const code = `
      const { workerData, parentPort } = require('node:worker_threads');
      import(workerData.module).then(async ({ openKernel }) => {
        const kernel = await openKernel({ netns: workerData.netns });
        kernel.watch(() => undefined);
        parentPort.postMessage((await kernel.links()).map((link) => link.name));
      });`;
    const module = new URL('./real-kernel.ts', import.meta.url).href;
    const worker = new Worker(code, { eval: true, workerData: { module, netns: netns.path } });
    const [names] = (await once(worker, 'message')) as [string[]];
    assert.deepEqual(names, ['lo', 'eth8', 'eth7']);
    assert.equal(await worker.terminate(), 1);
  });

  it('lists twenty thousand routes without holding up the event loop', async () => {
    await using kernel = await openKernel({ netns: netns.path });
    const batch = kernel.routeBatch();
    const id = batch.internNextHops(0, [{ gateway: '10.1.1.2', device: 'eth7' }]);
    const address = new Uint8Array(4);
    const count = 20_000;
    for (let i = 0; i < count; i++) {
      address.set([20, i >> 8, i & 255, 0]);
      batch.add(0, address, 0, 24, id);
    }
    const errnos = await batch.commit();
    assert.ok(errnos.every((errno) => errno === 0));
    let turns = 0;
    const counting = setInterval(() => turns++, 1);
    const routes = await kernel.routes({ protocol: 179 });
    clearInterval(counting);
    assert.equal(routes.length, count);
    assert.ok(turns > 5, `the event loop turned ${turns} times`);
  });

  it('is refused by name when there is none', async () => {
    await assert.rejects(openKernel({ netns: '/run/netns/pr-linux-none' }), /pr-linux-none: ENOENT/);
    await assert.rejects(openKernel({ netns: { pid: 0x3fffffff } }), /\/proc\/1073741823\/ns\/net: ENOENT/);
  });
});
