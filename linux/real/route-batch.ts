// RouteBatch over netlink: writes 32-bit words straight into one buffer, sends it in pieces on a pool thread, and
// asks for an acknowledgement of each piece's last request only. Failures are always answered, so a request without an
// answer succeeded; when the kernel says that answers were lost (ENOBUFS), those of the piece count as unknown.
//
//   words: | length | type, flags | sequence = index + 1 | 0 | rtmsg 3 | RTA_DST 2 or 5 | (RTA_TABLE 2) | (RTA_PRIORITY 2) | next hops |
import { formatOctets } from '#ip';
import { errnos } from '../errno.ts';
import { KernelError } from '../kernel-error.ts';
import {
  MAIN_TABLE,
  type NextHop,
  PODROUTE_METRIC,
  PODROUTE_PROTOCOL,
  type RouteBatch,
  type RouteBatchOptions,
} from '../kernel.ts';
import { decodeAck } from '../netlink/ack.ts';
import { AF_INET, AF_INET6, nlmFlag, nlmsg, rta, rtm } from '../netlink/constants.ts';
import type { NetlinkSocket } from '../native/netlink-socket.ts';
import { LITTLE } from '../netlink/writer.ts';
import { NextHopPool } from './next-hop-pool.ts';
import type { FindDevice } from './requests.ts';

const FIRST_WORDS = 16384;
/** A buffer that grew beyond this is let go after its commit. */
const KEEP_WORDS = 1 << 20;
/** Less than SO_SNDBUF. */
const PIECE_BYTES = 256 * 1024;
/** Header, rtmsg, destination, table, priority: the most before the next hops. */
const FIXED_WORDS = 4 + 3 + 5 + 2 + 2;
const SCOPE_NOWHERE = 255;

const halves = (first: number, second: number) =>
  (LITTLE ? first | (second << 16) : (first << 16) | second) >>> 0;
const quarters = (a: number, b: number, c: number, d: number) =>
  (LITTLE ? a | (b << 8) | (c << 16) | (d << 24) : (a << 24) | (b << 16) | (c << 8) | d) >>> 0;

const ADD = halves(rtm.newRoute, nlmFlag.request | nlmFlag.create | nlmFlag.exclusive);
const REPLACE = halves(rtm.newRoute, nlmFlag.request | nlmFlag.create | nlmFlag.replace);
const DELETE = halves(rtm.deleteRoute, nlmFlag.request);
const WITH_ACK = halves(0, nlmFlag.ack);

/** Requests one after the other, with where each starts. */
class Requests {
  words = new Uint32Array(FIRST_WORDS);
  bytes = new Uint8Array(this.words.buffer);
  starts = new Uint32Array(1024);
  used = 0;
  count = 0;

  /** Room for one request more. */
  reserve(words: number): void {
    if (this.used + words > this.words.length) {
      const grown = new Uint32Array(Math.max(this.words.length * 2, this.used + words));
      grown.set(this.words);
      this.words = grown;
      this.bytes = new Uint8Array(grown.buffer);
    }
    if (this.count === this.starts.length) {
      const grown = new Uint32Array(this.count * 2);
      grown.set(this.starts);
      this.starts = grown;
    }
  }

  endOf(index: number): number {
    return index + 1 < this.count ? (this.starts[index + 1] as number) : this.used;
  }

  clear(): void {
    this.used = 0;
    this.count = 0;
    if (this.words.length <= KEEP_WORDS) return;
    this.words = new Uint32Array(FIRST_WORDS);
    this.bytes = new Uint8Array(this.words.buffer);
    this.starts = new Uint32Array(1024);
  }
}

export class EncodedRouteBatch implements RouteBatch {
  readonly #socket: NetlinkSocket;
  readonly #find: FindDevice;
  readonly #pool = new NextHopPool();
  readonly #table: number;
  readonly #protocol: number;
  readonly #metric: number;
  #writing = new Requests();
  /** those of the last commit, for explain */
  #sent = new Requests();
  #results = new Int32Array(0);
  readonly #reasons = new Map<number, string>();
  #isCommitting = false;

  constructor(socket: NetlinkSocket, find: FindDevice, options: RouteBatchOptions) {
    this.#socket = socket;
    this.#find = find;
    this.#table = options.table ?? MAIN_TABLE;
    this.#protocol = options.protocol ?? PODROUTE_PROTOCOL;
    this.#metric = options.metric ?? PODROUTE_METRIC;
  }

  get port(): number {
    return this.#socket.port;
  }
  get length(): number {
    return this.#writing.count;
  }

  internNextHops(family: 0 | 1, nextHops: readonly NextHop[]): number {
    return this.#pool.intern(family, nextHops, this.#find);
  }
  internType(type: 'unreachable' | 'blackhole' | 'throw' | 'prohibit'): number {
    return this.#pool.internType(type);
  }
  releaseNextHops(id: number): void {
    this.#pool.release(id);
  }

  add(
    family: 0 | 1,
    address: Uint8Array,
    offset: number,
    prefixLength: number,
    nextHopsId: number,
    metric = this.#metric,
  ): void {
    this.#write(ADD, family, address, offset, prefixLength, nextHopsId, metric);
  }
  replace(
    family: 0 | 1,
    address: Uint8Array,
    offset: number,
    prefixLength: number,
    nextHopsId: number,
    metric = this.#metric,
  ): void {
    this.#write(REPLACE, family, address, offset, prefixLength, nextHopsId, metric);
  }
  delete(
    family: 0 | 1,
    address: Uint8Array,
    offset: number,
    prefixLength: number,
    metric = this.#metric,
  ): void {
    this.#write(DELETE, family, address, offset, prefixLength, -1, metric);
  }

