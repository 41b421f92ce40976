// TCP sockets with the options that BGP wants and node:net has no call for. The descriptor goes to
// new net.Socket({ fd }) and connect(), or to server.listen({ fd }). The shape is that of bgp/'s SocketOptions.
import { type Family, familyOf, parseOctets, parsePrefixOctets, type PrefixOctets } from '#ip';
import { errnos } from '../errno.ts';
import { KernelError } from '../kernel-error.ts';
import { addon } from '../native/addon.ts';
import {
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_UNICAST_HOPS,
  IPV6_V6ONLY,
  IP_TTL,
  SOL_SOCKET,
  SO_BINDTODEVICE,
  encodeSockaddr,
  int,
  sockaddr,
} from '../native/socket-values.ts';
import { AF_INET, AF_INET6 } from '../netlink/constants.ts';
import { LITTLE } from '../netlink/writer.ts';

const SOCK_STREAM_NONBLOCK = 1 | 0o4000;
const SO_REUSEADDR = 2;
const SO_DOMAIN = 39;
const IP_FREEBIND = 15;
const IP_MINTTL = 21;
const IPV6_MINHOPCOUNT = 73;
const IPV6_FREEBIND = 78;
const IPPROTO_TCP = 6;
const TCP_INFO = 11;
/** struct tcp_info as far as it is read: tcpi_state at 0, _unacked 24, _last_ack_recv 56, _notsent_bytes 144. */
const TCP_INFO_BYTES = 148;
const TCP_ESTABLISHED = 1;
const TCP_MD5SIG = 14;
const TCP_USER_TIMEOUT = 18;
const TCP_SAVE_SYN = 27;
const TCP_SAVED_SYN = 28;
const TCP_MD5SIG_EXT = 32;
const TCP_MD5SIG_FLAG_PREFIX = 1;
const MD5SIG_BYTES = 216;
const MAX_KEY_BYTES = 80;
/** Headers of IP and TCP with all their options. */
const SYN_BYTES = 512;

export interface TcpSocketRequest {
  readonly family: Family;
  /** port 0: the kernel chooses */
  readonly bind?: { readonly address: string; readonly port: number };
  /** SO_BINDTODEVICE; for a link-local bind address also its scope */
  readonly device?: string;
  /** IP_TTL or IPV6_UNICAST_HOPS */
  readonly ttl?: number;
  /** IP_MINTTL or IPV6_MINHOPCOUNT: packets with less are dropped (GTSM, RFC 5082) */
  readonly minTtl?: number;
  /** TCP_MD5SIG (RFC 2385) keys of neighbours, by address or prefix */
  readonly md5?: readonly { readonly prefix: string; readonly key: string }[];
  /** bind to an address that is not there yet */
  readonly freebind?: boolean;
  readonly userTimeoutMs?: number;
  readonly reuseAddress?: boolean;
  /** IPV6_V6ONLY */
  readonly v6Only?: boolean;
  /** TCP_SAVE_SYN, for synTtl() */
  readonly saveSyn?: boolean;
}

