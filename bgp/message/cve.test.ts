// What brought other speakers down: one named test each, with the answer that the RFCs ask for.

import assert from 'node:assert/strict';
import { ACTION_DISCARD_ATTRIBUTE, ACTION_OK, ACTION_RESET, ACTION_TREAT_AS_WITHDRAW } from './constants.ts';
import { formatAttributes } from './attributes/table.ts';
import { validateAttributes } from './attributes/validate.ts';
import { AttributeVerdict, isOnlyIncomplete } from './attributes/verdict.ts';
import { SessionCodecContext } from './context.ts';
import { Framer } from './frame.ts';
import { decodeNotification, describeNotification } from './notification.ts';
import { decodeOpen, isNotificationError } from './open.ts';
import * as wire from '../testing/message-bytes.ts';
import { judgeUpdate, scanUpdate } from './update.ts';
import { IGNORED_MP_REACH, IGNORED_MP_UNREACH, UpdateScan } from './update-scan.ts';

const {
  AS_PATH,
  attribute,
  IPV6_NEXT_HOP,
  MANDATORY,
  message,
  MP_UNREACH_IPV6,
  NEXT_HOP,
  ORIGIN_IGP,
  update,
} = wire;

const OK = ACTION_OK;
const DISCARD = ACTION_DISCARD_ATTRIBUTE;
const WITHDRAW = ACTION_TREAT_AS_WITHDRAW;
const RESET = ACTION_RESET;

const scan = new UpdateScan();
const verdict = new AttributeVerdict();

function judge(whole: Uint8Array, values: Partial<SessionCodecContext> = {}): number {
  const ctx = Object.assign(new SessionCodecContext(), values);
  if (scanUpdate(whole, 0, whole.length, ctx, scan) === RESET) return RESET;
  validateAttributes(scan.blob, scan.blobStart, scan.blobEnd, ctx, verdict);
  return judgeUpdate(scan, verdict.action, verdict.hasNextHop, isOnlyIncomplete(verdict));
}

/** An announcement of 10.3.1.0/24 with these attributes besides the mandatory ones. */
function announce(attributes: string, values: Partial<SessionCodecContext> = {}): number {
  return judge(update({ attributes: MANDATORY + attributes, nlri: '18 0a0301' }), values);
}

const FIXED = '04 fde9 00b4 c0000201';

/** 'code/subcode' of the error, or 'ok'. `parameters` begins with the parameters' length. */
function open(parameters: string): string {
  const whole = message(1, `${FIXED} ${parameters}`);
  const result = decodeOpen(whole, 0, whole.length);
  return isNotificationError(result) ? `${result.code}/${result.subcode}` : 'ok';
}

function capability(text: string): string {
  const octets = wire.octetsOf(text);
  const hex = (n: number): string => n.toString(16).padStart(2, '0');
  return open(`${hex(octets + 2)} 02 ${hex(octets)} ${text}`);
}

