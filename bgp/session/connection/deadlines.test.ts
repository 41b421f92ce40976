import assert from 'node:assert/strict';
import fc from 'fast-check';
import { FakeClock } from '#world/testing';
import { Alarm, Deadlines } from './deadlines.ts';
import { KEEPALIVE_TIMER, SessionTimers } from './timers.ts';

describe('deadlines', () => {
  it('ring in order of time, each once, whatever is set, moved and cleared', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(9), fc.option(fc.nat(1000), { nil: undefined }), fc.nat(50)), {
          maxLength: 60,
        }),
        (commands) => {
          const clock = new FakeClock();
          const deadlines = new Deadlines(clock);
          const expected = new Map<number, number>();
          const rung: [number, number][] = [];
          const alarms = Array.from(
            { length: 10 },
            (_, index) => new Alarm((now) => rung.push([index, now])),
          );
          const take = (until: number) => {
            for (const [index, at] of [...expected].sort((a, b) => a[1] - b[1])) {
              if (at > until) continue;
              assert.deepEqual(rung.shift(), [index, at]);
              expected.delete(index);
            }
            assert.deepEqual(rung, []);
          };
          for (const [index, delay, advance] of commands) {
            if (delay === undefined) {
              deadlines.clear(alarms[index]!);
              expected.delete(index);
            } else {
              // Distinct times, so that the order is determined.
              const at = clock.now() + 1 + delay + index / 16 + expected.size / 1024;
              if ([...expected.values()].includes(at)) continue;
              deadlines.set(alarms[index]!, at);
              expected.set(index, at);
            }
            clock.advance(advance);
            take(clock.now());
          }
          clock.advance(5000);
          take(clock.now());
          assert.equal(deadlines.size, 0);
          assert.equal(clock.pending, 0);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('take one clock timer, however many there are', () => {
    const clock = new FakeClock();
    const deadlines = new Deadlines(clock);
    for (let i = 0; i < 5000; i++)
      deadlines.set(new Alarm(() => {}), clock.now() + 1000 + ((i * 7919) % 5000));
    assert.equal(clock.pending, 1);
  });

  it('an alarm that sets itself anew for now does not hang', () => {
    const clock = new FakeClock();
    const deadlines = new Deadlines(clock);
    let rings = 0;
    const alarm: Alarm = new Alarm((now) => {
      if (++rings < 1000) deadlines.set(alarm, now);
    });
    deadlines.set(alarm, clock.now());
    deadlines.poke(clock.now());
    assert.equal(rings, 1);
  });
});

describe('the timers of a session', () => {
  it('moving one on the way of each message sets no alarm', () => {
    const clock = new FakeClock();
    const expired: string[] = [];
    const timers = new SessionTimers(new Deadlines(clock), (timer) => expired.push(timer));
    timers.start('keepalive', clock.now(), 1000);
    for (let i = 0; i < 100; i++) {
      clock.advance(100);
      timers.touch(KEEPALIVE_TIMER, clock.now());
    }
    assert.deepEqual(expired, []);
    clock.advance(1000);
    assert.deepEqual(expired, ['keepalive']);
  });

  it('steady reading does not put off who is silent, nor the next try', () => {
    const clock = new FakeClock();
    const expired: string[] = [];
    const deadlines = new Deadlines(clock);
    const quiet = new SessionTimers(deadlines, (timer) => expired.push(timer));
    quiet.start('hold', clock.now(), 1000);
    quiet.start('connectRetry', clock.now(), 1000);
    clock.advance(999);
    // Each turn of the loop brings chunks of others first, and timers after them.
    for (let turn = 0; turn < 10; turn++) {
      clock.stall(6);
      deadlines.poke(clock.now());
      clock.settle();
    }
    assert.deepEqual(expired, ['connectRetry', 'hold']);
    assert.equal(deadlines.size, 0);
    assert.equal(clock.pending, 0);
  });

  it('in the middle of reading only a keepalive is due; silence is judged by a real timer', () => {
    const clock = new FakeClock();
    const expired: string[] = [];
    const deadlines = new Deadlines(clock);
    const timers = new SessionTimers(deadlines, (timer) => expired.push(timer));
    timers.start('hold', clock.now(), 1000);
    timers.start('keepalive', clock.now(), 1000);
    clock.stall(2000);
    deadlines.poke(clock.now());
    assert.deepEqual(expired, ['keepalive']);
    clock.settle();
    clock.advance(10);
    assert.deepEqual(expired, ['keepalive', 'hold']);
  });
});
