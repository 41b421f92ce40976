// The one table that is podroute's: which link of a pod may bring which source address. Pure. As `nft list` shows it:
//
//   table inet podroute {
//     counter source { … }      counter advertisement { … }      counter linkLocal { … }
//     set links { type ifname }                       the links that are looked at
//     set ipv4 { type ifname . ipv4_addr }            what may come by each of them
//     set ipv6 { type ifname . ipv6_addr }
//     chain sources {
//       type filter hook prerouting priority raw; policy accept;
//       iifname != @links accept
//       iifname . ip saddr @ipv4 accept
//       iifname . ip6 saddr @ipv6 accept
//       icmpv6 type nd-router-advert counter name "advertisement" drop
//       icmpv6 type { mld … } ip6 saddr fe80::/10 ip6 daddr ff02::/16 accept      a rule a type
//       ip6 saddr fe80::/10 counter name "linkLocal" drop     a pod has as many as it likes: see below
//       ip6 saddr :: ip6 daddr ff02::/16 accept               duplicate address detection
//       counter name "source" drop
//     }
//   }
//
// Whatever makes the host answer, or learn, a link-local address of a pod makes a neighbour entry, of which the whole
// machine has gc_thresh3 for all namespaces: one pod that makes addresses up would fill it. So a pod finds its gateway, and
// is found, by its own addresses (and by permanent entries), and a link-local one may report its multicast groups.
//
// Two look-ups in hash tables a packet of a pod, one for every other packet, however many pods there are. Names of
// links, not numbers: an element can be there before its link is.
import { type Family, familyOf, formatOctets, parseOctets, parsePrefixOctets } from '#ip';
import type { DroppedPackets, PodSource, SourceChange } from '../pod-sources.ts';
import type { Batch, SetShape } from './batch.ts';
import {
  count,
  equals,
  type Expression,
  isIn,
  isNotIn,
  loadMeta,
  loadPayload,
  masked,
  verdict,
} from './expressions.ts';
import {
  HOOK_PREROUTING,
  IPPROTO_ICMPV6,
  KEY_TYPE_BITS,
  keyType,
  NFPROTO,
  PRIORITY_RAW,
  type Register,
} from './numbers.ts';

export const POD_TABLE = 'podroute';
export const COUNTERS = [
  'source',
  'advertisement',
  'linkLocal',
] as const satisfies readonly (keyof DroppedPackets)[];

export const CHAIN = 'sources';
const NAME_BYTES = 16;
const ND_ROUTER_ADVERTISEMENT = 134;
/** Report, done, report of version 2 (RFC 2710, RFC 3810): the host learns groups by them, and no addresses. */
const MULTICAST_LISTENER = [131, 132, 143];
const pairType = (address: number) => (keyType.interfaceName << KEY_TYPE_BITS) | address;
const LINKS: SetShape = {
  ...{ name: 'links', keyType: keyType.interfaceName, keyLength: NAME_BYTES, isHostOrder: true },
};
const PAIRS: Readonly<Record<Family, SetShape>> = {
  ipv4: { name: 'ipv4', keyType: pairType(keyType.ipv4), keyLength: NAME_BYTES + 4 },
  ipv6: { name: 'ipv6', keyType: pairType(keyType.ipv6), keyLength: NAME_BYTES + 16 },
};
/** By the family of their addresses; 'links' has none. */
export const SETS = { links: LINKS.name, ipv4: PAIRS.ipv4.name, ipv6: PAIRS.ipv6.name } as const;
/** Where in the network header, and how long. */
type Place = readonly [offset: number, length: number];
const SOURCE: Readonly<Record<Family, Place>> = { ipv4: [12, 4], ipv6: [8, 16] };
const DESTINATION6: Place = [24, 16];

/** The link's name in the first register and the address in the second are one key. */
const pair = (family: Family): Expression[] => [
  loadMeta('inputName', 1),
  loadPayload('network', ...SOURCE[family], 2),
  isIn(PAIRS[family].name, 1),
];
const isFamily = (family: Family): Expression[] => [
  loadMeta('family', 1),
  equals(1, Uint8Array.of(NFPROTO[family])),
];
/** Also behind extension headers, which the kernel has passed by then. */
const isIcmpv6 = (type: number): Expression[] => [
  ...isFamily('ipv6'),
  loadMeta('protocol', 1),
  equals(1, Uint8Array.of(IPPROTO_ICMPV6)),
  loadPayload('transport', 0, 1, 1),
  equals(1, Uint8Array.of(type)),
];
const within6 = ([offset, length]: Place, prefix: string): Expression[] => {
  const { bytes, length: bits } = parsePrefixOctets(prefix)!;
  const register: Register = 1;
  return [
    loadPayload('network', offset, length, register),
    ...(bits === length * 8 ? [] : [masked(register, maskOf(bits, length))]),
    equals(register, bytes),
  ];
};

