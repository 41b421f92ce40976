// The one reader and the one printer of addresses as text. What is read is what RFC 4291 §2.2 and RFC 3986 (dec-octet:
// no leading zeros) allow, without a zone; what is printed is RFC 5952: lower case, the first longest run of zeros
// as '::', and dots in IPv4-mapped addresses (§5). Nothing is allocated but the result.

const COLON = 58;
const DOT = 46;

/** Read and written by one call at a time. */
const octets = new Uint8Array(16);
const groups = new Uint16Array(8);

/** 4 or 16 octets; undefined when the text is no address. */
export function parseOctets(text: string): Uint8Array | undefined {
  if (text.includes(':')) return parseIpv6(text);
  const word = ipv4From(text, 0);
  return word < 0 ? undefined : Uint8Array.of(word >>> 24, word >>> 16, word >>> 8, word);
}

/** The unsigned 32-bit number of a dotted quad; undefined when it is none. Router IDs are read so, too. */
export function parseIpv4(text: string): number | undefined {
  const word = ipv4From(text, 0);
  return word < 0 ? undefined : word;
}

/** 16 octets; undefined when the text is no IPv6 address. */
export function parseIpv6(text: string): Uint8Array | undefined {
  return readIpv6(text) ? new Uint8Array(octets) : undefined;
}

/** The dotted quad that the text ends with, as an unsigned number; -1 when it is none. */
function ipv4From(text: string, start: number): number {
  let address = 0;
  let octet = -1;
  let dots = 0;
  for (let i = start; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === DOT) {
      if (octet < 0 || ++dots > 3) return -1;
      address = address * 256 + octet;
      octet = -1;
      continue;
    }
    const digit = code - 48;
    if (digit < 0 || digit > 9 || octet === 0) return -1;
    octet = octet < 0 ? digit : octet * 10 + digit;
    if (octet > 255) return -1;
  }
  return dots === 3 && octet >= 0 ? address * 256 + octet : -1;
}

/** Into `octets`; false when it is none. */
function readIpv6(text: string): boolean {
  let at = 0;
  /** Where '::' stands, in octets. */
  let gap = -1;
  let i = 0;
  if (text.startsWith('::')) {
    gap = 0;
    i = 2;
  }
  while (at < 16 && !(gap === at && i === text.length)) {
    const start = i;
    let group = 0;
    for (let digit = hexDigit(text, i); digit >= 0; digit = hexDigit(text, i)) {
      if (i - start === 4) return false;
      group = group * 16 + digit;
      i++;
    }
    if (i === start) return false;
    if (text.charCodeAt(i) === DOT) {
      const word = at > 12 ? -1 : ipv4From(text, start);
      if (word < 0) return false;
      octets[at++] = word >>> 24;
      octets[at++] = word >>> 16;
      i = text.length;
      group = word & 0xffff;
    }
    octets[at++] = group >>> 8;
    octets[at++] = group;
    if (i === text.length) break;
    if (text.charCodeAt(i++) !== COLON || i === text.length) return false;
    if (text.charCodeAt(i) !== COLON) continue;
    if (gap >= 0) return false;
    gap = at;
    i++;
  }
  if (i !== text.length) return false;
  if (gap < 0) return at === 16;
  if (at > 14) return false; // '::' stands for one group of zeros at least
  octets.copyWithin(16 - (at - gap), gap, at);
  octets.fill(0, gap, 16 - (at - gap));
  return true;
}

/** -1 behind the end, too. */
function hexDigit(text: string, at: number): number {
  const code = text.charCodeAt(at);
  if (code >= 48 && code <= 57) return code - 48;
  const letter = code | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}

/** Of a 32-bit word, signed or not. */
export function formatIpv4(word: number): string {
  return `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`;
}

/** Of four 32-bit words, signed or not. */
export function formatIpv6(word0: number, word1: number, word2: number, word3: number): string {
  if (word0 === 0 && word1 === 0 && word2 === 0xffff) return `::ffff:${formatIpv4(word3)}`;
  groups[0] = word0 >>> 16;
  groups[1] = word0;
  groups[2] = word1 >>> 16;
  groups[3] = word1;
  groups[4] = word2 >>> 16;
  groups[5] = word2;
  groups[6] = word3 >>> 16;
  groups[7] = word3;
  let runStart = -1;
  let runLength = 1; // one group of zeros is not shortened (RFC 5952 §4.2.2)
  for (let i = 0; i < 8; i++) {
    const start = i;
    while (i < 8 && groups[i] === 0) i++;
    if (i - start <= runLength) continue;
    runStart = start;
    runLength = i - start;
  }
  let text = '';
  for (let i = 0; i < 8; i++) {
    if (i === runStart) {
      text += '::';
      i += runLength - 1;
    } else {
      if (i > 0 && i !== runStart + runLength) text += ':';
      text += groups[i]!.toString(16);
    }
  }
  return text;
}

/** @param width octets of the address: 4, else 16 are read */
export function formatOctets(bytes: Uint8Array, at: number, width: number): string {
  return width === 4
    ? `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`
    : formatIpv6(wordAt(bytes, at), wordAt(bytes, at + 4), wordAt(bytes, at + 8), wordAt(bytes, at + 12));
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}

/** The prefix length that the text ends with: 0 to `most` without leading zeros; -1 when it is none. */
export function prefixLengthFrom(text: string, start: number, most: number): number {
  let length = -1;
  for (let i = start; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9 || length === 0) return -1;
    length = length < 0 ? digit : length * 10 + digit;
    if (length > most) return -1;
  }
  return length;
}
