// UPDATE messages written by hand for tests, independent of the codec's encoders.
import { addressBytes, parseAddress, parsePrefix } from '../../prefix/prefix-words.ts';

export interface WireAttributes {
  readonly origin?: number;
  /** AS_SEQUENCE. */
  readonly path: readonly number[];
  readonly nextHop: string;
  readonly med?: number;
  readonly localPref?: number;
  /** Unsigned 32-bit each. */
  readonly communities?: readonly number[];
  readonly originator?: string;
  readonly clusterList?: readonly string[];
}

/** Prefixes with an optional path identifier: '10.0.0.0/8' or '10.0.0.0/8#7'. */
export type WirePrefix = string;

function u16(n: number): number[] {
  return [(n >>> 8) & 255, n & 255];
}

function u32(n: number): number[] {
  return [(n >>> 24) & 255, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];
}

function attribute(flags: number, type: number, value: readonly number[]): number[] {
  return value.length > 255
    ? [flags | 0x10, type, ...u16(value.length), ...value]
    : [flags, type, value.length, ...value];
}

function address(text: string): number[] {
  return [...addressBytes(parseAddress(text)!)];
}

function nlri(prefix: WirePrefix): number[] {
  const [text, id] = prefix.split('#');
  const p = parsePrefix(text!)!;
  const bytes = [...addressBytes(p)].slice(0, (p.length + 7) >> 3);
  return [...(id === undefined ? [] : u32(Number(id))), p.length, ...bytes];
}

function update(
  withdrawn: readonly number[],
  attributes: readonly number[],
  list: readonly number[],
): Buffer {
  const body = [...u16(withdrawn.length), ...withdrawn, ...u16(attributes.length), ...attributes, ...list];
  return Buffer.from([...Array<number>(16).fill(255), ...u16(19 + body.length), 2, ...body]);
}

/** All prefixes of one family. */
export function announceMessage(prefixes: readonly WirePrefix[], a: WireAttributes): Buffer {
  const list = prefixes.flatMap(nlri);
  const isClassic = !a.nextHop.includes(':') && !prefixes[0]!.includes(':');
  const path = a.path.length === 0 ? [] : [2, a.path.length, ...a.path.flatMap(u32)];
  const attributes = [
    ...(isClassic
      ? []
      : attribute(0x80, 14, [
          0,
          prefixes[0]!.includes(':') ? 2 : 1,
          1,
          address(a.nextHop).length,
          ...address(a.nextHop),
          0,
          ...list,
        ])),
    ...attribute(0x40, 1, [a.origin ?? 0]),
    ...attribute(0x40, 2, path),
    ...(isClassic ? attribute(0x40, 3, address(a.nextHop)) : []),
    ...(a.med === undefined ? [] : attribute(0x80, 4, u32(a.med))),
    ...(a.localPref === undefined ? [] : attribute(0x40, 5, u32(a.localPref))),
    ...(a.communities === undefined ? [] : attribute(0xc0, 8, a.communities.flatMap(u32))),
    ...(a.originator === undefined ? [] : attribute(0x80, 9, address(a.originator))),
    ...(a.clusterList === undefined ? [] : attribute(0x80, 10, a.clusterList.flatMap(address))),
  ];
  return update([], attributes, isClassic ? list : []);
}

export function withdrawMessage(prefixes: readonly WirePrefix[]): Buffer {
  const list = prefixes.flatMap(nlri);
  if (!prefixes[0]!.includes(':')) return update(list, [], []);
  return update([], attribute(0x80, 15, [0, 2, 1, ...list]), []);
}
