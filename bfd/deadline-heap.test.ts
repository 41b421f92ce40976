import assert from 'node:assert/strict';
import fc from 'fast-check';
import { FakeClock } from '#world/testing';
import { Deadline, Deadlines } from './deadline-heap.ts';

const NOBODY = { beforeTurn: () => undefined, afterTurn: () => undefined };

describe('deadlines', () => {
  it('fall due in order, each once, however they are set, moved and cancelled', () => {
    const steps = fc.array(fc.tuple(fc.nat(99), fc.option(fc.integer({ min: 1, max: 1000 }), { freq: 4 })), {
      maxLength: 400,
      minLength: 150,
    });
    fc.assert(
      fc.property(steps, (moves) => {
        const clock = new FakeClock();
        const start = clock.now();
        const due: string[] = [];
        const deadlines = new Deadlines(clock, NOBODY);
        const all = Array.from(
          { length: 100 },
          (_, i) => new Deadline((now) => due.push(`${now - start} ${i}`)),
        );
        const wanted = new Map<number, number>();
        for (const [i, at] of moves) {
          if (at === null) {
            deadlines.cancel(all[i]!);
            wanted.delete(i);
          } else {
            deadlines.set(all[i]!, start + at);
            wanted.set(i, at);
          }
          assert.equal(all[i]!.isSet, at !== null);
        }
        clock.advance(1000);
        assert.deepEqual(due.toSorted(), [...wanted].map(([i, at]) => `${at} ${i}`).toSorted());
        const times = due.map((text) => Number(text.split(' ')[0]));
        assert.deepEqual(
          times,
          times.toSorted((a, b) => a - b),
        );
        assert.equal(clock.pending, 0);
      }),
    );
  });

  it('have one timer between them', () => {
    const clock = new FakeClock();
    const deadlines = new Deadlines(clock, NOBODY);
    for (let i = 0; i < 1000; i++) deadlines.set(new Deadline(() => undefined), clock.now() + 2000 - i);
    assert.equal(clock.pending, 1);
    deadlines[Symbol.dispose]();
    assert.equal(clock.pending, 0);
  });

  it('are looked at against the clock: a late timer finds all that fell due, and says how late it is', () => {
    const clock = new FakeClock();
    const lates: number[] = [];
    const due: number[] = [];
    const deadlines = new Deadlines(clock, { ...NOBODY, beforeTurn: (_, lateMs) => lates.push(lateMs) });
    for (const ms of [10, 20, 500]) deadlines.set(new Deadline(() => due.push(ms)), clock.now() + ms);
    clock.stall(300);
    clock.advance(0);
    assert.deepEqual(due, [10, 20]);
    assert.deepEqual(lates, [290]);
    clock.advance(200);
    assert.deepEqual(due, [10, 20, 500]);
  });

  it('are worked off 500 a turn, and others have their turn between', () => {
    const clock = new FakeClock();
    let due = 0;
    const turns: number[] = [];
    const deadlines = new Deadlines(clock, { ...NOBODY, afterTurn: () => turns.push(due) });
    for (let i = 0; i < 1200; i++) deadlines.set(new Deadline(() => due++), clock.now() + 5);
    clock.advance(5);
    assert.deepEqual(turns, [500, 1000, 1200]);
  });

  it('may be set again when they fall due', () => {
    const clock = new FakeClock();
    const start = clock.now();
    const due: number[] = [];
    const deadlines = new Deadlines(clock, NOBODY);
    const again: Deadline = new Deadline((now) => {
      due.push(now - start);
      if (due.length < 3) deadlines.set(again, now + 10);
    });
    deadlines.set(again, start + 10);
    clock.advance(100);
    assert.deepEqual(due, [10, 20, 30]);
  });
});
