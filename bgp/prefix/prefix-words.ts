// Addresses and prefixes between text and 32-bit words, for the edges of the library (configuration, status).
// Text out is canonical: dotted quads, RFC 5952 for IPv6. Hot paths never come here.
import type { FamilyIndex } from '../family.ts';

/** An address as signed 32-bit words: one for IPv4, four for IPv6, most significant first. */
export interface Address {
  readonly family: FamilyIndex;
  readonly words: readonly number[];
}

export interface Prefix extends Address {
  readonly length: number;
}

/** Undefined when `text` is no address. A zone ('%eth0') is not allowed here. */
export function parseAddress(text: string): Address | undefined {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

/** Undefined when `text` is no prefix. Host bits are cleared. */
export function parsePrefix(text: string): Prefix | undefined {
  const slash = text.indexOf('/');
  if (slash < 0) return undefined;
  const address = parseAddress(text.slice(0, slash));
  const lengthText = text.slice(slash + 1);
  if (address === undefined || !/^\d{1,3}$/.test(lengthText)) return undefined;
  const length = Number(lengthText);
  if (length > address.words.length * 32) return undefined;
  return { family: address.family, words: address.words.map((w, i) => w & mask(length - i * 32)), length };
}

/** A 32-bit mask of the first `bits` bits; any number is allowed. */
export function mask(bits: number): number {
  return bits <= 0 ? 0 : bits >= 32 ? -1 : -1 << (32 - bits);
}

export function formatAddress(words: readonly number[]): string {
  return words.length === 1 ? formatIpv4(words[0]!) : formatIpv6(words);
}

/** A router id, an originator, any 32-bit number as a dotted quad. */
export function formatIpv4(word: number): string {
  return `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`;
}

/** @param bytes 4 or 16 bytes at [at, at+4) or [at, at+16) */
export function formatBytes(bytes: Uint8Array, at: number, length: 4 | 16): string {
  const words: number[] = [];
  for (let i = at; i < at + length; i += 4) words.push(wordAt(bytes, i));
  return formatAddress(words);
}

export function addressBytes(address: Address): Uint8Array {
  const out = new Uint8Array(address.words.length * 4);
  address.words.forEach((w, i) => {
    out[i * 4] = w >>> 24;
    out[i * 4 + 1] = w >>> 16;
    out[i * 4 + 2] = w >>> 8;
    out[i * 4 + 3] = w;
  });
  return out;
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}

function parseIpv4(text: string): Address | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return undefined;
  let word = 0;
  for (let i = 1; i <= 4; i++) {
    const byte = Number(match[i]);
    if (byte > 255) return undefined;
    word = (word << 8) | byte;
  }
  return { family: 0, words: [word] };
}

function parseIpv6(text: string): Address | undefined {
  let rest = text;
  const lastColon = rest.lastIndexOf(':');
  if (rest.includes('.')) {
    const v4 = parseIpv4(rest.slice(lastColon + 1));
    if (v4 === undefined) return undefined;
    const word = v4.words[0]!;
    rest = `${rest.slice(0, lastColon + 1)}${(word >>> 16).toString(16)}:${(word & 0xffff).toString(16)}`;
  }
  const halves = rest.split('::');
  if (halves.length > 2) return undefined;
  const head = halves[0] === '' ? [] : halves[0]!.split(':');
  const tail = halves.length < 2 || halves[1] === '' ? [] : halves[1]!.split(':');
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const groups = [...head, ...Array<string>(Math.max(missing, 0)).fill('0'), ...tail];
  if (groups.length !== 8 || !groups.every((g) => /^[0-9a-fA-F]{1,4}$/.test(g))) return undefined;
  const n = groups.map((g) => Number.parseInt(g, 16));
  return { family: 1, words: [0, 2, 4, 6].map((i) => (n[i]! << 16) | n[i + 1]!) };
}

function formatIpv6(words: readonly number[]): string {
  const groups: number[] = [];
  for (const w of words) groups.push(w >>> 16, w & 0xffff);
  if (words[0] === 0 && words[1] === 0 && words[2] === 0xffff) return `::ffff:${formatIpv4(words[3]!)}`;
  // RFC 5952: the longest run of zeros of at least two groups becomes '::', the first of equals.
  let best = -1;
  let bestLength = 1;
  for (let i = 0; i < 8; i++) {
    let j = i;
    while (j < 8 && groups[j] === 0) j++;
    if (j - i > bestLength) {
      best = i;
      bestLength = j - i;
    }
    if (j > i) i = j;
  }
  const hex = (from: number, to: number): string =>
    groups
      .slice(from, to)
      .map((g) => g.toString(16))
      .join(':');
  return best < 0 ? hex(0, 8) : `${hex(0, best)}::${hex(best + bestLength, 8)}`;
}
