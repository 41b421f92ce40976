import assert from 'node:assert/strict';
import { IPV4, IPV6 } from '#ip';
import { SessionCodecContext } from './context.ts';
import { encodeKeepalive } from './frame.ts';
import { writeIpv4, writeIpv6, writePathId } from './nlri.ts';
import {
  AS_PATH,
  bytes,
  hexOf,
  IPV6_NEXT_HOP,
  MANDATORY,
  message,
  ORIGIN_IGP,
  update,
} from '../testing/message-bytes.ts';
import { scanUpdate } from './update.ts';
import * as encode from './update-encode.ts';
import { UpdateScan } from './update-scan.ts';

const out = new Uint8Array(5000);
const AT = 11;

function written(end: number): string {
  return hexOf(out, AT, end);
}

describe('UPDATE packers', () => {
  beforeEach(() => out.fill(0xee));

  it('withdraw classic prefixes', () => {
    let at = encode.beginWithdraw(out, AT);
    at = writeIpv4(out, at, 0x0a010000, 16);
    at = writeIpv4(out, at, 0xc0a80100, 24);
    assert.equal(written(encode.endWithdraw(out, AT, at)), hexOf(update({ withdrawn: '10 0a01 18 c0a801' })));
  });

  it('announce classic prefixes with their attributes', () => {
    const attributes = bytes(`eeee ${MANDATORY} ee`);
    let at = encode.beginAnnounce(out, AT, attributes, 2, attributes.length - 1);
    at = writePathId(out, at, 0xfffffffe);
    at = writeIpv4(out, at, 0, 0);
    at = writePathId(out, at, 1);
    at = writeIpv4(out, at, 0x0a010203, 32);
    const expected = update({ attributes: MANDATORY, nlri: 'fffffffe 00 00000001 20 0a010203' });
    assert.equal(written(encode.endAnnounce(out, AT, at)), hexOf(expected));
  });

  it('announce by MP_REACH_NLRI, which is the first attribute (RFC 7606 section 5.1)', () => {
    const nextHop = bytes(IPV6_NEXT_HOP);
    const attributes = bytes(ORIGIN_IGP + AS_PATH);
    for (const family of [IPV4, IPV6] as const) {
      let at = encode.beginMpReach(out, AT, family, nextHop, 0, 16);
      at =
        family === IPV6
          ? writeIpv6(out, at, 0x20010db8, 0x00010000, 0, 0, 48)
          : writeIpv4(out, at, 0x0a000000, 8);
      const end = encode.endMpReach(out, AT, at, attributes, 0, attributes.length);
      const nlri = family === IPV6 ? '30 20010db80001' : '08 0a';
      const length = family === IPV6 ? '001c' : '0017';
      assert.equal(
        written(end),
        hexOf(
          update({
            attributes: `900e ${length} 000${family + 1} 01 10 ${IPV6_NEXT_HOP} 00 ${nlri} ${ORIGIN_IGP} ${AS_PATH}`,
          }),
        ),
      );
      assert.equal(encode.MP_REACH_OVERHEAD + 16 + (family === IPV6 ? 7 : 2) + attributes.length, end - AT);
    }
  });

  it('withdraw by MP_UNREACH_NLRI', () => {
    let at = encode.beginMpUnreach(out, AT, IPV6);
    at = writeIpv6(out, at, 0x20010db8, 0, 0, 1, 128);
    const end = encode.endMpUnreach(out, AT, at);
    assert.equal(
      written(end),
      hexOf(update({ attributes: '900f 0014 0002 01 80 20010db8000000000000000000000001' })),
    );
  });

  it('write End-of-RIB: 23 octets for IPv4, an empty MP_UNREACH_NLRI otherwise', () => {
    const scan = new UpdateScan();
    const end4 = encode.writeEndOfRib(out, AT, IPV4);
    assert.equal(written(end4), hexOf(update({})));
    assert.equal(end4 - AT, encode.CLASSIC_OVERHEAD);
    const end6 = encode.writeEndOfRib(out, AT, IPV6);
    assert.equal(written(end6), hexOf(update({ attributes: '900f 0003 0002 01' })));
    scanUpdate(out, AT, end6, new SessionCodecContext(), scan);
    assert.equal(scan.endOfRib, IPV6);
  });

  it('a KEEPALIVE is a header', () => {
    assert.equal(hexOf(encodeKeepalive()), hexOf(message(4, '')));
  });
});
