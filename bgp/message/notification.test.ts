import assert from 'node:assert/strict';
import {
  decodeNotification,
  decodeShutdownText,
  describeNotification,
  encodeNotification,
  encodeShutdownText,
  hardReset,
  maxPrefixesReached,
  notification,
  unwrapHardReset,
} from './notification.ts';
import { isNotificationError } from './open.ts';
import { decodeRouteRefresh, encodeRouteRefresh } from './route-refresh.ts';
import { bytes, hexOf, message } from '../testing/message-bytes.ts';

function words(code: number, subcode: number, data = ''): string {
  return describeNotification(notification(code, subcode, bytes(data)));
}

describe('NOTIFICATION', () => {
  it('is written and read as RFC 4271 section 4.5 draws it', () => {
    const whole = encodeNotification(notification(2, 6, bytes('0001')));
    assert.equal(hexOf(whole), hexOf(message(3, '02 06 0001')));
    assert.deepEqual(decodeNotification(whole, 0, whole.length), notification(2, 6, bytes('0001')));
    const bare = message(3, '04 00');
    assert.deepEqual(decodeNotification(bare, 0, bare.length), notification(4, 0));
  });

  it('owns its data: the buffer it was read from may change', () => {
    const whole = message(3, '06 02 0161');
    const read = decodeNotification(whole, 0, whole.length);
    whole.fill(0);
    assert.equal(hexOf(read.data), '0161');
  });

  it('never passes 4,096 octets', () => {
    assert.equal(encodeNotification(notification(3, 9, new Uint8Array(60_000))).length, 4096);
  });

  it('says every code and subcode in words', () => {
    const texts = [
      [1, 1, '', 'message header error: connection not synchronized'],
      [1, 2, '0012', 'message header error: bad message length (length 18)'],
      [1, 3, '09', 'message header error: bad message type (type 9)'],
      [2, 0, '', 'OPEN message error'],
      [2, 1, '0004', 'OPEN message error: unsupported version number (peer wants 4)'],
      [2, 2, 'fde9', 'OPEN message error: bad peer AS (AS 65001)'],
      [2, 2, 'fa56ea01', 'OPEN message error: bad peer AS (AS 4200000001)'],
      [2, 3, '', 'OPEN message error: bad BGP identifier'],
      [2, 4, '', 'OPEN message error: unsupported optional parameter'],
      [2, 6, '0001', 'OPEN message error: unacceptable hold time (1 s)'],
      [2, 7, '010400020001', 'OPEN message error: unsupported capability (data 0x010400020001)'],
      [2, 11, '', 'OPEN message error: role mismatch'],
      [3, 1, '', 'UPDATE message error: malformed attribute list'],
      [3, 3, '03', 'UPDATE message error: missing well-known attribute (attribute 3)'],
      [3, 9, '800e00', 'UPDATE message error: optional attribute error (data 0x800e00)'],
      [3, 10, '', 'UPDATE message error: invalid network field'],
      [3, 11, '', 'UPDATE message error: malformed AS_PATH'],
      [4, 0, '', 'hold timer expired'],
      [5, 1, '02', 'finite state machine error: unexpected message in OpenSent (UPDATE)'],
      [5, 3, '07', 'finite state machine error: unexpected message in Established (message type 7)'],
      [6, 1, '00010100000064', 'cease: maximum number of prefixes reached (AFI 1 SAFI 1, limit 100)'],
      [6, 2, '', 'cease: administrative shutdown'],
      [6, 2, '00', 'cease: administrative shutdown'],
      [6, 3, '', 'cease: peer de-configured'],
      [6, 4, '03627965', 'cease: administrative reset: "bye"'],
      [6, 5, '', 'cease: connection rejected'],
      [6, 7, '', 'cease: connection collision resolution'],
      [6, 8, '', 'cease: out of resources'],
      [6, 9, '060203627965', 'cease: hard reset: cease: administrative shutdown: "bye"'],
      [6, 9, '', 'cease: hard reset'],
      [6, 10, '', 'cease: BFD down'],
      [7, 1, '', 'ROUTE-REFRESH message error: invalid message length'],
      [8, 0, '', 'send hold timer expired'],
      [9, 9, '01', 'error 9/9 (data 0x01)'],
      [6, 77, '', 'cease: subcode 77'],
    ] as const;
    for (const [code, subcode, data, text] of texts) assert.equal(words(code, subcode, data), text);
    for (let code = 0; code < 256; code++) {
      for (let subcode = 0; subcode < 256; subcode++) assert.ok(words(code, subcode, 'ff').length > 0);
    }
  });

  it('shows at most 64 octets of data, and does not follow hard resets inside hard resets', () => {
    assert.ok(words(3, 9, '00'.repeat(4000)).length < 250);
    assert.ok(words(6, 9, '0609'.repeat(2000)).length < 250);
  });

  it('carries the limit of too many prefixes (RFC 4486) and the reason of a hard reset (RFC 8538)', () => {
    assert.equal(hexOf(maxPrefixesReached(2, 1, 10_000).data), '00020100002710');
    const inner = notification(6, 1, maxPrefixesReached(1, 1, 5).data);
    const outer = hardReset(inner);
    assert.equal(hexOf(outer.data), '0601' + '00010100000005');
    assert.deepEqual(unwrapHardReset(outer), inner);
    assert.equal(unwrapHardReset(inner), undefined);
    assert.equal(unwrapHardReset(notification(6, 9, bytes('06'))), undefined);
  });
});

