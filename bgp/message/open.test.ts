import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describeCapabilities } from './capability-text.ts';
import { type Capabilities, encodeCapabilities, NO_CAPABILITIES } from './capabilities.ts';
import { decodeOpen, encodeOpen, isNotificationError, type OpenMessage } from './open.ts';
import { hexOf, message, octetsOf, u16 } from '../testing/message-bytes.ts';

const FIXED = '04 fde9 00b4 c0000201';

function octet(value: number): string {
  return value.toString(16).padStart(2, '0');
}

/** Optional parameter of capabilities, classic form. */
function parameter(capabilities: string): string {
  return `02 ${octet(octetsOf(capabilities))} ${capabilities}`;
}

function open(parameters: string, fixed = FIXED): Uint8Array {
  return message(1, `${fixed} ${octet(octetsOf(parameters))} ${parameters}`);
}

function decode(whole: Uint8Array): OpenMessage | string {
  const buf = Buffer.alloc(whole.length + 10, 0xee);
  buf.set(whole, 5);
  const result = decodeOpen(buf, 5, 5 + whole.length);
  // A socket's buffer is written again.
  buf.fill(0xdd);
  if (!isNotificationError(result)) return result;
  return `${result.code}/${result.subcode}${result.data.length > 0 ? ` ${hexOf(result.data)}` : ''}`;
}

function capabilitiesOf(capabilities: string): Capabilities {
  const result = decode(open(parameter(capabilities)));
  if (typeof result === 'string') assert.fail(result);
  return result.capabilities!;
}