/** Every call throws KernelError naming the option, the object and the errno. */
export const tcpSockets = {
  /**
   * A non-blocking, close-on-exec stream socket with these options, bound if asked for, neither connected nor
   * listening. The caller owns the descriptor.
   */
  openTcpSocket(request: TcpSocketRequest): number {
    const fd = addon().socket(request.family === 'ipv4' ? AF_INET : AF_INET6, SOCK_STREAM_NONBLOCK, 0);
    if (fd < 0) throw new KernelError('open TCP socket', request.family, -fd);
    try {
      applyOptions(fd, request);
      if (request.bind !== undefined) bind(fd, request, request.bind);
      return fd;
    } catch (error) {
      addon().close(fd);
      throw error;
    }
  },

  /** Only for a descriptor that no stream has taken over. */
  closeSocket(fd: number): void {
    const closed = addon().close(fd);
    if (closed < 0) throw new KernelError('close socket', `${fd}`, -closed);
  },

  /** On a socket in any state, listening and connected ones too. key undefined removes it (ENOENT: there was none). */
  setMd5(fd: number, prefix: string, key: string | undefined): void {
    const object = `${prefix} on socket ${fd}`;
    const operation = key === undefined ? 'remove TCP MD5 key of' : 'set TCP MD5 key of';
    const parsed = parsePrefixOctets(prefix);
    if (parsed === undefined)
      throw new KernelError(operation, object, errnos.EINVAL, 'no address and no prefix');
    const keyBytes = new TextEncoder().encode(key ?? '');
    if (keyBytes.length > MAX_KEY_BYTES || (key !== undefined && keyBytes.length === 0)) {
      const detail = `key of ${keyBytes.length} bytes, the kernel takes 1 to ${MAX_KEY_BYTES}`;
      throw new KernelError(operation, object, errnos.EINVAL, detail);
    }
    const isWhole = parsed.length === parsed.bytes.length * 8;
    const value = encodeMd5(domainOf(fd), parsed, isWhole, keyBytes);
    const result = addon().setsockopt(fd, IPPROTO_TCP, isWhole ? TCP_MD5SIG : TCP_MD5SIG_EXT, value);
    if (result < 0) throw new KernelError(operation, object, -result);
  },

  /**
   * The key of an accepted socket's neighbour, anew. Linux tells nobody whether a socket has a key, except who removes
   * it: another one for everybody stands in meanwhile.
   *
   * @returns false when it had none: it was connected without a signature
   */
  renewMd5(fd: number, address: string, key: string): boolean {
    const everybody = familyOf(address) === 'ipv6' ? '::/0' : '0.0.0.0/0';
    tcpSockets.setMd5(fd, everybody, key);
    let hadKey = true;
    try {
      tcpSockets.setMd5(fd, address, undefined);
    } catch (error) {
      if (!(error instanceof KernelError) || error.errno !== errnos.ENOENT) throw error;
      hadKey = false;
    }
    tcpSockets.setMd5(fd, address, key);
    tcpSockets.setMd5(fd, everybody, undefined);
    return hadKey;
  },

  /** Of an accepted socket whose listener has saveSyn; once. undefined: nothing was saved (SYN cookies). */
  synTtl(fd: number): number | undefined {
    const headers = new Uint8Array(SYN_BYTES);
    const length = addon().getsockopt(fd, IPPROTO_TCP, TCP_SAVED_SYN, headers);
    if (length < 0) throw new KernelError('read saved SYN of socket', `${fd}`, -length);
    if (length === 0) return undefined;
    // IPv4: TTL is octet 8; IPv6: hop limit is octet 7.
    return headers[headers[0]! >> 4 === 4 ? 8 : 7];
  },

  /** Absent values stay as they are; minTtl 0 switches the check off. */
  setTtl(fd: number, family: Family, ttl: number | undefined, minTtl: number | undefined): void {
    // A socket of IPv6 that carries IPv4 (::ffff:1.2.3.4) obeys IPv4's options.
    const levels = family === 'ipv4' && domainOf(fd) === AF_INET ? [IPPROTO_IP] : [IPPROTO_IPV6, IPPROTO_IP];
    for (const level of levels) {
      const names = level === IPPROTO_IP ? [IP_TTL, IP_MINTTL] : [IPV6_UNICAST_HOPS, IPV6_MINHOPCOUNT];
      if (ttl !== undefined) setNumber(fd, level, names[0] as number, ttl, 'TTL');
      if (minTtl !== undefined) setNumber(fd, level, names[1] as number, minTtl, 'minimum TTL');
    }
  },

  /** FIONREAD: bytes received that nobody has read. */
  unread(fd: number): number {
    const bytes = addon().unread(fd);
    if (bytes < 0) throw new KernelError('count unread bytes of socket', `${fd}`, -bytes);
    return bytes;
  },

  /** TCP_INFO: what the kernel knows of the other end. */
  lifeSigns(fd: number): { isClosed: boolean; answeredAgoMs: number; isShut: boolean } {
    const info = new Uint8Array(TCP_INFO_BYTES);
    const length = addon().getsockopt(fd, IPPROTO_TCP, TCP_INFO, info);
    if (length < 0) throw new KernelError('read TCP state of socket', `${fd}`, -length);
    const view = new DataView(info.buffer);
    const [unacked, lastAck, unsent] = [24, 56, 144].map((at) => view.getUint32(at, LITTLE));
    return {
      isClosed: info[0] !== TCP_ESTABLISHED,
      answeredAgoMs: lastAck!,
      isShut: unacked === 0 && unsent! > 0,
    };
  },
};

