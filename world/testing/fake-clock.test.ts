import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { SeededRandom } from '../random.ts';
import { FakeClock } from './fake-clock.ts';

describe('the clock that stands', () => {
  it('runs timers in the order of their time, and of their setting; none that was cancelled, none twice', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ delay: fc.nat({ max: 20 }), isCancelled: fc.boolean() }), { maxLength: 60 }),
        fc.array(fc.nat({ max: 9 }), { maxLength: 6 }),
        (timers, steps) => {
          const clock = new FakeClock();
          const begin = clock.now();
          const fired: number[] = [];
          timers.forEach(({ delay, isCancelled }, i) => {
            const timer = clock.setTimer(delay, () => {
              assert.equal(clock.now() - begin, delay);
              fired.push(i);
            });
            if (isCancelled) timer.cancel();
          });
          const end = steps.reduce((sum, step) => sum + step, 0);
          for (const step of steps) clock.advance(step);
          clock.settle();
          const alive = timers.map((timer, i) => ({ ...timer, i })).filter((timer) => !timer.isCancelled);
          const due = alive
            .filter(({ delay }) => delay <= end)
            .sort((a, b) => a.delay - b.delay || a.i - b.i);
          assert.deepEqual(
            fired,
            due.map(({ i }) => i),
          );
          assert.equal(clock.pending, alive.length - due.length);
          assert.equal(clock.now() - begin, end);
        },
      ),
    );
  });

  it('lets promises have their turn before time passes, however long their chain', async () => {
    const clock = new FakeClock();
    const begin = clock.now();
    const log: string[] = [];
    const wait = (ms: number) => new Promise<void>((resume) => void clock.setTimer(ms, resume));
    const work = async (name: string, ms: number) => {
      for (let round = 0; round < 3; round++) {
        await wait(ms);
        for (let i = 0; i < 50; i++) await Promise.resolve();
        log.push(`${name} ${clock.now() - begin}`);
      }
    };
    void work('a', 10);
    void work('b', 15);
    await clock.run(40);
    assert.deepEqual(log, ['a 10', 'b 15', 'a 20', 'b 30', 'a 30']);
    assert.equal(clock.now() - begin, 40);
  });
});

describe('chance from a seed', () => {
  it('is the same for the same seed, another for another, and in its bounds', () => {
    const draw = (seed: number) => {
      const random = new SeededRandom(seed);
      return Array.from({ length: 200 }, () => random.below(7));
    };
    assert.deepEqual(draw(5), draw(5));
    assert.notDeepEqual(draw(5), draw(6));
    assert.deepEqual(
      [...new Set(draw(5))].sort((a, b) => a - b),
      [0, 1, 2, 3, 4, 5, 6],
    );
  });
});
