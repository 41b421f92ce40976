// One record of the journal: 512 bytes, so that a record never shares a disk sector, integers big-endian.
//
//    0  4  'PRJ1'
//    4  1  type: 1 file head, 2 allocate, 3 release, 4 block held, 5 block given back
//    5  1  families present: bit 0 IPv4, bit 1 IPv6
//    6  1  prefix length (types 4, 5)
//    7  1  0
//    8  8  wall clock, ms
//   16  4  IPv4 address (network of a block)
//   20 16  IPv6 address
//   36 16  owner key
//   52 12  0
//   64 444 texts, each: 1 byte length, UTF-8
//            head: node name · allocate, release: containerId, ifname, network, pod namespace, pod name,
//            pod UID · block: pool
//  508  4  CRC-32 of bytes 0..507
//
// The owner key is what identifies. The texts are for people, and the last are cut short when they do not fit; what says which
// Pod it is would say another one then, and is left out.
import { crc32 } from 'node:zlib';
import { addressToBytes, formatOctets, parseOctets, parsePrefix } from '#ip';
import { OWNER_KEY_BYTES } from './owner-key.ts';
import type { Addresses, Owner } from './types.ts';

export const RECORD_BYTES = 512;
const MAGIC = 0x50524a31;
const TEXT_START = 64;
const CRC_START = RECORD_BYTES - 4;
const TYPES = { head: 1, allocate: 2, release: 3, holdBlock: 4, returnBlock: 5 } as const;

export type JournalRecord =
  | { readonly type: 'head'; readonly node: string; readonly atMs: number }
  | {
      readonly type: 'allocate' | 'release';
      readonly key: string;
      readonly owner: Owner;
      readonly addresses: Addresses;
      readonly atMs: number;
    }
  | {
      readonly type: 'holdBlock' | 'returnBlock';
      readonly cidr: string;
      readonly pool: string | undefined;
      readonly atMs: number;
    };

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Writes the record to bytes [offset, offset + 512), which must be zero. */
export function encodeRecord(record: JournalRecord, bytes: Uint8Array, offset: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, RECORD_BYTES);
  view.setUint32(0, MAGIC);
  view.setUint8(4, TYPES[record.type]);
  view.setBigUint64(8, BigInt(Math.max(0, Math.trunc(record.atMs))));
  const body = bytes.subarray(offset, offset + CRC_START);
  switch (record.type) {
    case 'head':
      putTexts(body, [record.node]);
      break;
    case 'allocate':
    case 'release': {
      const { owner, addresses } = record;
      view.setUint8(5, (addresses.ipv4 === undefined ? 0 : 1) | (addresses.ipv6 === undefined ? 0 : 2));
      putAddress(body, 16, addresses.ipv4);
      putAddress(body, 20, addresses.ipv6);
      body.set(Buffer.from(record.key, 'hex'), 36);
      putTexts(
        body,
        [owner.containerId, owner.ifname, owner.network],
        [owner.podNamespace ?? '', owner.podName ?? '', owner.podUid ?? ''],
      );
      break;
    }
    case 'holdBlock':
    case 'returnBlock': {
      const prefix = parsePrefix(record.cidr);
      if (prefix === undefined) throw new RangeError(`journal: block ${record.cidr} is not a CIDR`);
      view.setUint8(5, prefix.family === 'ipv4' ? 1 : 2);
      view.setUint8(6, prefix.length);
      body.set(addressToBytes(prefix), prefix.family === 'ipv4' ? 16 : 20);
      putTexts(body, [record.pool ?? '']);
      break;
    }
  }
  view.setUint32(CRC_START, crc32(body));
}

/** Undefined when the 512 bytes at offset are no whole record. */
export function decodeRecord(bytes: Uint8Array, offset: number): JournalRecord | undefined {
  if (bytes.length < offset + RECORD_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, RECORD_BYTES);
  const body = bytes.subarray(offset, offset + CRC_START);
  if (view.getUint32(0) !== MAGIC || view.getUint32(CRC_START) !== crc32(body)) return undefined;
  const atMs = Number(view.getBigUint64(8));
  const families = view.getUint8(5);
  const texts = readTexts(body);
  const ipv4 = (families & 1) === 0 ? undefined : formatOctets(body, 16, 4);
  const ipv6 = (families & 2) === 0 ? undefined : formatOctets(body, 20, 16);
  switch (view.getUint8(4)) {
    case TYPES.head:
      return { type: 'head', node: texts[0] ?? '', atMs };
    case TYPES.allocate:
    case TYPES.release:
      return {
        type: view.getUint8(4) === TYPES.allocate ? 'allocate' : 'release',
        key: Buffer.from(body.subarray(36, 36 + OWNER_KEY_BYTES)).toString('hex'),
        owner: {
          containerId: texts[0] ?? '',
          ifname: texts[1] ?? '',
          network: texts[2] ?? '',
          ...(texts[3] ? { podNamespace: texts[3] } : {}),
          ...(texts[4] ? { podName: texts[4] } : {}),
          ...(texts[5] ? { podUid: texts[5] } : {}),
        },
        addresses: { ...(ipv4 === undefined ? {} : { ipv4 }), ...(ipv6 === undefined ? {} : { ipv6 }) },
        atMs,
      };
    case TYPES.holdBlock:
    case TYPES.returnBlock:
      return {
        type: view.getUint8(4) === TYPES.holdBlock ? 'holdBlock' : 'returnBlock',
        cidr: `${ipv4 ?? ipv6}/${view.getUint8(6)}`,
        pool: texts[0] === '' ? undefined : texts[0],
        atMs,
      };
    default:
      return undefined;
  }
}

function putAddress(body: Uint8Array, at: number, text: string | undefined): void {
  if (text === undefined) return;
  const address = parseOctets(text);
  if (address === undefined) throw new RangeError(`journal: ${text} is not an IP address`);
  body.set(address, at);
}

/** @param whole behind the others: each as it is, or not at all */
function putTexts(body: Uint8Array, texts: readonly string[], whole: readonly string[] = []): void {
  let at = TEXT_START;
  for (const [i, given] of [...texts, ...whole].entries()) {
    if (at >= CRC_START) return;
    const room = Math.min(255, CRC_START - at - 1);
    const isLeftOut = i >= texts.length && encoder.encode(given).length > room;
    const text = isLeftOut ? '' : given;
    body[at] = encoder.encodeInto(text, body.subarray(at + 1, at + 1 + room)).written;
    at += 1 + body[at]!;
  }
}

function readTexts(body: Uint8Array): string[] {
  const texts: string[] = [];
  for (let at = TEXT_START; at < CRC_START; ) {
    const end = at + 1 + body[at]!;
    if (end > CRC_START) break;
    texts.push(decoder.decode(body.subarray(at + 1, end)));
    at = end;
  }
  return texts;
}
