// What nf_tables says: counters and elements asked for, and notifications of changes. Pure.
import { Attributes, type Packet } from '../netlink/packet.ts';
import { HEADER_BYTES, type MessageWriter } from '../netlink/writer.ts';
import { netfilterHeader } from './batch.ts';
import {
  nft,
  NFPROTO_INET,
  NFT_OBJECT_COUNTER,
  NFTA_TABLE,
  nftaCounter,
  nftaData,
  nftaElement,
  nftaElements,
  nftaObject,
  nftaRule,
} from './numbers.ts';

const NFGENMSG_BYTES = 4;

/** The body of NFT_MSG_GETOBJ. */
export function encodeCounterName(writer: MessageWriter, table: string, name: string): void {
  netfilterHeader(writer, NFPROTO_INET, 0);
  writer.attributeText(nftaObject.table, table);
  writer.attributeText(nftaObject.name, name);
  writer.attributeBig32(nftaObject.type, NFT_OBJECT_COUNTER);
}

/** The body of NFT_MSG_GETSETELEM, for all that the set has. */
export function encodeSetName(writer: MessageWriter, table: string, set: string): void {
  netfilterHeader(writer, NFPROTO_INET, 0);
  writer.attributeText(nftaElements.table, table);
  writer.attributeText(nftaElements.set, set);
}

/** The keys of one message. */
export function decodeElements(packet: Packet, start: number, end: number): Uint8Array[] {
  if (packet.u16(start + 4) !== nft.newElements) return [];
  const message = new Attributes(packet, start + HEADER_BYTES + NFGENMSG_BYTES, end);
  const keys: Uint8Array[] = [];
  // A list: its members are all of one type.
  for (let at = message.start(nftaElements.elements); at >= 0 && at < message.end(nftaElements.elements); ) {
    const next = at + ((packet.u16(at) + 3) & ~3);
    const key = new Attributes(packet, at + 4, at + packet.u16(at)).nested(nftaElement.key);
    const value = key?.start(nftaData.value) ?? -1;
    if (key !== undefined && value >= 0) keys.push(packet.bytes.slice(value, key.end(nftaData.value)));
    at = next;
  }
  return keys;
}

/** The body of NFT_MSG_GETRULE. */
export function encodeChainName(writer: MessageWriter, table: string, chain: string): void {
  netfilterHeader(writer, NFPROTO_INET, 0);
  writer.attributeText(nftaRule.table, table);
  writer.attributeText(nftaRule.chain, chain);
}

/** Packets; undefined when it is no counter. */
export function decodeCounter(packet: Packet, start: number, end: number): number | undefined {
  if (packet.u16(start + 4) !== nft.newObject) return undefined;
  const attributes = new Attributes(packet, start + HEADER_BYTES + NFGENMSG_BYTES, end);
  const counter = attributes.nested(nftaObject.data);
  const at = counter?.start(nftaCounter.packets) ?? -1;
  return at < 0 ? undefined : packet.big64(at);
}

/** A notification is about something in that table of the family inet. */
export function isAboutTable(packet: Packet, start: number, end: number, table: string): boolean {
  // Every commit has one, with its number where others have the table's name.
  if (packet.u16(start + 4) === nft.newGeneration) return false;
  if (packet.u8(start + HEADER_BYTES) !== NFPROTO_INET) return false;
  return new Attributes(packet, start + HEADER_BYTES + NFGENMSG_BYTES, end).text(NFTA_TABLE) === table;
}
