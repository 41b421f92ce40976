import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseOctets } from './text.ts';
import {
  formatWords,
  mask,
  octetsOfWords,
  parseAddressWords,
  parsePrefixWords,
  truncateWords,
} from './words.ts';

const text = fc.oneof(fc.ipV4(), fc.ipV6());

describe('an address as words', () => {
  it('is signed words, and the octets of the same text', () => {
    assert.deepEqual(parseAddressWords('192.0.2.1'), { family: 0, words: [0xc0000201 | 0] });
    assert.deepEqual(parseAddressWords('ff02::1'), { family: 1, words: [0xff020000 | 0, 0, 0, 1] });
    fc.assert(
      fc.property(text, (t) => {
        const { words } = parseAddressWords(t)!;
        assert.deepEqual(octetsOfWords(words), parseOctets(t));
        assert.deepEqual(parseAddressWords(formatWords(words))?.words, words);
      }),
    );
  });

  it('is none where the octets are none', () => {
    for (const bad of [
      '010.0.0.1',
      '::ffff:01.2.3.4',
      '1::2:3:4:5:6:7:8',
      'fe80::1%eth0',
      '10.0.0.1/8',
      '',
    ]) {
      assert.equal(parseAddressWords(bad), undefined, bad);
    }
  });
});

describe('a prefix as words', () => {
  it('has its host bits cleared', () => {
    assert.deepEqual(parsePrefixWords('10.1.2.3/8'), { family: 0, words: [10 << 24], length: 8 });
    const { words, length } = parsePrefixWords('fd00:1:2:3:4::1/40')!;
    assert.equal(`${formatWords(words)}/${length}`, 'fd00:1::/40');
  });

  it('has a length, in plain digits', () => {
    for (const bad of [
      '10.0.0.0',
      '10.0.0.0/',
      '10.0.0.0/08',
      '10.0.0.0/33',
      '::/129',
      '10.0.0.0/+8',
      '/8',
    ]) {
      assert.equal(parsePrefixWords(bad), undefined, bad);
    }
  });

  it('is the longest-known part of an address: any length cuts the bits behind it', () => {
    fc.assert(
      fc.property(text, fc.nat(128), (t, most) => {
        const address = parseAddressWords(t)!;
        const length = Math.min(most, address.words.length * 32);
        const prefix = truncateWords(address, length);
        for (const [i, word] of prefix.words.entries()) {
          assert.equal(word, address.words[i]! & mask(length - i * 32));
        }
        assert.deepEqual(truncateWords(prefix, length), prefix);
      }),
    );
  });

  it('is masked by the first bits of a word', () => {
    assert.deepEqual([-5, 0, 1, 24, 31, 32, 128].map(mask), [0, 0, 1 << 31, -256, -2, -1, -1]);
  });
});
