// IP addresses and prefixes between canonical text (RFC 5952, lower case) and bytes. Pure.
import type { Family } from './kernel.ts';

export interface ParsedPrefix {
  readonly family: Family;
  /** 4 or 16 bytes */
  readonly bytes: Uint8Array;
  readonly length: number;
}

/** 4 or 16 bytes; undefined when the text is no address (a zone, '%eth0', is none either). */
export function parseAddress(text: string): Uint8Array | undefined {
  return text.includes(':') ? parseIPv6(text) : parseIPv4(text);
}

/** '10.0.0.0/24'; without a length that of one address. undefined when it is no prefix. Host bits are kept. */
export function parsePrefix(text: string): ParsedPrefix | undefined {
  const slash = text.indexOf('/');
  const bytes = parseAddress(slash < 0 ? text : text.slice(0, slash));
  if (bytes === undefined) return undefined;
  const most = bytes.length * 8;
  const lengthText = slash < 0 ? String(most) : text.slice(slash + 1);
  if (!/^\d{1,3}$/.test(lengthText)) return undefined;
  const length = Number(lengthText);
  if (length > most) return undefined;
  return { family: bytes.length === 4 ? 'ipv4' : 'ipv6', bytes, length };
}

/** size is 4 or 16. */
export function formatAddress(bytes: Uint8Array, offset: number, size: number): string {
  if (size === 4) {
    return `${bytes[offset]}.${bytes[offset + 1]}.${bytes[offset + 2]}.${bytes[offset + 3]}`;
  }
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(((bytes[offset + i] ?? 0) << 8) | (bytes[offset + i + 1] ?? 0));
  const [from, count] = longestZeroRun(groups);
  const hex = (part: number[]) => part.map((group) => group.toString(16)).join(':');
  if (count < 2) return hex(groups);
  return `${hex(groups.slice(0, from))}::${hex(groups.slice(from + count))}`;
}

/** 'aa:bb:cc:dd:ee:ff' */
export function formatMac(bytes: Uint8Array, offset: number, size: number): string {
  const parts: string[] = [];
  for (let i = 0; i < size; i++) parts.push((bytes[offset + i] ?? 0).toString(16).padStart(2, '0'));
  return parts.join(':');
}

/** undefined when it is not six pairs of hexadecimal digits. */
export function parseMac(text: string): Uint8Array | undefined {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text)) return undefined;
  return Uint8Array.from(text.split(':'), (pair) => Number.parseInt(pair, 16));
}

function parseIPv4(text: string): Uint8Array | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  const bytes = new Uint8Array(4);
  for (const [i, part] of parts.entries()) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined;
    bytes[i] = Number(part);
  }
  return bytes;
}

function parseIPv6(text: string): Uint8Array | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0] ?? '', halves.length === 1);
  const tail = halves.length === 2 ? parseGroups(halves[1] ?? '', true) : [];
  if (head === undefined || tail === undefined) return undefined;
  const given = head.length + tail.length;
  if (halves.length === 1 ? given !== 16 : given > 14) return undefined;
  const bytes = new Uint8Array(16);
  bytes.set(head, 0);
  bytes.set(tail, 16 - tail.length);
  return bytes;
}

/** Bytes of groups between colons; the last may be an IPv4 address when it ends the text. */
function parseGroups(text: string, endsText: boolean): number[] | undefined {
  if (text === '') return [];
  const bytes: number[] = [];
  const groups = text.split(':');
  for (const [i, group] of groups.entries()) {
    if (endsText && i === groups.length - 1 && group.includes('.')) {
      const embedded = parseIPv4(group);
      if (embedded === undefined) return undefined;
      bytes.push(...embedded);
      continue;
    }
    if (!/^[0-9a-f]{1,4}$/i.test(group)) return undefined;
    const value = Number.parseInt(group, 16);
    bytes.push(value >> 8, value & 255);
  }
  return bytes;
}

/** The first of the longest runs of zero groups: [start, length]. */
function longestZeroRun(groups: readonly number[]): [number, number] {
  let best: [number, number] = [0, 0];
  for (let i = 0; i < groups.length; ) {
    let end = i;
    while (end < groups.length && groups[end] === 0) end++;
    if (end - i > best[1]) best = [i, end - i];
    i = end + 1;
  }
  return best;
}
