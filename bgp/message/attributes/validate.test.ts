import assert from 'node:assert/strict';
import * as c from '../constants.ts';
import { SessionCodecContext } from '../context.ts';
import {
  AS_PATH,
  AS_PATH_OLD,
  attribute,
  bytes,
  hexOf,
  LOCAL_PREF_100,
  MANDATORY,
  NEXT_HOP,
  ORIGIN_IGP,
  u16,
  u32,
} from '../testing/wire.ts';
import { formatAttributes } from './format.ts';
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

function textOf(name: string): unknown {
  return formatAttributes(verdict.bytes, 0, verdict.length).find((text) => text.name === name)?.value;
}

const withoutOrigin = AS_PATH + NEXT_HOP;
const withoutPath = ORIGIN_IGP + NEXT_HOP;
const withoutNextHop = ORIGIN_IGP + AS_PATH;
/** Mandatory attributes for a two-octet session. */
const OLD_MANDATORY = ORIGIN_IGP + AS_PATH_OLD + NEXT_HOP;

describe('attribute validation', () => {
  it('takes the mandatory attributes and fills the columns', () => {
    const { action, length, present, origin, pathLength, neighbourAs, firstAs, nextHop, hasNextHop } =
      validate(MANDATORY);
    assert.equal(action, OK);
    assert.deepEqual([origin, pathLength, neighbourAs, firstAs, nextHop], [0, 2, 65001, 65001, 0xc0000201]);
    assert.ok(hasNextHop);
    assert.equal(present, v.PRESENT_ORIGIN | v.PRESENT_AS_PATH | v.PRESENT_NEXT_HOP);
    assert.equal(hexOf(verdict.bytes, 0, length), hexOf(bytes(withoutNextHop)));
    assert.equal(hexOf(verdict.bytes, verdict.asPathStart, verdict.asPathEnd), '02020000fde90000fdea');
  });

  it('fills the columns of every attribute that decides', () => {
    const lists =
      attribute(0xc0, 8, 'fde8 0001 ffffff01') +
      attribute(0x80, 9, '0a000001') +
      attribute(0x80, 10, '0a000002 0a000003') +
      attribute(0xc0, 16, '4004 fde8 4cee6b28') +
      attribute(0x80, 26, '01 000b 0000000000000064') +
      attribute(0xc0, 35, '0000fde9');
    const r = validate(MANDATORY + '8004 04 ffffffff' + LOCAL_PREF_100 + lists, { ...IBGP, aigp: true });
    assert.equal(r.action, OK);
    assert.deepEqual([r.hasMed, r.med, r.hasLocalPref, r.localPref], [true, 0xffffffff, true, 100]);
    assert.deepEqual([r.hasOriginatorId, r.originatorId, r.clusterListLength], [true, 0x0a000001, 2]);
    assert.deepEqual([r.hasLinkBandwidth, r.linkBandwidth], [true, 125_000_000]);
    assert.deepEqual([r.hasAigp, r.aigp, r.hasOtc, r.otc], [true, 100, true, 65001]);
    assert.equal(r.flags, v.HAS_NO_EXPORT);
    assert.equal(hexOf(r.bytes, r.clusterListStart, r.clusterListEnd), '0a0000020a000003');
    assert.ok((r.present & v.PRESENT_LINK_BANDWIDTH) !== 0);
  });

  it('clears all columns before the next block', () => {
    validate(MANDATORY + '8004 04 00000001' + LOCAL_PREF_100 + attribute(0x80, 9, '0a000001'), IBGP);
    const r = validate(MANDATORY, IBGP);
    assert.deepEqual(
      [r.hasMed, r.med, r.hasLocalPref, r.hasOriginatorId, r.present >> 3],
      [false, 0, false, false, 0],
    );
  });

  it('knows every well-known community that changes what is done with a route', () => {
    const cases: [string, number][] = [
      ['ffff0000', v.HAS_GRACEFUL_SHUTDOWN],
      ['ffff0006', v.HAS_LLGR_STALE],
      ['ffff0007', v.HAS_NO_LLGR],
      ['ffff029a', v.HAS_BLACKHOLE],
      ['ffffff01', v.HAS_NO_EXPORT],
      ['ffffff02', v.HAS_NO_ADVERTISE],
      ['ffffff03', v.HAS_NO_EXPORT_SUBCONFED],
      ['ffffff04', 0],
      ['fffe0000', 0],
    ];
    for (const [community, flags] of cases) {
      assert.equal(validate(MANDATORY + attribute(0xc0, 8, `fde80001 ${community}`)).flags, flags);
    }
    assert.equal(validate(MANDATORY + attribute(0xc0, 8, cases.map(([text]) => text).join(''))).flags, 127);
  });

  describe('table of RFC 7606: [attributes, session, action, NOTIFICATION subcode, what is left]', () => {
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
      [
        'AS_CONFED_SEQUENCE outside a confederation',
        `${withoutPath}4002 06 0301 0000fde9`,
        EBGP,
        WITHDRAW,
        11,
      ],
      ['AS_CONFED_SET outside a confederation', `${withoutPath}4002 06 0401 0000fde9`, IBGP, WITHDRAW, 11],
      [
        'AS_CONFED_SEQUENCE inside one',
        `${withoutPath}4002 06 0301 0000fde9`,
        { confederation: true },
        OK,
        0,
      ],
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
      [
        'TUNNEL_ENCAP, a sub-TLV past its TLV',
        `${MANDATORY}c017 08 0008 0004 0403 fde8`,
        EBGP,
        DISCARD,
        9,
        '',
      ],
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

  it('gives the place of the offending attribute', () => {
    const before = bytes(MANDATORY).length;
    const { errorType, errorOffset, errorLength } = validate(`${MANDATORY}c008 06 000000000000 4006 00`);
    assert.deepEqual([errorType, errorOffset, errorLength], [8, 3 + before, 9]);
  });

  it('keeps the strongest error whatever the order', () => {
    const discard = '4006 01 00';
    const withdraw = 'c008 00';
    for (const attributes of [MANDATORY + discard + withdraw, withdraw + MANDATORY + discard]) {
      assert.deepEqual([validate(attributes).action, verdict.errorType], [WITHDRAW, 8]);
    }
  });

  it('keeps the first of equally strong errors', () => {
    assert.deepEqual([validate(`${MANDATORY}8004 00 c008 00`).action, verdict.errorType], [WITHDRAW, 4]);
    assert.deepEqual([validate(`${MANDATORY}4006 01 00 c017 01 00`).action, verdict.errorType], [DISCARD, 6]);
  });

  it('judges each flag octet 0..255 of each attribute: only O, T and, on well-known ones, P matter', () => {
    const values: [type: number, flags: number, value: string][] = [
      [1, 0x40, '00'],
      [2, 0x40, '0201 0000fde9'],
      [3, 0x40, 'c0000201'],
      [4, 0x80, '00000001'],
      [5, 0x40, '00000064'],
      [6, 0x40, ''],
      [7, 0xc0, '0000fde90a000001'],
      [8, 0xc0, 'fde80001'],
      [9, 0x80, '0a000001'],
      [10, 0x80, '0a000001'],
      [16, 0xc0, '0002fde800000001'],
      [25, 0xc0, '00'.repeat(20)],
      [32, 0xc0, '0000fde80000000100000002'],
      [35, 0xc0, '0000fde9'],
    ];
    for (const [type, flags, value] of values) {
      for (let octet = 0; octet < 256; octet++) {
        const others = values
          .slice(0, 2)
          .filter(([other]) => other !== type)
          .map(([other, otherFlags, otherValue]) => attribute(otherFlags, other, otherValue))
          .join('');
        const wrong = ((octet ^ flags) & 0xc0) !== 0 || (flags === 0x40 && (octet & 0x20) !== 0);
        const result = validate(others + attribute(octet, type, value), IBGP);
        assert.equal(result.action, wrong ? WITHDRAW : OK, `type ${type} flags ${octet}`);
        assert.equal(result.errorSubcode, wrong ? 4 : 0);
      }
    }
  });

  it('keeps the first of two equal types, wherever the second stands', () => {
    const first = attribute(0xc0, 8, 'fde80001');
    const second = attribute(0xc0, 8, 'fde80002');
    const broken = attribute(0xc0, 8, '');
    for (const attributes of [
      first + MANDATORY + second,
      MANDATORY + first + broken,
      first + second + MANDATORY,
    ]) {
      assert.equal(validate(attributes).action, OK);
      assert.deepEqual(textOf('communities'), ['65000:1']);
    }
  });

  it('gives the same canonical bytes for any order of the attributes', () => {
    const parts = [
      ORIGIN_IGP,
      AS_PATH,
      NEXT_HOP,
      '8004 04 00000032',
      attribute(0xc0, 8, 'fde80001'),
      'c063 01 07',
      'c023 04 0000fde9',
    ];
    validate(parts.join(''));
    const expected = hexOf(verdict.bytes, 0, verdict.length);
    for (let turn = 1; turn < parts.length; turn++) {
      const rotated = [...parts.slice(turn), ...parts.slice(0, turn)];
      for (const order of [rotated, rotated.toReversed()]) {
        assert.equal(validate(order.join('')).action, OK);
        assert.equal(hexOf(verdict.bytes, 0, verdict.length), expected);
      }
    }
  });

  it('canonical bytes judged again are the same bytes', () => {
    const attributes = `${MANDATORY}9004 0004 00000001 c863 02 0102 ff64 0001 00 ${attribute(0xd0, 8, 'fde80001')}`;
    validate(attributes);
    const once = hexOf(verdict.bytes, 0, verdict.length);
    assert.equal(validate(once).action, OK);
    assert.equal(hexOf(verdict.bytes, 0, verdict.length), once);
  });

  it('reads the extended length form of each attribute, and writes it only above 255 octets', () => {
    const communities = Array.from({ length: 64 }, (_, i) => u32(i)).join('');
    validate(`5001 0001 00 5002 0006 0201 0000fde9 ${attribute(0xd0, 8, communities)}`);
    assert.equal(verdict.action, OK);
    assert.ok(
      hexOf(verdict.bytes, 0, verdict.length).startsWith(
        '400101004002060201 0000fde9d0080100'.replace(' ', ''),
      ),
    );
  });

  it('removes duplicate large communities, few or many, and keeps their order (RFC 8092 section 5)', () => {
    for (const count of [3, 300]) {
      const list = Array.from({ length: count }, (_, i) => u32(65000) + u32(i) + u32(1));
      validate(MANDATORY + attribute(0xd0, 32, [...list, ...list.toReversed()].join('')));
      assert.deepEqual(
        textOf('large_communities'),
        list.map((_, i) => `65000:${i}:1`),
      );
    }
  });

  it('takes 5,000 large communities that look alike to a weak hash', () => {
    const list = Array.from({ length: 5000 }, (_, i) => u32(i * 65536) + u32(0) + u32(0)).join('');
    assert.equal(validate(MANDATORY + attribute(0xd0, 32, list)).action, OK);
  });

  it('takes a path of 16,000 hops, and refuses one that no message could carry on', () => {
    const segments = (count: number, as: string): string => `02ff${as.repeat(255)}`.repeat(count);
    const path = attribute(0x50, 2, segments(63, '0000fde9'));
    assert.deepEqual([validate(ORIGIN_IGP + path).action, verdict.pathLength], [OK, 63 * 255]);
    // two octets an AS on the wire become four inside
    const old = attribute(0x50, 2, segments(120, 'fde9'));
    assert.equal(validate(ORIGIN_IGP + old, OLD).action, WITHDRAW);
    const fitting = attribute(0x50, 2, segments(60, 'fde9'));
    assert.deepEqual([validate(ORIGIN_IGP + fitting, OLD).action, verdict.pathLength], [OK, 60 * 255]);
  });

  it('takes 1,000 unknown attributes and keeps one of each type', () => {
    const unknown = Array.from({ length: 1000 }, (_, i) => attribute(0xc0, 100 + (i % 100), u16(i))).join('');
    assert.equal(validate(MANDATORY + unknown).action, OK);
    assert.equal(left().split(' ').length, 200);
    assert.equal(textOf('attribute 199'), '0x0063');
  });

  it('keeps the Partial flag of optional transitive attributes and clears the bits that mean nothing', () => {
    validate(`${MANDATORY}ef08 04 fde80001 ff63 0001 00 8f04 04 00000001`);
    assert.equal(verdict.action, OK);
    assert.ok(
      hexOf(verdict.bytes, 0, verdict.length).endsWith('800404' + '00000001' + 'e00804fde80001' + 'e0630100'),
    );
  });
});
