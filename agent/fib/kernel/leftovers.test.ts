// What of a kernel's routes is not the FIB's alone: the only address of a block, which a pod may have, and routes of an
// earlier version. With the kernel in memory, and with a real one when we are root.
import assert from 'node:assert/strict';
import type { Kernel, Request } from '#linux';
import { waitUntil } from '#world';
import type { Fib } from '../fib.ts';
import { fibStatus } from '../report.ts';
import { describeOnKernels, newFib, openTestKernel, type TestKernel } from '../testing/test-kernel.ts';

describeOnKernels("routes beside the FIB's", (isReal) => {
  let place: TestKernel;
  let kernel: Kernel;
  let others: Kernel;
  let fib: Fib;

  beforeEach(async () => {
    place = await openTestKernel(isReal);
    ({ kernel, others } = place);
    fib = newFib(kernel);
  });
  afterEach(async () => {
    await fib[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  });

  const change = async (...requests: Request[]) => {
    for (const error of await others.apply(requests)) assert.equal(error, undefined);
  };
  const ours = async () =>
    (await kernel.routes({ protocol: 179 }))
      .map((r) => `${r.destination} ${r.nextHops[0]?.device ?? r.type} ${r.metric}`)
      .sort()
      .join(', ');

  it('the only address of a block is held, given to its pod, and held again when the pod is gone', async () => {
    const addresses = ['10.2.0.5/32', 'fd02::5/128'];
    const held = '10.2.0.5/32 unreachable 1024, fd02::5/128 unreachable 1024';
    await fib.start();
    fib.holdBlocks(addresses);
    await fib.idle();
    assert.equal(await ours(), held);
    for (let life = 0; life < 2; life++) {
      await change({ type: 'addLink', kind: 'veth', name: 'pr1', up: true, peer: { name: 'p1' } });
      await change(
        { type: 'setLink', device: 'p1', up: true },
        ...addresses.map((destination): Request => {
          const route = { destination, metric: 1024, nextHops: [{ device: 'pr1' }] };
          return { type: 'addRoute', route, replace: true };
        }),
      );
      await new Promise((resume) => setTimeout(resume, 50));
      await fib.idle();
      assert.equal(await ours(), '10.2.0.5/32 pr1 1024, fd02::5/128 pr1 1024');
      // All is read again, as when notifications were lost.
      fib.holdBlocks([...addresses, '10.3.0.0/26']);
      await fib.idle();
      assert.match(await ours(), /^10\.2\.0\.5\/32 pr1 1024, /);
      fib.holdBlocks(addresses);
      await change({ type: 'deleteLink', device: 'pr1' });
      await waitUntil('the block to be held', 2000, async () => (await ours()) === held);
    }
    assert.deepEqual(fibStatus(fib.state, 254, 179, 1024).failures, []);
  });

  it('what an earlier version made with another metric goes when all is settled, and not before', async () => {
    const route = { destination: '10.1.0.0/24', nextHops: [{ gateway: '10.9.0.2', device: 'eth0' }] };
    const foreign = { ...route, protocol: 4, metric: 77 };
    await change(
      { type: 'addRoute', route: { ...route, metric: 512 } },
      { type: 'addRoute', route: foreign },
      { type: 'addRoute', route: { ...route, metric: 1024 } },
    );
    await fib.start();
    await fib.idle();
    assert.equal(await ours(), '10.1.0.0/24 eth0 1024, 10.1.0.0/24 eth0 512');
    fib.settle();
    await fib.idle();
    assert.equal(await ours(), '');
    assert.equal((await kernel.routes({ protocol: 4 })).length, 1);
  });
});
