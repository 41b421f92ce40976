// The Kernel over rtnetlink. Three kinds of sockets, so that none waits for another: requests, lists, one a watcher
// (and one a RouteBatch).
import { parseOctets } from '#ip';
import { describeRequest } from '../describe.ts';
import { errnos } from '../errno.ts';
import { KernelError } from '../kernel-error.ts';
import type {
  Address,
  Kernel,
  KernelEvent,
  Link,
  Lookup,
  Neighbour,
  Request,
  Route,
  RouteBatch,
  RouteBatchOptions,
  RouteFilter,
  RouteType,
  Rule,
  WatchOptions,
} from '../kernel.ts';
import { decodeAddress } from '../netlink/address.ts';
import type { Ack } from '../netlink/ack.ts';
import { AF_INET, AF_INET6, ifla, nlmFlag, rta, rtm, SKIP_STATS } from '../netlink/constants.ts';
import { decodeLink } from '../netlink/link.ts';
import { familyNumber } from '../netlink/names.ts';
import { decodeNeighbour } from '../netlink/neighbour.ts';
import { decodeRoute } from '../netlink/route.ts';
import { decodeRule } from '../netlink/rule.ts';
import { NetlinkSocket } from '../native/netlink-socket.ts';
import { MessageWriter } from '../netlink/writer.ts';
import type { NetnsReference } from '../native/netns.ts';
import { encodeRequest } from './requests.ts';
import { EncodedRouteBatch } from './route-batch.ts';
import { DeviceNames, KernelWatch } from './watch.ts';

export interface KernelOptions {
  /** a namespace's path, or that of a process; default: the calling thread's */
  readonly netns?: NetnsReference;
}

/** Throws KernelError when there is no such namespace or it may not be entered. */
export async function openKernel(options: KernelOptions = {}): Promise<Kernel> {
  return new NetlinkKernel(options.netns);
}

class NetlinkKernel implements Kernel {
  readonly #netns: NetnsReference | undefined;
  readonly #requests: NetlinkSocket;
  readonly #lists: NetlinkSocket;
  readonly #names: DeviceNames;
  readonly #watches = new Set<KernelWatch>();
  readonly #batches = new Set<EncodedRouteBatch>();

  constructor(netns: NetnsReference | undefined) {
    this.#netns = netns;
    this.#requests = NetlinkSocket.open({ netns });
    this.#lists = NetlinkSocket.open({ netns });
    this.#names = new DeviceNames(this.#lists.fd);
  }

