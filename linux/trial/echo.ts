// ICMP echo of exact sizes with DF set (RFC 792, RFC 4443; path MTU as RFC 4821 finds it: by what arrives, not by what
// routers say). A raw socket, or without CAP_NET_RAW a ping socket where net.ipv4.ping_group_range allows one.
import { familyOf, parseOctets, splitZone } from '#ip';
import { errnos } from '../errno.ts';
import { KernelError } from '../kernel-error.ts';
import { addon } from '../native/addon.ts';
import { AF_INET, AF_INET6 } from '../netlink/constants.ts';

const SOCK_DGRAM = 2;
const SOCK_RAW = 3;
const NONBLOCK = 0o4000;
const IPPROTO_IP = 0;
const IPPROTO_ICMP = 1;
const IPPROTO_IPV6 = 41;
const IPPROTO_ICMPV6 = 58;
const IP_MTU_DISCOVER = 10;
const IPV6_MTU_DISCOVER = 23;
/** DF, and what was learnt of the path before is not asked. */
const PMTUDISC_PROBE = 3;
const MSG_DONTWAIT = 0x40;
const ECHO_REQUEST = 8;
const ECHO_REPLY = 0;
const ECHO_REQUEST_V6 = 128;
const ECHO_REPLY_V6 = 129;
const ICMP_HEADER = 8;
/** A lost packet says nothing: each size is sent so often, evenly over the time. */
const TRIES = 3;
const LONGEST = 65_535;

let identifier = process.pid & 0xffff;

/**
 * Which of these sizes (octets of the whole IP packet) the other side answered within `timeoutMs`; sooner when it
 * answered all. A size that does not fit the link is one that was not answered. At most 64 sizes.
 *
 * @param address with '%device' for a link-local one
 * @returns KernelError when there is no way there, or neither kind of socket may be opened
 */
export async function echo(
  address: string,
  sizes: readonly number[],
  timeoutMs: number,
): Promise<ReadonlySet<number> | KernelError> {
  const opened = open(address);
  if (opened instanceof KernelError) return opened;
  identifier = (identifier + 1) & 0xffff;
  const { fd, isRaw, isIPv6 } = opened;
  const native = addon();
  const answered = new Set<number>();
  const buffer = new Uint8Array(LONGEST);
  const send = () => {
    for (const [sequence, size] of sizes.entries()) {
      if (answered.has(size)) continue;
      const packet = request(isIPv6, identifier, sequence, size);
      native.send(fd, packet, 0, packet.length);
    }
  };
  const id = identifier;
  return new Promise((done) => {
    const timers: NodeJS.Timeout[] = [];
    const finish = () => {
      for (const timer of timers) clearTimeout(timer);
      if (typeof handle !== 'number') native.pollStop(handle);
      native.close(fd);
      done(answered);
    };
    const heard = () => {
      for (;;) {
        const length = native.recv(fd, buffer, 0, buffer.length, MSG_DONTWAIT);
        if (length === -errnos.EAGAIN) break;
        // Else a router's word that one was too big, or that nobody is there: the size stays without answer.
        if (length < 0) continue;
        // Only a raw IPv4 socket hands out the IP header.
        const at = isRaw && !isIPv6 ? (buffer[0]! & 15) * 4 : 0;
        if (buffer[at] !== (isIPv6 ? ECHO_REPLY_V6 : ECHO_REPLY)) continue;
        if (isRaw && ((buffer[at + 4]! << 8) | buffer[at + 5]!) !== id) continue;
        const size = sizes[(buffer[at + 6]! << 8) | buffer[at + 7]!];
        if (size !== undefined) answered.add(size);
      }
      if (answered.size === new Set(sizes).size) finish();
    };
    const handle = native.pollStart(fd, heard);
    send();
    for (let n = 1; n < TRIES; n++) timers.push(setTimeout(send, (timeoutMs * n) / TRIES));
    timers.push(setTimeout(finish, timeoutMs));
  });
}

interface EchoSocket {
  readonly fd: number;
  readonly isRaw: boolean;
  readonly isIPv6: boolean;
}

function open(text: string): EchoSocket | KernelError {
  const native = addon();
  const { address, zone } = splitZone(text);
  const octets = parseOctets(address);
  if (octets === undefined) return new KernelError('ping', text, errnos.EINVAL, 'no IP address');
  const isIPv6 = familyOf(address) === 'ipv6';
  const family = isIPv6 ? AF_INET6 : AF_INET;
  const protocol = isIPv6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
  const raw = native.socket(family, SOCK_RAW | NONBLOCK, protocol);
  const fd = raw >= 0 ? raw : native.socket(family, SOCK_DGRAM | NONBLOCK, protocol);
  if (fd < 0) return new KernelError('open ping socket', text, -fd);
  const probe = new Uint8Array(4);
  new DataView(probe.buffer).setInt32(0, PMTUDISC_PROBE, true);
  const option = isIPv6
    ? native.setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, probe)
    : native.setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, probe);
  const scope = zone === undefined ? 0 : Math.max(0, native.interfaceIndex(fd, zone));
  const result = option < 0 ? option : native.connect(fd, socketAddress(octets, scope));
  if (result >= 0) return { fd, isRaw: raw >= 0, isIPv6 };
  native.close(fd);
  return new KernelError('ping', text, -result);
}

/** struct sockaddr_in or sockaddr_in6 */
function socketAddress(octets: Uint8Array, scope: number): Uint8Array {
  const isIPv4 = octets.length === 4;
  const out = new Uint8Array(isIPv4 ? 16 : 28);
  const view = new DataView(out.buffer);
  view.setUint16(0, isIPv4 ? AF_INET : AF_INET6, true);
  out.set(octets, isIPv4 ? 4 : 8);
  if (!isIPv4) view.setUint32(24, scope, true);
  return out;
}

/** type 1 | code 1 | checksum 2 | identifier 2 | sequence 2 | data; of IPv6 the kernel makes the checksum. */
function request(isIPv6: boolean, id: number, sequence: number, size: number): Uint8Array {
  const packet = new Uint8Array(Math.max(ICMP_HEADER, size - (isIPv6 ? 40 : 20)));
  const view = new DataView(packet.buffer);
  view.setUint8(0, isIPv6 ? ECHO_REQUEST_V6 : ECHO_REQUEST);
  view.setUint16(4, id);
  view.setUint16(6, sequence);
  if (!isIPv6) view.setUint16(2, checksum(packet));
  return packet;
}

/** RFC 1071; the data is zeros. */
function checksum(packet: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < ICMP_HEADER; i += 2) sum += (packet[i]! << 8) | packet[i + 1]!;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}