describe('OPEN', () => {
  it('reads the fixed fields', () => {
    assert.deepEqual(decode(open('')), {
      asNumber: 65001,
      holdTimeSeconds: 180,
      routerId: 0xc0000201,
      capabilities: NO_CAPABILITIES,
    });
  });

  it('reads what FRR 8.4 sends (capture)', () => {
    const caps =
      '0206 0104 0001 0001 0202 8000 0202 0200 0202 4600 0206 4104 0000fde8 0202 0600 0206 4504 00010101' +
      '020b 4909 07 64656269616e31 00 0204 4002 c078 0209 4707 0001 01 80 000000';
    const result = decode(message(1, `04 fde8 00b4 0a000001 ${octet(octetsOf(caps))} ${caps}`));
    assert.ok(typeof result !== 'string');
    assert.deepEqual(describeCapabilities(result.capabilities!), [
      'multiprotocol ipv4 unicast',
      'route refresh',
      'enhanced route refresh',
      'extended messages',
      'four-octet AS 65000',
      'graceful restart 120 s, restarting, notification',
      'long-lived graceful restart ipv4 unicast 0 s, kept',
      'add-path ipv4 unicast receive',
      'host name debian1',
    ]);
  });

  it('CAP-1: another version is 2/1 with ours in network order', () => {
    assert.equal(decode(open('', '03 fde9 00b4 c0000201')), '2/1 0004');
    assert.equal(decode(open('', '05 fde9 00b4 c0000201')), '2/1 0004');
  });

  it('FSM-1: hold time 1 and 2 are 2/6 with it as data; 0 and 3 are right', () => {
    assert.equal(decode(open('', '04 fde9 0001 c0000201')), '2/6 0001');
    assert.equal(decode(open('', '04 fde9 0002 c0000201')), '2/6 0002');
    for (const hold of [0, 3, 65535]) {
      const result = decode(open('', `04 fde9 ${u16(hold)} c0000201`));
      assert.equal(typeof result === 'string' ? result : result.holdTimeSeconds, hold);
    }
  });

  it('FSM-3: identifier 0.0.0.0 is 2/3', () => {
    assert.equal(decode(open('', '04 fde9 00b4 00000000')), '2/3 00000000');
  });

  it('FSM-4: AS 0 in either field is 2/2; the four-octet AS is the real one', () => {
    assert.equal(decode(open('', '04 0000 00b4 c0000201')), '2/2 0000');
    assert.equal(decode(open(parameter('4104 00000000'))), '2/2 fde9');
    const result = decode(open(parameter('4104 fa56ea01'), '04 5ba0 00b4 c0000201'));
    assert.equal(typeof result === 'string' ? result : result.asNumber, 4200000001);
  });

  it('CAP-1: takes one parameter with many capabilities and many parameters with one', () => {
    const many = parameter('0104 00010001') + parameter('0104 00020001') + parameter('0200') + parameter('');
    const one = parameter('0104 00010001 0104 00020001 0200');
    assert.deepEqual(decode(open(many)), decode(open(one)));
  });

  it('CAP-1: lengths that do not agree are 2/0', () => {
    const body = (parameters: string, length: number): Uint8Array =>
      message(1, `${FIXED} ${octet(length)} ${parameters}`);
    assert.equal(decode(body('', 1)), '2/0');
    assert.equal(decode(body('0200', 1)), '2/0');
    assert.equal(decode(body('0200', 3)), '2/0');
    assert.equal(decode(body('0200', 0)), '2/0');
    assert.equal(decode(body('02', 1)), '2/0');
    assert.equal(decode(body('0201', 2)), '2/0');
    assert.equal(decode(open(parameter('01'))), '2/0');
    assert.equal(decode(open(parameter('0104 0001'))), '2/0');
    assert.equal(decode(open(parameter('0100 02ff'))), '2/0');
  });

  it('CAP-1: a parameter that is not capabilities is 2/4', () => {
    assert.equal(decode(open('01 00')), '2/4');
    assert.equal(decode(open('03 02 0000')), '2/4');
  });

  it('CAP-2: reads the extended form (RFC 9072), also when it was not needed and the first length is not 255', () => {
    const inner = '02 0008 0104 00010001 0200';
    const extended = (first: string): Uint8Array =>
      message(1, `${FIXED} ${first} ff ${u16(octetsOf(inner))} ${inner}`);
    const classic = decode(open(parameter('0104 00010001 0200')));
    assert.deepEqual(decode(extended('ff')), classic);
    assert.deepEqual(decode(extended('0c')), classic);
    const large = `02 0200 ${'fe3e'.concat('00'.repeat(62)).repeat(8)}`;
    const result = decode(message(1, `${FIXED} ff ff ${u16(octetsOf(large))} ${large}`));
    assert.equal(typeof result === 'string' ? result : result.capabilities!.unknown.length, 8);
  });

  it('CAP-2: an extended form whose lengths do not agree, or that ends in them, is 2/0', () => {
    for (const tail of [
      'ff ff',
      'ff ff 00',
      'ff ff 0001',
      'ff ff ffff',
      'ff ff 0002 02 00',
      'ff ff 0003 02 0001',
      'ff ff 0000 00',
      'ff ff 0004 02 0001 ff',
    ]) {
      assert.equal(decode(message(1, `${FIXED} ${tail}`)), '2/0', tail);
    }
    // 255 octets of ordinary parameters are ordinary
    const full = parameter(`fe${octet(251)}${'00'.repeat(251)}`);
    assert.equal(octetsOf(full), 255);
    assert.ok(typeof decode(open(full)) !== 'string');
  });

  it('CAP-3: unknown capabilities are kept and do not matter; duplicates are merged; roles must agree', () => {
    const caps = capabilitiesOf(
      '0104 00010001 0104 00010001 0104 00020001 e7 02 0102 4002 0078 4002 0005 0901 04 0901 04',
    );
    assert.deepEqual(caps.multiprotocol, [
      { afi: 1, safi: 1 },
      { afi: 2, safi: 1 },
    ]);
    assert.equal(caps.gracefulRestart!.timeSeconds, 5);
    assert.equal(caps.role, 4);
    assert.deepEqual(
      caps.unknown.map(({ code, value }) => [code, hexOf(value)]),
      [[0xe7, '0102']],
    );
    assert.equal(decode(open(parameter('0901 04 0901 03'))), '2/11');
    assert.equal(decode(open(parameter('0901 04') + parameter('0901 03'))), '2/11');
  });

  it('CAP-4: each capability of a length that it cannot have is 2/0', () => {
    const good: [code: number, lengths: number[]][] = [
      [1, [4]],
      [2, [0]],
      [128, [0]],
      [5, [0, 6, 12, 18]],
      [6, [0]],
      [9, [1]],
      [64, [2, 6, 10, 14, 18]],
      [65, [4]],
      [69, [0, 4, 8, 12, 16, 20]],
      [70, [0]],
      [71, [0, 7, 14]],
    ];
    for (const [code, lengths] of good) {
      for (let length = 0; length <= 20; length++) {
        const result = decode(open(parameter(`${octet(code)} ${octet(length)} ${'01'.repeat(length)}`)));
        if (lengths.includes(length)) assert.ok(typeof result !== 'string', `${code} ${length}`);
        else assert.equal(result, '2/0', `${code} ${length}`);
      }
    }
  });

  it('CAP-4: a host name or software version that does not parse is kept raw and costs no session', () => {
    for (const value of ['', '00', '05 6162', '01 61', '01 61 02 62', '01 61 00 00']) {
      const caps = capabilitiesOf(`49 ${octet(octetsOf(value))} ${value}`);
      if (value === '00') continue;
      assert.deepEqual([caps.hostName, caps.unknown.length], [undefined, 1], value);
    }
    for (const value of ['', '00', '02 61', '01 61 62']) {
      const caps = capabilitiesOf(`4b ${octet(octetsOf(value))} ${value}`);
      assert.deepEqual([caps.softwareVersion, caps.unknown.length], [undefined, 1], value);
    }
    assert.equal(capabilitiesOf('4b 04 03 610a62').softwareVersion, 'a\ufffdb');
    assert.deepEqual(
      [capabilitiesOf('49 05 01 61 02 6263').hostName, capabilitiesOf('49 05 01 61 02 6263').domainName],
      ['a', 'bc'],
    );
  });

  it('CAP-4: ADD-PATH directions other than 1 to 3 are ignored, tuple by tuple', () => {
    assert.deepEqual(capabilitiesOf('45 10 00010100 00010203 00020104 00020102').addPath, [
      { afi: 1, safi: 2, direction: 3 },
      { afi: 2, safi: 1, direction: 2 },
    ]);
  });

  it('GR-1: reads the bits of graceful restart', () => {
    assert.deepEqual(capabilitiesOf('40 0a cfff 00010180 0002017f').gracefulRestart, {
      restarting: true,
      notification: true,
      timeSeconds: 4095,
      families: [
        { afi: 1, safi: 1, forwarding: true },
        { afi: 2, safi: 1, forwarding: false },
      ],
    });
    assert.deepEqual(capabilitiesOf('40 02 3000').gracefulRestart, {
      restarting: false,
      notification: false,
      timeSeconds: 0,
      families: [],
    });
  });

  it('GR-7: long-lived graceful restart counts only with graceful restart', () => {
    const longLived = '47 07 0001 01 80 010000';
    assert.equal(capabilitiesOf(longLived).longLived, undefined);
    assert.deepEqual(capabilitiesOf(`${longLived} 4002 0000`).longLived, [
      { afi: 1, safi: 1, forwarding: true, timeSeconds: 65536 },
    ]);
  });

  it('writes what RFC 4271 and RFC 5492 draw', () => {
    const whole = encodeOpen({
      asNumber: 4200000001,
      holdTimeSeconds: 90,
      routerId: 0x0a000001,
      capabilities: {
        ...NO_CAPABILITIES,
        multiprotocol: [
          { afi: 1, safi: 1 },
          { afi: 2, safi: 1 },
        ],
        routeRefresh: true,
        enhancedRouteRefresh: true,
        extendedMessages: true,
        extendedNextHop: [{ afi: 1, safi: 1, nextHopAfi: 2 }],
        role: 3,
        gracefulRestart: {
          restarting: true,
          notification: true,
          timeSeconds: 120,
          families: [{ afi: 1, safi: 1, forwarding: true }],
        },
        fourByteAs: 4200000001,
        addPath: [{ afi: 1, safi: 1, direction: 3 }],
        longLived: [{ afi: 2, safi: 1, forwarding: false, timeSeconds: 3600 }],
        pathsLimit: [{ afi: 1, safi: 1, limit: 4 }],
        hostName: 'node-1',
        softwareVersion: 'podroute/1',
      },
    });
    const caps = `0104 0001 00 01 0104 0002 00 01 0200 0506 0001 0001 0002 0600 0901 03
      4006 c078 0001 01 80 4104 fa56ea01 4504 0001 01 03 4600 4707 0002 01 00 000e10 4c05 0001 01 0004
      4908 06 6e6f64652d31 00 4b0b 0a 706f64726f7574652f31`;
    assert.equal(
      hexOf(whole),
      hexOf(message(1, `04 5ba0 005a 0a000001 ${octet(octetsOf(caps) + 2)} ${parameter(caps)}`)),
    );
  });

  it('writes no parameter at all for a peer that refuses them (RFC 5492 section 3)', () => {
    const whole = encodeOpen({ asNumber: 65001, holdTimeSeconds: 180, routerId: 0xc0000201 });
    assert.equal(hexOf(whole), hexOf(open('')));
  });

  it('CAP-2: writes the extended form only above 255 octets of parameters', () => {
    const withUnknown = (length: number): Uint8Array =>
      encodeOpen({
        asNumber: 65001,
        holdTimeSeconds: 180,
        routerId: 1,
        capabilities: { ...NO_CAPABILITIES, unknown: [{ code: 254, value: new Uint8Array(length) }] },
      });
    const classic = withUnknown(251);
    assert.deepEqual([...classic.subarray(28, 31)], [255, 2, 253]);
    const extended = withUnknown(252);
    assert.deepEqual([...extended.subarray(28, 37)], [255, 255, 1, 1, 2, 0, 254, 254, 252]);
    for (const whole of [classic, extended]) assert.ok(typeof decode(whole) !== 'string');
  });

  it('CAP-6: capabilities alone are the data of 2/7', () => {
    const multiprotocol = [{ afi: 2, safi: 1 }];
    assert.equal(hexOf(encodeCapabilities({ ...NO_CAPABILITIES, multiprotocol })), '010400020001');
  });

  it('reads back whatever it writes', () => {
    const family = fc.record({ afi: fc.nat(65535), safi: fc.nat(255) }, { noNullPrototype: true });
    const families = fc.uniqueArray(family, { maxLength: 5, selector: (f) => `${f.afi}/${f.safi}` });
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '-', '.', '1'), maxLength: 64 });
    const both = <T>(list: { afi: number; safi: number }[], more: T): ({ afi: number; safi: number } & T)[] =>
      list.map((f) => ({ ...f, ...more }));
    fc.assert(
      fc.property(
        fc.record(
          {
            asNumber: fc.integer({ min: 1, max: 0xffffffff }),
            holdTimeSeconds: fc.integer({ min: 3, max: 65535 }),
            routerId: fc.integer({ min: 1, max: 0xffffffff }),
          },
          { noNullPrototype: true },
        ),
        families,
        fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()),
        text,
        fc.nat(200),
        (fixed, list, [flag1, flag2, flag3], name, filler) => {
          const capabilities: Capabilities = {
            multiprotocol: list,
            routeRefresh: flag1,
            enhancedRouteRefresh: flag2,
            extendedMessages: flag3,
            extendedNextHop: both(list, { nextHopAfi: 2 }),
            gracefulRestart: {
              restarting: flag1,
              notification: flag2,
              timeSeconds: 7,
              families: both(list, { forwarding: flag3 }),
            },
            fourByteAs: fixed.asNumber,
            addPath: both(list, { direction: 2 }),
            ...(list.length > 0
              ? { longLived: both(list, { forwarding: flag1, timeSeconds: 0xabcdef }) }
              : {}),
            hostName: name,
            domainName: name,
            unknown: [{ code: 200, value: new Uint8Array(filler) }],
          };
          const original = { ...fixed, capabilities };
          assert.deepEqual(decode(encodeOpen(original)), original);
        },
      ),
    );
  });
});
