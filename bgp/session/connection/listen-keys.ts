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
  const bySecret = Map.groupBy([...keys], ([, { secret }]) => secret);
  for (const [secret, entries] of bySecret) {
    const hosts = entries.map(placeOf).filter(isHost);
    if (hosts.length < SHARE_FROM) continue;
    for (const { bytes } of hosts) keys.delete(textOf(bytes, bytes.length * 8));
    const others = [...open, ...rangesOf(keys, secret)].map((text) => placeOf([text, undefined]));
    for (const width of [4, 16]) {
      const ofWidth = hosts.filter(({ bytes }) => bytes.length === width).sort(byBytes);
      share(ofWidth, others, secret, keys);
    }
  }
  return keys;
}

/** The longest prefix that the kernel finds for an address. */
export function keyOf(keys: ReadonlyMap<string, ListenKey>, hostPrefix: string): ListenKey | undefined {
  const { bytes } = placeOf([hostPrefix, undefined]);
  let found: ListenKey | undefined;
  let longest = -1;
  for (const [text, key] of keys) {
    const place = placeOf([text, undefined]);
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

function rangesOf(keys: ReadonlyMap<string, ListenKey>, secret: string): string[] {
  return [...keys].flatMap((entry) =>
    entry[1].secret === secret || isHost(placeOf(entry)) ? [] : [entry[0]],
  );
}

function placeOf([text, key]: readonly [string, ListenKey | undefined]): Place {
  const { bytes, length } = parsePrefixOctets(text)!;
  return { bytes, length, ids: [...(key?.ids ?? [])] };
}

const isHost = ({ bytes, length }: Place): boolean => length === bytes.length * 8;
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
