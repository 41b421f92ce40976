// Links on the wire (RTM_NEWLINK and company, struct ifinfomsg). Pure.
//
//   | family 1 | pad 1 | type 2 | index 4 | flags 4 | change 4 | attributes IFLA_*
import type { Link } from '../kernel.ts';
import { AF_INET, IFLA_INET_CONF, iff, ifla, iflaInfo, inetConf, VETH_INFO_PEER } from './constants.ts';
import { formatMac } from './mac.ts';
import { Attributes, type Packet } from './packet.ts';
import { HEADER_BYTES, type MessageWriter } from './writer.ts';

const IFINFOMSG_BYTES = 16;

export function decodeLink(packet: Packet, start: number, end: number): Link {
  const at = start + HEADER_BYTES;
  const flags = packet.u32(at + 8);
  const attributes = new Attributes(packet, at + IFINFOMSG_BYTES, end);
  const kind = attributes.nested(ifla.linkInfo)?.text(iflaInfo.kind);
  const peerIndex = attributes.u32(ifla.link);
  const master = attributes.u32(ifla.master);
  const macBytes = attributes.size(ifla.address);
  return {
    index: packet.i32(at + 4),
    name: attributes.text(ifla.name) ?? '',
    mtu: attributes.u32(ifla.mtu) ?? 0,
    up: (flags & iff.up) !== 0,
    carrier: (flags & iff.lowerUp) !== 0,
    loopback: (flags & iff.loopback) !== 0,
    group: attributes.u32(ifla.group) ?? 0,
    peerElsewhere: attributes.has(ifla.linkNetnsId),
    ...(kind === undefined ? {} : { kind }),
    ...(macBytes === 6 ? { mac: formatMac(packet.bytes, attributes.start(ifla.address), 6) } : {}),
    ...(peerIndex === undefined ? {} : { peerIndex }),
    ...(master === undefined ? {} : { master }),
  };
}

/** What can be said about a link in a request; index 0 leaves it to the name. */
export interface LinkFields {
  readonly index?: number;
  readonly name?: string;
  readonly up?: boolean;
  readonly mtu?: number;
  readonly mac?: Uint8Array;
  readonly group?: number;
  readonly netnsFd?: number;
  readonly master?: number;
}

export interface VethFields extends LinkFields {
  readonly kind: string;
  readonly peer?: LinkFields;
}

/** The body of RTM_NEWLINK that creates a link. */
export function encodeNewLink(writer: MessageWriter, link: VethFields): void {
  linkHeader(writer, link);
  linkAttributes(writer, link);
  const info = writer.nest(ifla.linkInfo);
  writer.attribute(iflaInfo.kind, Buffer.from(link.kind));
  if (link.peer !== undefined) {
    const data = writer.nest(iflaInfo.data);
    const peer = writer.nest(VETH_INFO_PEER);
    linkHeader(writer, link.peer);
    linkAttributes(writer, link.peer);
    writer.endNest(peer);
    writer.endNest(data);
  }
  writer.endNest(info);
}

/** The body of RTM_NEWLINK or RTM_SETLINK that changes a link, of RTM_DELLINK and of RTM_GETLINK. */
export function encodeLink(writer: MessageWriter, link: LinkFields): void {
  linkHeader(writer, link);
  linkAttributes(writer, link);
}

/** The body of RTM_SETLINK that sets IPv4 switches of a link (what /proc/sys/net/ipv4/conf/LINK/ has). */
export function encodeLinkSwitches(
  writer: MessageWriter,
  link: LinkFields,
  switches: { readonly [name in keyof typeof inetConf]?: number },
): void {
  encodeLink(writer, link);
  const families = writer.nest(ifla.afSpec);
  const inet = writer.nest(AF_INET);
  const conf = writer.nest(IFLA_INET_CONF);
  for (const name of Object.keys(inetConf) as (keyof typeof inetConf)[]) {
    const value = switches[name];
    if (value !== undefined) writer.attributeU32(inetConf[name], value);
  }
  writer.endNest(conf);
  writer.endNest(inet);
  writer.endNest(families);
}

function linkHeader(writer: MessageWriter, link: LinkFields): void {
  writer.u32(0);
  writer.u32(link.index ?? 0);
  writer.u32(link.up === true ? iff.up : 0);
  writer.u32(link.up === undefined ? 0 : iff.up);
}

function linkAttributes(writer: MessageWriter, link: LinkFields): void {
  if (link.mac !== undefined) writer.attribute(ifla.address, link.mac);
  if (link.mtu !== undefined) writer.attributeU32(ifla.mtu, link.mtu);
  if (link.name !== undefined) writer.attributeText(ifla.name, link.name);
  if (link.group !== undefined) writer.attributeU32(ifla.group, link.group);
  if (link.netnsFd !== undefined) writer.attributeU32(ifla.netnsFd, link.netnsFd);
  if (link.master !== undefined) writer.attributeU32(ifla.master, link.master);
}
