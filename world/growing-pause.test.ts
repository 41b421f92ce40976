// How long the next try waits.
import assert from 'node:assert/strict';
import { growingPauseMs } from './growing-pause.ts';

describe('a growing pause', () => {
  const PAUSES = { firstMs: 1_000, longestMs: 15_000 };
  const after = (failures: number, next: number) => growingPauseMs(PAUSES, failures, { next: () => next });

  it('doubles with each failure up to its bound, however many there were', () => {
    assert.deepEqual(
      [0, 1, 3, 4, 2_000].map((failures) => after(failures, 1)),
      [1_000, 2_000, 8_000, 15_000, 15_000],
    );
  });

  it('is at random between a half and all of that', () => {
    assert.deepEqual(
      [0, 0.5, 1].map((next) => after(4, next)),
      [7_500, 11_250, 15_000],
    );
  });
});
