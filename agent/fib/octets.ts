// Prefixes between canonical text and bytes, for the edges of the FIB: its tables hold bytes, the plan, the log and
// the status speak text. Input comes from validated sources; anything else throws.

export type FamilyIndex = 0 | 1;
export const FAMILY_NAMES = ['ipv4', 'ipv6'] as const;
/** Bytes of an address, by family index. */
export const WIDTHS = [4, 16] as const;

export interface ParsedPrefix {
  readonly family: FamilyIndex;
  /** 4 or 16 bytes, host bits as given. */
  readonly bytes: Uint8Array;
  readonly length: number;
}

/** '10.0.0.0/24' or 'fd00::/64'; a bare address is a host prefix. Throws a RangeError that shows the text. */
export function parsePrefix(text: string): ParsedPrefix {
  const slash = text.indexOf('/');
  const bytes = parseAddress(slash < 0 ? text : text.slice(0, slash));
  const bits = bytes.length * 8;
  const length = slash < 0 ? bits : Number(text.slice(slash + 1));
  if (!Number.isInteger(length) || length < 0 || length > bits) throw new RangeError(`not a prefix: ${text}`);
  return { family: bytes.length === 4 ? 0 : 1, bytes, length };
}

/** 4 or 16 bytes. Throws a RangeError that shows the text. */
export function parseAddress(text: string): Uint8Array {
  const bytes = text.includes(':') ? parseIpv6(text) : parseIpv4(text);
  if (bytes === undefined) throw new RangeError(`not an address: ${text}`);
  return bytes;
}

function parseIpv4(text: string): Uint8Array | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  const numbers = parts.map((part) => (/^\d{1,3}$/.test(part) ? Number(part) : 256));
  return numbers.every((n) => n < 256) ? Uint8Array.from(numbers) : undefined;
}

function parseIpv6(text: string): Uint8Array | undefined {
  const lastColon = text.lastIndexOf(':');
  if (text.includes('.')) {
    const tail = parseIpv4(text.slice(lastColon + 1));
    if (tail === undefined) return undefined;
    const groups = [(tail[0]! << 8) | tail[1]!, (tail[2]! << 8) | tail[3]!].map((g) => g.toString(16));
    return parseIpv6(`${text.slice(0, lastColon + 1)}${groups.join(':')}`);
  }
  const [head = '', tail, ...more] = text.split('::');
  if (more.length > 0) return undefined;
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const missing = 8 - left.length - right.length;
  if (tail === undefined ? missing !== 0 : missing < 0) return undefined;
  const groups = [...left, ...Array.from({ length: missing }, () => '0'), ...right];
  const out = new Uint8Array(16);
  for (const [i, group] of groups.entries()) {
    if (!/^[0-9a-f]{1,4}$/i.test(group)) return undefined;
    const value = Number.parseInt(group, 16);
    out[i * 2] = value >>> 8;
    out[i * 2 + 1] = value & 255;
  }
  return out;
}

/** Canonical text of the address at bytes[at..). */
export function formatAddress(family: FamilyIndex, bytes: Uint8Array, at = 0): string {
  if (family === 0) return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`;
  const groups: number[] = [];
  for (let i = at; i < at + 16; i += 2) groups.push((bytes[i]! << 8) | bytes[i + 1]!);
  const { start, length } = longestZeroRun(groups);
  const text = (part: number[]) => part.map((group) => group.toString(16)).join(':');
  if (length < 2) return text(groups);
  return `${text(groups.slice(0, start))}::${text(groups.slice(start + length))}`;
}

/** The first of the longest runs of zero groups (RFC 5952 §4.2). */
function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let i = 0; i < groups.length; i++) {
    let end = i;
    while (groups[end] === 0) end++;
    if (end - i > best.length) best = { start: i, length: end - i };
    i = Math.max(i, end);
  }
  return best;
}

export function formatPrefix(family: FamilyIndex, bytes: Uint8Array, at: number, length: number): string {
  return `${formatAddress(family, bytes, at)}/${length}`;
}
