import assert from 'node:assert/strict';
import { IPV4, IPV6 } from '#ip';
import { ACTION_OK, ACTION_RESET, ACTION_TREAT_AS_WITHDRAW } from './constants.ts';
import { SessionCodecContext } from './context.ts';
import * as wire from '../testing/message-bytes.ts';
import { judgeUpdate, scanUpdate } from './update.ts';
import {
  describeUpdateError,
  IGNORED_CLASSIC,
  IGNORED_MP_REACH,
  IGNORED_MP_UNREACH,
  UpdateScan,
  updateNotification,
} from './update-scan.ts';

const { MANDATORY, MP_REACH_IPV6, MP_UNREACH_IPV6, attribute, hexOf, update } = wire;

function context(overrides: Partial<SessionCodecContext> = {}): SessionCodecContext {
  return Object.assign(new SessionCodecContext(), overrides);
}

const scan = new UpdateScan();

/** Scans a message in the middle of a larger buffer, so that a read past either end shows. */
function scanOf(message: Uint8Array, overrides: Partial<SessionCodecContext> = {}): UpdateScan {
  const buf = new Uint8Array(message.length + 20).fill(0xee);
  buf.set(message, 7);
  scanUpdate(buf, 7, 7 + message.length, context(overrides), scan);
  return scan;
}

