// Routes on the wire (RTM_NEWROUTE and company, struct rtmsg). Pure.
//
//   | family 1 | dst length 1 | src length 1 | tos 1 | table 1 | protocol 1 | scope 1 | type 1 | flags 4 | attributes RTA_*
//
// One next hop is RTA_GATEWAY (or RTA_VIA, an IPv6 gateway of an IPv4 route: | family 2 | address |) and RTA_OIF;
// several are RTA_MULTIPATH: | length 2 | flags 1 | weight - 1 1 | index 4 | RTA_GATEWAY or RTA_VIA | …
import { type Family, formatOctets, type PrefixOctets } from '#ip';
import type { NextHop, Route, RouteType, Scope } from '../kernel.ts';
import { AF_INET, AF_INET6, RTAX_MTU, RTNH_F_ONLINK, rta } from './constants.ts';
import {
  familyName,
  familyNumber,
  isDeadEnd,
  routeTypeName,
  routeTypeNumber,
  scopeName,
  scopeNumber,
} from './names.ts';
import { Attributes, type Packet } from './packet.ts';
import { HEADER_BYTES, type MessageWriter } from './writer.ts';

const RTMSG_BYTES = 12;
const RTNEXTHOP_BYTES = 8;

/** undefined when it is no IP route. Next hops have device indexes; their names are not in the message. */
export function decodeRoute(packet: Packet, start: number, end: number): Route | undefined {
  const at = start + HEADER_BYTES;
  const family = familyName(packet.u8(at));
  if (family === undefined) return undefined;
  const size = family === 'ipv4' ? 4 : 16;
  const attributes = new Attributes(packet, at + RTMSG_BYTES, end);
  const type = routeTypeName(packet.u8(at + 7));
  const destination = attributes.has(rta.destination)
    ? formatOctets(packet.bytes, attributes.start(rta.destination), size)
    : family === 'ipv4'
      ? '0.0.0.0'
      : '::';
  const source = attributes.start(rta.preferredSource);
  const mtu = attributes.nested(rta.metrics)?.u32(RTAX_MTU);
  return {
    family,
    destination: `${destination}/${packet.u8(at + 1)}`,
    table: attributes.u32(rta.table) ?? packet.u8(at + 4),
    protocol: packet.u8(at + 5),
    scope: scopeName(packet.u8(at + 6)),
    type,
    metric: attributes.u32(rta.priority) ?? 0,
    nextHops: isDeadEnd(type) ? [] : decodeNextHops(attributes, packet.u32(at + 8)),
    ...(source < 0 ? {} : { source: formatOctets(packet.bytes, source, size) }),
    ...(mtu === undefined ? {} : { mtu }),
  };
}

function decodeNextHops(attributes: Attributes, flags: number): NextHop[] {
  if (!attributes.has(rta.multipath)) {
    const hop = decodeNextHop(attributes, attributes.u32(rta.oif), flags, 1);
    return hop.gateway === undefined && hop.deviceIndex === undefined ? [] : [hop];
  }
  const { packet } = attributes;
  const end = attributes.end(rta.multipath);
  const hops: NextHop[] = [];
  for (let at = attributes.start(rta.multipath); at + RTNEXTHOP_BYTES <= end; ) {
    const length = packet.u16(at);
    if (length < RTNEXTHOP_BYTES || at + length > end) {
      throw new RangeError(`next hop at byte ${at} says ${length} bytes, RTA_MULTIPATH ends at ${end}`);
    }
    const own = new Attributes(packet, at + RTNEXTHOP_BYTES, at + length);
    hops.push(decodeNextHop(own, packet.i32(at + 4), packet.u8(at + 2), packet.u8(at + 3) + 1));
    at += (length + 3) & ~3;
  }
  return hops;
}

