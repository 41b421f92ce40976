import assert from 'node:assert/strict';
import { Failures } from './failures.ts';

describe('routes that the kernel refused', () => {
  it('are tried again after 1 s, then after twice as long each time, and at last every 60 s', () => {
    const failures = new Failures();
    const waits: number[] = [];
    for (let i = 0; i < 20; i++) {
      const failure = failures.note(0, 7, `reason ${i}`, 1000 * i);
      assert.deepEqual([failure.attempts, failure.reason], [i + 1, `reason ${i}`]);
      waits.push(failure.retryAtMs - 1000 * i);
    }
    assert.deepEqual(
      waits.slice(0, 8),
      [1, 2, 4, 8, 16, 32, 60, 60].map((s) => s * 1000),
    );
    assert.equal(waits.at(-1), 60_000);
    assert.equal(failures.count, 1);
    failures.clear(0, 7);
    assert.equal(failures.note(0, 7, 'again', 0).retryAtMs, 1000, 'a success forgets the past');
  });

  it('are told apart by family, and the first one due is the next one tried', () => {
    const failures = new Failures();
    assert.equal(failures.nextRetryMs(), undefined);
    failures.note(0, 1, 'a', 500);
    failures.note(1, 1, 'b', 200);
    failures.note(1, 2, 'c', 900);
    assert.equal(failures.nextRetryMs(), 1200);
    assert.deepEqual(
      [...failures.all()].map(({ family, id, reason }) => `${family} ${id} ${reason}`),
      ['0 1 a', '1 1 b', '1 2 c'],
    );
    assert.equal(failures.count, 3);
    assert.equal(failures.of(0, 1)?.reason, 'a');
    failures.clear(1, 1);
    assert.equal(failures.of(1, 1), undefined);
    assert.equal(failures.of(0, 1)?.reason, 'a');
    assert.equal(failures.nextRetryMs(), 1500);
  });
});
