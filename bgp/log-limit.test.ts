import assert from 'node:assert/strict';
import { FakeClock } from '#world/testing';
import { LogLimit } from './log-limit.ts';

describe('what is left out of the log', () => {
  it('is counted, and told with the next line; subjects do not share', () => {
    const clock = new FakeClock();
    const limit = new LogLimit(clock, 3, 1000);
    const say = (key: string, times: number) => Array.from({ length: times }, () => limit.take(key));
    assert.deepEqual(say('a', 5), [0, 0, 0, undefined, undefined]);
    assert.deepEqual(say('b', 1), [0]);
    clock.advance(1500);
    assert.deepEqual(say('a', 2), [2, undefined]);
    clock.advance(500);
    assert.deepEqual(say('a', 1), [1]);
    clock.advance(60_000);
    assert.deepEqual(say('a', 4), [0, 0, 0, undefined]);
  });

  it('holds 4,096 subjects at most', () => {
    const limit = new LogLimit(new FakeClock(), 1, 1000);
    for (let i = 0; i < 4096; i++) limit.take(`${i}`);
    assert.equal(limit.take('0'), undefined);
    limit.take('one more');
    assert.equal(limit.take('0'), 0, 'the oldest was forgotten');
  });
});