describe('UPDATE scan', () => {
  it('finds withdrawn routes, attributes and NLRI', () => {
    const { withdrawnCount, nlriCount, action, blob, blobStart, blobEnd } = scanOf(
      update({ withdrawn: '18 0a0101 10 0a02', attributes: MANDATORY, nlri: '18 0a0301' }),
    );
    assert.equal(action, ACTION_OK);
    assert.deepEqual([withdrawnCount, nlriCount], [2, 1]);
    assert.equal(hexOf(blob, blobStart, blobEnd), hexOf(wire.bytes(MANDATORY)));
    assert.equal(hexOf(scan.blob, scan.nlriStart, scan.nlriEnd), '180a0301');
    assert.equal(hexOf(scan.blob, scan.withdrawnStart, scan.withdrawnEnd), '180a0101100a02');
    assert.equal(scan.endOfRib, -1);
  });

  it('finds MP_REACH_NLRI and MP_UNREACH_NLRI wherever they stand, and the other attributes as one run', () => {
    const { ORIGIN_IGP, AS_PATH, MED_50 } = wire;
    const others = ORIGIN_IGP + AS_PATH + MED_50;
    const places = [
      MP_REACH_IPV6 + MP_UNREACH_IPV6 + others,
      others + MP_REACH_IPV6 + MP_UNREACH_IPV6,
      MP_UNREACH_IPV6 + others + MP_REACH_IPV6,
      ORIGIN_IGP + MP_REACH_IPV6 + AS_PATH + MP_UNREACH_IPV6 + MED_50,
      ORIGIN_IGP + AS_PATH + MP_REACH_IPV6 + MED_50 + MP_UNREACH_IPV6,
    ];
    for (const attributes of places) {
      const message = update({ attributes });
      const { mpReachFamily, mpReachCount, mpUnreachCount, nextHopStart, nextHopLength } = scanOf(message);
      assert.deepEqual([scan.action, mpReachFamily, mpReachCount, mpUnreachCount], [ACTION_OK, IPV6, 1, 1]);
      assert.equal(hexOf(scan.blob, scan.blobStart, scan.blobEnd), hexOf(wire.bytes(others)));
      assert.equal(hexOf(message, nextHopStart - 7, nextHopStart - 7 + nextHopLength), wire.IPV6_NEXT_HOP);
      assert.equal(hexOf(message, scan.mpReachStart - 7, scan.mpReachEnd - 7), '3020010db80001');
      assert.equal(hexOf(message, scan.mpUnreachStart - 7, scan.mpUnreachEnd - 7), '3020010db80002');
    }
  });

  it('reads MP attributes with a two-octet length', () => {
    const value = wire.bytes(MP_REACH_IPV6).subarray(3);
    scanOf(update({ attributes: attribute(0x90, 14, hexOf(value)) + MANDATORY }));
    assert.deepEqual([scan.action, scan.mpReachCount], [ACTION_OK, 1]);
  });

  it('takes a next hop of 16 or 32 octets for IPv6, of 4 for IPv4, and IPv6 for IPv4 only when agreed (RFC 8950)', () => {
    const reach = (afi: string, nextHop: string, nlri: string): Uint8Array => {
      const length = wire.octetsOf(nextHop).toString(16).padStart(2, '0');
      return update({
        attributes: attribute(0x80, 14, `${afi} 01 ${length} ${nextHop} 00 ${nlri}`) + MANDATORY,
      });
    };
    const v6 = wire.IPV6_NEXT_HOP;
    const both = v6 + wire.LINK_LOCAL;
    for (const [afi, nextHop, extendedNextHop, good] of [
      ['0002', v6, false, true],
      ['0002', both, false, true],
      ['0002', 'c0000201', false, false],
      ['0002', '', false, false],
      ['0002', `${v6}00`, false, false],
      ['0002', `0000000000000000${v6}`, false, false],
      ['0001', 'c0000201', false, true],
      ['0001', 'c00002', false, false],
      ['0001', v6, false, false],
      ['0001', v6, true, true],
      ['0001', both, true, true],
      ['0001', 'c0000201', true, true],
    ] as const) {
      const { action, errorCode, errorSubcode } = scanOf(reach(afi, nextHop, '10 2001'), { extendedNextHop });
      if (good) assert.equal(action, ACTION_OK, `${afi} ${nextHop}`);
      else assert.deepEqual([action, errorCode, errorSubcode], [ACTION_RESET, 3, 9], `${afi} ${nextHop}`);
    }
  });

  it('knows End-of-RIB of both families (RFC 4724 section 2)', () => {
    assert.equal(scanOf(update({})).endOfRib, IPV4);
    assert.equal(scanOf(update({ attributes: '800f 03 0002 01' })).endOfRib, IPV6);
    assert.equal(scanOf(update({ attributes: '900f 0003 0001 01' })).endOfRib, IPV4);
    assert.equal(scanOf(update({ withdrawn: '00' })).endOfRib, -1);
    assert.equal(scanOf(update({ attributes: '800f 03 0002 01', withdrawn: '00' })).endOfRib, -1);
    assert.equal(scanOf(update({ attributes: `800f 03 0002 01 ${wire.ORIGIN_IGP}` })).endOfRib, -1);
    assert.equal(scanOf(update({ attributes: '800f 03 0002 01' }), { families: 1 }).endOfRib, -1);
    assert.equal(scanOf(update({ attributes: '800f 03 0002 80' })).endOfRib, -1);
    assert.equal(scanOf(update({}), { families: 2 }).endOfRib, -1);
  });

  it('CAP-5, CAP-9: ignores what belongs to a family that was not agreed', () => {
    const classic = scanOf(update({ withdrawn: '18 0a0101', attributes: MANDATORY, nlri: '18 0a0301' }), {
      families: 2,
    });
    assert.deepEqual([classic.action, classic.withdrawnCount, classic.nlriCount], [ACTION_OK, 0, 0]);
    assert.equal(classic.ignored, IGNORED_CLASSIC);
    const mp = scanOf(update({ attributes: MP_REACH_IPV6 + MP_UNREACH_IPV6 + MANDATORY }), { families: 1 });
    assert.deepEqual([mp.action, mp.mpReachFamily, mp.mpUnreachFamily], [ACTION_OK, -1, -1]);
    assert.equal(mp.ignored, IGNORED_MP_REACH | IGNORED_MP_UNREACH);
    // flowspec (SAFI 133) with an NLRI that is none of ours to parse: lengths 0, 255, and nothing
    for (const nlri of ['', '00', 'ff', '00ff', '01 00']) {
      const attributes = `${attribute(0x80, 14, `0001 85 00 00 ${nlri}`)}${MANDATORY}`;
      assert.deepEqual([scanOf(update({ attributes })).action, scan.ignored], [ACTION_OK, IGNORED_MP_REACH]);
    }
  });

  it('(a) lengths that do not fit the message are 3/1 and a reset', () => {
    for (const body of ['0001 0000', '0000 0001', 'ffff 0000', '0000 ffff', '0002 0000']) {
      const { action, errorCode, errorSubcode } = scanOf(wire.message(2, body));
      assert.deepEqual([action, errorCode, errorSubcode], [ACTION_RESET, 3, 1], body);
    }
  });

  it('(b) an attribute that runs past the list is treat-as-withdraw, and the NLRI are still found', () => {
    for (const tail of [
      '40',
      '4005',
      '4005 05 00000064',
      '5005 0004',
      '50 05 00',
      'c008 ff 00000000',
      '9008 ffff 00',
    ]) {
      const { action, nlriCount, errorSubcode } = scanOf(
        update({ attributes: MANDATORY + tail, nlri: '18 0a0301' }),
      );
      assert.deepEqual([action, nlriCount, errorSubcode], [ACTION_TREAT_AS_WITHDRAW, 1, 1], tail);
    }
  });

  it('(b) but when the routes themselves are in the attribute that runs past the end, it is a reset', () => {
    for (const type of ['0e', '0f']) {
      scanOf(update({ attributes: `${MANDATORY}80${type} 40 0002 01`, nlri: '18 0a0301' }));
      assert.equal(scan.action, ACTION_RESET);
    }
    for (const tail of ['800e', '900f', '900e 00']) {
      assert.equal(scanOf(update({ attributes: MANDATORY + tail, nlri: '18 0a0301' })).action, ACTION_RESET);
    }
  });

  it('(e) a second MP_REACH_NLRI or MP_UNREACH_NLRI is 3/1 and a reset', () => {
    for (const attributes of [
      MP_REACH_IPV6.repeat(2) + MANDATORY,
      MP_UNREACH_IPV6 + MANDATORY + MP_UNREACH_IPV6,
    ]) {
      const { action, errorCode, errorSubcode } = scanOf(update({ attributes }));
      assert.deepEqual([action, errorCode, errorSubcode], [ACTION_RESET, 3, 1]);
      assert.equal(hexOf(updateNotification(new Uint8Array(0), scan).data), '');
    }
  });

  it('(c) wrong flags on MP_REACH_NLRI are treat-as-withdraw; alone on MP_UNREACH_NLRI a reset (section 5.2)', () => {
    const reach = wire.bytes(MP_REACH_IPV6);
    const unreach = wire.bytes(MP_UNREACH_IPV6);
    for (const flags of [0x40, 0xc0, 0x00]) {
      reach[0] = flags;
      unreach[0] = flags;
      assert.equal(scanOf(update({ attributes: hexOf(reach) + MANDATORY })).action, ACTION_TREAT_AS_WITHDRAW);
      assert.equal(scan.errorSubcode, 4);
      assert.equal(scanOf(update({ attributes: hexOf(unreach) })).action, ACTION_RESET);
      assert.equal(scan.errorSubcode, 1);
    }
    reach[0] = 0xaf;
    assert.equal(scanOf(update({ attributes: hexOf(reach) + MANDATORY })).action, ACTION_OK);
  });

  it('(g) treat-as-withdraw without any route to withdraw is a reset with 3/1', () => {
    const { action, errorSubcode } = scanOf(update({ attributes: `${MANDATORY}4005` }));
    assert.deepEqual([action, errorSubcode], [ACTION_RESET, 1]);
    scanOf(update({ attributes: MANDATORY }));
    assert.equal(judgeUpdate(scan, ACTION_TREAT_AS_WITHDRAW, true, false), ACTION_RESET);
  });

  it('(h) so it is beside withdrawals, which need no attributes, but must not stand beside wrong ones', () => {
    for (const parts of [
      { withdrawn: '18 0a0101', attributes: '4001 01 09' },
      { attributes: `${MP_UNREACH_IPV6}4001 01 09` },
    ]) {
      scanOf(update(parts));
      assert.equal(judgeUpdate(scan, ACTION_TREAT_AS_WITHDRAW, false, false), ACTION_RESET);
      assert.deepEqual([scan.errorCode, scan.errorSubcode], [3, 1]);
      scanOf(update(parts));
      assert.equal(judgeUpdate(scan, ACTION_TREAT_AS_WITHDRAW, false, true), ACTION_OK, 'some are missing');
    }
  });

  it('(d) NEXT_HOP is mandatory with classic NLRI only', () => {
    const without = wire.ORIGIN_IGP + wire.AS_PATH;
    scanOf(update({ attributes: without, nlri: '18 0a0301' }));
    assert.equal(judgeUpdate(scan, ACTION_OK, false, false), ACTION_TREAT_AS_WITHDRAW);
    assert.deepEqual([scan.errorCode, scan.errorSubcode, scan.errorType], [3, 3, 3]);
    assert.deepEqual(describeUpdateError(scan), {
      action: 'treat as withdraw',
      reason: 'next_hop: missing well-known attribute',
    });
    scanOf(update({ attributes: MP_REACH_IPV6 + without }));
    assert.equal(judgeUpdate(scan, ACTION_OK, false, false), ACTION_OK);
  });

  it('(f) the strongest of several errors wins', () => {
    scanOf(
      update({
        attributes: `4e${MP_REACH_IPV6.slice(2)}${MANDATORY}${MP_UNREACH_IPV6}800f 01 00`,
        nlri: '21 00',
      }),
    );
    assert.equal(scan.action, ACTION_RESET);
    scanOf(update({ attributes: MANDATORY, nlri: '18 0a0301' }));
    assert.equal(judgeUpdate(scan, ACTION_TREAT_AS_WITHDRAW, true, false), ACTION_TREAT_AS_WITHDRAW);
  });

  it('wrong prefixes are 3/10 in the fixed fields and 3/9, with the attribute as data, in the MP ones', () => {
    for (const parts of [
      { withdrawn: '21 0a01020300' },
      { withdrawn: '20 0a0102' },
      { attributes: MANDATORY, nlri: '21 0a01020300' },
      { attributes: MANDATORY, nlri: '18 0a01' },
    ]) {
      scanOf(update(parts));
      assert.deepEqual([scan.action, scan.errorCode, scan.errorSubcode], [ACTION_RESET, 3, 10]);
    }
    const tooLong = attribute(0x80, 14, `0002 01 10 ${wire.IPV6_NEXT_HOP} 00 81 20010db80001`);
    const cut = attribute(0x80, 14, `0002 01 10 ${wire.IPV6_NEXT_HOP} 00 30 20010db800`);
    const unreach = attribute(0x80, 15, '0002 01 30 20010db800');
    const short = attribute(0x80, 15, '0002');
    const noReserved = attribute(0x80, 14, `0002 01 10 ${wire.IPV6_NEXT_HOP}`);
    const tiny = attribute(0x80, 14, '0002 01 00');
    for (const bad of [tooLong, cut, unreach, short, noReserved, tiny]) {
      const message = update({ attributes: bad + MANDATORY });
      const buf = new Uint8Array(message.length + 9);
      buf.set(message, 9);
      scanUpdate(buf, 9, buf.length, context(), scan);
      assert.deepEqual([scan.action, scan.errorCode, scan.errorSubcode], [ACTION_RESET, 3, 9], bad);
      assert.equal(hexOf(updateNotification(buf, scan).data), hexOf(wire.bytes(bad)));
    }
  });

  it('reads path identifiers per family', () => {
    const withIds = update({
      withdrawn: '00000001 18 0a0101',
      attributes: MANDATORY,
      nlri: '00000002 18 0a0301',
    });
    scanOf(withIds, { addPathIpv4: true });
    assert.deepEqual([scan.action, scan.withdrawnCount, scan.nlriCount], [ACTION_OK, 1, 1]);
    assert.equal(scanOf(withIds, { addPathIpv6: true }).withdrawnCount, 5);
    const v6 = attribute(0x80, 14, `0002 01 10 ${wire.IPV6_NEXT_HOP} 00 00000005 30 20010db80001`);
    assert.equal(scanOf(update({ attributes: v6 + MANDATORY }), { addPathIpv6: true }).mpReachCount, 1);
  });

  it('takes 1,000 unknown attributes and an AS_PATH that fills an extended message', () => {
    const unknown = Array.from({ length: 1000 }, (_, i) => attribute(0xc0, 100 + (i % 100), '00')).join('');
    assert.equal(scanOf(update({ attributes: MANDATORY + unknown, nlri: '18 0a0301' })).action, ACTION_OK);
    const path = attribute(0x50, 2, '02ff'.concat('0000fde9'.repeat(255)).repeat(63));
    const long = update({ attributes: wire.ORIGIN_IGP + path + wire.NEXT_HOP, nlri: '18 0a0301' });
    assert.ok(long.length > 64_000 && long.length < 65_535);
    assert.equal(scanOf(long).action, ACTION_OK);
  });
});