describe('what brought other speakers down', () => {
  it('FRR CVE-2022-36440, CVE-2022-37032: a capability longer than its parameter', () => {
    assert.equal(capability('01 ff 0001'), '2/0');
    assert.equal(capability('40 06 0000'), '2/0');
    assert.equal(open('06 02 01 02 00 02 00'), '2/0');
  });

  it('FRR CVE-2022-40302, -40318, -43681: an extended OPEN that ends in its lengths or contradicts them', () => {
    for (const parameters of [
      'ff',
      'ff ff',
      'ff ff 00',
      'ff ff 00ff',
      'ff ff 0001 02',
      'ff ff 0002 02 00',
      'ff ff 0003 02 00ff',
      '02 ff 00',
    ]) {
      assert.equal(open(parameters), '2/0', parameters);
    }
  });

  it('FRR CVE-2023-31489, 4af8ea984f: a short long-lived graceful restart capability', () => {
    for (let length = 1; length < 7; length++)
      assert.equal(capability(`47 0${length} ${'00'.repeat(length)}`), '2/0');
  });

  it('FRR CVE-2023-31490, CVE-2024-31948, CVE-2026-37459: short PREFIX_SID TLVs', () => {
    for (const value of [
      '',
      '01',
      '01 00',
      '01 0007',
      '01 0007 00',
      '03 0002 0000',
      '04',
      '05 ffff',
      'ff 0001',
    ]) {
      assert.equal(announce(attribute(0xc0, 40, value)), DISCARD, value);
      assert.equal(verdict.errorType, 40);
    }
  });

  it('FRR CVE-2023-38406, -38407, -41909, CVE-2026-37457, GoBGP CVE-2025-43972: flowspec and labelled NLRI', () => {
    for (const safi of ['04', '80', '85', '86']) {
      for (const nlri of ['', '00', '01', 'f0', 'f000', 'ffff', '18 000001', '05 00', '03 01 20']) {
        const reach = attribute(0x80, 14, `0001 ${safi} 00 00 ${nlri}`);
        const unreach = attribute(0x80, 15, `0001 ${safi} ${nlri}`);
        assert.equal(announce(reach + unreach), OK);
        assert.equal(scan.ignored, IGNORED_MP_REACH | IGNORED_MP_UNREACH);
        assert.deepEqual([scan.mpReachCount, scan.mpUnreachCount], [0, 0]);
      }
    }
  });

  it('FRR CVE-2023-38802, CVE-2024-44070: malformed TUNNEL_ENCAP', () => {
    for (const value of [
      '00',
      '0008',
      '0008 ff',
      '0008 ffff',
      '0008 0001 04',
      '0008 0002 04 ff',
      '0008 0002 80 00',
      '0008 0003 80 0001',
    ]) {
      assert.equal(announce(attribute(0xc0, 23, value)), DISCARD, value);
    }
  });

  it('FRR CVE-2023-41358: NLRI and no attributes at all', () => {
    assert.equal(judge(update({ nlri: '18 0a0301' })), WITHDRAW);
    assert.equal(scan.nlriCount, 1);
  });

  it('FRR CVE-2023-41359: AIGP that runs past its end', () => {
    for (const value of [
      '',
      '01',
      '01 00',
      '01 000b',
      '01 000b 00000000',
      '01 0000',
      '01 0002',
      '01 ffff 0000000000000000',
    ]) {
      assert.equal(announce(attribute(0x80, 26, value), { aigp: true }), DISCARD, value);
    }
  });

  it('FRR CVE-2023-41360, 7a110595c5, Quagga CVE-2012-1820: short and overlong ORF capabilities', () => {
    for (const value of ['', '00', '0001', '000100', '0001000140', '00010001ff 40 03']) {
      assert.equal(capability(`03 0${wire.octetsOf(value)} ${value}`), 'ok');
      assert.equal(capability(`82 0${wire.octetsOf(value)} ${value}`), 'ok');
    }
    assert.equal(capability('03 09 00010001'), '2/0');
  });

  it('FRR CVE-2023-41361, GoBGP CVE-2025-43971: software version of length 0 or longer than it is', () => {
    for (const value of ['', '00', 'ff', '05 6162', '00 61']) {
      assert.equal(capability(`4b 0${wire.octetsOf(value)} ${value}`), 'ok', value);
    }
  });

  it('FRR CVE-2023-46752, tcpdump CVE-2018-16230: MP_REACH_NLRI cut or with an impossible next hop length', () => {
    const whole = `0002 01 10 ${IPV6_NEXT_HOP} 00 30 20010db80001`;
    const octets = wire.hexOf(wire.bytes(whole));
    for (let length = 0; length < octets.length; length += 2) {
      const cut = attribute(0x80, 14, octets.slice(0, length));
      const action = judge(update({ attributes: cut + ORIGIN_IGP + AS_PATH }));
      // with no NLRI left the attribute is right, and there is nothing to announce
      assert.equal(action, length === 42 ? OK : RESET, `${length / 2} octets`);
    }
    for (let nextHopLength = 0; nextHopLength < 256; nextHopLength++) {
      const value = `0002 01 ${nextHopLength.toString(16).padStart(2, '0')} ${'20'.repeat(nextHopLength)} 00`;
      const action = judge(update({ attributes: attribute(0x90, 14, value) + ORIGIN_IGP + AS_PATH }));
      assert.equal(action, nextHopLength === 16 || nextHopLength === 32 ? OK : RESET);
    }
  });

  it('FRR CVE-2023-46753: an UPDATE with nothing but an unknown transitive attribute', () => {
    assert.equal(judge(update({ attributes: 'c063 02 0102', nlri: '18 0a0301' })), WITHDRAW);
    assert.equal(judge(update({ attributes: 'c063 02 0102' })), RESET);
  });

  it('FRR CVE-2023-47234: MP_UNREACH_NLRI beside an unknown attribute', () => {
    for (const unknown of ['c063 02 0102', '8063 00']) {
      assert.equal(judge(update({ attributes: MP_UNREACH_IPV6 + unknown })), OK);
      assert.equal(scan.mpUnreachCount, 1);
    }
    // One that claims to be well-known is an error, and nothing is announced (RFC 7606 section 5.2).
    assert.equal(judge(update({ attributes: `${MP_UNREACH_IPV6}4063 00` })), RESET);
  });

  it('FRR CVE-2023-47235: an End-of-RIB that is none', () => {
    assert.equal(judge(update({ attributes: '800f 03 0002 01 4001 01 07' })), RESET);
    assert.equal(scan.endOfRib, -1);
    assert.equal(judge(update({ attributes: '800f 02 0002' })), RESET);
    assert.equal(judge(update({ attributes: '800f 03 0002 01 40' })), RESET);
  });

  it('FRR CVE-2024-31949: dynamic capability, as a capability and as a message', () => {
    for (const value of ['', '00', '0102', 'ff'.repeat(9)]) {
      assert.equal(capability(`43 0${wire.octetsOf(value)} ${value}`), 'ok');
    }
    const whole = message(6, '00 00000000 01 00');
    const framer = new Framer({ message: () => assert.fail('a message of type 6 was handed on') });
    assert.equal(framer.feed(whole, 0, whole.length), 0x0103);
  });

  it('FRR e1eb4ba98a: four-octet AS capability of another length', () => {
    for (const value of ['', '00', '0000', '0000fd', '0000fde900']) {
      assert.equal(capability(`41 0${wire.octetsOf(value)} ${value}`), '2/0');
    }
  });

  it('FRR 5e55e12e4e, CVE-2026-37460: next-hop characteristics with short TLVs', () => {
    for (const value of [
      '',
      '0001',
      '000101',
      '000101ff',
      '00010104c00002',
      '00010104c0000201 00',
      '00010104c0000201 0001 ffff',
    ]) {
      assert.equal(announce(attribute(0xc0, 39, value)), DISCARD, value);
    }
  });

  it('GoBGP CVE-2026-30405: NEXT_HOP of fewer than four octets', () => {
    for (const value of ['', 'c0', 'c000', 'c00002']) {
      const attributes = ORIGIN_IGP + AS_PATH + attribute(0x40, 3, value);
      assert.equal(judge(update({ attributes, nlri: '18 0a0301' })), WITHDRAW);
    }
  });

  it('GoBGP CVE-2026-41643: AS4_PATH before AS_PATH, and without one', () => {
    const as4 = attribute(0xc0, 17, '0202 fa56ea01 0000fdea');
    const attributes = `${as4}${ORIGIN_IGP}${wire.AS_PATH_OLD}${NEXT_HOP}`;
    assert.equal(judge(update({ attributes, nlri: '18 0a0301' }), { fourByteAs: false }), OK);
    assert.equal(formatAttributes(verdict.bytes, 0, verdict.length)[1]!.value, '4200000001 65002');
    const without = as4 + ORIGIN_IGP + NEXT_HOP;
    assert.equal(judge(update({ attributes: without, nlri: '18 0a0301' }), { fourByteAs: false }), WITHDRAW);
  });

  it('GoBGP CVE-2026-41642: an unknown well-known attribute', () => {
    for (const flags of [0x40, 0x00, 0x50, 0x60]) {
      assert.equal(announce(attribute(flags, 99, '0102')), WITHDRAW);
      assert.equal(verdict.errorSubcode, 2);
    }
  });

  it('GoBGP CVE-2026-37461, Quagga CVE-2010-1674: extended communities of any wrong length', () => {
    for (const [type, size] of [
      [16, 8],
      [25, 20],
    ] as const) {
      for (let length = 0; length <= 60; length++) {
        const right = length > 0 && length % size === 0;
        assert.equal(announce(attribute(0xc0, type, 'ff'.repeat(length))), right ? OK : WITHDRAW);
      }
    }
  });

  it('GoBGP CVE-2026-37462, CVE-2026-7736: UPDATE lengths that underflow', () => {
    for (const body of [
      '0000 0000',
      '0001 0000',
      '0004 0000',
      'ffff ffff',
      '0000 ffff',
      'fff0 0000',
      '0001 00 0000',
    ]) {
      const expected = body === '0000 0000' ? OK : body === '0001 00 0000' ? OK : RESET;
      assert.equal(judge(message(2, body)), expected, body);
    }
    const framer = new Framer({ message: () => assert.fail('handed on') });
    const short = wire.bytes(`${wire.MARKER} 0016 02 000000`);
    assert.equal(framer.feed(short, 0, short.length), 0x0102);
  });

  it('BIRD CVE-2026-49943: paths of more than 2,048 hops in an extended message', () => {
    for (const hops of [2047, 2048, 2049, 4096, 16_000]) {
      const segments = Array.from({ length: Math.ceil(hops / 255) }, (_, i) => Math.min(255, hops - i * 255));
      const path = segments
        .map((n) => `02${n.toString(16).padStart(2, '0')}${'0000fde9'.repeat(n)}`)
        .join('');
      assert.equal(
        judge(update({ attributes: ORIGIN_IGP + attribute(0x50, 2, path) + NEXT_HOP, nlri: '18 0a0301' })),
        OK,
      );
      assert.equal(verdict.pathLength, hops);
    }
  });

  it('BIRD CVE-2025-59688: NOTIFICATIONs of every length', () => {
    for (let length = 0; length < 300; length++) {
      const whole = message(3, `0602${'ff'.repeat(length)}`);
      assert.ok(
        describeNotification(decodeNotification(whole, 0, whole.length)).startsWith('cease: administrative'),
      );
    }
  });

  it('October 2025: OTC in the encodings that were seen reset nothing', () => {
    for (const otc of [
      'c023 00',
      'c023 02 fde9',
      'c023 08 0000fde900000000',
      '4023 04 0000fde9',
      '8023 04 0000fde9',
    ]) {
      assert.equal(announce(otc), WITHDRAW, otc);
    }
    assert.equal(announce('e023 04 0000fde9'), OK);
  });

  it('OpenBGPD CVE-2023-38283, Junos CVE-2023-4481, VU#347067: attribute 28 and any other optional transitive one', () => {
    for (let type = 0; type < 256; type++) {
      for (const value of ['', '00', 'ff'.repeat(5)]) {
        const whole = update({
          attributes: `${attribute(0xe0, type, value)}${MANDATORY}`,
          nlri: '18 0a0301',
        });
        const isMp = type === 14 || type === 15;
        if (!isMp) assert.notEqual(judge(whole), RESET, `attribute ${type}`);
        if (type === 28) assert.equal(judge(whole), OK);
      }
    }
  });

  it('FastNetMon CVE-2026-48685, -48686, -48688, -48691: prefix length above 32, cut extended length, AS_PATH overflow', () => {
    for (let length = 33; length < 256; length++) {
      const nlri = `${length.toString(16)} ${'00'.repeat(32)}`;
      assert.equal(judge(update({ attributes: MANDATORY, nlri })), RESET);
      assert.deepEqual([scan.errorCode, scan.errorSubcode], [3, 10]);
    }
    for (const cut of ['50', '5002', '5002 00', '5002 ffff', '5002 0100 02']) {
      assert.equal(judge(update({ attributes: MANDATORY + cut, nlri: '18 0a0301' })), WITHDRAW);
    }
    for (const path of ['02ff 0000fde9', '0202 0000fde9', '02', 'ff01 0000fde9', '0201 0000fd']) {
      const attributes = ORIGIN_IGP + attribute(0x40, 2, path) + NEXT_HOP;
      assert.equal(judge(update({ attributes, nlri: '18 0a0301' })), WITHDRAW, path);
      assert.equal(verdict.errorSubcode, 11);
    }
  });

  it('Quagga CVE-2016-4049, CVE-2017-15865: the text of the longest attributes is made without harm', () => {
    const path = attribute(0x50, 2, `02ff${'fffffffe'.repeat(255)}`.repeat(30));
    const communities = attribute(0xd0, 8, 'ffffff01'.repeat(7000));
    assert.equal(
      judge(update({ attributes: ORIGIN_IGP + path + NEXT_HOP + communities, nlri: '18 0a0301' })),
      OK,
    );
    const text = formatAttributes(verdict.bytes, 0, verdict.length);
    assert.equal(String(text[1]!.value).length, 30 * 255 * 11 - 1);
    assert.equal((text[2]!.value as string[]).length, 7000);
  });
});
