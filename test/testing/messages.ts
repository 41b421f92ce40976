// BGP messages for the scripted peer as Buffers that tests join and bend: the builder of bgp/testing, independent of
// our own codec, and able to say what no codec would.
import * as wire from '../../bgp/testing/message-bytes.ts';

export const MessageType = { open: 1, update: 2, notification: 3, keepalive: 4, routeRefresh: 5 } as const;

/** Hex with any spacing. */
export function hex(text: string): Buffer {
  return Buffer.from(wire.bytes(text));
}

export function message(type: number, body: Buffer = Buffer.alloc(0)): Buffer {
  return wire.message(type, body);
}

export interface OpenFields {
  readonly version?: number;
  readonly asNumber: number;
  readonly holdTimeSeconds: number;
  readonly routerId: string;
  /** Capability TLVs, in order. Default: IPv4 and IPv6 unicast, route refresh, four-octet AS. */
  readonly capabilities?: readonly Buffer[];
}

export function capability(code: number, value: Buffer): Buffer {
  return Buffer.concat([Buffer.of(code, value.length), value]);
}

export function fourOctetAs(asNumber: number): Buffer {
  return hex(wire.fourByteAs(asNumber));
}

export const IPV4_UNICAST = capability(1, hex('0001 00 01'));
export const IPV6_UNICAST = capability(1, hex('0002 00 01'));
export const ROUTE_REFRESH = capability(2, Buffer.alloc(0));
export const ENHANCED_REFRESH = capability(70, Buffer.alloc(0));

export function open(fields: OpenFields): Buffer {
  const { version, asNumber, holdTimeSeconds, routerId } = fields;
  const capabilities = Buffer.concat(
    fields.capabilities ?? [IPV4_UNICAST, IPV6_UNICAST, ROUTE_REFRESH, fourOctetAs(asNumber)],
  );
  return wire.rawOpen({
    ...(version === undefined ? {} : { version }),
    as: asNumber,
    hold: holdTimeSeconds,
    id: routerId,
    ...(capabilities.length === 0 ? {} : { capabilities }),
  });
}

export const KEEPALIVE = wire.KEEPALIVE;

/** RFC 4271 §4.3: withdrawn routes, path attributes, NLRI, each as they are. */
export const update: (parts: { withdrawn?: Buffer; attributes?: Buffer; nlri?: Buffer }) => Buffer =
  wire.update;

export function attribute(flags: number, type: number, value: Buffer): Buffer {
  return hex(wire.attribute(flags, type, value));
}

/** AS_PATH of 4-octet numbers; an inner list is an AS_SET. */
export function asPath(path: readonly (number | readonly number[])[]): Buffer {
  return attribute(0x40, 2, hex(wire.asPathValue(path)));
}

/** Of either family. */
export function address(text: string): Buffer {
  return hex(wire.address(text));
}

export function prefix(text: string): Buffer {
  return hex(wire.prefix(text));
}