function applyOptions(fd: number, request: TcpSocketRequest): void {
  const isIPv6 = request.family === 'ipv6';
  if (request.reuseAddress) setNumber(fd, SOL_SOCKET, SO_REUSEADDR, 1, 'SO_REUSEADDR');
  if (isIPv6 && request.v6Only !== undefined) {
    setNumber(fd, IPPROTO_IPV6, IPV6_V6ONLY, request.v6Only ? 1 : 0, 'IPV6_V6ONLY');
  }
  if (request.freebind) {
    setNumber(fd, isIPv6 ? IPPROTO_IPV6 : IPPROTO_IP, isIPv6 ? IPV6_FREEBIND : IP_FREEBIND, 1, 'freebind');
  }
  if (request.userTimeoutMs !== undefined) {
    setNumber(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, request.userTimeoutMs, 'TCP_USER_TIMEOUT');
  }
  if (request.saveSyn) setNumber(fd, IPPROTO_TCP, TCP_SAVE_SYN, 1, 'TCP_SAVE_SYN');
  if (request.device !== undefined) {
    const result = addon().setsockopt(
      fd,
      SOL_SOCKET,
      SO_BINDTODEVICE,
      new TextEncoder().encode(request.device),
    );
    if (result < 0) throw new KernelError('bind socket to device', request.device, -result);
  }
  tcpSockets.setTtl(fd, request.family, request.ttl, request.minTtl);
  for (const { prefix, key } of request.md5 ?? []) tcpSockets.setMd5(fd, prefix, key);
}

function bind(fd: number, request: TcpSocketRequest, to: { address: string; port: number }): void {
  const object = `${to.address} port ${to.port}${request.device === undefined ? '' : ` dev ${request.device}`}`;
  const bytes = parseOctets(to.address);
  if (bytes === undefined || bytes.length !== (request.family === 'ipv4' ? 4 : 16)) {
    throw new KernelError('bind TCP socket to', object, errnos.EINVAL, `no ${request.family} address`);
  }
  const scope = request.device === undefined ? 0 : Math.max(0, addon().interfaceIndex(fd, request.device));
  const result = addon().bind(fd, sockaddr(bytes, to.port, scope));
  if (result === 0) return;
  const hint = result === -errnos.EADDRNOTAVAIL ? 'no link of this host has that address' : undefined;
  throw new KernelError('bind TCP socket to', object, -result, hint);
}

/** struct tcp_md5sig: | sockaddr 128 | flags 1 | prefix length 1 | key length 2 | interface 4 | key 80 | */
function encodeMd5(domain: number, prefix: PrefixOctets, isWhole: boolean, key: Uint8Array): Uint8Array {
  const value = new Uint8Array(MD5SIG_BYTES);
  const view = new DataView(value.buffer);
  encodeSockaddr(view, domain === AF_INET6 ? asIPv6(prefix.bytes) : prefix.bytes, 0, 0);
  if (!isWhole) {
    view.setUint8(128, TCP_MD5SIG_FLAG_PREFIX);
    view.setUint8(129, prefix.length);
  }
  view.setUint16(130, key.length, LITTLE);
  value.set(key, 136);
  return value;
}

/** An IPv4 address as a socket of IPv6 sees it: ::ffff:1.2.3.4. */
function asIPv6(address: Uint8Array): Uint8Array {
  if (address.length === 16) return address;
  const mapped = new Uint8Array(16);
  mapped.set([0xff, 0xff], 10);
  mapped.set(address, 12);
  return mapped;
}

function domainOf(fd: number): number {
  const value = new Uint8Array(4);
  const result = addon().getsockopt(fd, SOL_SOCKET, SO_DOMAIN, value);
  if (result < 0) throw new KernelError('read family of socket', `${fd}`, -result);
  return new DataView(value.buffer).getInt32(0, LITTLE);
}

function setNumber(fd: number, level: number, name: number, value: number, what: string): void {
  const result = addon().setsockopt(fd, level, name, int(value));
  if (result < 0) throw new KernelError(`set ${what} ${value} on socket`, `${fd}`, -result);
}
