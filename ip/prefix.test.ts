import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { type Address, formatAddress } from './address.ts';
import { addressBits } from './family.ts';
import {
  addressCount,
  blockCount,
  blockIndex,
  comparePrefixes,
  contains,
  formatPrefix,
  hostPrefix,
  nthAddress,
  nthBlock,
  overlaps,
  parsePrefix,
  type Prefix,
  truncate,
} from './prefix.ts';

const address = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 32n - 1n }).map((value): Address => ({ family: 'ipv4', value })),
  fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }).map((value): Address => ({ family: 'ipv6', value })),
);
const prefix = address.chain((a) =>
  fc.integer({ min: 0, max: addressBits(a.family) }).map((length) => truncate(a, length)),
);
/** The bits of a prefix as text, for a second opinion. */
const bits = ({ family, value, length }: Prefix) =>
  family + value.toString(2).padStart(addressBits(family), '0').slice(0, length);

describe('a prefix', () => {
  it('as text comes back as it was', () => {
    fc.assert(fc.property(prefix, (p) => assert.deepEqual(parsePrefix(formatPrefix(p)), p)));
  });

  it('contains what begins with its bits, and overlaps what contains it or is contained', () => {
    fc.assert(
      fc.property(prefix, prefix, fc.nat(128), (p, other, length) => {
        // A relative of p, so that containment is not a rare event.
        const relative = truncate(p, Math.min(length, addressBits(p.family)));
        for (const q of [other, relative]) {
          assert.equal(contains(p, q), bits(q).startsWith(bits(p)));
          assert.equal(overlaps(p, q), contains(p, q) || contains(q, p));
          assert.equal(overlaps(p, q), overlaps(q, p));
        }
      }),
    );
  });

  it('is cut into blocks that lie inside, in order, side by side, and know their place', () => {
    fc.assert(
      fc.property(prefix, fc.nat(128), fc.bigInt({ min: 0n, max: 2n ** 128n }), (p, more, pick) => {
        const length = Math.min(p.length + more, addressBits(p.family));
        const count = blockCount(p, length);
        const n = pick % count;
        const block = nthBlock(p, length, n)!;
        assert.ok(contains(p, block));
        assert.equal(blockIndex(p, block), n);
        assert.equal(addressCount(block) * count, addressCount(p));
        const next = nthBlock(p, length, n + 1n);
        if (next) assert.equal(next.value - block.value, addressCount(block));
        else assert.equal(n + 1n, count);
        assert.equal(nthBlock(p, length, -1), undefined);
      }),
    );
  });

  it('has no block larger than itself', () => {
    const p = parsePrefix('10.0.0.0/24')!;
    assert.equal(blockCount(p, 23), 0n);
    assert.equal(nthBlock(p, 23, 0), undefined);
    assert.equal(nthBlock(p, 33, 0), undefined);
    assert.equal(nthAddress(p, 256), undefined);
    assert.equal(formatAddress(nthAddress(p, 255)!), '10.0.0.255');
  });

  it('sorts by family, address, length', () => {
    const sorted = ['10.0.0.0/8', '10.0.0.0/16', '10.1.0.0/16', '192.168.0.0/16', 'fd00::/8', 'fd00::/48'];
    const shuffled = [...sorted].reverse().map((text) => parsePrefix(text)!);
    assert.deepEqual(shuffled.sort(comparePrefixes).map(formatPrefix), sorted);
  });

  it('of one address has all its bits', () => {
    assert.deepEqual(['10.0.0.1', 'fd00::1'].map(hostPrefix), ['10.0.0.1/32', 'fd00::1/128']);
  });

  it('has a length in plain digits and no host bits', () => {
    for (const bad of [
      '10.0.0.1/8',
      '10.0.0.0/08',
      '10.0.0.0',
      '10.0.0.0/',
      '10.0.0.0/33',
      '10.0/8',
      '/8',
      'pods',
    ]) {
      assert.equal(parsePrefix(bad), undefined, bad);
    }
  });
});
