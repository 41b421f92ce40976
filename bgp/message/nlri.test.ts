import assert from 'node:assert/strict';
import fc from 'fast-check';
import { formatIpv4, formatIpv6 } from '#ip';
import * as nlri from './nlri.ts';
import { bytes } from '../testing/message-bytes.ts';

const cursor = new nlri.NlriCursor();

function walk4(buf: Uint8Array, addPath = false): string[] {
  const seen: string[] = [];
  nlri.startNlri(cursor, buf, 0, buf.length, addPath);
  while (nlri.nextIpv4(cursor)) {
    seen.push(`${formatIpv4(cursor.address)}/${cursor.length}${addPath ? ` id ${cursor.pathId}` : ''}`);
  }
  return seen;
}

function walk6(buf: Uint8Array, addPath = false): string[] {
  const seen: string[] = [];
  nlri.startNlri(cursor, buf, 0, buf.length, addPath);
  while (nlri.nextIpv6(cursor)) {
    const { word0, word1, word2, word3, length, pathId } = cursor;
    seen.push(`${formatIpv6(word0, word1, word2, word3)}/${length}${addPath ? ` id ${pathId}` : ''}`);
  }
  return seen;
}

describe('NLRI', () => {
  it('walks over IPv4 prefixes of every length octet count', () => {
    const buf = bytes('00 08 0a 10 ac10 18 c0a801 20 cb007101 09 0a80');
    assert.deepEqual(walk4(buf), [
      '0.0.0.0/0',
      '10.0.0.0/8',
      '172.16.0.0/16',
      '192.168.1.0/24',
      '203.0.113.1/32',
      '10.128.0.0/9',
    ]);
    assert.equal(nlri.checkNlri(buf, 0, buf.length, 32, false), 6);
  });

  it('walks over IPv6 prefixes', () => {
    const buf = bytes(`00 20 20010db8 30 20010db80001 40 20010db800010002
      80 20010db8000000000000000000000001 0a fec0`);
    assert.deepEqual(walk6(buf), [
      '::/0',
      '2001:db8::/32',
      '2001:db8:1::/48',
      '2001:db8:1:2::/64',
      '2001:db8::1/128',
      'fec0::/10',
    ]);
  });

  it('masks host bits instead of refusing them (RFC 4271 section 4.3)', () => {
    assert.deepEqual(walk4(bytes('09 0aff 01 ff 1f ffffffff')), [
      '10.128.0.0/9',
      '128.0.0.0/1',
      '255.255.255.254/31',
    ]);
    assert.deepEqual(walk6(bytes('21 20010db8ff')), ['2001:db8:8000::/33']);
  });

  it('masks the octets of the next prefix that a word read takes in', () => {
    assert.deepEqual(walk4(bytes('08 0a 08 ff 08 0b')), ['10.0.0.0/8', '255.0.0.0/8', '11.0.0.0/8']);
  });

  it('reads path identifiers (RFC 7911)', () => {
    const buf = bytes('00000001 18 0a0102 ffffffff 18 0a0103');
    assert.deepEqual(walk4(buf, true), ['10.1.2.0/24 id 1', '10.1.3.0/24 id 4294967295']);
    assert.deepEqual(walk6(bytes('00000007 20 20010db8'), true), ['2001:db8::/32 id 7']);
    assert.equal(nlri.checkNlri(buf, 0, buf.length, 32, true), 2);
  });

  it('finds the offset of a wrong prefix: length above 32 or 128, or past the end', () => {
    const check = (text: string, max: number, addPath = false): number => {
      const buf = bytes(text);
      return nlri.checkNlri(buf, 0, buf.length, max, addPath);
    };
    assert.equal(check('18 0a0102 21 0a010203ff', 32), ~4);
    assert.equal(check('18 0a0102 18 0a01', 32), ~4);
    assert.equal(check('18', 32), ~0);
    assert.equal(check('81 00', 128), ~0);
    assert.equal(check('ff', 128), ~0);
    assert.equal(check('00000001', 32, true), ~0);
    assert.equal(check('000001', 32, true), ~0);
    assert.equal(check('00000001 20 0a0101', 32, true), ~0);
    assert.equal(check('', 32), 0);
  });

  it('stops a walk over a list that was not checked', () => {
    assert.deepEqual(walk4(bytes('18 0a0102 18 0a')), ['10.1.2.0/24']);
    assert.deepEqual(walk4(bytes('21 0a01020304')), []);
    assert.deepEqual(walk6(bytes('81 00')), []);
    assert.deepEqual(walk4(bytes('000000'), true), []);
  });

  it('reads back what it wrote, for any prefixes of both families with and without path identifiers', () => {
    const u32 = fc.integer({ min: 0, max: 0xffffffff });
    const prefix = fc.record({ words: fc.tuple(u32, u32, u32, u32), length: fc.nat(128), pathId: u32 });
    const out = new Uint8Array(8192);
    const mask = (word: number, bits: number): number =>
      bits <= 0 ? 0 : bits >= 32 ? word : (word & (-1 << (32 - bits))) >>> 0;
    fc.assert(
      fc.property(fc.array(prefix, { maxLength: 50 }), fc.boolean(), (list, addPath) => {
        let at = 0;
        for (const { words, length, pathId } of list) {
          const [w0, w1, w2, w3] = words.map((word, i) => mask(word, length - 32 * i)) as typeof words;
          if (addPath) at = nlri.writePathId(out, at, pathId);
          at = nlri.writeIpv6(out, at, w0, w1, w2, w3, length);
        }
        assert.equal(nlri.checkNlri(out, 0, at, 128, addPath), list.length);
        nlri.startNlri(cursor, out, 0, at, addPath);
        for (const { words, length, pathId } of list) {
          assert.ok(nlri.nextIpv6(cursor));
          const got = [cursor.word0, cursor.word1, cursor.word2, cursor.word3];
          assert.deepEqual(
            got,
            words.map((word, i) => mask(word, length - 32 * i)),
          );
          assert.equal(cursor.pathId, addPath ? pathId : 0);
        }
        assert.ok(!nlri.nextIpv6(cursor));

        at = 0;
        for (const { words, length, pathId } of list) {
          if (addPath) at = nlri.writePathId(out, at, pathId);
          at = nlri.writeIpv4(out, at, mask(words[0], length >> 2), length >> 2);
        }
        nlri.startNlri(cursor, out, 0, at, addPath);
        for (const { words, length, pathId } of list) {
          assert.ok(nlri.nextIpv4(cursor));
          assert.equal(cursor.address, mask(words[0], length >> 2));
          assert.equal(cursor.length, length >> 2);
          assert.equal(cursor.pathId, addPath ? pathId : 0);
        }
        assert.ok(!nlri.nextIpv4(cursor));
      }),
    );
  });

  it('knows the prefixes that no unicast table may hold', () => {
    const v4 = (text: string): boolean => {
      nlri.startNlri(cursor, bytes(text), 0, 5, false);
      cursor.end = cursor.buf.length;
      nlri.nextIpv4(cursor);
      return nlri.isMartianIpv4(cursor.address, cursor.length);
    };
    assert.deepEqual(
      ['04 e0', '20 ffffffff', '08 7f', '08 00', '20 00000001', '20 efffffff'].map(v4),
      Array(6).fill(true),
    );
    assert.deepEqual(
      [
        '00',
        '01 00',
        '08 0a',
        '07 7e',
        '03 c0',
        '20 dfffffff',
        '04 f0',
        '18 ffffff',
        '20 fffffffe',
        '03 e0',
      ].map(v4),
      Array(10).fill(false),
    );
    assert.ok(nlri.isMartianIpv6(0xff020000, 0, 0, 0, 16));
    assert.ok(nlri.isMartianIpv6(0xfe800000, 0, 0, 0, 10));
    assert.ok(nlri.isMartianIpv6(0, 0, 0, 1, 128));
    assert.ok(nlri.isMartianIpv6(0, 0, 0, 0, 128));
    assert.ok(!nlri.isMartianIpv6(0, 0, 0, 0, 0));
    assert.ok(!nlri.isMartianIpv6(0x20010db8, 0, 0, 0, 32));
    assert.ok(!nlri.isMartianIpv6(0xfc000000, 0, 0, 0, 7));
  });
});
