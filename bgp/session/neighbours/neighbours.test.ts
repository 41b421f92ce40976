import assert from 'node:assert/strict';
import { parseRange } from './neighbours.ts';

describe('the range of dynamic neighbours', () => {
  it('is the same in whatever way it is written', () => {
    for (const text of ['10.0.0.0/8', '10.1.2.3/8']) assert.equal(parseRange(text).text, '10.0.0.0/8');
    for (const text of ['fd00::/8', 'FD00:0::/8']) assert.equal(parseRange(text).text, 'fd00::/8');
  });

  it('has a length: without one it would be a host, or everybody', () => {
    for (const text of [
      '10.0.0.0/',
      '10.0.0.0',
      '10.0.0.0/+8',
      '10.0.0.0/33',
      '010.0.0.0/8',
      'fd00::/0x8',
      '',
    ]) {
      assert.throws(() => parseRange(text), /is not a prefix such as/, text);
    }
  });
});
