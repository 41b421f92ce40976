// Which TCP MD5 keys (RFC 2385) a listening socket must carry, from the neighbours that have one. Pure. Linux keeps one
// key for an address or prefix of a socket, whatever the link, and bounds all of them together (net.core.optmem_max):
// neighbours that share an address share an entry, and many that share a password share prefixes.
import { clearHostBits, familyIndex, formatPrefixOctets, parsePrefixOctets, sameBits } from '#ip';

/** Who connects from this prefix must sign with the secret; undefined: must not need to. */
export interface KeyWish {
  /** Of the neighbour or range. */
  readonly id: string;
  /** Canonical; of a neighbour: its address with all bits. */
  readonly prefix: string;
  readonly secret: string | undefined;
  /** It is never dialled: without its key on the listener there is no session. */
  readonly isPassive: boolean;
}

export interface ListenKey {
  readonly secret: string;
  /** Who connects with it: they are held down when it cannot be set. */
  readonly ids: Set<string>;
}

/** From this many neighbours with one password on they share prefixes: 20 kB of optmem_max are about 100 keys. */
export const SHARE_FROM = 32;

interface Place {
  readonly bytes: Uint8Array;
  readonly length: number;
  readonly secret: string | undefined;
  readonly ids: readonly string[];
}

/**
 * By prefix. Of several neighbours with one address the first with a secret decides, as long as it is there: the others
 * can be dialled with theirs.
 *
 * @param outdone told of each other one whose secret is different
 */
export function listenKeys(
  wishes: Iterable<KeyWish>,
  outdone: (wish: KeyWish) => void = () => {},
): Map<string, ListenKey> {
  const keys = new Map<string, ListenKey>();
  const open = new Set<string>();
  for (const wish of wishes) {
    const { id, prefix, secret } = wish;
    const known = keys.get(prefix);
    if (secret === undefined) {
      if (known === undefined) open.add(prefix);
    } else if (known === undefined) {
      open.delete(prefix);
      keys.set(prefix, { secret, ids: new Set([id]) });
    } else if (known.secret === secret) {
      known.ids.add(id);
    } else {
      outdone(wish);
    }
  }
  const groups = Map.groupBy(
    [...keys].map(placeOf).filter((place) => isHost(place)),
    ({ secret }) => secret!,
  );
  const large = [...groups].filter(([, hosts]) => hosts.length >= SHARE_FROM);
  const sharing = large.flatMap(([, hosts]) => hosts);
  for (const { bytes } of sharing) keys.delete(textOf(bytes, bytes.length * 8));
  // Who has a key of an own address is found by that: only these can be in the way.
  const others = [
    ...[...open].map((text) => placeOf([text])),
    ...[...keys].map(placeOf).filter(isRange),
    ...sharing,
  ];
  for (const [secret, hosts] of large) {
    const foreign = others.filter((other) => other.secret !== secret);
    for (const width of [4, 16]) {
      const ofWidth = hosts.filter(({ bytes }) => bytes.length === width).sort(byBytes);
      share(ofWidth, foreign, secret, keys);
    }
  }
  return keys;
}

/** The longest prefix that the kernel finds for an address. */
export function keyOf(keys: ReadonlyMap<string, ListenKey>, hostPrefix: string): ListenKey | undefined {
  const { bytes } = placeOf([hostPrefix]);
  let found: ListenKey | undefined;
  let longest = -1;
  for (const [text, key] of keys) {
    const place = placeOf([text]);
    if (place.length <= longest || place.bytes.length !== bytes.length) continue;
    if (!sameBits(place.bytes, 0, bytes, 0, place.length)) continue;
    found = key;
    longest = place.length;
  }
  return found;
}

/** The shortest prefixes that hold these hosts (sorted) and nobody who connects without this secret. */
function share(
  hosts: readonly Place[],
  others: readonly Place[],
  secret: string,
  keys: Map<string, ListenKey>,
): void {
  const [first] = hosts;
  if (first === undefined) return;
  const length = commonBits(first.bytes, hosts.at(-1)!.bytes);
  const inTheWay = others.filter(
    (other) =>
      other.bytes.length === first.bytes.length &&
      sameBits(other.bytes, 0, first.bytes, 0, Math.min(other.length, length)),
  );
  if (hosts.length === 1 || inTheWay.length === 0) {
    const ids = new Set(hosts.flatMap((host) => host.ids));
    keys.set(textOf(first.bytes, length), { secret, ids });
    return;
  }
  const middle = hosts.findIndex((host) => commonBits(first.bytes, host.bytes) === length);
  share(hosts.slice(0, middle), inTheWay, secret, keys);
  share(hosts.slice(middle), inTheWay, secret, keys);
}

function placeOf([text, key]: readonly [string, ListenKey?]): Place {
  const { bytes, length } = parsePrefixOctets(text)!;
  return { bytes, length, secret: key?.secret, ids: [...(key?.ids ?? [])] };
}

const isHost = ({ bytes, length }: Place): boolean => length === bytes.length * 8;
const isRange = (place: Place): boolean => !isHost(place);
const byBytes = (a: Place, b: Place): number => Buffer.compare(a.bytes, b.bytes);

function commonBits(a: Uint8Array, b: Uint8Array): number {
  let length = a.length * 8;
  while (!sameBits(a, 0, b, 0, length)) length--;
  return length;
}

function textOf(address: Uint8Array, length: number): string {
  const bytes = Uint8Array.from(address);
  clearHostBits(bytes, length);
  return formatPrefixOctets(familyIndex(bytes.length === 4 ? 'ipv4' : 'ipv6'), bytes, 0, length);
}
