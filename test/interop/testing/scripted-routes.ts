// What scripted neighbours announce and withdraw: a prefix of each family at a time, with any attributes.
import type { Family } from '#ip';
import { address, asPath, attribute, hex, prefix, update } from '../../testing/messages.ts';
import { scriptedAt, type Side } from './scripted.ts';

export type Prefixes = Readonly<Record<Family, string>>;

export interface Attributes {
  readonly path: readonly number[];
  readonly med?: number;
  readonly localPref?: number;
  /** '65011:1' */
  readonly communities?: readonly string[];
  /** '65011:1:1' */
  readonly largeCommunities?: readonly string[];
  /** Hexadecimal, eight octets each. */
  readonly extendedCommunities?: readonly string[];
  readonly originator?: string;
  readonly clusters?: readonly string[];
  /** RFC 9234. */
  readonly otc?: number;
}

/** Prefixes of tests that need many: number 0 to 255. */
export function numbered(index: number): Prefixes {
  return { ipv4: `198.18.${index}.0/24`, ipv6: `2001:db8:${(0x8000 + index).toString(16)}::/48` };
}

/** An UPDATE a family, with the address of scripted neighbour `index` for next hop. */
export function announcement(
  side: Side,
  index: number,
  prefixes: Prefixes,
  attributes: Attributes,
): Buffer[] {
  const at = scriptedAt(side, index);
  const reach6 = Buffer.concat([hex('0002 01 10'), address(at.ipv6), hex('00'), prefix(prefixes.ipv6)]);
  const common = attributesOf(attributes);
  return [
    update({
      attributes: Buffer.concat([attribute(0x40, 3, address(at.ipv4)), common]),
      nlri: prefix(prefixes.ipv4),
    }),
    update({ attributes: Buffer.concat([attribute(0x80, 14, reach6), common]) }),
  ];
}

export function withdrawal(prefixes: Prefixes): Buffer[] {
  const unreach6 = Buffer.concat([hex('0002 01'), prefix(prefixes.ipv6)]);
  return [
    update({ withdrawn: prefix(prefixes.ipv4) }),
    update({ attributes: attribute(0x80, 15, unreach6) }),
  ];
}

function attributesOf(a: Attributes): Buffer {
  const { communities = [], largeCommunities = [], extendedCommunities = [], clusters = [] } = a;
  const some = (flags: number, type: number, values: readonly Buffer[]) =>
    values.length === 0 ? [] : [attribute(flags, type, Buffer.concat(values))];
  const word = (flags: number, type: number, value: number | undefined) =>
    value === undefined ? [] : [attribute(flags, type, u32(value))];
  return Buffer.concat([
    attribute(0x40, 1, hex('00')),
    asPath([...a.path]),
    ...word(0x80, 4, a.med),
    ...word(0x40, 5, a.localPref),
    ...some(
      0xc0,
      8,
      communities.map((text) => numbers(text, 2)),
    ),
    ...(a.originator === undefined ? [] : [attribute(0x80, 9, address(a.originator))]),
    ...some(0x80, 10, clusters.map(address)),
    ...some(0xc0, 16, extendedCommunities.map(hex)),
    ...some(
      0xc0,
      32,
      largeCommunities.map((text) => numbers(text, 4)),
    ),
    ...word(0xc0, 35, a.otc),
  ]);
}

/** '65011:1' in so many octets each. */
function numbers(text: string, octets: 2 | 4): Buffer {
  return Buffer.concat(text.split(':').map((part) => u32(Number(part)).subarray(4 - octets)));
}

function u32(value: number): Buffer {
  return hex(value.toString(16).padStart(8, '0'));
}
