import assert from 'node:assert/strict';
import { formatIpv4, formatIpv6 } from '#ip';
import { decodeNextHop, NextHop } from './next-hop.ts';
import { bytes, IPV6_NEXT_HOP, LINK_LOCAL } from '../testing/message-bytes.ts';

const hop = new NextHop();
const UNSPECIFIED = '00'.repeat(16);

/** 'global link-local', '-' for what is absent; undefined when it cannot be a next hop. */
function decoded(text: string): string | undefined {
  const buf = bytes(`ee ${text} ee`);
  if (!decodeNextHop(buf, 1, buf.length - 2, hop)) return undefined;
  if (hop.family === 0) return formatIpv4(hop.word0);
  const global = hop.hasGlobal ? formatIpv6(hop.word0, hop.word1, hop.word2, hop.word3) : '-';
  const local = hop.hasLinkLocal
    ? formatIpv6(hop.linkLocal0, hop.linkLocal1, hop.linkLocal2, hop.linkLocal3)
    : '-';
  return `${global} ${local}`;
}

describe('next hop of MP_REACH_NLRI', () => {
  it('RX-9: is global, link-local, or both in either order', () => {
    assert.equal(decoded(IPV6_NEXT_HOP), '2001:db8::1 -');
    assert.equal(decoded(LINK_LOCAL), '- fe80::2');
    assert.equal(decoded(IPV6_NEXT_HOP + LINK_LOCAL), '2001:db8::1 fe80::2');
    assert.equal(decoded(LINK_LOCAL + IPV6_NEXT_HOP), '2001:db8::1 fe80::2');
    assert.equal(decoded(UNSPECIFIED + LINK_LOCAL), '- fe80::2');
    assert.equal(decoded(LINK_LOCAL + UNSPECIFIED), '- fe80::2');
    assert.equal(decoded(LINK_LOCAL + LINK_LOCAL), '- fe80::2');
    assert.equal(decoded(IPV6_NEXT_HOP + UNSPECIFIED), '2001:db8::1 -');
    assert.equal(decoded(IPV6_NEXT_HOP + IPV6_NEXT_HOP), '2001:db8::1 -');
    assert.equal(decoded('c0000201'), '192.0.2.1');
  });

  it('is no unspecified, loopback, multicast or IPv4-mapped address', () => {
    const zeros = '00'.repeat(15);
    for (const bad of [
      UNSPECIFIED,
      `${zeros}01`,
      `ff02${'00'.repeat(13)}01`,
      `${'00'.repeat(10)}ffffc0000201`,
      UNSPECIFIED + UNSPECIFIED,
      `${zeros}01${LINK_LOCAL}`,
      '00000000',
      '7f000001',
      'e0000001',
      'ffffffff',
      '',
      'c00002',
    ]) {
      assert.equal(decoded(bad), undefined, bad);
    }
  });
});
