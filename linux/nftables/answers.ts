// What nf_tables says: counters asked for, and notifications of changes. Pure.
import { Attributes, type Packet } from '../netlink/packet.ts';
import { HEADER_BYTES, type MessageWriter } from '../netlink/writer.ts';
import { netfilterHeader } from './batch.ts';
import { nft, NFPROTO_INET, NFT_OBJECT_COUNTER, NFTA_TABLE, nftaCounter, nftaObject } from './numbers.ts';

const NFGENMSG_BYTES = 4;

/** The body of NFT_MSG_GETOBJ. */
export function encodeCounterName(writer: MessageWriter, table: string, name: string): void {
  netfilterHeader(writer, NFPROTO_INET, 0);
  writer.attributeText(nftaObject.table, table);
  writer.attributeText(nftaObject.name, name);
  writer.attributeBig32(nftaObject.type, NFT_OBJECT_COUNTER);
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