  #write(
    typeAndFlags: number,
    family: 0 | 1,
    address: Uint8Array,
    offset: number,
    prefixLength: number,
    nextHopsId: number,
    metric: number,
  ): void {
    const group = nextHopsId < 0 ? undefined : this.#pool.get(nextHopsId);
    if (nextHopsId >= 0 && (group === undefined || (group.family !== family && group.family !== -1))) {
      throw new RangeError(
        `next-hop group ${nextHopsId} ${group ? 'is of the other family' : 'is not in the batch'}`,
      );
    }
    const out = this.#writing;
    out.reserve(FIXED_WORDS + (group?.attributes.length ?? 0));
    const { words } = out;
    const size = family === 0 ? 4 : 16;
    const start = out.used;
    words[start + 1] = typeAndFlags;
    words[start + 2] = out.count + 1;
    words[start + 3] = 0;
    words[start + 4] = quarters(family === 0 ? AF_INET : AF_INET6, prefixLength, 0, 0);
    const table = this.#table < 256 ? this.#table : 0;
    words[start + 5] = quarters(table, this.#protocol, group?.scope ?? SCOPE_NOWHERE, group?.type ?? 0);
    words[start + 6] = group?.flags ?? 0;
    words[start + 7] = halves(4 + size, rta.destination);
    const to = (start + 8) * 4;
    for (let i = 0; i < size; i++) out.bytes[to + i] = address[offset + i] as number;
    let at = start + 8 + (size >> 2);
    if (this.#table > 255) {
      words[at] = halves(8, rta.table);
      words[at + 1] = this.#table;
      at += 2;
    }
    if (metric !== 0) {
      words[at] = halves(8, rta.priority);
      words[at + 1] = metric;
      at += 2;
    }
    if (group !== undefined) {
      const { attributes } = group;
      for (let i = 0; i < attributes.length; i++) words[at + i] = attributes[i] as number;
      at += attributes.length;
    }
    words[start] = (at - start) * 4;
    out.starts[out.count++] = start;
    out.used = at;
  }

  async commit(): Promise<Int32Array> {
    if (this.#isCommitting) throw new Error('RouteBatch.commit: the commit before has not ended');
    this.#isCommitting = true;
    const requests = this.#writing;
    this.#writing = this.#sent;
    this.#writing.clear();
    this.#sent = requests;
    this.#reasons.clear();
    const results = new Int32Array(requests.count);
    this.#results = results;
    try {
      await this.#socket.exclusive(async () => {
        for (let from = 0; from < requests.count; ) from = await this.#sendPiece(requests, from, results);
      });
    } finally {
      this.#isCommitting = false;
    }
    return results;
  }

  /** Sends as many as fit, reads the answers, and gives the first that was not sent. */
  async #sendPiece(requests: Requests, from: number, results: Int32Array): Promise<number> {
    const begin = requests.starts[from] as number;
    let to = from + 1;
    const most = Math.min(requests.count, from + this.#socket.maxRequests);
    while (to < most && (requests.endOf(to) - begin) * 4 <= PIECE_BYTES) to++;
    const last = (requests.starts[to - 1] as number) + 1;
    requests.words[last] = ((requests.words[last] as number) | WITH_ACK) >>> 0;
    await this.#socket.sendInBackground(requests.bytes, begin * 4, (requests.endOf(to - 1) - begin) * 4);
    let isComplete = false;
    const lost = this.#socket.read((packet, start, end) => {
      const index = packet.u32(start + 8) - 1;
      if (packet.u16(start + 4) !== nlmsg.error || index < from || index >= to) return true;
      const ack = decodeAck(packet, start, end);
      results[index] = ack.errno;
      if (ack.text !== undefined && ack.errno !== 0) this.#reasons.set(index, ack.text);
      isComplete ||= index === to - 1;
      return !isComplete;
    });
    if (lost || !isComplete) {
      for (let i = from; i < to; i++) if (results[i] === 0) results[i] = errnos.ENOBUFS;
    }
    return to;
  }

  explain(index: number): KernelError | undefined {
    const errno = this.#results[index] ?? 0;
    if (errno === 0) return undefined;
    const { bytes, words, starts } = this.#sent;
    const start = starts[index] as number;
    const typeAndFlags = (words[start + 1] as number) & ~WITH_ACK;
    const operation =
      typeAndFlags >>> 0 === ADD
        ? 'add route'
        : typeAndFlags >>> 0 === REPLACE
          ? 'replace route'
          : 'delete route';
    const size = bytes[start * 4 + 16] === AF_INET ? 4 : 16;
    const prefix = `${formatOctets(bytes, (start + 8) * 4, size)}/${bytes[start * 4 + 17]}`;
    const object = `${prefix} table ${this.#table} metric ${this.#metricAt(words, start, size)} protocol ${this.#protocol}`;
    return new KernelError(operation, object, errno, this.#reasons.get(index));
  }

  /** Behind the destination, and the table when it is a long one. */
  #metricAt(words: Uint32Array, start: number, size: number): number {
    const at = start + 8 + (size >> 2) + (this.#table > 255 ? 2 : 0);
    return words[at] === halves(8, rta.priority) ? (words[at + 1] as number) : 0;
  }

  /** After the commit that runs. */
  close(): Promise<void> {
    return this.#socket.exclusive(async () => this.#socket.close());
  }
}
