// One message for each error that RFC 4271 §6 and RFC 7606 name, as octets, and what a speaker shall answer.
import type { PeerSetup } from '../daemons/daemon.ts';
import {
  address,
  attribute,
  capability,
  hex,
  IPV4_UNICAST,
  KEEPALIVE,
  MessageType,
  message,
  open,
  prefix,
  update,
} from '../../testing/messages.ts';
import { HOLD_SECONDS, SCRIPT_AS, scriptAddress } from './target.ts';

/** What the other side did: the NOTIFICATION's code and subcode, or what became of the route. */
export type Answer = `${number}/${number}` | 'closed' | 'crash' | 'withdrawn' | 'kept' | 'stays';

export interface BadInput {
  readonly title: string;
  /** When it is sent: as the first message, after our OPEN, or in an established session. */
  readonly at: 'OpenSent' | 'OpenConfirm' | 'Established';
  readonly bytes: (index: number) => Buffer;
  readonly answer: Answer;
  /** Hex of the NOTIFICATION's data, where the RFC says it. */
  readonly data?: string;
  /** Of the target's session. */
  readonly setup?: Partial<PeerSetup>;
}

const BAD_LENGTH = (length: number, body: Buffer = Buffer.alloc(0)) => {
  const bytes = message(MessageType.keepalive, body);
  bytes.writeUInt16BE(length, 16);
  return bytes;
};

const goodOpen = (index: number) => ({
  ...{ asNumber: SCRIPT_AS, holdTimeSeconds: HOLD_SECONDS, routerId: scriptAddress(index) },
});

/** A neighbour's prefix number `index`, announced well before the bad UPDATE for it. */
export function prefixOf(index: number): string {
  return `198.18.${index}.0/24`;
}

const ORIGIN = attribute(0x40, 1, hex('00'));
const AS_PATH = attribute(0x40, 2, Buffer.concat([hex('02 01'), hex('0000fdf2')]));
const nextHop = (index: number) => attribute(0x40, 3, address(scriptAddress(index)));

/** Announces the neighbour's prefix; with other parts where given. */
export function announce(
  index: number,
  parts: { origin?: Buffer; path?: Buffer; hop?: Buffer; more?: Buffer } = {},
) {
  const attributes = [
    parts.origin ?? ORIGIN,
    parts.path ?? AS_PATH,
    parts.hop ?? nextHop(index),
    parts.more ?? Buffer.alloc(0),
  ];
  return update({ attributes: Buffer.concat(attributes), nlri: prefix(prefixOf(index)) });
}

const reachIpv6 = (body: string) => attribute(0x80, 14, hex(body));
const GOOD_REACH = '0002 01 10 20010db8000000000000000000000001 00 30 20010db80099';

const HEADER: readonly BadInput[] = [
  {
    ...{ title: 'header: marker', at: 'Established', answer: '1/1' },
    bytes: () => Buffer.concat([hex('00'), KEEPALIVE.subarray(1)]),
  },
  {
    ...{ title: 'header: length 18', at: 'Established', answer: '1/2', data: '0012' },
    bytes: () => BAD_LENGTH(18),
  },
  {
    ...{ title: 'header: length 4097', at: 'Established', answer: '1/2', data: '1001' },
    bytes: () => BAD_LENGTH(4097, Buffer.alloc(4078)),
  },
  {
    ...{ title: 'header: KEEPALIVE of 20 octets', at: 'Established', answer: '1/2', data: '0014' },
    bytes: () => message(MessageType.keepalive, Buffer.alloc(1)),
  },
  { ...{ title: 'header: type 9', at: 'Established', answer: '1/3', data: '09' }, bytes: () => message(9) },
];

const OPEN: readonly BadInput[] = [
  {
    ...{ title: 'OPEN: version 3', at: 'OpenSent', answer: '2/1', data: '0004' },
    bytes: (i) => open({ ...goodOpen(i), version: 3 }),
  },
  {
    ...{ title: 'OPEN: another AS', at: 'OpenSent', answer: '2/2' },
    bytes: (i) => open({ ...goodOpen(i), asNumber: 65_099 }),
  },
  {
    ...{ title: 'OPEN: router ID 0.0.0.0', at: 'OpenSent', answer: '2/3' },
    bytes: (i) => open({ ...goodOpen(i), routerId: '0.0.0.0' }),
  },
  {
    ...{ title: 'OPEN: unknown optional parameter', at: 'OpenSent', answer: '2/4' },
    bytes: (i) => {
      const bytes = open({ ...goodOpen(i), capabilities: [IPV4_UNICAST] });
      bytes[29] = 99;
      return bytes;
    },
  },
  {
    ...{ title: 'OPEN: hold time 1', at: 'OpenSent', answer: '2/6', data: '0001' },
    bytes: (i) => open({ ...goodOpen(i), holdTimeSeconds: 1 }),
  },
  {
    ...{ title: 'OPEN: no common address family', at: 'OpenSent', answer: '2/7' },
    bytes: (i) => open({ ...goodOpen(i), capabilities: [capability(1, hex('0019 00 46'))] }),
  },
  {
    ...{ title: 'OPEN: capability longer than its parameter', at: 'OpenSent', answer: '2/0' },
    bytes: (i) => {
      const bytes = open({ ...goodOpen(i), capabilities: [IPV4_UNICAST] });
      bytes[32] = 200;
      return bytes;
    },
  },
];

