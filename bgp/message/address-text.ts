// Addresses between text and numbers, for configuration, logs and status. Text is canonical (RFC 5952).

import { readU16 } from './octets.ts';

export function formatIpv4(address: number): string {
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
}

/** Of four unsigned 32-bit words. */
export function formatIpv6(word0: number, word1: number, word2: number, word3: number): string {
  return compress([
    word0 >>> 16,
    word0 & 0xffff,
    word1 >>> 16,
    word1 & 0xffff,
    word2 >>> 16,
    word2 & 0xffff,
    word3 >>> 16,
    word3 & 0xffff,
  ]);
}

/** Of 16 octets. */
export function formatIpv6At(buf: Uint8Array, at: number): string {
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(readU16(buf, at + i));
  return compress(groups);
}

/** '::' takes the first longest run of at least two zero groups; IPv4-mapped addresses keep their dots. */
function compress(groups: readonly number[]): string {
  const [, , , , , mark, high, low] = groups as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  let runStart = -1;
  let runLength = 1;
  for (let i = 0; i < 8; i++) {
    let j = i;
    while (j < 8 && groups[j] === 0) j++;
    if (j - i > runLength) {
      runStart = i;
      runLength = j - i;
    }
    if (j > i) i = j;
  }
  if (runStart === 0 && runLength === 5 && mark === 0xffff) {
    return `::ffff:${formatIpv4(((high << 16) | low) >>> 0)}`;
  }
  const text = (from: number, to: number): string =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(':');
  if (runStart < 0) return text(0, 8);
  return `${text(0, runStart)}::${text(runStart + runLength, 8)}`;
}

/** Unsigned 32-bit number of a dotted quad without leading zeros; undefined when it is none. */
export function parseIpv4(text: string): number | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let address = 0;
  for (const part of parts) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined;
    address = address * 256 + Number(part);
  }
  return address;
}

/** Sixteen octets of an IPv6 address without a zone; undefined when it is none. */
export function parseIpv6(text: string): Uint8Array | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = groupsOf(halves[0]!, halves.length === 1);
  const tail = halves.length === 2 ? groupsOf(halves[1]!, true) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const bytes = new Uint8Array(16);
  let at = 0;
  for (const group of [...head, ...Array.from({ length: missing }, () => 0), ...tail]) {
    bytes[at++] = group >>> 8;
    bytes[at++] = group & 255;
  }
  return bytes;
}

function groupsOf(text: string, mayEndInIpv4: boolean): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [i, part] of parts.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      groups.push(Number.parseInt(part, 16));
      continue;
    }
    const embedded = mayEndInIpv4 && i === parts.length - 1 ? parseIpv4(part) : undefined;
    if (embedded === undefined) return undefined;
    groups.push(embedded >>> 16, embedded & 0xffff);
  }
  return groups;
}
