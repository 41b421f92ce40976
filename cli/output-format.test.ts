import assert from 'node:assert/strict';
import { duration, numbers, table } from './output-format.ts';

describe('output for people', () => {
  it('aligns columns and shows an empty cell as a dash', () => {
    assert.equal(
      table(
        ['PEER', 'AS', 'STATE'],
        [
          ['tor-a', '65000', 'Established'],
          ['a', '', 'Idle'],
        ],
      ),
      'PEER   AS     STATE\ntor-a  65000  Established\na      -      Idle',
    );
  });

  it('puts numbers on the right, and is as wide as what a terminal shows of a cell', () => {
    assert.equal(
      table(
        ['WHO', numbers('SENT'), 'WHY'],
        [
          ['\u5c71\u5ddd', '7', 'line\nbreak'],
          ['e\u0301', '1234567', ''],
        ],
      ),
      'WHO      SENT  WHY\n\u5c71\u5ddd        7  line break\ne\u0301     1234567  -',
    );
  });

  it('prints durations in one unit', () => {
    assert.deepEqual([0, 119.9, 120, 7199, 7200, 172_800].map(duration), [
      '0 s',
      '119 s',
      '2 min',
      '119 min',
      '2 h',
      '2 d',
    ]);
  });
});
