// Neighbour entries on the wire (RTM_NEWNEIGH and company, struct ndmsg). Pure.
//
//   | family 1 | pad 3 | index 4 | state 2 | flags 1 | type 1 | attributes NDA_*
import { formatOctets } from '#ip';
import type { Neighbour } from '../kernel.ts';
import { AF_INET, AF_INET6, NUD_PERMANENT, nda } from './constants.ts';
import { formatMac } from './mac.ts';
import { familyName, neighbourStateName } from './names.ts';
import { Attributes, type Packet } from './packet.ts';
import { HEADER_BYTES, type MessageWriter } from './writer.ts';

const NDMSG_BYTES = 12;

/** undefined when it is no IP neighbour (a bridge's forwarding entry, say). */
export function decodeNeighbour(packet: Packet, start: number, end: number): Neighbour | undefined {
  const at = start + HEADER_BYTES;
  const family = familyName(packet.u8(at));
  const attributes = new Attributes(packet, at + NDMSG_BYTES, end);
  const size = family === 'ipv4' ? 4 : 16;
  if (family === undefined || attributes.size(nda.destination) !== size) return undefined;
  const mac =
    attributes.size(nda.linkLayerAddress) === 6
      ? formatMac(packet.bytes, attributes.start(nda.linkLayerAddress), 6)
      : undefined;
  return {
    family,
    address: formatOctets(packet.bytes, attributes.start(nda.destination), size),
    deviceIndex: packet.i32(at + 4),
    state: neighbourStateName(packet.u16(at + 8)),
    ...(mac === undefined ? {} : { mac }),
  };
}

/** The body of RTM_NEWNEIGH (a permanent entry) and, without mac, of RTM_DELNEIGH. */
export function encodeNeighbour(
  writer: MessageWriter,
  deviceIndex: number,
  address: Uint8Array,
  mac: Uint8Array | undefined,
): void {
  writer.u8(address.length === 4 ? AF_INET : AF_INET6);
  writer.u8(0);
  writer.u16(0);
  writer.u32(deviceIndex);
  writer.u16(mac === undefined ? 0 : NUD_PERMANENT);
  writer.u16(0);
  writer.attribute(nda.destination, address);
  if (mac !== undefined) writer.attribute(nda.linkLayerAddress, mac);
}
