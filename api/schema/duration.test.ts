import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { parseDuration } from './fields.ts';

/** '1m30s', '90s' is written '1m30s'. */
function formatDuration(seconds: number): string {
  const whole = Math.floor(seconds);
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  const rest = Math.round((seconds - hours * 3600 - minutes * 60) * 1e9) / 1e9;
  return `${hours ? `${hours}h` : ''}${minutes ? `${minutes}m` : ''}${rest || seconds < 60 ? `${rest}s` : ''}`;
}

describe('a duration', () => {
  for (const [text, seconds] of [
    ['90s', 90],
    ['1m30s', 90],
    ['1h', 3600],
    ['500ms', 0.5],
    ['1.5m', 90],
    ['90', 90],
    [90, 90],
    [0, 0],
    ['0s', 0],
    ['', undefined],
    ['s', undefined],
    ['90 s', undefined],
    ['90sec', undefined],
    ['-5s', undefined],
    [-5, undefined],
    [Number.NaN, undefined],
    [true, undefined],
  ] as const) {
    it(`${JSON.stringify(text)} is ${seconds === undefined ? 'none' : `${seconds} seconds`}`, () => {
      assert.equal(parseDuration(text), seconds);
    });
  }

  it('as text comes back as it was', () => {
    assert.deepEqual([90, 0, 3600, 3661, 0.5].map(formatDuration), ['1m30s', '0s', '1h', '1h1m1s', '0.5s']);
    fc.assert(
      fc.property(fc.nat(1e9), (ms) => assert.equal(parseDuration(formatDuration(ms / 1000)), ms / 1000)),
    );
  });
});
