// Addresses and prefixes as 32-bit words, as the RIB's columns hold them: text in and out at its edges, and the masks
// that its loops use.
import { type FamilyIndex, IPV4, IPV6 } from './family.ts';
import { formatIpv4, formatIpv6, parseIpv4, parseIpv6, prefixLengthFrom } from './text.ts';

/** An address as signed 32-bit words: one for IPv4, four for IPv6, most significant first. */
export interface AddressWords {
  readonly family: FamilyIndex;
  readonly words: readonly number[];
}

export interface PrefixWords extends AddressWords {
  readonly length: number;
}

/** Undefined when `text` is no address. */
export function parseAddressWords(text: string): AddressWords | undefined {
  if (!text.includes(':')) {
    const word = parseIpv4(text);
    return word === undefined ? undefined : { family: IPV4, words: [word | 0] };
  }
  const bytes = parseIpv6(text);
  if (bytes === undefined) return undefined;
  const view = new DataView(bytes.buffer);
  return { family: IPV6, words: [0, 4, 8, 12].map((at) => view.getInt32(at)) };
}

/** 'address/length'; undefined when `text` is no prefix. Host bits are cleared. */
export function parsePrefixWords(text: string): PrefixWords | undefined {
  const slash = text.indexOf('/');
  const address = slash < 0 ? undefined : parseAddressWords(text.slice(0, slash));
  if (address === undefined) return undefined;
  const length = prefixLengthFrom(text, slash + 1, address.words.length * 32);
  return length < 0 ? undefined : truncateWords(address, length);
}

/** The prefix of that length around an address. */
export function truncateWords({ family, words }: AddressWords, length: number): PrefixWords {
  return { family, words: words.map((word, i) => word & mask(length - i * 32)), length };
}

/** A 32-bit mask of the first `bits` bits; any number is allowed. */
export function mask(bits: number): number {
  return bits <= 0 ? 0 : bits >= 32 ? -1 : -1 << (32 - bits);
}

export function formatWords(words: readonly number[]): string {
  const [word0 = 0, word1 = 0, word2 = 0, word3 = 0] = words;
  return words.length === 1 ? formatIpv4(word0) : formatIpv6(word0, word1, word2, word3);
}

/** Of any number of words, in network order. */
export function octetsOfWords(words: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(words.length * 4);
  const view = new DataView(bytes.buffer);
  for (const [i, word] of words.entries()) view.setInt32(i * 4, word);
  return bytes;
}
