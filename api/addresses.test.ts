import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import {
  type Address,
  addressBits,
  addressCount,
  addressFromBytes,
  addressToBytes,
  blockCount,
  blockIndex,
  canonicalAddress,
  canonicalPrefix,
  comparePrefixes,
  contains,
  formatAddress,
  formatPrefix,
  isLinkLocal,
  nthAddress,
  nthBlock,
  overlaps,
  parseAddress,
  parsePrefix,
  type Prefix,
  readPrefix,
  truncate,
} from './addresses.ts';

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

describe('an address', () => {
  for (const [text, canonical] of [
    ['10.1.2.3', '10.1.2.3'],
    ['FD00:0:0:1:0:0:0:1', 'fd00:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8::0:1', '2001:db8::1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['::', '::'],
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

  it('as text and as bytes comes back as it was', () => {
    fc.assert(
      fc.property(address, (a) => {
        assert.deepEqual(parseAddress(formatAddress(a)), a);
        assert.deepEqual(addressFromBytes(addressToBytes(a)), a);
        assert.equal(canonicalAddress(formatAddress(a)), formatAddress(a));
      }),
    );
  });

  it('has bytes in network order', () => {
    assert.deepEqual([...addressToBytes(parseAddress('10.1.2.3')!)], [10, 1, 2, 3]);
    assert.throws(() => addressFromBytes(new Uint8Array(5)), /4 or 16 bytes, not 5/);
  });

  it('knows the link-local ranges', () => {
    const linkLocal = (text: string) => isLinkLocal(parseAddress(text)!);
    assert.deepEqual(['169.254.0.1', 'fe80::1', 'febf::1', '169.253.0.1', 'fec0::1'].map(linkLocal), [
      true,
      true,
      true,
      false,
      false,
    ]);
  });
});

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

  it('has one canonical text', () => {
    assert.equal(canonicalPrefix('FD00:0:0::/48'), 'fd00::/48');
    assert.equal(canonicalPrefix('0.0.0.0/0'), '0.0.0.0/0');
    assert.equal(canonicalPrefix('10.0.0.1/8'), undefined);
  });
});
