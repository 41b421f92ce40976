import assert from 'node:assert/strict';
import { formatPrefixOctets } from '#ip';
import { tablePrefix } from './table-prefix.ts';

describe('a prefix of the FIB', () => {
  for (const text of [
    '0.0.0.0/0',
    '10.1.2.0/24',
    '::/0',
    'fd00::/64',
    '2001:db8::1/128',
    '::ffff:10.0.0.1/128',
  ]) {
    it(`is read and written: ${text}`, () => {
      const { family, bytes, length } = tablePrefix(text);
      assert.equal(formatPrefixOctets(family, bytes, 0, length), text);
    });
  }

  it('is that of a host without a length', () => {
    assert.deepEqual(tablePrefix('10.0.0.1'), { family: 0, bytes: Uint8Array.of(10, 0, 0, 1), length: 32 });
  });

  for (const text of [
    '10.0.0/8',
    '10.0.0.256',
    '10.0.0.0/33',
    '10.0.0.0/',
    '010.0.0.0/8',
    'fd00::1::2',
    ':1',
    '1:2:3:4:5:6:7:8:9',
    'g::',
  ]) {
    it(`is not ${text}`, () => assert.throws(() => tablePrefix(text), RangeError));
  }
});
