// Valid messages to break: hexadecimal text in which every length field stands in parentheses.

import { MARKER } from '../../testing/message-bytes.ts';

export interface LengthField {
  readonly offset: number;
  /** Octets: 1 or 2. */
  readonly width: number;
}

export interface Vector {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly lengths: readonly LengthField[];
  /** UPDATEs: where each attribute begins, and the end of the last. */
  readonly attributes: readonly number[];
}

/** '|' marks the beginning of an attribute, and the end of the last one. */
function vector(name: string, text: string): Vector {
  const octets: number[] = [];
  const lengths: LengthField[] = [];
  const attributes: number[] = [];
  for (const [token] of `${MARKER} ${text}`.matchAll(/\([0-9a-f]+\)|\||[0-9a-f]{2}/g)) {
    if (token === '|') {
      attributes.push(octets.length);
      continue;
    }
    const digits = token.replace(/[()]/g, '');
    if (token !== digits) lengths.push({ offset: octets.length, width: digits.length / 2 });
    octets.push(...Buffer.from(digits, 'hex'));
  }
  return { name, bytes: new Uint8Array(octets), lengths, attributes };
}

export const UPDATES: readonly Vector[] = [
  vector(
    'iBGP announcement of a route collector (capture)',
    `(0062) 02 (0000) (0047) | 4001(01)01 | 5002(000a)02(02)000022e00000b841 | 4003(04)c1b2b920
     | 8004(04)00000000 | 4005(04)00000064 | c007(08)0000fde9c1b2b901 | c008(04)0f10d994 | 8009(04)4a505904
     | 800a(04)cedce737 | (18)d5b5d4`,
  ),
  vector(
    'withdrawals and announcements with every classic attribute',
    `(0083) 02 (0007) (18)0a0101(10)0a02 (005f) | 4001(01)00 | 4002(10)02(02)0000fde90000fdea01(01)00000007
     | 4003(04)c0000201 | 8004(04)00000032 | 4006(00) | c007(08)0000fde90a000001 | c008(08)fde80001ffffff01
     | c010(08)4004fde84cee6b28 | c020(0c)0000fde80000000100000002 | c023(04)0000fde9 |
     (08)0a(10)ac10(00)`,
  ),
  vector(
    'IPv6 announcement with both next hops',
    `(0063) 02 (0000) (004c) | 800e(31)0002 01 (20)20010db8000000000000000000000001fe800000000000000000000000000002
     00 (30)20010db80001(20)20010db9 | 4001(01)00 | 4002(0a)02(02)0000fde90000fdea | 8004(04)00000032 |`,
  ),
  vector(
    'IPv6 withdrawal between other attributes',
    `(003e) 02 (0000) (0027) | 4001(01)00 | 900f(0011)0002 01 (30)20010db80002(30)20010db80003
     | 4002(06)02(01)0000fde9 | e063(02)0102 |`,
  ),
  vector(
    'IPv4 with an IPv6 next hop (RFC 8950) and attributes made of TLVs',
    `(0079) 02 (0000) (0062) | 800e(1a)0001 01 (10)20010db8000000000000000000000001 00 (18)0a0301(00) | 4001(01)02
     | 4002(00) | c017(08)0008(0004)04(02)fde8 | 801a(0b)01(000b)0000000000000064 | c027(0c)000101(04)c00002010001(0000)
     | c028(0a)01(0007)00000000000001 | 801d(06)0400(0002)0001 |`,
  ),
  vector('End-of-RIB of IPv4', '(0017) 02 (0000) (0000)'),
  vector('End-of-RIB of IPv6', '(001d) 02 (0000) (0006) | 800f(03)000201 |'),
];

export const OPENS: readonly Vector[] = [
  vector(
    'OPEN of FRR (capture)',
    `(0063) 01 04 fde8 00b4 0a000001 (46) 02(06)01(04)00010001 02(02)80(00) 02(02)02(00) 02(02)46(00)
     02(06)41(04)0000fde8 02(02)06(00) 02(06)45(04)00010101 02(0b)49(09)(07)64656269616e31(00) 02(04)40(02)c078
     02(09)47(07)00010180000000`,
  ),
  vector(
    'OPEN in the extended form (RFC 9072)',
    '(0034) 01 04 fde8 00b4 0a000001 ff ff (0014) 02 (0011) 01(04)00020001 05(06)000100010002 09(01)04',
  ),
];

export const OTHERS: readonly Vector[] = [
  vector('KEEPALIVE', '(0013) 04'),
  vector('NOTIFICATION with text', '(0019) 03 06 02 (03)627965'),
  vector('ROUTE-REFRESH', '(0017) 05 0001 00 01'),
];
