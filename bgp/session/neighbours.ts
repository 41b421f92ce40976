// Who is who: finds the configured neighbour, or the range, that an accepted connection belongs to.
import type { PeerConfig } from '../config.ts';
import { parseIpv4, parseIpv6 } from '../message/index.ts';
import type { Peer } from './peer.ts';

export interface Range {
  config: PeerConfig;
  readonly prefix: ParsedPrefix;
  maxPeers: number;
  /** By address (with %device for link-local ones); at most maxPeers. */
  readonly peers: Map<string, Peer>;
  readonly sinceMs: number;
  /** Connections that found no place. */
  refused: number;
}

export interface ParsedPrefix {
  readonly text: string;
  readonly bytes: Uint8Array;
  readonly length: number;
}

export class Neighbours {
  /** Several neighbours may share an address when their local addresses differ. */
  readonly #byAddress = new Map<string, Peer[]>();
  /** Longest prefix first. */
  #ranges: Range[] = [];

  /** Throws when another neighbour has the same address towards the same local address. */
  add(peer: Peer): void {
    const { address, device } = peer.origin;
    const others = this.#byAddress.get(address) ?? [];
    const clash = others.find(
      (other) =>
        other.origin.device === device &&
        (other.config.localAddress === undefined ||
          peer.config.localAddress === undefined ||
          other.config.localAddress === peer.config.localAddress),
    );
    if (clash !== undefined) {
      throw new Error(
        `peer ${peer.id}: ${address}${device === undefined ? '' : `%${device}`} is already the neighbour of peer ${clash.id}`,
      );
    }
    this.#byAddress.set(address, [...others, peer]);
  }

  remove(peer: Peer): void {
    const rest = (this.#byAddress.get(peer.origin.address) ?? []).filter((other) => other !== peer);
    if (rest.length === 0) this.#byAddress.delete(peer.origin.address);
    else this.#byAddress.set(peer.origin.address, rest);
  }

  addRange(range: Range): void {
    const clash = this.#ranges.find((other) => other.prefix.text === range.prefix.text);
    if (clash !== undefined) {
      throw new Error(
        `peer ${range.config.id}: range ${range.prefix.text} is already that of peer ${clash.config.id}`,
      );
    }
    this.#ranges = [...this.#ranges, range].sort((a, b) => b.prefix.length - a.prefix.length);
  }

  removeRange(range: Range): void {
    this.#ranges = this.#ranges.filter((other) => other !== range);
  }

  /** An exact address first (RFC 4271 has only those), then the longest range. */
  find(address: string, localAddress: string, device: string | undefined): Peer | Range | undefined {
    const peers = this.#byAddress.get(address) ?? [];
    const matches = peers.filter(
      (peer) => device === undefined || peer.origin.device === undefined || peer.origin.device === device,
    );
    const exact =
      matches.find((peer) => peer.config.localAddress === localAddress) ??
      matches.find((peer) => peer.config.localAddress === undefined) ??
      matches[0];
    if (exact !== undefined) return exact;
    const bytes = addressBytes(address);
    if (bytes === undefined) return undefined;
    return this.#ranges.find((range) => contains(range.prefix, bytes));
  }
}

/** Throws for anything but canonical address/length text. */
export function parsePrefix(text: string): ParsedPrefix {
  const slash = text.indexOf('/');
  const bytes = slash < 0 ? undefined : addressBytes(text.slice(0, slash));
  const length = Number(text.slice(slash + 1));
  if (bytes === undefined || !Number.isInteger(length) || length < 0 || length > bytes.length * 8) {
    throw new Error(`'${text}' is not a prefix such as 10.0.0.0/8 or fd00::/64`);
  }
  return { text, bytes, length };
}

function addressBytes(text: string): Uint8Array | undefined {
  if (text.includes(':')) return parseIpv6(text);
  const word = parseIpv4(text);
  return word === undefined ? undefined : Uint8Array.of(word >>> 24, word >>> 16, word >>> 8, word);
}

function contains(prefix: ParsedPrefix, address: Uint8Array): boolean {
  if (prefix.bytes.length !== address.length) return false;
  const whole = prefix.length >> 3;
  for (let i = 0; i < whole; i++) if (prefix.bytes[i] !== address[i]) return false;
  const bits = prefix.length & 7;
  if (bits === 0) return true;
  const mask = (0xff << (8 - bits)) & 0xff;
  return ((prefix.bytes[whole]! ^ address[whole]!) & mask) === 0;
}
