// Router advertisements and solicitations (RFC 4861 §4.1, §4.2) as octets of ICMPv6: the checksum is the kernel's, and so
// is the IPv6 header. Read is what this project uses; other options are stepped over.
//
//   134 | code 0 | checksum | hop limit | M O flags | router lifetime | reachable time | retrans timer | options
//   133 | code 0 | checksum | reserved (4)                                                             | options

import { formatMac, parseMac } from './netlink/mac.ts';

export type RouterMessage =
  | {
      readonly type: 'advertisement';
      /** How long it may be a default router: 0..65535; 0: it is none. */
      readonly lifetimeSeconds: number;
      /** the sender's, when it says so; one that is not six octets is not sent */
      readonly mac?: string;
    }
  | { readonly type: 'solicitation'; readonly mac?: string };

export const ROUTER_SOLICITATION = 133;
export const ROUTER_ADVERTISEMENT = 134;
const OPTION_SOURCE_LINK_ADDRESS = 1;
/** Octets before the options. */
const FIXED = { solicitation: 8, advertisement: 16 } as const;
const MAC_BYTES = 6;
const OPTION_UNIT = 8;

export function encodeRouterMessage(message: RouterMessage): Uint8Array {
  const fixed = FIXED[message.type];
  const mac = message.mac === undefined ? undefined : parseMac(message.mac);
  const bytes = new Uint8Array(fixed + (mac === undefined ? 0 : OPTION_UNIT));
  switch (message.type) {
    case 'solicitation':
      bytes[0] = ROUTER_SOLICITATION;
      break;
    case 'advertisement':
      bytes[0] = ROUTER_ADVERTISEMENT;
      new DataView(bytes.buffer).setUint16(6, message.lifetimeSeconds);
      break;
  }
  if (mac !== undefined) {
    bytes.set([OPTION_SOURCE_LINK_ADDRESS, 1], fixed);
    bytes.set(mac, fixed + 2);
  }
  return bytes;
}

/** Undefined for what a node has to ignore (RFC 4861 §6.1.1, §6.1.2): another type or code, too short, a broken option. */
export function decodeRouterMessage(bytes: Uint8Array): RouterMessage | undefined {
  const type = typeOf(bytes);
  if (type === undefined || bytes.length < FIXED[type] || bytes[1] !== 0) return undefined;
  let mac: string | undefined;
  for (let at = FIXED[type]; at < bytes.length; ) {
    const length = (bytes[at + 1] ?? 0) * OPTION_UNIT;
    if (length === 0 || at + length > bytes.length) return undefined;
    // Links with other addresses than Ethernet's have longer ones, which nobody here asks for.
    if (bytes[at] === OPTION_SOURCE_LINK_ADDRESS && length === OPTION_UNIT) {
      mac = formatMac(bytes, at + 2, MAC_BYTES);
    }
    at += length;
  }
  const told = mac === undefined ? {} : { mac };
  if (type === 'solicitation') return { type, ...told };
  return { type, lifetimeSeconds: bytes[6]! * 256 + bytes[7]!, ...told };
}

function typeOf(bytes: Uint8Array): RouterMessage['type'] | undefined {
  if (bytes[0] === ROUTER_ADVERTISEMENT) return 'advertisement';
  return bytes[0] === ROUTER_SOLICITATION ? 'solicitation' : undefined;
}
