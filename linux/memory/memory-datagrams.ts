// Datagrams between kernels in memory: each goes the way that walk() finds, and is lost where that ends or where its TTL
// does; a link-local one goes to the other end of its link. Bound: the sockets that are open.
import { type Family, familyOf, needsZone, splitZone, withZone } from '#ip';
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
import type { MemoryKernel } from './memory-kernel.ts';
import { attachedTo, walk } from './walk.ts';

type Receive = (datagram: Datagram) => void;

interface Bound {
  readonly address: string;
  readonly port: number;
  readonly family: Family;
  readonly device: string | undefined;
  readonly leastTtl: number;
  readonly received: Receive | undefined;
}

/** Where a datagram has come to. */
interface Arrival {
  readonly at: MemoryKernel;
  readonly device: string;
  readonly ttl: number;
}

const DEFAULT_TTL = 64;
const FREE_PORTS = { first: 32_768, last: 65_535 };

export class MemoryDatagrams implements Datagrams, Disposable {
  static readonly #socketsOf = new WeakMap<MemoryKernel, Set<Bound>>();
  readonly #kernel: MemoryKernel;
  readonly #sockets = new Set<Bound>();

  /** One for a kernel: the last one that was made gets what arrives there. */
  constructor(kernel: MemoryKernel) {
    this.#kernel = kernel;
    MemoryDatagrams.#socketsOf.set(kernel, this.#sockets);
  }

  bind(options: DatagramOptions, received?: Receive): DatagramSocket | KernelError {
    const { local, ports = FREE_PORTS, device, ttl = DEFAULT_TTL, leastTtl = 0 } = options;
    const { address } = local;
    const refuse = (errno: number) =>
      new KernelError(
        'bind',
        `UDP ${address} port ${local.port}${device === undefined ? '' : ` dev ${device}`}`,
        errno,
      );
    if (device !== undefined && this.#kernel.indexOf(device) === 0) return refuse(errnos.ENODEV);
    if (!isWildcard(address) && !this.#has(address)) return refuse(errnos.EADDRNOTAVAIL);
    const wanted = { address, family: familyOf(splitZone(address).address), device, leastTtl, received };
    let bound: Bound = { ...wanted, port: local.port === 0 ? ports.first : local.port };
    while (this.#isTaken(bound)) {
      if (local.port !== 0 || bound.port === ports.last) return refuse(errnos.EADDRINUSE);
      bound = { ...wanted, port: bound.port + 1 };
    }
    this.#sockets.add(bound);
    return {
      local: { address, port: bound.port },
      send: (bytes, to) => {
        if (this.#sockets.has(bound) && bytes.length <= LONGEST_DATAGRAM)
          this.#send(Uint8Array.from(bytes), bound, to, ttl);
      },
      [Symbol.dispose]: () => void this.#sockets.delete(bound),
    };
  }

  /** The process ends: its sockets hear and say nothing any more. */
  [Symbol.dispose](): void {
    this.#sockets.clear();
  }

  /** Whether the kernel has the address now, a link-local one on that link. */
  #has(address: string): boolean {
    const { address: bare, zone } = splitZone(address);
    if (zone === undefined) return this.#kernel.hasAddress(bare);
    return this.#kernel.linkLocalOf(this.#kernel.indexOf(zone)) === bare;
  }

  #isTaken({ address, port, family, device }: Bound): boolean {
    for (const other of this.#sockets) {
      if (other.port !== port || other.family !== family) continue;
      const isSamePlace = other.address === address || isWildcard(other.address) || isWildcard(address);
      const isSameLink = other.device === undefined || device === undefined || other.device === device;
      if (isSamePlace && isSameLink) return true;
    }
    return false;
  }

  #send(bytes: Uint8Array, bound: Bound, to: Endpoint, ttl: number): void {
    const { address: bare, zone } = splitZone(to.address);
    const from = isWildcard(bound.address) ? this.#sourceTo(bare, zone) : bound.address;
    if (from === undefined || !this.#has(from)) return;
    const arrival =
      zone === undefined ? this.#routed(bare, from, bound, ttl) : this.#onLink(bare, zone, bound, ttl);
    if (arrival === undefined) return;
    const { at, device } = arrival;
    const heardFrom = (address: string) => withZone(address, needsZone(address) ? device : undefined);
    queueMicrotask(() => {
      const receiver = find(MemoryDatagrams.#socketsOf.get(at), heardFrom(bare), to.port, device);
      if (receiver === undefined || arrival.ttl < receiver.leastTtl) return;
      const sender = { address: heardFrom(splitZone(from).address), port: bound.port };
      receiver.received?.({ bytes, from: sender, to: heardFrom(bare), device, ttl: arrival.ttl });
    });
  }

  #sourceTo(to: string, zone: string | undefined): string | undefined {
    if (zone === undefined) return this.#kernel.sourceTo(to);
    return this.#kernel.linkLocalOf(this.#kernel.indexOf(zone));
  }

  #routed(to: string, from: string, { device }: Bound, ttl: number): Arrival | undefined {
    const { end, at, hops, cameIn } = walk(this.#kernel, to, from);
    const isByOther = device !== undefined && hops[0] !== undefined && hops[0].device !== device;
    const left = ttl - Math.max(0, hops.length - 1);
    if (end.kind !== 'arrived' || isByOther || left < 1) return undefined;
    return { at, device: cameIn?.name ?? 'lo', ttl: left };
  }

  #onLink(to: string, zone: string, { device }: Bound, ttl: number): Arrival | undefined {
    const link = this.#kernel.linkAt(this.#kernel.indexOf(zone));
    if (link === undefined || !link.up || !link.carrier || (device !== undefined && device !== zone))
      return undefined;
    const there = attachedTo(this.#kernel, link).find(
      (other) => other.kernel.linkLocalOf(other.link.index) === to,
    );
    return there && { at: there.kernel, device: there.link.name, ttl };
  }
}

/** The kernel's own choice: no two that match are open at once, a bound address before all. */
function find(
  sockets: Iterable<Bound> | undefined,
  address: string,
  port: number,
  device: string,
): Bound | undefined {
  for (const socket of sockets ?? []) {
    if (socket.port !== port || (socket.device !== undefined && socket.device !== device)) continue;
    const isAll = isWildcard(socket.address) && socket.family === familyOf(splitZone(address).address);
    if (isAll || socket.address === address) return socket;
  }
  return undefined;
}

const isWildcard = (address: string): boolean => address === '0.0.0.0' || address === '::';
