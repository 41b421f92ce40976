// UDP sockets with what node:dgram has no call for: TTL and local address of what arrives, a least TTL, a device. In the
// network namespace that the calling thread is in at bind; they end with that thread. The kernel's IP_MINTTL and
// IPV6_MINHOPCOUNT are not asked by UDP, so a filter of ours stands before the receive buffer.
import { needsZone, parseOctets, splitZone, withZone } from '#ip';
import { systemRandom } from '#world';
import {
  type Datagram,
  type DatagramOptions,
  type Datagrams,
  type DatagramSocket,
  type Endpoint,
  LONGEST_DATAGRAM,
} from '../datagrams.ts';
import { errnos } from '../errno.ts';
import { KernelError } from '../kernel-error.ts';
import { AF_INET, AF_INET6 } from '../netlink/constants.ts';
import { addon, type OwnedHandle } from './addon.ts';
import { DatagramReader } from './datagram-reader.ts';
import {
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_RECVHOPLIMIT,
  IPV6_UNICAST_HOPS,
  IPV6_V6ONLY,
  IP_TTL,
  SOL_SOCKET,
  SO_BINDTODEVICE,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  int,
  sockaddr,
} from './socket-values.ts';
import { dropAll, dropBelow } from './ttl-filter.ts';

const SOCK_DGRAM_NONBLOCK = 2 | 2048;
const SO_PRIORITY = 12;
const IP_TOS = 1;
const IP_PKTINFO = 8;
const IP_RECVTTL = 12;
const IPV6_RECVPKTINFO = 49;
const IPV6_TCLASS = 67;

const DEFAULT_TTL = 64;
const CS6 = 0xc0;
/** TC_PRIO_INTERACTIVE: the first band of pfifo_fast. */
const FIRST_BAND = 6;
/** Room for what 1,000 senders say within 100 ms, which the kernel counts with up to 2 KB a datagram; it doubles it. */
const RECEIVE_BYTES = 1_048_576;
/** All that waits after a while in which the thread stood still; and at most some 50,000 a second. */
const PACE = { atOnce: 2_048, restMs: 40, longest: LONGEST_DATAGRAM };
/** How long the name of a link is good for, and how soon a device that is gone is looked for again. */
const NAMES_MS = 1_000;

export const udp: Datagrams = {
  bind(options, received) {
    const { local, device } = options;
    const refuse = (errno: number) =>
      new KernelError(
        'bind',
        `UDP ${local.address} port ${local.port}${device === undefined ? '' : ` dev ${device}`}`,
        errno,
      );
    const { address, zone } = splitZone(local.address);
    const octets = parseOctets(address);
    if (octets === undefined) return refuse(errnos.EINVAL);
    const native = addon();
    const fd = native.socket(octets.length === 4 ? AF_INET : AF_INET6, SOCK_DGRAM_NONBLOCK, 0);
    if (fd < 0) return refuse(-fd);
    const port = prepare(fd, octets, zone, options, received !== undefined);
    const owned = port < 0 ? port : native.own(fd);
    if (typeof owned === 'number') {
      native.close(fd);
      return refuse(-owned);
    }
    return new UdpSocket(fd, owned, { ...options, local: { address: local.address, port } }, received);
  },
};

/** The port, or a negative errno. */
function prepare(
  fd: number,
  octets: Uint8Array,
  zone: string | undefined,
  { local, ports, device, ttl = DEFAULT_TTL, leastTtl = 0, isControl = false }: DatagramOptions,
  isReceiver: boolean,
): number {
  const native = addon();
  const isIPv4 = octets.length === 4;
  const set = (level: number, name: number, value: number) => () =>
    native.setsockopt(fd, level, name, int(value));
  const ofFamily = isIPv4
    ? [set(IPPROTO_IP, IP_TTL, ttl), set(IPPROTO_IP, IP_RECVTTL, 1), set(IPPROTO_IP, IP_PKTINFO, 1)]
    : [
        set(IPPROTO_IPV6, IPV6_V6ONLY, 1),
        set(IPPROTO_IPV6, IPV6_UNICAST_HOPS, ttl),
        set(IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1),
        set(IPPROTO_IPV6, IPV6_RECVPKTINFO, 1),
      ];
  const steps = [...ofFamily, set(SOL_SOCKET, SO_RCVBUF, isReceiver ? RECEIVE_BYTES : 0)];
  if (isControl) {
    steps.push(isIPv4 ? set(IPPROTO_IP, IP_TOS, CS6) : set(IPPROTO_IPV6, IPV6_TCLASS, CS6));
    steps.push(set(SOL_SOCKET, SO_PRIORITY, FIRST_BAND));
  }
  if (!isReceiver) steps.push(() => native.attachFilter(fd, dropAll()));
  else if (leastTtl > 0) steps.push(() => native.attachFilter(fd, dropBelow(leastTtl, isIPv4)));
  if (device !== undefined) steps.push(() => bindToDevice(fd, device));
  for (const step of steps) {
    const result = step();
    if (result < 0) return result;
  }
  // Past the host's limit (net.core.rmem_max), where that is allowed.
  if (isReceiver) set(SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BYTES)();
  const scope = zone === undefined ? 0 : native.interfaceIndex(fd, zone);
  return scope < 0 ? scope : bindTo(fd, octets, scope, local.port, ports);
}

