// What is really on a wire: every frame of an interface while something happens, and whether a frame is a pod's own
// packet or carries another.
import { formatOctets, parseOctets } from '#ip';
import { openPacketSocket } from '#linux';
import type { Host } from './hosts.ts';

const ETHERNET_HEADER = 14;
const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_IPV6 = 0x86dd;
const TCP = 6;
const BGP_PORT = 179;
const ICMP_NAMES = new Map([
  ['IPv4 1 8', 'ICMP echo request'],
  ['IPv4 1 0', 'ICMP echo reply'],
  ['IPv6 58 128', 'ICMPv6 echo request'],
  ['IPv6 58 129', 'ICMPv6 echo reply'],
]);

export interface Frame {
  readonly etherType: string;
  /** Of the outermost IP header; empty when there is none. */
  readonly source: string;
  readonly destination: string;
  /** For people: addresses, lengths, what it is. */
  readonly text: string;
}

/** Reads Ethernet and the outermost IP header. */
export function readFrame(bytes: Uint8Array): Frame & { readonly isBgp: boolean } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const type = view.getUint16(12);
  const ip = ETHERNET_HEADER;
  const isV4 = type === ETHERTYPE_IPV4;
  const isIp = isV4 || type === ETHERTYPE_IPV6;
  const etherType = isV4 ? 'IPv4' : isIp ? 'IPv6' : `0x${type.toString(16).padStart(4, '0')}`;
  const source = isV4 ? formatOctets(bytes, ip + 12, 4) : isIp ? formatOctets(bytes, ip + 8, 16) : '';
  const destination = isV4 ? formatOctets(bytes, ip + 16, 4) : isIp ? formatOctets(bytes, ip + 24, 16) : '';
  const protocol = isV4 ? (bytes[ip + 9] ?? 0) : isIp ? (bytes[ip + 6] ?? 0) : 0;
  const payload = isV4 ? ip + ((bytes[ip] ?? 0) & 15) * 4 : ip + 40;
  const what = ICMP_NAMES.get(`${etherType} ${protocol} ${bytes[payload]}`) ?? `protocol ${protocol}`;
  const isBgp =
    isIp &&
    protocol === TCP &&
    (view.getUint16(payload) === BGP_PORT || view.getUint16(payload + 2) === BGP_PORT);
  const text = `${macAt(bytes, 6)} > ${macAt(bytes, 0)}, ${etherType}, ${bytes.length} bytes: ${source} > ${destination}: ${what}`;
  return { etherType, source, destination, text, isBgp };
}

/**
 * The frames on these devices, one device after the other, other than BGP's, that hold one of the addresses anywhere, so
 * that an inner packet is found as well.
 */
export async function captureDuring(
  host: Host,
  devices: readonly string[],
  addresses: readonly string[],
  action: () => Promise<void> | void,
): Promise<Frame[]> {
  const wanted = addresses.map(addressBytes);
  using cleanUp = new DisposableStack();
  const sockets = devices.map((device) => cleanUp.use(openPacketSocket(host.path, device)));
  await action();
  await new Promise((resolve) => setTimeout(resolve, 50));
  const frames: Frame[] = [];
  for (const bytes of sockets.flatMap((socket) => [...socket.take()])) {
    if (!wanted.some((address) => Buffer.from(bytes.buffer).includes(Buffer.from(address)))) continue;
    const { isBgp, ...frame } = readFrame(bytes);
    if (!isBgp) frames.push(frame);
  }
  return frames;
}

function addressBytes(text: string): Uint8Array {
  const address = parseOctets(text);
  if (address === undefined) throw new Error(`capture: ${text} is no address`);
  return address;
}

function macAt(bytes: Uint8Array, at: number): string {
  return [...bytes.subarray(at, at + 6)].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}