export const RULES: readonly (readonly Expression[])[] = [
  [loadMeta('inputName', 1), isNotIn(LINKS.name, 1), verdict('accept')],
  [...isFamily('ipv4'), ...pair('ipv4'), verdict('accept')],
  [...isFamily('ipv6'), ...pair('ipv6'), verdict('accept')],
  [...isIcmpv6(ND_ROUTER_ADVERTISEMENT), count('advertisement'), verdict('drop')],
  ...MULTICAST_LISTENER.map((type) => [
    ...isIcmpv6(type),
    ...within6(SOURCE.ipv6, 'fe80::/10'),
    ...within6(DESTINATION6, 'ff02::/16'),
    verdict('accept'),
  ]),
  [...isFamily('ipv6'), ...within6(SOURCE.ipv6, 'fe80::/10'), count('linkLocal'), verdict('drop')],
  [
    ...isFamily('ipv6'),
    ...within6(SOURCE.ipv6, '::/128'),
    ...within6(DESTINATION6, 'ff02::/16'),
    verdict('accept'),
  ],
  [count('source'), verdict('drop')],
];

/** In place of the table that is there. */
export function writeTable(batch: Batch, sources: readonly PodSource[]): void {
  // To delete one that is not there would be an error.
  batch.addTable();
  batch.deleteTable();
  batch.addTable();
  for (const counter of COUNTERS) batch.addCounter(counter);
  const sets = [LINKS, ...Object.values(PAIRS)];
  for (const set of sets) batch.addSet(set);
  batch.addChain({ name: CHAIN, hook: HOOK_PREROUTING, priority: PRIORITY_RAW, policy: 'accept' });
  for (const rule of RULES) batch.addRule(CHAIN, rule);
  writeChanges(
    batch,
    sources.map(({ link, addresses }) => ({ link, after: addresses })),
  );
}

/** The difference, as elements of the sets. */
export function writeChanges(batch: Batch, changes: readonly SourceChange[]): void {
  const gone = new Elements();
  const come = new Elements();
  for (const { link, before, after } of changes) {
    if (before === undefined && after !== undefined) come.addLink(link);
    if (before !== undefined && after === undefined) gone.addLink(link);
    for (const address of before ?? []) if (!after?.includes(address)) gone.addPair(link, address);
    for (const address of after ?? []) if (!before?.includes(address)) come.addPair(link, address);
  }
  for (const [set, keys] of gone.all()) batch.deleteElements(set, keys);
  for (const [set, keys] of come.all()) batch.addElements(set, keys);
}

class Elements {
  readonly #links: Uint8Array[] = [];
  readonly #pairs: Readonly<Record<Family, Uint8Array[]>> = { ipv4: [], ipv6: [] };

  addLink(link: string): void {
    this.#links.push(key(link, new Uint8Array()));
  }

  addPair(link: string, address: string): void {
    const octets = parseOctets(address);
    if (octets === undefined) throw new RangeError(`'${address}' of ${link} is no IP address`);
    this.#pairs[familyOf(address)].push(key(link, octets));
  }

  all(): [SetShape, readonly Uint8Array[]][] {
    const { ipv4, ipv6 } = this.#pairs;
    return [
      [LINKS, this.#links],
      [PAIRS.ipv4, ipv4],
      [PAIRS.ipv6, ipv6],
    ];
  }
}

/** The name with zeros behind it, then the address. */
function key(link: string, address: Uint8Array): Uint8Array {
  const octets = new Uint8Array(NAME_BYTES + address.length);
  new TextEncoder().encodeInto(link, octets.subarray(0, NAME_BYTES - 1));
  octets.set(address, NAME_BYTES);
  return octets;
}

/** What the keys of the sets say. */
export function readTable(links: readonly Uint8Array[], pairs: readonly Uint8Array[]): PodSource[] {
  const found = new Map<string, string[]>(links.map((octets) => [nameIn(octets), []]));
  for (const octets of pairs)
    found.get(nameIn(octets))?.push(formatOctets(octets, NAME_BYTES, octets.length - NAME_BYTES));
  return [...found].map(([link, addresses]) => ({ link, addresses }));
}

const nameIn = (octets: Uint8Array): string =>
  new TextDecoder().decode(octets.subarray(0, NAME_BYTES)).replace(/\0.*/s, '');

function maskOf(bits: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (0xff00 >> Math.min(8, Math.max(0, bits - i * 8))) & 0xff);
}
