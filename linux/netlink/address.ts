// Addresses on the wire (RTM_NEWADDR and company, struct ifaddrmsg). Pure.
//
//   | family 1 | prefix length 1 | flags 1 | scope 1 | index 4 | attributes IFA_*
import { formatOctets, type PrefixOctets } from '#ip';
import type { Address, Scope } from '../kernel.ts';
import { ifa, ifaFlag } from './constants.ts';
import { familyName, familyNumber, scopeName, scopeNumber } from './names.ts';
import { Attributes, type Packet } from './packet.ts';
import { HEADER_BYTES, type MessageWriter } from './writer.ts';

const IFADDRMSG_BYTES = 8;

/** undefined when it is no IP address. The device's name is not in the message. */
export function decodeAddress(packet: Packet, start: number, end: number): Address | undefined {
  const at = start + HEADER_BYTES;
  const family = familyName(packet.u8(at));
  if (family === undefined) return undefined;
  const size = family === 'ipv4' ? 4 : 16;
  const attributes = new Attributes(packet, at + IFADDRMSG_BYTES, end);
  const flags = attributes.u32(ifa.flags) ?? packet.u8(at + 2);
  // IFA_LOCAL is ours; IFA_ADDRESS is the same, or the other end of a point-to-point link, and IPv6 often has only that.
  const own = attributes.has(ifa.local) ? ifa.local : ifa.address;
  if (attributes.size(own) !== size) return undefined;
  const address = formatOctets(packet.bytes, attributes.start(own), size);
  const other =
    attributes.size(ifa.address) === size
      ? formatOctets(packet.bytes, attributes.start(ifa.address), size)
      : address;
  return {
    family,
    address: `${address}/${packet.u8(at + 1)}`,
    deviceIndex: packet.u32(at + 4),
    scope: scopeName(packet.u8(at + 3)),
    tentative: (flags & (ifaFlag.tentative | ifaFlag.dadFailed)) !== 0,
    permanent: (flags & ifaFlag.permanent) !== 0,
    ...(other === address ? {} : { peer: other }),
  };
}

export interface AddressFields {
  readonly prefix: PrefixOctets;
  readonly deviceIndex: number;
  readonly noDad?: boolean | undefined;
  readonly noPrefixRoute?: boolean | undefined;
  readonly scope?: Scope | undefined;
}

/** The body of RTM_NEWADDR and RTM_DELADDR. */
export function encodeAddress(writer: MessageWriter, address: AddressFields): void {
  const { family, bytes, length } = address.prefix;
  writer.u8(familyNumber(family));
  const flags = (address.noDad ? ifaFlag.noDad : 0) | (address.noPrefixRoute ? ifaFlag.noPrefixRoute : 0);
  writer.u8(length);
  writer.u8(flags & 0xff);
  writer.u8(scopeNumber(address.scope ?? defaultScope(bytes)));
  writer.u32(address.deviceIndex);
  writer.attribute(ifa.local, bytes);
  writer.attribute(ifa.address, bytes);
  if (flags > 0xff) writer.attributeU32(ifa.flags, flags);
}

function defaultScope(bytes: Uint8Array): Scope {
  if (bytes.length === 4) return bytes[0] === 127 ? 'host' : 'global';
  return bytes[0] === 0xfe && ((bytes[1] ?? 0) & 0xc0) === 0x80 ? 'link' : 'global';
}
