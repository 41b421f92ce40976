// What socket calls take: struct sockaddr_in and sockaddr_in6, int as the value of an option, and numbers of options that several
// sockets use.
import { AF_INET, AF_INET6 } from '../netlink/constants.ts';
import { LITTLE } from '../netlink/writer.ts';

export const SOL_SOCKET = 1;
export const SO_RCVBUF = 8;
export const SO_BINDTODEVICE = 25;
export const SO_RCVBUFFORCE = 33;
export const IPPROTO_IP = 0;
export const IPPROTO_IPV6 = 41;
export const IP_TTL = 2;
export const IPV6_UNICAST_HOPS = 16;
export const IPV6_V6ONLY = 26;
export const IPV6_RECVHOPLIMIT = 51;

/** @param scope of a link-local IPv6 address its link, else 0 */
export function sockaddr(address: Uint8Array, port: number, scope: number): Uint8Array {
  const bytes = new Uint8Array(address.length === 4 ? 16 : 28);
  encodeSockaddr(new DataView(bytes.buffer), address, port, scope);
  return bytes;
}

export function encodeSockaddr(out: DataView, address: Uint8Array, port: number, scope: number): void {
  const isIPv4 = address.length === 4;
  out.setUint16(0, isIPv4 ? AF_INET : AF_INET6, LITTLE);
  out.setUint16(2, port);
  for (const [i, byte] of address.entries()) out.setUint8((isIPv4 ? 4 : 8) + i, byte);
  if (!isIPv4) out.setUint32(24, scope, LITTLE);
}

export function int(value: number): Uint8Array {
  return new Uint8Array(Int32Array.of(value).buffer);
}
