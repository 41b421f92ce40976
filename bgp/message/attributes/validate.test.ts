import assert from 'node:assert/strict';
import * as c from '../constants.ts';
import {
  AS_PATH,
  attribute,
  bytes,
  hexOf,
  LOCAL_PREF_100,
  MANDATORY,
  NEXT_HOP,
  ORIGIN_IGP,
  u16,
  u32,
} from '../../testing/message-bytes.ts';
import { IBGP, left, OLD, validate, verdict } from '../testing/judged.ts';
import { formatAttributes } from './table.ts';
import * as v from './verdict.ts';

const OK = c.ACTION_OK;
const DISCARD = c.ACTION_DISCARD_ATTRIBUTE;
const WITHDRAW = c.ACTION_TREAT_AS_WITHDRAW;

function textOf(name: string): unknown {
  return formatAttributes(verdict.bytes, 0, verdict.length).find((text) => text.name === name)?.value;
}

const withoutNextHop = ORIGIN_IGP + AS_PATH;

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
