import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { parseAddress } from './address.ts';
import { formatPrefix, parsePrefix } from './prefix.ts';
import { canonicalAddress, readAddress, readPrefix } from './written-text.ts';

describe('an address that people wrote', () => {
  for (const [text, canonical] of [
    ['10.1.2.3', '10.1.2.3'],
    ['FD00:0:0:1:0:0:0:1', 'fd00:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8::0:1', '2001:db8::1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['::', '::'],
    ['::ffff:102:304', '::ffff:1.2.3.4'],
    ['10.0.0.300', undefined],
    ['10.1.2', undefined],
    ['010.1.2.3', undefined],
    ['10.1.2.3/24', undefined],
    ['fe80::1%eth0', undefined],
    ['1::2::3', undefined],
    [' 10.1.2.3', undefined],
    ['', undefined],
    ['node-1', undefined],
  ] as const) {
    it(`${JSON.stringify(text)} is ${canonical ?? 'none'}`, () => {
      assert.equal(canonicalAddress(text), canonical);
    });
  }

  it('is one where the reader of machines takes it, and the same', () => {
    const part = fc.constantFrom(
      '',
      '0',
      '1',
      'ffff',
      '12345',
      'g',
      '1.2.3.4',
      '01',
      '256',
      ':',
      '.',
      '%eth0',
      ' ',
    );
    const text = fc.oneof(
      fc.ipV6(),
      fc.ipV4(),
      fc.array(part, { maxLength: 9 }).map((parts) => parts.join(':')),
      fc.array(part, { maxLength: 5 }).map((parts) => parts.join('.')),
    );
    fc.assert(
      fc.property(text, (t) => assert.deepEqual(readAddress(t), parseAddress(t), t)),
      { numRuns: 2000 },
    );
  });
});

describe('a prefix that people wrote', () => {
  for (const [text, answer] of [
    ['10.0.0.1/16', { error: 'has bits set behind the prefix length', network: '10.0.0.0/16' }],
    ['10.0.0.0/33', { error: 'has the prefix length "33", not 0 to 32 (IPv4)' }],
    ['fd00::/129', { error: 'has the prefix length "129", not 0 to 128 (IPv6)' }],
    ['10.0.0.0/', { error: 'has the prefix length "", not 0 to 32 (IPv4)' }],
    ['10.0.0.0/08', { error: 'has the prefix length "08", not 0 to 32 (IPv4)' }],
    ['10.0.0.0', { error: 'has no prefix length', network: '10.0.0.0/32' }],
    ['10.0/16', { error: 'is not a CIDR: "10.0" is not an IP address' }],
    ['pods', { error: 'is not a CIDR' }],
  ] as const) {
    it(`${text} is refused: ${answer.error}`, () => {
      assert.deepEqual(readPrefix(text), answer);
    });
  }

  it('is what the reader of machines makes of it', () => {
    for (const text of ['FD00:0:0::/48', '0.0.0.0/0', '::ffff:1.2.3.0/120', '10.0.0.0/8']) {
      const result = readPrefix(text);
      assert.ok('prefix' in result);
      assert.deepEqual(parsePrefix(text), result.prefix);
    }
    assert.equal(formatPrefix(parsePrefix('FD00:0:0::/48')!), 'fd00::/48');
  });
});