function bindToDevice(fd: number, device: string): number {
  return addon().setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, Buffer.from(`${device}\0`));
}

/** The port, or a negative errno. */
function bindTo(
  fd: number,
  octets: Uint8Array,
  scope: number,
  port: number,
  ports: DatagramOptions['ports'],
): number {
  if (port !== 0 || ports === undefined) {
    const result = addon().bind(fd, sockaddr(octets, port, scope));
    return result < 0 || port !== 0 ? result || port : portOf(fd);
  }
  const count = ports.last - ports.first + 1;
  const start = Math.floor(systemRandom.next() * count);
  for (let i = 0; i < count; i++) {
    const candidate = ports.first + ((start + i) % count);
    const result = addon().bind(fd, sockaddr(octets, candidate, scope));
    if (result !== -errnos.EADDRINUSE) return result || candidate;
  }
  return -errnos.EADDRINUSE;
}

function portOf(fd: number): number {
  const name = new Uint8Array(28);
  const result = addon().getsockname(fd, name);
  return result < 0 ? result : new DataView(name.buffer).getUint16(2);
}

class UdpSocket implements DatagramSocket {
  readonly local: Endpoint;
  readonly #fd: number;
  readonly #owned: OwnedHandle;
  readonly #device: string | undefined;
  readonly #reader: DatagramReader | undefined;
  /** Bound: the links of the host that something came in by, within NAMES_MS. */
  readonly #names = new Map<number, string>();
  #namesUntil = 0;
  /** The destination of the last datagram, as the kernel has it; most sockets have one only. */
  #to: Endpoint | undefined;
  #place: Uint8Array | undefined;
  #lookedForDevice = 0;
  #isOpen = true;

  constructor(
    fd: number,
    owned: OwnedHandle,
    { local, device }: DatagramOptions,
    received: ((datagram: Datagram) => void) | undefined,
  ) {
    this.local = local;
    this.#fd = fd;
    this.#owned = owned;
    this.#device = device;
    if (received === undefined) return;
    const reader = new DatagramReader(fd, PACE, (bytes) => received(this.#datagram(reader, bytes)));
    this.#reader = reader;
  }

  #datagram(reader: DatagramReader, bytes: Uint8Array): Datagram {
    const device = this.#nameOf(reader.interfaceIndex);
    const zoned = (address: string) => withZone(address, needsZone(address) ? device : undefined);
    return {
      bytes: bytes.slice(),
      from: { address: zoned(reader.fromAddress), port: reader.fromPort },
      to: zoned(reader.toAddress),
      device,
      ttl: reader.hops,
    };
  }

  /** A link may get another name; it is asked for again after a while. */
  #nameOf(index: number): string {
    const now = performance.now();
    if (now >= this.#namesUntil) {
      this.#names.clear();
      this.#namesUntil = now + NAMES_MS;
    }
    const known = this.#names.get(index);
    if (known !== undefined) return known;
    const name = addon().interfaceName(this.#fd, index) ?? '';
    this.#names.set(index, name);
    return name;
  }

  send(bytes: Uint8Array, to: Endpoint): void {
    if (!this.#isOpen) return;
    const place = this.#placeOf(to);
    if (place !== undefined && addon().sendTo(this.#fd, bytes, place) >= 0) return;
    this.#lookForDevice();
  }

  #placeOf(to: Endpoint): Uint8Array | undefined {
    if (this.#to !== undefined && this.#to.address === to.address && this.#to.port === to.port)
      return this.#place;
    const { address, zone } = splitZone(to.address);
    const octets = parseOctets(address);
    const scope = zone === undefined ? 0 : addon().interfaceIndex(this.#fd, zone);
    if (octets === undefined || scope < 0) return undefined;
    this.#to = to;
    this.#place = sockaddr(octets, to.port, scope);
    return this.#place;
  }

  /** After what could not be sent: a device that was made again has another index. */
  #lookForDevice(): void {
    const now = performance.now();
    if (now < this.#lookedForDevice + NAMES_MS) return;
    this.#lookedForDevice = now;
    this.#to = undefined;
    const device = this.#device ?? splitZone(this.local.address).zone;
    if (device !== undefined) bindToDevice(this.#fd, device);
  }

  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#reader?.[Symbol.dispose]();
    addon().closeOwned(this.#owned);
  }
}
