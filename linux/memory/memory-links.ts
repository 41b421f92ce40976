// The links and addresses of a kernel in memory, with the routes that the kernel makes for addresses by itself. The two
// ends of a veth may be in two kernels: what one end does to the other's carrier and existence crosses over.
import { type Family, needsZone } from '#ip';
import { errnos } from '../errno.ts';
import {
  type AddLink,
  type Address,
  type Device,
  type KernelEvent,
  type Link,
  LOCAL_TABLE,
  MAIN_TABLE,
  type Neighbour,
  type Request,
  type Scope,
} from '../kernel.ts';
import { parseMac } from '../netlink/mac.ts';
import { type MemoryRoutes, networkOf, prefixOf, Refusal } from './memory-routes.ts';
import type { MemorySysctl } from './memory-sysctl.ts';

const KERNEL_PROTOCOL = 2;
const IPV6_CONNECTED_METRIC = 256;

type Held = Address & { readonly hasPrefixRoute: boolean };

/** One end of a veth. */
export interface LinkEnd {
  readonly links: MemoryLinks;
  readonly index: number;
}

export class MemoryLinks {
  readonly #links = new Map<number, Link>();
  /** By index: the other end. */
  readonly #ends = new Map<number, LinkEnd>();
  readonly #tell: (event: KernelEvent) => void;
  readonly #routes: MemoryRoutes;
  readonly #neighbours: Map<string, Neighbour>;
  readonly #sysctl: MemorySysctl;
  #addresses: Held[] = [];
  #lastIndex = 1;

