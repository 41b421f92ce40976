// One row a way in which an attribute can be wrong (BGP.md section 2.4), and what becomes of the route.

import assert from 'node:assert/strict';
import * as c from '../constants.ts';
import { SessionCodecContext } from '../context.ts';
import {
  AS_PATH,
  AS_PATH_OLD,
  attribute,
  bytes,
  LOCAL_PREF_100,
  MANDATORY,
  NEXT_HOP,
  ORIGIN_IGP,
} from '../testing/message-bytes.ts';
import { formatAttributes } from './table.ts';
import { validateAttributes } from './validate.ts';
import * as v from './verdict.ts';

const OK = c.ACTION_OK;
const DISCARD = c.ACTION_DISCARD_ATTRIBUTE;
const WITHDRAW = c.ACTION_TREAT_AS_WITHDRAW;

const EBGP: Partial<SessionCodecContext> = {};
const IBGP: Partial<SessionCodecContext> = { external: false };
const OLD: Partial<SessionCodecContext> = { fourByteAs: false };

const verdict = new v.AttributeVerdict();

function validate(attributes: string, overrides: Partial<SessionCodecContext> = EBGP): v.AttributeVerdict {
  const block = bytes(attributes);
  const buf = new Uint8Array(block.length + 8).fill(0xee);
  buf.set(block, 3);
  validateAttributes(buf, 3, 3 + block.length, Object.assign(new SessionCodecContext(), overrides), verdict);
  return verdict;
}

/** Names of the attributes that are left, without the mandatory ones. */
function left(): string {
  return formatAttributes(verdict.bytes, 0, verdict.length)
    .map((text) => text.name)
    .filter((name) => name !== 'origin' && name !== 'as_path')
    .join(' ');
}

const withoutOrigin = AS_PATH + NEXT_HOP;
const withoutPath = ORIGIN_IGP + NEXT_HOP;
const withoutNextHop = ORIGIN_IGP + AS_PATH;
/** Mandatory attributes for a two-octet session. */
const OLD_MANDATORY = ORIGIN_IGP + AS_PATH_OLD + NEXT_HOP;

