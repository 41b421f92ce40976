import assert from 'node:assert/strict';
import { formatPrefix, parsePrefix } from './octets.ts';

describe('prefixes as text', () => {
  const same = [
    '0.0.0.0/0',
    '10.1.2.0/24',
    '::/0',
    'fd00::/64',
    '2001:db8::1/128',
    '1:0:2::3/128',
    '::ffff:a00:1/128',
  ];
  for (const text of same) {
    it(`reads and writes ${text}`, () => {
      const { family, bytes, length } = parsePrefix(text);
      assert.equal(formatPrefix(family, bytes, 0, length), text);
    });
  }

  it('reads dotted quads inside IPv6 and bare addresses', () => {
    const mapped = parsePrefix('::ffff:10.0.0.1');
    assert.equal(formatPrefix(1, mapped.bytes, 0, mapped.length), '::ffff:a00:1/128');
  });

  for (const text of [
    '10.0.0/8',
    '10.0.0.256',
    '10.0.0.0/33',
    'fd00::1::2',
    ':1',
    '1:2:3:4:5:6:7:8:9',
    'g::',
  ]) {
    it(`refuses ${text}`, () => assert.throws(() => parsePrefix(text), RangeError));
  }
});