  links(): Promise<Link[]> {
    return this.#lists.dump(
      'links',
      rtm.getLink,
      (writer) => {
        zeros(writer, 4);
        writer.attributeU32(ifla.extMask, SKIP_STATS);
      },
      decodeLink,
    );
  }

  async addresses(): Promise<Address[]> {
    const found = await this.#lists.dump(
      'addresses',
      rtm.getAddress,
      (writer) => zeros(writer, 2),
      decodeAddress,
    );
    return this.#names.during((names) => found.map((address) => names.address(address)));
  }

  async routes(filter: RouteFilter = {}): Promise<Route[]> {
    const families = filter.family === undefined ? (['ipv4', 'ipv6'] as const) : [filter.family];
    const names = this.#names.snapshot();
    const found: Route[][] = [];
    for (const family of families) {
      const body = (writer: MessageWriter) => {
        writer.u32(familyNumber(family));
        writer.u8(filter.table !== undefined && filter.table < 256 ? filter.table : 0);
        writer.u8(filter.protocol ?? 0);
        writer.u16(0);
        writer.u32(0);
        if (filter.table !== undefined) writer.attributeU32(rta.table, filter.table);
      };
      const decode = (packet: Parameters<typeof decodeRoute>[0], start: number, end: number) => {
        // RTM_F_CLONED: what a lookup cached, not a route
        if (packet.u32(start + 24) & 0x200) return undefined;
        const route = decodeRoute(packet, start, end);
        return route === undefined ? undefined : names.route(route);
      };
      try {
        found.push(await this.#lists.dump('routes', rtm.getRoute, body, decode));
      } catch (error) {
        // A table that nobody has used yet is empty.
        if (!(error instanceof KernelError) || error.errno !== errnos.ENOENT || filter.table === undefined)
          throw error;
      }
    }
    // Kernels that do not filter give everything.
    return found
      .flat()
      .filter(
        (route) =>
          (filter.table === undefined || route.table === filter.table) &&
          (filter.protocol === undefined || route.protocol === filter.protocol),
      );
  }

  async neighbours(): Promise<Neighbour[]> {
    const found = await this.#lists.dump(
      'neighbours',
      rtm.getNeighbour,
      (writer) => zeros(writer, 3),
      decodeNeighbour,
    );
    return this.#names.during((names) => found.map((neighbour) => names.neighbour(neighbour)));
  }

  rules(): Promise<Rule[]> {
    return this.#lists.dump('rules', rtm.getRule, (writer) => zeros(writer, 3), decodeRule);
  }

  apply(requests: readonly Request[]): Promise<(KernelError | undefined)[]> {
    return this.#requests.exclusive(async () => {
      const results: (KernelError | undefined)[] = [];
      const writer = new MessageWriter();
      while (results.length < requests.length) await this.#applySome(writer, requests, results);
      return results;
    });
  }

  /** One send: from the first request without a result as far as it goes. */
  async #applySome(
    writer: MessageWriter,
    requests: readonly Request[],
    results: (KernelError | undefined)[],
  ): Promise<void> {
    const socket = this.#requests;
    const sequence = socket.sequences(socket.maxRequests);
    const begin = results.length;
    let sent = 0;
    let changesNames = false;
    writer.clear();
    for (let i = begin; i < requests.length && sent < socket.maxRequests; i++) {
      const request = requests[i] as Request;
      const error = encodeRequest(writer, request, sequence + sent, (name) => this.#names.index(name));
      // The device may be one that this very send makes: look again after it.
      if (error?.errno === errnos.ENODEV && changesNames) break;
      if (error !== undefined && sent > 0) break;
      if (error !== undefined) {
        results.push(error);
        return;
      }
      changesNames ||= request.type === 'addLink' || request.type === 'setLink';
      sent++;
    }
    const acks = await socket.exchangeInBackground(writer.bytes, sequence, sent);
    for (let i = 0; i < sent; i++) results.push(errorOf(requests[begin + i] as Request, acks[i] as Ack));
  }

  routeBatch(options: RouteBatchOptions = {}): RouteBatch {
    const socket = NetlinkSocket.open({ netns: this.#netns });
    const batch = new EncodedRouteBatch(socket, (name) => this.#names.index(name), options);
    this.#batches.add(batch);
    return batch;
  }

  async lookup(address: string): Promise<Lookup | KernelError> {
    const bytes = parseOctets(address);
    if (bytes === undefined) return new KernelError('look up route', address, errnos.EINVAL, 'no IP address');
    return this.#requests.exclusive(async () => {
      const socket = this.#requests;
      const sequence = socket.sequences(1);
      const writer = new MessageWriter();
      writer.begin(rtm.getRoute, nlmFlag.request | nlmFlag.ack, sequence);
      writer.u8(bytes.length === 4 ? AF_INET : AF_INET6);
      writer.u8(bytes.length * 8);
      writer.u16(0);
      writer.u32(0);
      writer.u32(0);
      writer.attribute(rta.destination, bytes);
      writer.end();
      let route: Route | undefined;
      const [ack] = await socket.exchangeInBackground(writer.bytes, sequence, 1, (packet, start, end) => {
        route = decodeRoute(packet, start, end);
      });
      if (route !== undefined) return this.#lookupOf(route);
      const deadEnd = ack?.text === undefined ? deadEnds.get(ack?.errno ?? 0) : undefined;
      if (deadEnd !== undefined) return { kind: deadEnd };
      return new KernelError('look up route', `to ${address}`, ack?.errno ?? errnos.ESRCH, ack?.text);
    });
  }

  #lookupOf(route: Route): Lookup {
    const [hop] = route.nextHops;
    const device = hop?.deviceIndex === undefined ? undefined : this.#names.name(hop.deviceIndex);
    return {
      kind: route.type,
      ...(hop?.gateway === undefined ? {} : { gateway: hop.gateway }),
      ...(device === undefined ? {} : { device }),
      ...(hop?.deviceIndex === undefined ? {} : { deviceIndex: hop.deviceIndex }),
      ...(route.source === undefined ? {} : { source: route.source }),
    };
  }

  watch(handler: (event: KernelEvent) => void, options: WatchOptions = {}): Disposable {
    const isOwn = (port: number) =>
      port === this.#requests.port || [...this.#batches].some((batch) => batch.port === port);
    const watch = new KernelWatch(this.#netns, handler, options, isOwn, () => this.#watches.delete(watch));
    this.#watches.add(watch);
    return watch;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const watch of this.#watches) watch[Symbol.dispose]();
    for (const batch of this.#batches) await batch.close();
    for (const socket of [this.#requests, this.#lists]) {
      await socket.exclusive(async () => socket.close());
    }
  }
}

/** What a lookup answers for a route that leads nowhere (no answer at all but ENETUNREACH: there is no route). */
const deadEnds: ReadonlyMap<number, RouteType> = new Map<number, RouteType>([
  [errnos.EHOSTUNREACH, 'unreachable'],
  [errnos.EINVAL, 'blackhole'],
  [errnos.EACCES, 'prohibit'],
]);

function zeros(writer: MessageWriter, words: number): void {
  for (let i = 0; i < words; i++) writer.u32(0);
}

function errorOf(request: Request, ack: Ack): KernelError | undefined {
  if (ack.errno === 0) return undefined;
  const { operation, object } = describeRequest(request);
  return new KernelError(operation, object, ack.errno, ack.text);
}
