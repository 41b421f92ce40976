// Ethernet frames with any source address, sent by a link of any namespace past all of its kernel's rules (AF_PACKET): what
// a pod with CAP_NET_RAW can send.
import { familyOf, parseOctets } from '#ip';
import { KernelError } from '../kernel-error.ts';
import { addon } from '../native/addon.ts';
import { withNetns } from '../native/netns.ts';
import { parseMac } from '../netlink/mac.ts';

const AF_PACKET = 17;
const SOCK_RAW = 3;
const ETHERTYPE = { ipv4: 0x0800, ipv6: 0x86dd } as const;
const UDP = 17;
const ICMPV6 = 58;

export interface RawPacket {
  readonly source: string;
  readonly destination: string;
  readonly sourceMac: string;
  readonly destinationMac: string;
  /** default: a UDP datagram to port 9 */
  readonly icmpv6?: Uint8Array;
  /** for IPv6: what stands between the header and that, its first octet left open for the next header */
  readonly extension?: { readonly header: number; readonly octets: Uint8Array };
}

/** Throws KernelError when the link is not there or not up. */
export function sendRaw(netnsPath: string, device: string, packet: RawPacket): void {
  const system = addon();
  const fd = withNetns(netnsPath, () => system.socket(AF_PACKET, SOCK_RAW, 0));
  if (fd < 0) throw new KernelError('open packet socket', device, -fd);
  try {
    const bytes = frame(packet);
    const address = new Uint8Array(20);
    new DataView(address.buffer).setUint16(0, AF_PACKET, true);
    new DataView(address.buffer).setInt32(4, system.interfaceIndex(fd, device), true);
    const bound = system.bind(fd, address);
    const sent = bound < 0 ? bound : system.send(fd, bytes, 0, bytes.length);
    if (sent < 0) throw new KernelError('send by', device, -sent);
  } finally {
    system.close(fd);
  }
}

function frame(packet: RawPacket): Uint8Array {
  const { source, destination, sourceMac, destinationMac, icmpv6, extension } = packet;
  const family = familyOf(destination);
  const from = parseOctets(source)!;
  const to = parseOctets(destination)!;
  const protocol = icmpv6 === undefined ? UDP : ICMPV6;
  const upper = withChecksum(icmpv6 ?? DATAGRAM, protocol, from, to);
  const between = extension === undefined ? [] : [protocol, ...extension.octets.subarray(1)];
  const payload = Uint8Array.from([...between, ...upper]);
  const header =
    family === 'ipv4'
      ? header4(protocol, payload.length)
      : header6(extension?.header ?? protocol, payload.length);
  header.set(from, family === 'ipv4' ? 12 : 8);
  header.set(to, family === 'ipv4' ? 16 : 24);
  if (family === 'ipv4') new DataView(header.buffer).setUint16(10, checksum(header));
  const ethernet = new Uint8Array(14);
  ethernet.set(parseMac(destinationMac)!, 0);
  ethernet.set(parseMac(sourceMac)!, 6);
  new DataView(ethernet.buffer).setUint16(12, ETHERTYPE[family]);
  return Uint8Array.from([...ethernet, ...header, ...payload]);
}

/** To port 9, with four octets. */
const DATAGRAM = Uint8Array.of(0x30, 0x39, 0, 9, 0, 12, 0, 0, 1, 2, 3, 4);

function header4(protocol: number, length: number): Uint8Array {
  return Uint8Array.of(0x45, 0, 0, 20 + length, 0, 1, 0, 0, 64, protocol, ...new Uint8Array(10));
}

/** Hop limit 255, as neighbour discovery wants it. */
function header6(protocol: number, length: number): Uint8Array {
  return Uint8Array.of(0x60, 0, 0, 0, 0, length, protocol, 255, ...new Uint8Array(32));
}

/** In octets 2 and 3 of ICMP, 6 and 7 of UDP. */
function withChecksum(
  payload: Uint8Array,
  protocol: number,
  source: Uint8Array,
  destination: Uint8Array,
): Uint8Array {
  const whole = Uint8Array.from(payload);
  const pseudo = [...source, ...destination, 0, whole.length, 0, protocol];
  const sum = checksum(Uint8Array.from([...pseudo, ...whole]));
  new DataView(whole.buffer).setUint16(protocol === UDP ? 6 : 2, sum);
  return whole;
}

function checksum(octets: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < octets.length; i += 2) sum += (octets[i]! << 8) | (octets[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}

/** Hop-by-hop and destination options with padding only, and a fragment that is the whole packet (RFC 8200 §4). */
export const EXTENSIONS = [
  { header: 0, octets: Uint8Array.of(0, 0, 1, 4, 0, 0, 0, 0) },
  { header: 60, octets: Uint8Array.of(0, 0, 1, 4, 0, 0, 0, 0) },
  { header: 44, octets: Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1) },
];

/** A router that wants to be the default for half an hour, with no options (RFC 4861 §4.2). */
export const ROUTER_ADVERTISEMENT = Uint8Array.of(
  ...[134, 0, 0, 0, 64, 0, 0x07, 0x08, 0, 0, 0, 0, 0, 0, 0, 0],
);