  constructor(
    tell: (event: KernelEvent) => void,
    routes: MemoryRoutes,
    neighbours: Map<string, Neighbour>,
    sysctl: MemorySysctl,
  ) {
    this.#tell = tell;
    this.#routes = routes;
    this.#neighbours = neighbours;
    this.#sysctl = sysctl;
    sysctl.linkAdded('lo');
    this.#links.set(1, {
      index: 1,
      name: 'lo',
      mtu: 65536,
      up: false,
      carrier: false,
      loopback: true,
      group: 0,
      peerElsewhere: false,
      mac: '00:00:00:00:00:00',
    });
  }

  list(): Link[] {
    return [...this.#links.values()];
  }

  addresses(): Address[] {
    return this.#addresses.map(publicAddress);
  }

  /** Without length. Asked for each hop of each packet: nothing is made for it. */
  hasAddress(address: string): boolean {
    return this.#addresses.some(
      (held) => held.address.startsWith(address) && held.address[address.length] === '/',
    );
  }

  /** Throws Refusal ENODEV. */
  find(device: Device): Link {
    const link =
      typeof device === 'number' ? this.#links.get(device) : this.list().find(({ name }) => name === device);
    if (link === undefined) throw new Refusal(errnos.ENODEV, `no device ${device} in this network namespace`);
    return link;
  }

  /** For what leaves the link: a link-local one only where there is no other (RFC 6724 §5, rule 2). */
  sourceOf(index: number, family: Family): string | undefined {
    const held = this.#addresses.filter((own) => own.deviceIndex === index && own.family === family);
    const chosen = held.find(({ scope }) => scope !== 'link') ?? held[0];
    return chosen?.address.split('/')[0];
  }

  linkLocalOf(index: number): string | undefined {
    const held = this.#addresses.find(
      ({ deviceIndex, family, scope }) => deviceIndex === index && family === 'ipv6' && scope === 'link',
    );
    return held?.address.split('/')[0];
  }

  at(index: number): Link | undefined {
    return this.#links.get(index);
  }

  otherEnd(index: number): LinkEnd | undefined {
    return this.#ends.get(index);
  }

  /** @param there where a veth's other end is born */
  add(request: AddLink, there: MemoryLinks = this): void {
    const { name, kind, peer } = request;
    this.#refuseTaken(name);
    if (peer === undefined) this.#put(this.#make(name, kind, request));
    else {
      there.#refuseTaken(peer.name);
      const peerElsewhere = there !== this;
      const other = there.#make(peer.name, kind, peer);
      const own = this.#make(name, kind, request);
      this.#ends.set(own.index, { links: there, index: other.index });
      there.#ends.set(other.index, { links: this, index: own.index });
      there.#put({ ...other, peerIndex: own.index, peerElsewhere });
      this.#put({ ...own, peerIndex: other.index, peerElsewhere });
    }
    if (request.up) this.set(this.find(name), { up: true });
  }

  #refuseTaken(name: string): void {
    if (this.list().some((link) => link.name === name)) throw new Refusal(errnos.EEXIST);
  }

  #make(name: string, kind: string, from: { mac?: string; mtu?: number; group?: number }): Link {
    if (from.mac !== undefined && parseMac(from.mac) === undefined) {
      throw new Refusal(errnos.EINVAL, `'${from.mac}' is no MAC address`);
    }
    const index = ++this.#lastIndex;
    const mac = from.mac ?? `02:00:00:00:${hexByte(index >> 8)}:${hexByte(index)}`;
    const link: Link = {
      index,
      name,
      kind,
      mac,
      mtu: from.mtu ?? 1500,
      up: false,
      carrier: false,
      loopback: false,
      group: from.group ?? 0,
      peerElsewhere: false,
    };
    this.#links.set(index, link);
    this.#sysctl.linkAdded(name);
    return link;
  }

  #put(link: Link): void {
    this.#links.set(link.index, link);
    this.#tell({ type: 'link', change: 'new', link });
  }

  set(link: Link, change: Partial<Omit<Extract<Request, { type: 'setLink' }>, 'type' | 'device'>>): void {
    if (
      change.name !== undefined &&
      change.name !== link.name &&
      this.list().some((o) => o.name === change.name)
    ) {
      throw new Refusal(errnos.EEXIST);
    }
    if (change.netnsFd !== undefined) {
      throw new Refusal(errnos.EBADF, 'a kernel in memory knows no descriptors: MemoryKernel.addPair');
    }
    const { name = link.name, mtu = link.mtu, group = link.group, up = link.up } = change;
    const mac = change.mac ?? link.mac;
    const master = change.master ?? link.master;
    this.#put({
      ...link,
      name,
      mtu,
      group,
      up,
      ...(mac === undefined ? {} : { mac }),
      ...(master === undefined ? {} : { master }),
    });
    if (up !== link.up) this.#switched(this.find(link.index));
  }

  #switched(link: Link): void {
    const end = this.#ends.get(link.index);
    const peer = end?.links.at(end.index);
    this.#put({ ...link, carrier: link.up && (peer === undefined || peer.up) });
    if (end !== undefined && peer !== undefined && peer.carrier !== (peer.up && link.up)) {
      end.links.#put({ ...peer, carrier: peer.up && link.up });
    }
    if (!link.up) {
      this.#routes.flush(link.index, false);
      // IPv6 addresses go with the link going down; IPv4 ones stay.
      for (const held of this.#addresses.filter((a) => a.deviceIndex === link.index && a.family === 'ipv6')) {
        this.#drop(held);
      }
      return;
    }
    if (link.loopback) {
      this.#hold(link, '127.0.0.1/8', 'host', false);
      this.#hold(link, '::1/128', 'host', false);
    }
    for (const held of this.#addresses) if (held.deviceIndex === link.index) this.#connect(held, link);
  }

  delete(link: Link): void {
    if (link.loopback) throw new Refusal(errnos.EOPNOTSUPP);
    const end = this.#ends.get(link.index);
    const peer = end?.links.at(end.index);
    this.#forget(link);
    if (end !== undefined && peer !== undefined) end.links.#forget(peer);
  }

  deleteGroup(group: number): void {
    if (group === 0) throw new Refusal(errnos.EINVAL, 'group 0 is every link that has no group');
    const links = this.list().filter((link) => link.group === group);
    if (links.length === 0) throw new Refusal(errnos.ENODEV);
    for (const link of links) if (this.#links.has(link.index)) this.delete(link);
  }

  #forget(link: Link): void {
    this.#links.delete(link.index);
    this.#ends.delete(link.index);
    this.#sysctl.linkRemoved(link.name);
    this.#routes.flush(link.index, true);
    for (const held of this.#addresses.filter((a) => a.deviceIndex === link.index)) {
      this.#addresses = this.#addresses.filter((other) => other !== held);
      this.#tell({ type: 'address', change: 'deleted', address: publicAddress(held) });
    }
    for (const [key, neighbour] of this.#neighbours)
      if (neighbour.deviceIndex === link.index) this.#neighbours.delete(key);
    this.#tell({ type: 'link', change: 'deleted', link: { ...link, up: false, carrier: false } });
  }

  addAddress(link: Link, request: Extract<Request, { type: 'addAddress' }>): void {
    const there = this.#addresses.find((a) => a.deviceIndex === link.index && a.address === request.address);
    if (there !== undefined && request.replace) return;
    if (there !== undefined) throw new Refusal(errnos.EEXIST, 'Address already assigned');
    if (prefixOf(request.address).family === 'ipv6' && this.#sysctl.hasNoIPv6(link.name)) {
      throw new Refusal(errnos.EACCES, 'IPv6 is disabled on this device');
    }
    this.#hold(link, request.address, request.scope, request.noPrefixRoute ?? false);
  }

  #hold(link: Link, address: string, scope: Scope | undefined, noPrefixRoute: boolean): void {
    if (this.#addresses.some((held) => held.deviceIndex === link.index && held.address === address)) return;
    const prefix = prefixOf(address);
    const [own = ''] = address.split('/');
    const held: Held = {
      family: prefix.family,
      address,
      deviceIndex: link.index,
      device: link.name,
      scope:
        scope ??
        (prefix.family === 'ipv4' && prefix.bytes[0] === 127 ? 'host' : needsZone(own) ? 'link' : 'global'),
      tentative: false,
      permanent: true,
      hasPrefixRoute: !noPrefixRoute && !link.loopback,
    };
    this.#addresses.push(held);
    this.#tell({ type: 'address', change: 'new', address: publicAddress(held) });
    this.#connect(held, link);
  }

  deleteAddress(link: Link, address: string): void {
    const held = this.#addresses.find((a) => a.deviceIndex === link.index && a.address === address);
    if (held === undefined) throw new Refusal(errnos.EADDRNOTAVAIL, 'Address not found');
    this.#drop(held);
  }

  #drop(held: Held): void {
    this.#addresses = this.#addresses.filter((other) => other !== held);
    const [own = ''] = held.address.split('/');
    const network = networkOf(prefixOf(held.address));
    const left = this.#addresses.filter((a) => a.deviceIndex === held.deviceIndex);
    this.#routes.deleteOwn((route) => {
      if (route.protocol !== KERNEL_PROTOCOL || route.nextHops[0]?.deviceIndex !== held.deviceIndex)
        return false;
      if (route.table === LOCAL_TABLE) return route.destination.startsWith(`${own}/`);
      return route.destination === network && !left.some((a) => networkOf(prefixOf(a.address)) === network);
    });
    this.#tell({ type: 'address', change: 'deleted', address: publicAddress(held) });
  }

  /** The routes that come with an address: to itself, and to its network when the link is up. */
  #connect(held: Held, link: Link): void {
    if (!link.up && held.family === 'ipv6') return;
    const prefix = prefixOf(held.address);
    const [own = ''] = held.address.split('/');
    const isIPv4 = held.family === 'ipv4';
    const hop = { deviceIndex: link.index, device: link.name };
    const common = { family: held.family, protocol: KERNEL_PROTOCOL, nextHops: [hop] };
    this.#routes.addOwn({
      ...common,
      destination: `${own}/${isIPv4 ? 32 : 128}`,
      table: LOCAL_TABLE,
      type: 'local',
      scope: isIPv4 ? 'host' : 'global',
      metric: 0,
      ...(isIPv4 ? { source: own } : {}),
    });
    if (!link.up || !held.hasPrefixRoute || (isIPv4 && prefix.length === 32)) return;
    this.#routes.addOwn({
      ...common,
      destination: networkOf(prefix),
      table: MAIN_TABLE,
      type: 'unicast',
      scope: isIPv4 ? 'link' : 'global',
      metric: isIPv4 ? 0 : IPV6_CONNECTED_METRIC,
      ...(isIPv4 ? { source: own } : {}),
    });
  }
}

function publicAddress(held: Held): Address {
  const { hasPrefixRoute: _hasPrefixRoute, ...address } = held;
  return address;
}

function hexByte(value: number): string {
  return (value & 255).toString(16).padStart(2, '0');
}