const UPDATE: readonly BadInput[] = [
  {
    ...{ title: 'UPDATE: withdrawn routes past the end', at: 'Established', answer: '3/1' },
    bytes: () => message(MessageType.update, hex('ffff 0000')),
  },
  {
    ...{ title: 'UPDATE: attributes past the end', at: 'Established', answer: '3/1' },
    bytes: () => message(MessageType.update, hex('0000 00ff')),
  },
  {
    ...{ title: 'UPDATE: prefix of 33 bits', at: 'Established', answer: '3/10' },
    bytes: (i) =>
      update({ attributes: Buffer.concat([ORIGIN, AS_PATH, nextHop(i)]), nlri: hex('21 c612000000') }),
  },
  {
    ...{ title: 'UPDATE: MP_REACH_NLRI twice', at: 'Established', answer: '3/1' },
    bytes: (i) => announce(i, { more: Buffer.concat([reachIpv6(GOOD_REACH), reachIpv6(GOOD_REACH)]) }),
  },
  {
    ...{ title: 'UPDATE: MP_REACH_NLRI with a next hop of 5 octets', at: 'Established', answer: '3/9' },
    bytes: (i) => announce(i, { more: reachIpv6('0002 01 05 20010db800 00 30 20010db80099') }),
  },
  {
    ...{ title: 'UPDATE: no ORIGIN', at: 'Established', answer: 'withdrawn' },
    bytes: (i) => announce(i, { origin: Buffer.alloc(0) }),
  },
  {
    ...{ title: 'UPDATE: ORIGIN 9', at: 'Established', answer: 'withdrawn' },
    bytes: (i) => announce(i, { origin: attribute(0x40, 1, hex('09')) }),
  },
  {
    ...{ title: 'UPDATE: AS_PATH segment past the end', at: 'Established', answer: 'withdrawn' },
    bytes: (i) => announce(i, { path: attribute(0x40, 2, hex('02 05 0000fdf2')) }),
  },
  {
    ...{ title: 'UPDATE: NEXT_HOP of 3 octets', at: 'Established', answer: 'withdrawn' },
    bytes: (i) => announce(i, { hop: attribute(0x40, 3, hex('0a0301')) }),
  },
  {
    ...{ title: 'UPDATE: COMMUNITIES of 3 octets', at: 'Established', answer: 'withdrawn' },
    bytes: (i) => announce(i, { more: attribute(0xc0, 8, hex('fdf200')) }),
  },
  {
    ...{ title: 'UPDATE: unknown well-known attribute', at: 'Established', answer: 'withdrawn' },
    bytes: (i) => announce(i, { more: attribute(0x40, 99, hex('00')) }),
  },
  {
    ...{ title: 'UPDATE: ATOMIC_AGGREGATE of 1 octet', at: 'Established', answer: 'kept' },
    bytes: (i) => announce(i, { more: attribute(0x40, 6, hex('00')) }),
  },
  {
    ...{ title: 'UPDATE: LOCAL_PREF over eBGP', at: 'Established', answer: 'kept' },
    bytes: (i) => announce(i, { more: attribute(0x40, 5, hex('000000c8')) }),
  },
];

const OTHER: readonly BadInput[] = [
  {
    ...{ title: 'ROUTE-REFRESH of 3 octets', at: 'Established', answer: '7/1' },
    bytes: () => message(MessageType.routeRefresh, hex('000100')),
  },
  {
    ...{
      title: 'silence for the hold time',
      at: 'Established',
      answer: '4/0',
      setup: { holdTimeSeconds: 3 },
    },
    bytes: () => Buffer.alloc(0),
  },
  { ...{ title: 'UPDATE before OPEN', at: 'OpenSent', answer: '5/1' }, bytes: () => update({}) },
  { ...{ title: 'KEEPALIVE before OPEN', at: 'OpenSent', answer: '5/1' }, bytes: () => KEEPALIVE },
  {
    ...{ title: 'UPDATE before KEEPALIVE', at: 'OpenConfirm', answer: '5/2', data: '02' },
    bytes: () => update({}),
  },
  {
    ...{ title: 'OPEN in an established session', at: 'Established', answer: '5/3' },
    bytes: (i) => open(goodOpen(i)),
  },
  {
    ...{ title: 'more prefixes than allowed', at: 'Established', answer: '6/1', setup: { maxPrefixes: 1 } },
    bytes: (i) =>
      update({
        attributes: Buffer.concat([ORIGIN, AS_PATH, nextHop(i)]),
        nlri: Buffer.concat(['198.19.0.0/24', '198.19.1.0/24', '198.19.2.0/24'].map(prefix)),
      }),
  },
];

export const BAD_INPUTS: readonly BadInput[] = [...HEADER, ...OPEN, ...UPDATE, ...OTHER];
