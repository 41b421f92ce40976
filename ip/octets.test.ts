import assert from 'node:assert/strict';
import fc from 'fast-check';
import { clearHostBits, formatPrefixOctets, parsePrefixOctets, sameBits } from './octets.ts';

const canonical = (text: string): string => {
  const prefix = parsePrefixOctets(text);
  if (prefix === undefined) return '-';
  return formatPrefixOctets(prefix.family === 'ipv4' ? 0 : 1, prefix.bytes, 0, prefix.length);
};

describe('a prefix as octets', () => {
  for (const text of [
    '0.0.0.0/0',
    '10.1.2.0/24',
    '::/0',
    'fd00::/64',
    '2001:db8::1/128',
    '1:0:2::3/128',
    '::ffff:10.0.0.1/128',
    '10.0.0.1/8',
  ]) {
    it(`is read and written: ${text}`, () => assert.equal(canonical(text), text));
  }

  it('is a host prefix without a length', () => {
    assert.equal(canonical('10.0.0.1'), '10.0.0.1/32');
    assert.equal(canonical('::ffff:a00:1'), '::ffff:10.0.0.1/128');
  });

  it('has a length in plain digits, from 0 to the bits of its family', () => {
    for (const length of ['', '33', '08', '008', '+8', ' 8', '8 ', '8.0', '0x8', '1e1', '-1', '8/8', '٨']) {
      assert.equal(canonical(`10.0.0.0/${length}`), '-', length);
    }
    for (const text of ['::/129', '10.0/8', 'fe80::1%eth0/64', '/8', '', '10.0.0.256', 'fd00::1::2', ':1']) {
      assert.equal(canonical(text), '-', text);
    }
  });

  it('loses its host bits, and shares bits with what lies in it', () => {
    const bits = (bytes: Uint8Array): string =>
      [...bytes].map((b) => b.toString(2).padStart(8, '0')).join('');
    const address = fc
      .constantFrom(4, 16)
      .chain((size) => fc.uint8Array({ minLength: size, maxLength: size }));
    fc.assert(
      fc.property(address, fc.nat(128), fc.nat(127), (bytes, most, flipped) => {
        const length = Math.min(most, bytes.length * 8);
        const network = new Uint8Array(bytes);
        clearHostBits(network, length);
        assert.equal(
          bits(network),
          bits(bytes)
            .slice(0, length)
            .padEnd(bytes.length * 8, '0'),
        );
        assert.ok(sameBits(network, 0, bytes, 0, length));
        const other = Uint8Array.from([7, ...network]);
        const at = flipped % (bytes.length * 8);
        other[1 + (at >> 3)]! ^= 0x80 >> (at & 7);
        assert.equal(sameBits(network, 0, other, 1, length), at >= length);
      }),
    );
  });
});
