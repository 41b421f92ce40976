import assert from 'node:assert/strict';
import { CallOrder } from './call-order.ts';
import { CniError } from './cni-error.ts';

function gate(): { open: () => void; passed: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { open: resolve, passed: promise };
}
const turns = async (n = 20): Promise<void> => {
  for (let i = 0; i < n; i++) await Promise.resolve();
};

describe('order of CNI calls', () => {
  it('does one after the other for one attachment, others at the same time, and goes on after a failure', async () => {
    const order = new CallOrder();
    const seen: string[] = [];
    const hold = gate();
    const first = order.run('a', async () => {
      seen.push('a1');
      await hold.passed;
      throw new Error('a1');
    });
    const second = order.run('a', async () => void seen.push('a2'));
    await order.run('b', async () => void seen.push('b1'));
    assert.deepEqual(seen, ['a1', 'b1']);
    hold.open();
    await assert.rejects(first, /a1/);
    await second;
    assert.deepEqual(seen, ['a1', 'b1', 'a2']);
    assert.equal(order.calls, 0);
  });

  it('runs garbage collection alone', async () => {
    const order = new CallOrder();
    const seen: string[] = [];
    const add = gate();
    const gc = gate();
    const running = order.run('a', async () => {
      await add.passed;
      seen.push('add');
    });
    const collecting = order.runAlone(async () => {
      seen.push('gc begins');
      await gc.passed;
      seen.push('gc ends');
    });
    const later = order.run('b', async () => void seen.push('later'));
    await turns();
    assert.deepEqual(seen, []);
    add.open();
    await running;
    await turns();
    assert.deepEqual(seen, ['add', 'gc begins']);
    gc.open();
    await Promise.all([collecting, later]);
    assert.deepEqual(seen, ['add', 'gc begins', 'gc ends', 'later']);
  });

  it('sends calls away with code 11 when a thousand are under way', async () => {
    const order = new CallOrder();
    const hold = gate();
    const held = Array.from({ length: 1000 }, (_, i) => order.run(String(i), () => hold.passed));
    await assert.rejects(
      order.run('one more', async () => undefined),
      (error) => error instanceof CniError && error.code === 11,
    );
    hold.open();
    await Promise.all(held);
    await order.run('now', async () => undefined);
  });
});