describe('attribute errors by RFC 7606: [attributes, session, action, NOTIFICATION subcode, what is left]', () => {
  const rows: [
    what: string,
    attributes: string,
    ctx: Partial<SessionCodecContext>,
    action: number,
    subcode: number,
    rest?: string,
  ][] = [
    ['ORIGIN of no octet', `4001 00 ${withoutOrigin}`, EBGP, WITHDRAW, 5],
    ['ORIGIN of two octets', `4001 02 0000 ${withoutOrigin}`, EBGP, WITHDRAW, 5],
    ['ORIGIN 3', `4001 01 03 ${withoutOrigin}`, EBGP, WITHDRAW, 6],
    ['no ORIGIN', withoutOrigin, EBGP, WITHDRAW, 3],
    ['no AS_PATH', withoutPath, EBGP, WITHDRAW, 3],
    ['no attribute at all', '', EBGP, WITHDRAW, 3],
    ['an empty AS_PATH', `${withoutPath}4002 00`, EBGP, OK, 0],
    ['AS_PATH segment type 0', `${withoutPath}4002 06 0001 0000fde9`, EBGP, WITHDRAW, 11],
    ['AS_PATH segment type 5', `${withoutPath}4002 06 0501 0000fde9`, EBGP, WITHDRAW, 11],
    ['AS_PATH segment of no AS', `${withoutPath}4002 02 0200`, EBGP, WITHDRAW, 11],
    ['AS_PATH segment past the end', `${withoutPath}4002 06 0202 0000fde9`, EBGP, WITHDRAW, 11],
    ['AS_PATH with an odd octet', `${withoutPath}4002 07 0201 0000fde9 02`, EBGP, WITHDRAW, 11],
    ['AS 0 in a sequence', `${withoutPath}4002 0a 0202 0000fde9 00000000`, EBGP, WITHDRAW, 11],
    ['AS 0 in a set, iBGP', `${withoutPath}4002 06 0101 00000000`, IBGP, WITHDRAW, 11],
    ['AS_SET', `${withoutPath}4002 06 0101 0000fde9`, EBGP, OK, 0],
    [
      'AS_SET when RFC 9774 is strict',
      `${withoutPath}4002 06 0101 0000fde9`,
      { rejectAsSets: true },
      WITHDRAW,
      11,
    ],
    ['AS_CONFED_SEQUENCE outside a confederation', `${withoutPath}4002 06 0301 0000fde9`, EBGP, WITHDRAW, 11],
    ['AS_CONFED_SET outside a confederation', `${withoutPath}4002 06 0401 0000fde9`, IBGP, WITHDRAW, 11],
    ['AS_CONFED_SEQUENCE inside one', `${withoutPath}4002 06 0301 0000fde9`, { confederation: true }, OK, 0],
    ['four-octet path on a two-octet session', MANDATORY, OLD, WITHDRAW, 11],
    ['NEXT_HOP of three octets', `${withoutNextHop}4003 03 c00002`, EBGP, WITHDRAW, 5],
    ['NEXT_HOP of no octet', `${withoutNextHop}4003 00`, EBGP, WITHDRAW, 5],
    ['NEXT_HOP of five octets', `${withoutNextHop}4003 05 c000020100`, EBGP, WITHDRAW, 5],
    ['NEXT_HOP 0.0.0.0', `${withoutNextHop}4003 04 00000000`, EBGP, WITHDRAW, 8],
    ['NEXT_HOP 127.0.0.1', `${withoutNextHop}4003 04 7f000001`, IBGP, WITHDRAW, 8],
    ['NEXT_HOP 224.0.0.1', `${withoutNextHop}4003 04 e0000001`, EBGP, WITHDRAW, 8],
    ['NEXT_HOP 255.255.255.255', `${withoutNextHop}4003 04 ffffffff`, EBGP, WITHDRAW, 8],
    ['no NEXT_HOP (judgeUpdate sees to it)', withoutNextHop, EBGP, OK, 0],
    ['MED of three octets', `${MANDATORY}8004 03 000000`, EBGP, WITHDRAW, 5],
    ['MED of no octet', `${MANDATORY}8004 00`, IBGP, WITHDRAW, 5],
    ['LOCAL_PREF from eBGP', MANDATORY + LOCAL_PREF_100, EBGP, DISCARD, 1, ''],
    ['a malformed LOCAL_PREF from eBGP', `${MANDATORY}4005 03 000000`, EBGP, DISCARD, 1, ''],
    ['LOCAL_PREF with wrong flags from eBGP', `${MANDATORY}c005 04 00000064`, EBGP, DISCARD, 1, ''],
    ['LOCAL_PREF from iBGP', MANDATORY + LOCAL_PREF_100, IBGP, OK, 0, 'local_pref'],
    [
      'LOCAL_PREF in a confederation',
      MANDATORY + LOCAL_PREF_100,
      { confederation: true },
      OK,
      0,
      'local_pref',
    ],
    ['LOCAL_PREF of three octets from iBGP', `${MANDATORY}4005 03 000000`, IBGP, WITHDRAW, 5],
    ['iBGP without LOCAL_PREF', MANDATORY, IBGP, OK, 0, ''],
    ['ATOMIC_AGGREGATE', `${MANDATORY}4006 00`, EBGP, OK, 0, 'atomic_aggregate'],
    ['ATOMIC_AGGREGATE with a value', `${MANDATORY}4006 01 00`, EBGP, DISCARD, 5, ''],
    ['AGGREGATOR', `${MANDATORY}c007 08 0000fde9 0a000001`, EBGP, OK, 0, 'aggregator'],
    [
      'AGGREGATOR of six octets on a four-octet session',
      `${MANDATORY}c007 06 fde9 0a000001`,
      EBGP,
      DISCARD,
      5,
      '',
    ],
    [
      'AGGREGATOR of eight octets on a two-octet session',
      `${OLD_MANDATORY}c007 08 0000fde9 0a000001`,
      OLD,
      DISCARD,
      5,
      '',
    ],
    ['AGGREGATOR with AS 0', `${MANDATORY}c007 08 00000000 0a000001`, EBGP, DISCARD, 9, ''],
    ['COMMUNITIES of no octet', `${MANDATORY}c008 00`, EBGP, WITHDRAW, 5],
    ['COMMUNITIES of six octets', `${MANDATORY}c008 06 000000000000`, EBGP, WITHDRAW, 5],
    ['ORIGINATOR_ID from eBGP', `${MANDATORY}8009 04 0a000001`, EBGP, DISCARD, 1, ''],
    ['ORIGINATOR_ID of five octets from iBGP', `${MANDATORY}8009 05 0a00000100`, IBGP, WITHDRAW, 5],
    ['ORIGINATOR_ID with wrong flags from iBGP', `${MANDATORY}c009 04 0a000001`, IBGP, WITHDRAW, 4],
    ['CLUSTER_LIST from eBGP', `${MANDATORY}800a 04 0a000001`, EBGP, DISCARD, 1, ''],
    ['CLUSTER_LIST of no octet from iBGP', `${MANDATORY}800a 00`, IBGP, WITHDRAW, 5],
    ['CLUSTER_LIST of five octets from iBGP', `${MANDATORY}800a 05 0a00000100`, IBGP, WITHDRAW, 5],
    ['EXT_COMMUNITIES of no octet', `${MANDATORY}c010 00`, EBGP, WITHDRAW, 5],
    ['EXT_COMMUNITIES of seven octets', `${MANDATORY}c010 07 00000000000000`, EBGP, WITHDRAW, 5],
    [
      'EXT_COMMUNITIES of an unknown type',
      `${MANDATORY}c010 08 3f3f000000000000`,
      EBGP,
      OK,
      0,
      'ext_communities',
    ],
    ['AS4_PATH from a four-octet speaker', `${MANDATORY}c011 06 0201 0000fde9`, EBGP, DISCARD, 11, ''],
    ['a malformed AS4_PATH', `${OLD_MANDATORY}c011 06 0202 0000fde9`, OLD, DISCARD, 11, ''],
    ['AS4_PATH of AS 0', `${OLD_MANDATORY}c011 06 0201 00000000`, OLD, DISCARD, 11, ''],
    ['an empty AS4_PATH', `${OLD_MANDATORY}c011 00`, OLD, DISCARD, 11, ''],
    [
      'AS4_AGGREGATOR from a four-octet speaker',
      `${MANDATORY}c012 08 0000fde9 0a000001`,
      EBGP,
      DISCARD,
      9,
      '',
    ],
    ['AS4_AGGREGATOR of six octets', `${OLD_MANDATORY}c012 06 fde9 0a000001`, OLD, DISCARD, 5, ''],
    ['AS4_AGGREGATOR of AS 0', `${OLD_MANDATORY}c012 08 00000000 0a000001`, OLD, DISCARD, 9, ''],
    ['PMSI_TUNNEL of four octets', `${MANDATORY}c016 04 00000000`, EBGP, WITHDRAW, 5],
    ['PMSI_TUNNEL', `${MANDATORY}c016 05 0000000000`, EBGP, OK, 0, 'pmsi_tunnel'],
    ['TUNNEL_ENCAP', `${MANDATORY}c017 08 0008 0004 0402 fde8`, EBGP, OK, 0, 'tunnel_encap'],
    [
      'TUNNEL_ENCAP with a sub-TLV of two length octets',
      `${MANDATORY}c017 09 0008 0005 80 0002 fde8`,
      EBGP,
      OK,
      0,
      'tunnel_encap',
    ],
    ['TUNNEL_ENCAP, a TLV past the end', `${MANDATORY}c017 08 0008 0005 0402 fde8`, EBGP, DISCARD, 9, ''],
    ['TUNNEL_ENCAP, a sub-TLV past its TLV', `${MANDATORY}c017 08 0008 0004 0403 fde8`, EBGP, DISCARD, 9, ''],
    ['TUNNEL_ENCAP cut in a header', `${MANDATORY}c017 03 0008 00`, EBGP, DISCARD, 9, ''],
    ['IPV6_EXT_COMMUNITIES of no octet', `${MANDATORY}c019 00`, EBGP, WITHDRAW, 5],
    [
      'IPV6_EXT_COMMUNITIES of 19 octets',
      MANDATORY + attribute(0xc0, 25, '00'.repeat(19)),
      EBGP,
      WITHDRAW,
      5,
    ],
    [
      'IPV6_EXT_COMMUNITIES',
      MANDATORY + attribute(0xc0, 25, '00'.repeat(40)),
      EBGP,
      OK,
      0,
      'ipv6_ext_communities',
    ],
    ['AIGP where it is not wanted', `${MANDATORY}801a 0b 01000b0000000000000064`, EBGP, OK, 0, ''],
    ['AIGP of ten octets', `${MANDATORY}801a 0a 01000a00000000000064`, { aigp: true }, DISCARD, 9, ''],
    ['AIGP whose TLV runs past the end', `${MANDATORY}801a 03 01000b`, { aigp: true }, DISCARD, 9, ''],
    ['AIGP with TLV length 0', `${MANDATORY}801a 03 010000`, { aigp: true }, DISCARD, 9, ''],
    ['AIGP with wrong flags', `${MANDATORY}c01a 0b 01000b0000000000000064`, { aigp: true }, DISCARD, 4, ''],
    ['LINK_STATE', `${MANDATORY}801d 06 0400 0002 0001`, EBGP, OK, 0, 'link_state'],
    ['LINK_STATE past the end', `${MANDATORY}801d 06 0400 0003 0001`, EBGP, DISCARD, 9, ''],
    ['LARGE_COMMUNITIES of no octet', `${MANDATORY}c020 00`, EBGP, WITHDRAW, 5],
    ['LARGE_COMMUNITIES of 13 octets', MANDATORY + attribute(0xc0, 32, '00'.repeat(13)), EBGP, WITHDRAW, 5],
    ['OTC', `${MANDATORY}c023 04 0000fde9`, EBGP, OK, 0, 'otc'],
    ['OTC of five octets (seen in October 2025)', `${MANDATORY}c023 05 000000fde9`, EBGP, WITHDRAW, 5],
    ['OTC with wrong flags', `${MANDATORY}8023 04 0000fde9`, EBGP, WITHDRAW, 4],
    [
      'next-hop characteristics',
      `${MANDATORY}c027 0c 0001 01 04 c0000201 0001 0000`,
      EBGP,
      OK,
      0,
      'next_hop_characteristics',
    ],
    [
      'next-hop characteristics, next hop past the end',
      `${MANDATORY}c027 06 0001 01 04 c000`,
      EBGP,
      DISCARD,
      9,
      '',
    ],
    [
      'next-hop characteristics, TLV past the end',
      `${MANDATORY}c027 0c 0001 01 04 c0000201 0001 0001`,
      EBGP,
      DISCARD,
      9,
      '',
    ],
    ['PREFIX_SID', `${MANDATORY}c028 0a 01 0007 00 0000 00000001`, EBGP, OK, 0, 'prefix_sid'],
    [
      'PREFIX_SID with a label index of six octets',
      `${MANDATORY}c028 09 01 0006 00 0000 000001`,
      EBGP,
      DISCARD,
      9,
      '',
    ],
    ['PREFIX_SID past the end', `${MANDATORY}c028 04 05 0002 00`, EBGP, DISCARD, 9, ''],
    [
      'PREFIX_SID with an SRGB of nine octets',
      MANDATORY + attribute(0xc0, 40, '03 0009 000000000000000000'),
      EBGP,
      DISCARD,
      9,
      '',
    ],
    ['an unknown optional transitive attribute', `${MANDATORY}c063 02 0102`, EBGP, OK, 0, 'attribute 99'],
    ['attribute 28, once the entropy label', `${MANDATORY}c01c 00`, EBGP, OK, 0, 'attribute 28'],
    ['attribute 0, optional transitive', `${MANDATORY}c000 00`, EBGP, OK, 0, 'attribute 0'],
    ['an unknown optional non-transitive attribute', `${MANDATORY}8063 02 0102`, EBGP, OK, 0, ''],
    ['an unknown well-known attribute', `${MANDATORY}4063 02 0102`, EBGP, WITHDRAW, 2],
    ['an unknown attribute with no flags', `${MANDATORY}0063 00`, IBGP, WITHDRAW, 2],
    ['an attribute past the end', `${MANDATORY}c008 08 fde80001`, EBGP, WITHDRAW, 1],
    ['MP attributes are none of its business', `${MANDATORY}800e 01 00 800f 01 00`, EBGP, OK, 0, ''],
  ];
  for (const [what, attributes, ctx, action, subcode, rest] of rows) {
    it(`${what}: ${c.ACTION_NAMES[action]}`, () => {
      const result = validate(attributes, ctx);
      assert.deepEqual(
        [c.ACTION_NAMES[result.action], result.errorSubcode],
        [c.ACTION_NAMES[action], subcode],
      );
      if (action !== WITHDRAW) assert.equal(left(), rest ?? '');
    });
  }
});
