// Who is who: finds the configured neighbour, or the range, that an accepted connection belongs to.
import {
  clearHostBits,
  familyIndex,
  formatPrefixOctets,
  parseOctets,
  parsePrefixOctets,
  type PrefixOctets,
  sameBits,
  withZone,
} from '#ip';
import type { PeerConfig } from '../../config.ts';
import type { KeyRefusal } from '../fsm/cause.ts';
import type { Peer } from '../peer.ts';

/** IANA's. */
const BGP_PORT = 179;

export interface Range {
  config: PeerConfig;
  readonly prefix: RangePrefix;
  maxPeers: number;
  /** By address (with %device for link-local ones); at most maxPeers. */
  readonly peers: Map<string, Peer>;
  /** The date. */
  readonly sinceMs: number;
  readonly sinceMonotonicMs: number;
  /** Its key is on no listener: nobody is taken. */
  keyRefusal?: KeyRefusal | undefined;
  /** Connections that found no place. */
  refused: number;
}

interface RangePrefix extends PrefixOctets {
  /** Canonical, without host bits. */
  readonly text: string;
}

export class Neighbours {
  /** Several neighbours may share an address when their ports or local addresses differ. */
  readonly #byAddress = new Map<string, Peer[]>();
  /** Longest prefix first. */
  #ranges: Range[] = [];

  add(peer: Peer): void {
    this.check(peer.config);
    const { address } = peer.origin;
    this.#byAddress.set(address, [...(this.#byAddress.get(address) ?? []), peer]);
  }

  /** Throws when another neighbour has the same address and port towards the same local address, or another range the same prefix. */
  check({ id, remote, localAddress }: PeerConfig): void {
    if (remote.kind === 'range') {
      const { text } = parseRange(remote.prefix);
      const clash = this.#ranges.find((other) => other.prefix.text === text && other.config.id !== id);
      if (clash === undefined) return;
      throw new Error(`peer ${id}: range ${text} is already that of peer ${clash.config.id}`);
    }
    const { address, port, device } = remote;
    const clash = this.#byAddress
      .get(address)
      ?.find(
        (other) =>
          other.id !== id &&
          other.origin.device === device &&
          other.origin.port === port &&
          (other.config.localAddress === undefined ||
            localAddress === undefined ||
            other.config.localAddress === localAddress),
      );
    if (clash === undefined) return;
    throw new Error(`peer ${id}: ${withZone(address, device)} is already the neighbour of peer ${clash.id}`);
  }

  remove(peer: Peer): void {
    const rest = (this.#byAddress.get(peer.origin.address) ?? []).filter((other) => other !== peer);
    if (rest.length === 0) this.#byAddress.delete(peer.origin.address);
    else this.#byAddress.set(peer.origin.address, rest);
  }

  addRange(range: Range): void {
    this.check(range.config);
    this.#ranges = [...this.#ranges, range].sort((a, b) => b.prefix.length - a.prefix.length);
  }

  removeRange(range: Range): void {
    this.#ranges = this.#ranges.filter((other) => other !== range);
  }

  /**
   * An exact address first (RFC 4271 has only those), then the longest range. Of several neighbours on one address, told
   * apart by the port that is dialled, the one that waits to be called is meant, else the one on BGP's own port: the
   * others are reached by dialling them.
   */
  find(address: string, localAddress: string, device: string | undefined): Peer | Range | undefined {
    const peers = this.#byAddress.get(address) ?? [];
    const matches = peers.filter(
      (peer) => device === undefined || peer.origin.device === undefined || peer.origin.device === device,
    );
    const local = matches.filter((peer) => peer.config.localAddress === localAddress);
    const anywhere = matches.filter((peer) => peer.config.localAddress === undefined);
    const [likely = []] = [local, anywhere, matches].filter((list) => list.length > 0);
    if (new Set(likely.map((peer) => peer.origin.port)).size > 1) {
      return (
        likely.find((peer) => peer.config.passive) ?? likely.find((peer) => peer.origin.port === BGP_PORT)
      );
    }
    const [exact] = likely;
    if (exact !== undefined) return exact;
    const bytes = parseOctets(address);
    if (bytes === undefined) return undefined;
    return this.#ranges.find((range) => contains(range.prefix, bytes));
  }
}

/** 'address/length'. Throws when the text is none. */
export function parseRange(text: string): RangePrefix {
  const prefix = text.includes('/') ? parsePrefixOctets(text) : undefined;
  if (prefix === undefined) throw new Error(`'${text}' is not a prefix such as 10.0.0.0/8 or fd00::/64`);
  clearHostBits(prefix.bytes, prefix.length);
  const canonical = formatPrefixOctets(familyIndex(prefix.family), prefix.bytes, 0, prefix.length);
  return { ...prefix, text: canonical };
}

function contains({ bytes, length }: RangePrefix, address: Uint8Array): boolean {
  return bytes.length === address.length && sameBits(bytes, 0, address, 0, length);
}
