// Follows what changes in a namespace: one netlink socket that is a member of the multicast groups asked for, read when the
// event loop says that it is readable.
import { errnos } from '../errno.ts';
import { KernelError } from '../kernel-error.ts';
import type { Address, Change, KernelEvent, Neighbour, NextHop, Route, WatchOptions } from '../kernel.ts';
import { addon, type PollHandle } from '../native/addon.ts';
import { decodeAddress } from '../netlink/address.ts';
import { groupBit, rtm } from '../netlink/constants.ts';
import { decodeLink } from '../netlink/link.ts';
import { decodeNeighbour } from '../netlink/neighbour.ts';
import type { Packet } from '../netlink/packet.ts';
import { decodeRoute } from '../netlink/route.ts';
import { decodeRule } from '../netlink/rule.ts';
import { NetlinkSocket } from '../native/netlink-socket.ts';
import type { NetnsReference } from '../native/netns.ts';

const groups = {
  link: groupBit.link,
  address: groupBit.ipv4Address | groupBit.ipv6Address,
  route: groupBit.ipv4Route | groupBit.ipv6Route,
  neighbour: groupBit.neighbour,
  rule: groupBit.ipv4Rule | groupBit.ipv6Rule,
} as const;
/** Room for about 10,000 notifications that are not read yet; then the kernel drops some and says so. */
const RECEIVE_BYTES = 8 << 20;
/** Messages handled before the event loop gets its turn. */
const SLICE = 1000;

export class KernelWatch implements Disposable {
  readonly #socket: NetlinkSocket;
  readonly #names: DeviceNames;
  readonly #handler: (event: KernelEvent) => void;
  readonly #isOwn: (port: number) => boolean;
  readonly #skipOwn: boolean;
  readonly #ended: () => void;
  #poll: PollHandle | undefined;

  constructor(
    netns: NetnsReference | undefined,
    handler: (event: KernelEvent) => void,
    options: WatchOptions,
    isOwn: (port: number) => boolean,
    ended: () => void,
  ) {
    const kinds = options.kinds ?? ['link', 'address', 'route'];
    this.#socket = NetlinkSocket.open({
      netns,
      groups: kinds.reduce((bits, kind) => bits | groups[kind], 0),
      receiveBytes: RECEIVE_BYTES,
    });
    this.#names = new DeviceNames(this.#socket.fd);
    this.#handler = handler;
    this.#isOwn = isOwn;
    this.#skipOwn = options.skipOwn ?? false;
    this.#ended = ended;
    const poll = addon().pollStart(this.#socket.fd, () => this.#readable());
    if (typeof poll === 'number') {
      this.#socket.close();
      throw new KernelError('watch', 'rtnetlink notifications', -poll);
    }
    this.#poll = poll;
  }

  #readable(): void {
    let left = SLICE;
    const lost = this.#socket.read((packet, start, end) => {
      if (this.#poll === undefined) return false;
      if (!this.#skipOwn || !this.#isOwn(packet.u32(start + 12))) {
        const event = this.#decode(packet, start, end);
        if (event !== undefined) this.#handler(event);
      }
      // The poll is level-triggered: what is left calls back in the next turn.
      return this.#poll !== undefined && --left > 0;
    });
    if (!lost || this.#poll === undefined) return;
    // Whoever reads everything again has no use for what is still queued, and older news could mislead it.
    while (this.#socket.read(() => true));
    this.#handler({ type: 'overrun' });
  }

  #decode(packet: Packet, start: number, end: number): KernelEvent | undefined {
    const type = packet.u16(start + 4);
    switch (type) {
      case rtm.newLink:
      case rtm.deleteLink: {
        // Bridges tell of their ports in AF_BRIDGE messages, which have the same type but not the same meaning.
        if (packet.u8(start + 16) !== 0) return undefined;
        return { type: 'link', change: changeOf(type, rtm.newLink), link: decodeLink(packet, start, end) };
      }
      case rtm.newAddress:
      case rtm.deleteAddress: {
        const address = decodeAddress(packet, start, end);
        if (address === undefined) return undefined;
        return {
          type: 'address',
          change: changeOf(type, rtm.newAddress),
          address: this.#names.address(address),
        };
      }
      case rtm.newRoute:
      case rtm.deleteRoute: {
        const route = decodeRoute(packet, start, end);
        if (route === undefined) return undefined;
        return { type: 'route', change: changeOf(type, rtm.newRoute), route: this.#names.route(route) };
      }
      case rtm.newNeighbour:
      case rtm.deleteNeighbour: {
        const neighbour = decodeNeighbour(packet, start, end);
        if (neighbour === undefined) return undefined;
        const change = changeOf(type, rtm.newNeighbour);
        return { type: 'neighbour', change, neighbour: this.#names.neighbour(neighbour) };
      }
      case rtm.newRule:
      case rtm.deleteRule: {
        const rule = decodeRule(packet, start, end);
        return rule === undefined ? undefined : { type: 'rule', change: changeOf(type, rtm.newRule), rule };
      }
      default:
        return undefined;
    }
  }

  [Symbol.dispose](): void {
    if (this.#poll === undefined) return;
    addon().pollStop(this.#poll);
    this.#poll = undefined;
    this.#socket.close();
    this.#ended();
  }
}

function changeOf(type: number, made: number): Change {
  return type === made ? 'new' : 'deleted';
}

/** Names of devices by index, and back, as they are at this moment in the namespace of a socket. */
export class DeviceNames {
  readonly #fd: number;
  readonly #known: Map<number, string | undefined> | undefined;

  constructor(fd: number, known?: Map<number, string | undefined>) {
    this.#fd = fd;
    this.#known = known;
  }

  /** The same, asking the kernel once a device: for the length of one list. */
  snapshot(): DeviceNames {
    return new DeviceNames(this.#fd, new Map());
  }
  during<T>(run: (names: DeviceNames) => T): T {
    return run(this.snapshot());
  }

  index(name: string): number | undefined {
    const index = addon().interfaceIndex(this.#fd, name);
    if (index === -errnos.EBADF)
      throw new KernelError('find device', name, errnos.EBADF, 'this Kernel is closed');
    return index < 0 ? undefined : index;
  }

  name(index: number): string | undefined {
    if (this.#known === undefined) return addon().interfaceName(this.#fd, index);
    if (!this.#known.has(index)) this.#known.set(index, addon().interfaceName(this.#fd, index));
    return this.#known.get(index);
  }

  address(address: Address): Address {
    const device = this.name(address.deviceIndex);
    return device === undefined ? address : { ...address, device };
  }
  neighbour(neighbour: Neighbour): Neighbour {
    const device = this.name(neighbour.deviceIndex);
    return device === undefined ? neighbour : { ...neighbour, device };
  }
  route(route: Route): Route {
    if (route.nextHops.length === 0) return route;
    return { ...route, nextHops: route.nextHops.map((hop) => this.#hop(hop)) };
  }
  #hop(hop: NextHop): NextHop {
    const device = hop.deviceIndex === undefined ? undefined : this.name(hop.deviceIndex);
    return device === undefined ? hop : { ...hop, device };
  }
}
