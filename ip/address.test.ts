import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { type Address, addressFromBytes, addressToBytes, formatAddress, parseAddress } from './address.ts';

const address = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 32n - 1n }).map((value): Address => ({ family: 'ipv4', value })),
  fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }).map((value): Address => ({ family: 'ipv6', value })),
);

describe('an address as a number', () => {
  it('as text and as bytes comes back as it was', () => {
    fc.assert(
      fc.property(address, (a) => {
        assert.deepEqual(parseAddress(formatAddress(a)), a);
        assert.deepEqual(addressFromBytes(addressToBytes(a)), a);
      }),
    );
  });

  it('has bytes in network order', () => {
    assert.deepEqual([...addressToBytes(parseAddress('10.1.2.3')!)], [10, 1, 2, 3]);
    assert.throws(() => addressFromBytes(new Uint8Array(5)), /4 or 16 bytes, not 5/);
  });

  it('is read from a part of a buffer', () => {
    assert.deepEqual(
      addressFromBytes(Uint8Array.of(9, 10, 1, 2, 3, 9).subarray(1, 5)),
      parseAddress('10.1.2.3'),
    );
  });

  it('is none with a mask or a zone', () => {
    for (const text of ['10.1.2.3/24', 'fe80::1%eth0', '010.1.2.3', ''])
      assert.equal(parseAddress(text), undefined);
  });
});