function decodeNextHop(
  attributes: Attributes,
  index: number | undefined,
  flags: number,
  weight: number,
): NextHop {
  const gateway = decodeGateway(attributes);
  return {
    ...(gateway === undefined ? {} : { gateway }),
    ...(index === undefined ? {} : { deviceIndex: index }),
    ...(weight === 1 ? {} : { weight }),
    ...(flags & RTNH_F_ONLINK ? { onlink: true } : {}),
  };
}

function decodeGateway(attributes: Attributes): string | undefined {
  const { packet } = attributes;
  const plain = attributes.start(rta.gateway);
  if (plain >= 0) return formatOctets(packet.bytes, plain, attributes.size(rta.gateway));
  const via = attributes.start(rta.via);
  if (via < 0) return undefined;
  return formatOctets(packet.bytes, via + 2, attributes.size(rta.via) - 2);
}

/** A next hop with its device looked up and its gateway in bytes. */
export interface HopFields {
  readonly gateway: Uint8Array | undefined;
  /** 0: the kernel finds the device by the gateway */
  readonly index: number;
  readonly weight: number;
  readonly onlink: boolean;
}

export interface RouteFields {
  readonly destination: PrefixOctets;
  readonly type: RouteType;
  readonly table: number;
  /** 0 in a deletion: any */
  readonly protocol: number;
  /** 0 in a deletion: any */
  readonly metric: number;
  readonly scope: Scope;
  readonly source?: Uint8Array | undefined;
  readonly mtu?: number | undefined;
  readonly nextHops: readonly HopFields[];
}

/** The body of RTM_NEWROUTE and RTM_DELROUTE. */
export function encodeRoute(writer: MessageWriter, route: RouteFields): void {
  const { family, bytes, length } = route.destination;
  const only = route.nextHops.length === 1 ? route.nextHops[0] : undefined;
  writer.u8(familyNumber(family));
  writer.u8(length);
  writer.u8(0);
  writer.u8(0);
  writer.u8(route.table < 256 ? route.table : 0);
  writer.u8(route.protocol);
  writer.u8(scopeNumber(route.scope));
  writer.u8(routeTypeNumber(route.type));
  writer.u32(only?.onlink === true ? RTNH_F_ONLINK : 0);
  writer.attribute(rta.destination, bytes);
  if (route.metric !== 0) writer.attributeU32(rta.priority, route.metric);
  if (route.table > 255) writer.attributeU32(rta.table, route.table);
  if (route.source !== undefined) writer.attribute(rta.preferredSource, route.source);
  if (route.mtu !== undefined) {
    const metrics = writer.nest(rta.metrics);
    writer.attributeU32(RTAX_MTU, route.mtu);
    writer.endNest(metrics);
  }
  encodeNextHops(writer, family, route.nextHops);
}

/** The attributes that name the next hops of a route of that family. For one next hop, onlink is in rtm_flags, not here. */
export function encodeNextHops(writer: MessageWriter, family: Family, hops: readonly HopFields[]): void {
  const [first] = hops;
  if (first === undefined) return;
  if (hops.length === 1) {
    encodeGateway(writer, family, first.gateway);
    if (first.index !== 0) writer.attributeU32(rta.oif, first.index);
    return;
  }
  const multipath = writer.nest(rta.multipath);
  for (const hop of hops) {
    const start = writer.length;
    writer.u16(0);
    writer.u8(hop.onlink ? RTNH_F_ONLINK : 0);
    writer.u8(hop.weight - 1);
    writer.u32(hop.index);
    encodeGateway(writer, family, hop.gateway);
    writer.endNest(start);
  }
  writer.endNest(multipath);
}

function encodeGateway(writer: MessageWriter, family: Family, gateway: Uint8Array | undefined): void {
  if (gateway === undefined) return;
  if (gateway.length === (family === 'ipv4' ? 4 : 16)) {
    writer.attribute(rta.gateway, gateway);
    return;
  }
  const via = writer.nest(rta.via);
  writer.u16(gateway.length === 4 ? AF_INET : AF_INET6);
  writer.raw(gateway);
  writer.endNest(via);
}
