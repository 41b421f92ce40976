// Messages for tests, octet by octet from the figures of the RFCs: independent of our encoder, and able to say what
// it never would. Parts are hexadecimal text, so that a test reads like the figure; whole messages are bytes.

/** Hexadecimal text (blanks and everything after '#' in a line do not count), or the octets themselves. */
export type Octets = string | Uint8Array;

export const MARKER = 'ff'.repeat(16);

/** Bytes of hexadecimal text. */
export function bytes(text: string): Uint8Array {
  const digits = text.replace(/#.*$/gm, '').replace(/\s+/g, '');
  return new Uint8Array(Buffer.from(digits, 'hex'));
}

/** Lower-case hexadecimal text of bytes. */
export function hexOf(buf: Uint8Array, start = 0, end: number = buf.length): string {
  return Buffer.from(buf.subarray(start, end)).toString('hex');
}

export function u8(value: number): string {
  return value.toString(16).padStart(2, '0');
}

export function u16(value: number): string {
  return value.toString(16).padStart(4, '0');
}

export function u32(value: number): string {
  return value.toString(16).padStart(8, '0');
}

function digitsOf(octets: Octets): string {
  return typeof octets === 'string' ? octets : hexOf(octets);
}

/** How many octets they are. */
export function octetsOf(octets: Octets): number {
  return typeof octets === 'string' ? bytes(octets).length : octets.length;
}

/** A whole message: marker, length (the right one, unless another is given), type, body (RFC 4271 section 4.1). */
export function message(type: number, body: Octets = '', length: number = 19 + octetsOf(body)): Buffer {
  const octets = typeof body === 'string' ? bytes(body) : body;
  return Buffer.concat([bytes(MARKER + u16(length) + u8(type)), octets]);
}

/** A KEEPALIVE. */
export const KEEPALIVE = message(4);
/** The End-of-RIB of IPv4 unicast (RFC 4724 section 2). */
export const END_OF_RIB = message(2, '0000 0000');

export function rawNotification(code: number, subcode: number, data: Octets = ''): Buffer {
  return message(3, u8(code) + u8(subcode) + digitsOf(data));
}

export interface RawOpen {
  readonly version?: number;
  readonly as: number;
  readonly hold?: number;
  readonly id: string;
  /** Capability TLVs, put into one optional parameter; undefined: no optional parameters. */
  readonly capabilities?: Octets;
}

/** RFC 4271 section 4.2. */
export function rawOpen({ version = 4, as, hold = 90, id, capabilities }: RawOpen): Buffer {
  const length = octetsOf(capabilities ?? '');
  const parameters = capabilities === undefined ? '' : `02 ${u8(length)} ${digitsOf(capabilities)}`;
  const myAs = as > 0xffff ? 23456 : as;
  return message(
    1,
    u8(version) + u16(myAs) + u16(hold) + address(id) + u8(octetsOf(parameters)) + parameters,
  );
}

/** Multiprotocol IPv4 and IPv6 unicast (RFC 4760 section 8). */
export const MP_BOTH = '0104 0001 0001 0104 0002 0001 ';

/** RFC 6793 section 3. */
export function fourByteAs(as: number): string {
  return `4104${u32(as)}`;
}

/** An UPDATE of its three parts (RFC 4271 section 4.3). */
export function update(parts: { withdrawn?: Octets; attributes?: Octets; nlri?: Octets }): Buffer {
  const { withdrawn = '', attributes = '', nlri = '' } = parts;
  const withdrawnField = `${u16(octetsOf(withdrawn))} ${digitsOf(withdrawn)}`;
  const attributesField = `${u16(octetsOf(attributes))} ${digitsOf(attributes)}`;
  return message(2, `${withdrawnField} ${attributesField} ${digitsOf(nlri)}`);
}

/** An UPDATE of so many octets; its contents do not matter. */
export function updateOf(octets: number): Buffer {
  return message(2, Buffer.alloc(octets - 19, 1));
}

/** Flags, type, length (two octets with flag 0x10), value. */
export function attribute(flags: number, type: number, value: Octets): string {
  const length = octetsOf(value);
  const field = (flags & 0x10) !== 0 ? u16(length) : u8(length);
  return `${u8(flags)}${u8(type)} ${field} ${digitsOf(value)} `;
}

/** AS_PATH with four octets an AS, '' when it is empty; an inner list is an AS_SET. */
export function asPathValue(path: readonly (number | readonly number[])[]): string {
  const sequence = path.filter((as) => typeof as === 'number');
  const sets = path.filter((as) => typeof as !== 'number');
  const segment = (type: number, numbers: readonly number[]): string =>
    u8(type) + u8(numbers.length) + numbers.map(u32).join('');
  return (
    (sequence.length > 0 ? segment(2, sequence) : '') + sets.map((numbers) => segment(1, numbers)).join('')
  );
}

/** Octets of an IPv4 address, or of an IPv6 address with at most one '::' and no dots. */
export function address(text: string): string {
  if (!text.includes(':')) return text.split('.').map(Number).map(u8).join('');
  const [left = '', right] = text.split('::');
  const groups = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  const head = groups(left);
  const tail = right === undefined ? [] : groups(right);
  const zeros = Array<number>(8 - head.length - tail.length).fill(0);
  return [...head, ...zeros, ...tail].map(u16).join('');
}

/** A prefix as NLRI has it, with an optional path identifier (RFC 7911): '10.0.0.0/8' or '10.0.0.0/8#7'. */
export function prefix(text: string): string {
  const [, where = '', length = '', id] = /^([^/]+)\/(\d+)(?:#(\d+))?$/.exec(text) ?? [];
  const octets = (Number(length) + 7) >> 3;
  return (id === undefined ? '' : u32(Number(id))) + u8(Number(length)) + address(where).slice(0, octets * 2);
}

export interface WireAttributes {
  readonly origin?: number;
  /** AS_SEQUENCE. */
  readonly path: readonly number[];
  /** 'global link-local' are the 32 octets of RFC 2545. */
  readonly nextHop: string;
  readonly med?: number;
  readonly localPref?: number;
  /** Unsigned 32-bit each. */
  readonly communities?: readonly number[];
  readonly originator?: string;
  readonly clusterList?: readonly string[];
  /** RFC 9234. */
  readonly otc?: number;
}

export const nlri = (...prefixes: readonly string[]): string => prefixes.map(prefix).join('');

/** MP_REACH_NLRI (RFC 4760 section 3). @param hops with a space between a global and a link-local one */
export function mpReach(afi: number, hops: string, ...prefixes: readonly string[]): string {
  const hop = hops.split(' ').map(address).join('');
  return anyLength(0x80, 14, `${u16(afi)} 01 ${u8(octetsOf(hop))} ${hop} 00 ${nlri(...prefixes)}`);
}

/** MP_UNREACH_NLRI (RFC 4760 section 4). */
export const mpUnreach = (afi: number, ...prefixes: readonly string[]): string =>
  anyLength(0x80, 15, `${u16(afi)} 01 ${nlri(...prefixes)}`);

/** Announces prefixes of one family; in MP_REACH_NLRI when they or their next hop are IPv6. */
export function announceMessage(prefixes: readonly string[], a: WireAttributes): Buffer {
  const isV6 = prefixes[0]!.includes(':');
  const isClassic = !isV6 && !a.nextHop.includes(':');
  const attributes = [
    isClassic ? '' : mpReach(isV6 ? 2 : 1, a.nextHop, ...prefixes),
    attribute(0x40, 1, u8(a.origin ?? 0)),
    anyLength(0x40, 2, asPathValue(a.path)),
    isClassic ? attribute(0x40, 3, address(a.nextHop)) : '',
    a.med === undefined ? '' : attribute(0x80, 4, u32(a.med)),
    a.localPref === undefined ? '' : attribute(0x40, 5, u32(a.localPref)),
    a.communities === undefined ? '' : anyLength(0xc0, 8, a.communities.map(u32).join('')),
    a.originator === undefined ? '' : attribute(0x80, 9, address(a.originator)),
    a.clusterList === undefined ? '' : anyLength(0x80, 10, a.clusterList.map(address).join('')),
    a.otc === undefined ? '' : attribute(0xc0, 35, u32(a.otc)),
  ];
  return update({ attributes: attributes.join(''), nlri: isClassic ? nlri(...prefixes) : '' });
}

export function withdrawMessage(prefixes: readonly string[]): Buffer {
  const list = prefixes.map(prefix).join('');
  if (!prefixes[0]!.includes(':')) return update({ withdrawn: list });
  return update({ attributes: anyLength(0x80, 15, `0002 01 ${list}`) });
}

/** With the extended-length flag when the value needs it. */
function anyLength(flags: number, type: number, value: string): string {
  return attribute(octetsOf(value) > 255 ? flags | 0x10 : flags, type, value);
}

// Attributes that many tests use.
export const ORIGIN_IGP = '4001 01 00 ';
/** AS_SEQUENCE 65001 65002 with four octets an AS. */
export const AS_PATH = '4002 0a 02 02 0000fde9 0000fdea ';
/** The same with two octets an AS. */
export const AS_PATH_OLD = '4002 06 02 02 fde9 fdea ';
export const NEXT_HOP = '4003 04 c0000201 ';
export const MED_50 = '8004 04 00000032 ';
export const LOCAL_PREF_100 = '4005 04 00000064 ';
export const MANDATORY = ORIGIN_IGP + AS_PATH + NEXT_HOP;
export const IPV6_NEXT_HOP = '20010db8000000000000000000000001';
export const LINK_LOCAL = 'fe800000000000000000000000000002';
/** MP_REACH_NLRI for 2001:db8:1::/48. */
export const MP_REACH_IPV6 = `800e 1c 0002 01 10 ${IPV6_NEXT_HOP} 00 30 20010db80001 `;
/** MP_UNREACH_NLRI for 2001:db8:2::/48. */
export const MP_UNREACH_IPV6 = '800f 0a 0002 01 30 20010db80002 ';
