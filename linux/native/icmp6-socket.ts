// A raw ICMPv6 socket on one link that hears router advertisements and solicitations and sends them: in the network
// namespace that the calling thread is in at open. The kernel makes and checks the checksum and lets nothing else come
// up; who floods the link costs a bounded share of the event loop, and the rest is lost in a small receive buffer.
import { isLinkLocal, parseOctets } from '#ip';
import { errnos } from '../errno.ts';
import { KernelError } from '../kernel-error.ts';
import { AF_INET6 } from '../netlink/constants.ts';
import type { RouterDiscovery, RouterSocket } from '../router-discovery.ts';
import {
  decodeRouterMessage,
  encodeRouterMessage,
  ROUTER_ADVERTISEMENT,
  ROUTER_SOLICITATION,
  type RouterMessage,
} from '../router-messages.ts';
import { addon } from './addon.ts';
import { DatagramReader } from './datagram-reader.ts';
import {
  IPPROTO_IPV6,
  IPV6_RECVHOPLIMIT,
  SOL_SOCKET,
  SO_BINDTODEVICE,
  SO_RCVBUF,
  int,
  sockaddr,
} from './socket-values.ts';

const SOCK_RAW_NONBLOCK = 3 | 2048;
const IPPROTO_ICMPV6 = 58;
const IPV6_MULTICAST_HOPS = 18;
const IPV6_MULTICAST_LOOP = 19;
const IPV6_JOIN_GROUP = 20;
const ICMP6_FILTER = 1;

/** What only a sender on the link itself can have: a router takes one away (RFC 4861 §6.1). */
const ON_LINK_HOPS = 255;
const ALL_NODES = parseOctets('ff02::1')!;
const ALL_ROUTERS = parseOctets('ff02::2')!;

const RECEIVE_BYTES = 32_768;
/** An advertisement with all of RFC 4861's options has some hundred octets. */
const PACE = { atOnce: 32, restMs: 50, longest: 1_500 };

export const routerDiscovery: RouterDiscovery = {
  open(device, heard) {
    const native = addon();
    const fd = native.socket(AF_INET6, SOCK_RAW_NONBLOCK, IPPROTO_ICMPV6);
    if (fd < 0) return new KernelError('open ICMPv6 socket', `on ${device}`, -fd);
    const index = native.interfaceIndex(fd, device);
    const failed = index < 0 ? index : prepare(fd, index, device);
    if (failed < 0) {
      native.close(fd);
      return new KernelError('hear routers on', device, -failed);
    }
    return new Icmp6Socket(fd, index, device, heard);
  },
};

/** 0 or a negative errno. */
function prepare(fd: number, index: number, device: string): number {
  const set = (level: number, name: number, value: Uint8Array) => addon().setsockopt(fd, level, name, value);
  const results = [
    set(IPPROTO_ICMPV6, ICMP6_FILTER, onlyRouterMessages()),
    set(SOL_SOCKET, SO_BINDTODEVICE, Buffer.from(`${device}\0`)),
    set(SOL_SOCKET, SO_RCVBUF, int(RECEIVE_BYTES)),
    set(IPPROTO_IPV6, IPV6_RECVHOPLIMIT, int(1)),
    set(IPPROTO_IPV6, IPV6_MULTICAST_HOPS, int(ON_LINK_HOPS)),
    set(IPPROTO_IPV6, IPV6_MULTICAST_LOOP, int(0)),
  ];
  // Solicitations go to all routers; the kernel is in that group only where it forwards. Refused on a link without IPv6.
  set(IPPROTO_IPV6, IPV6_JOIN_GROUP, Buffer.concat([ALL_ROUTERS, int(index)]));
  return results.find((result) => result < 0) ?? 0;
}

/** struct icmp6_filter: a bit for each type that is kept out. */
function onlyRouterMessages(): Uint8Array {
  const words = new Uint32Array(8).fill(0xffffffff);
  for (const type of [ROUTER_SOLICITATION, ROUTER_ADVERTISEMENT]) words[type >>> 5]! &= ~(1 << (type & 31));
  return new Uint8Array(words.buffer);
}

class Icmp6Socket implements RouterSocket {
  readonly #fd: number;
  readonly #index: number;
  readonly #device: string;
  readonly #heard: (message: RouterMessage, from: string) => void;
  readonly #reader: DatagramReader;
  #isOpen = true;

  constructor(
    fd: number,
    index: number,
    device: string,
    heard: (message: RouterMessage, from: string) => void,
  ) {
    this.#fd = fd;
    this.#index = index;
    this.#device = device;
    this.#heard = heard;
    this.#reader = new DatagramReader(fd, PACE, (bytes) => this.#received(bytes));
  }

  #received(bytes: Uint8Array): void {
    if (this.#reader.hops !== ON_LINK_HOPS) return;
    const message = decodeRouterMessage(bytes);
    const { fromAddress, scope } = this.#reader;
    if (message === undefined || !isFromLink(message, fromAddress, scope, this.#index)) return;
    this.#heard(message, fromAddress);
  }

  send(message: RouterMessage): KernelError | undefined {
    const fail = (errno: number) => new KernelError(`send router ${message.type} on`, this.#device, errno);
    if (!this.#isOpen) return fail(errnos.EBADF);
    const to = sockaddr(message.type === 'advertisement' ? ALL_NODES : ALL_ROUTERS, 0, this.#index);
    const sent = addon().sendTo(this.#fd, encodeRouterMessage(message), to);
    return sent < 0 ? fail(-sent) : undefined;
  }

  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#reader[Symbol.dispose]();
    addon().close(this.#fd);
  }
}

/** A solicitation may come from a node that has no address yet; it has no address to tell then (RFC 4861 §6.1.1). */
function isFromLink(message: RouterMessage, from: string, scope: number, index: number): boolean {
  if (isLinkLocal(from)) return scope === index;
  return message.type === 'solicitation' && from === '::' && message.mac === undefined;
}