describe('shutdown communication (RFC 9003)', () => {
  const text = (data: string): string => {
    const result = decodeShutdownText(bytes(data));
    return 'text' in result ? result.text : `hex ${result.hex}`;
  };

  it('reads UTF-8 text', () => {
    assert.equal(text(''), '');
    assert.equal(text('00'), '');
    assert.equal(text('05 4361 66c3a9'), 'Café');
    assert.equal(text('03 627965 ffff'), 'bye');
  });

  it('gives what is no text in hexadecimal and never fails', () => {
    assert.equal(text('05 6162'), 'hex 056162');
    assert.equal(text('02 61'), 'hex 0261');
    assert.equal(text('02 c328'), 'hex 02c328');
    assert.equal(text('01 ff'), 'hex 01ff');
    assert.equal(text('02 c080'), 'hex 02c080');
    assert.equal(text('03 eda080'), 'hex 03eda080');
    assert.equal(words(6, 2, '01ff'), 'cease: administrative shutdown (no valid text: 0x01ff)');
  });

  it('replaces what could forge a log line or confuse a terminal', () => {
    assert.equal(text('03 610a62'), 'a\ufffdb');
    assert.equal(text('05 1b5b33316d'), '\ufffd[31m');
    assert.equal(text('04 61 c285 62'), 'a\ufffdb');
    assert.equal(text('05 61 e280ae 62'), 'a\ufffdb');
    assert.equal(text('05 61 e280a8 62'), 'a\ufffdb');
  });

  it('writes at most 255 octets and cuts between characters', () => {
    assert.equal(hexOf(encodeShutdownText('')), '');
    assert.equal(hexOf(encodeShutdownText('Café')), '05436166c3a9');
    const long = encodeShutdownText('é'.repeat(200));
    assert.deepEqual([long.length, long[0]], [255, 254]);
    assert.equal(text(hexOf(long)), 'é'.repeat(127));
    assert.deepEqual([encodeShutdownText('x'.repeat(300)).length], [256]);
  });
});

describe('ROUTE-REFRESH', () => {
  it('is read and written (RFC 2918, RFC 7313)', () => {
    for (const subtype of [0, 1, 2, 255]) {
      const whole = message(5, `0002 ${subtype.toString(16).padStart(2, '0')} 01`);
      const refresh = decodeRouteRefresh(whole, 0, whole.length);
      assert.deepEqual(refresh, { afi: 2, safi: 1, subtype });
      assert.ok(!isNotificationError(refresh));
      assert.equal(hexOf(encodeRouteRefresh(refresh)), hexOf(whole));
    }
  });

  it('RR-1: of another length is 7/1 with the whole message as data', () => {
    for (const body of ['', '00', '000100', '0001 00 01 00', '0001 00 01 01 80 0000']) {
      const whole = message(5, body);
      const error = decodeRouteRefresh(whole, 0, whole.length);
      assert.ok(isNotificationError(error));
      assert.deepEqual([error.code, error.subcode, hexOf(error.data)], [7, 1, hexOf(whole)]);
    }
  });
});
