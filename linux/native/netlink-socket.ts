// A netlink socket (NETLINK_ROUTE unless told otherwise): requests out, one answer for each back, matched by sequence number. The kernel does a request's
// work inside send; so answers wait in the receive buffer when send returns. Exchanges come in two forms: at once (for
// pod wiring, which wants the shortest way) and with the send on a pool thread (everything else).
import { setImmediate as turnOfLoop } from 'node:timers/promises';
import { Turns } from '#world';
import { errnos } from '../errno.ts';
import { KernelError } from '../kernel-error.ts';
import { addon } from './addon.ts';
import { type NetnsReference, withNetns } from './netns.ts';
import { type Ack, decodeAck } from '../netlink/ack.ts';
import { AF_NETLINK, nlmFlag, nlmsg } from '../netlink/constants.ts';
import { Packet } from '../netlink/packet.ts';
import { HEADER_BYTES, LITTLE, MessageWriter } from '../netlink/writer.ts';
import { SOL_SOCKET, SO_RCVBUF, SO_RCVBUFFORCE } from './socket-values.ts';

const SOCK_RAW = 3;
const SOCK_NONBLOCK = 0o4000;
const SO_SNDBUF = 7;
const SO_SNDBUFFORCE = 32;
const SOL_NETLINK = 270;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const NETLINK_GET_STRICT_CHK = 12;
const MSG_TRUNC = 0x20;
const MSG_DONTWAIT = 0x40;
/** The kernel fills dump packets up to 32 KB. */
const PACKET_BYTES = 65536;
const DUMP_ATTEMPTS = 10;
/** Errors of a whole send must fit into the receive buffer (about 1 KB each in the kernel's own counting). */
const RECEIVE_BYTES = 2 << 20;
const SEND_BYTES = 1 << 20;

/** Called for each message: its place in the packet, and the number of the request that it answers. */
export type Answer = (packet: Packet, start: number, end: number, request: number) => void;

export interface SocketSettings {
  readonly netns?: NetnsReference | undefined;
  /** default: NETLINK_ROUTE */
  readonly protocol?: number;
  /** multicast groups to hear (groupBit) */
  readonly groups?: number;
  readonly receiveBytes?: number;
  /** room for one send */
  readonly sendBytes?: number;
}

/** One receive buffer a thread: a packet is decoded before the next is read. */
const shared = new Packet(new Uint8Array(PACKET_BYTES));

export class NetlinkSocket {
  readonly fd: number;
  /** nlmsg_pid of what this socket asks for, and of notifications that its requests cause */
  readonly port: number;
  /** how many requests may go into one send, so that the answers fit into the receive buffer */
  readonly maxRequests: number;
  #sequence = 1;
  readonly #turns = new Turns();

  /** Throws KernelError. */
  static open(settings: SocketSettings = {}): NetlinkSocket {
    const make = () => new NetlinkSocket(settings);
    return settings.netns === undefined ? make() : withNetns(settings.netns, make);
  }

  private constructor(settings: SocketSettings) {
    const native = addon();
    const fail = (call: string, result: number) => new KernelError('open netlink socket', call, -result);
    this.fd = native.socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, settings.protocol ?? 0);
    if (this.fd < 0) throw fail('socket', this.fd);
    const address = new Uint8Array(12);
    const view = new DataView(address.buffer);
    view.setUint16(0, AF_NETLINK, LITTLE);
    view.setUint32(8, settings.groups ?? 0, LITTLE);
    const bound = native.bind(this.fd, address);
    if (bound < 0) {
      native.close(this.fd);
      throw fail('bind', bound);
    }
    native.getsockname(this.fd, address);
    this.port = view.getUint32(4, LITTLE);
    const receiveBytes = settings.receiveBytes ?? RECEIVE_BYTES;
    const forced = this.#option(SOL_SOCKET, SO_RCVBUFFORCE, receiveBytes) === 0;
    if (!forced) this.#option(SOL_SOCKET, SO_RCVBUF, receiveBytes);
    const sendBytes = settings.sendBytes ?? SEND_BYTES;
    if (this.#option(SOL_SOCKET, SO_SNDBUFFORCE, sendBytes) < 0)
      this.#option(SOL_SOCKET, SO_SNDBUF, sendBytes);
    this.maxRequests = forced ? 500 : 150;
    // Answers carry the kernel's words and not the request; dumps are filtered by the kernel. Older kernels lack some.
    this.#option(SOL_NETLINK, NETLINK_EXT_ACK, 1);
    this.#option(SOL_NETLINK, NETLINK_CAP_ACK, 1);
    this.#option(SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1);
  }

  #option(level: number, name: number, value: number): number {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setInt32(0, value, LITTLE);
    return addon().setsockopt(this.fd, level, name, bytes);
  }

  /** Reserves sequence numbers for that many requests and gives the first. */
  sequences(count: number): number {
    if (this.#sequence + count > 0x7fffffff) this.#sequence = 1;
    const first = this.#sequence;
    this.#sequence += count;
    return first;
  }

  /** On this thread; answers wait when it returns. Throws KernelError. */
  send(bytes: Uint8Array): void {
    const sent = addon().send(this.fd, bytes, 0, bytes.length);
    if (sent < 0) throw new KernelError('send to', 'netlink', -sent);
  }

  /** Sends at once, on this thread, and gives one Ack a request. All requests have NLM_F_ACK. Throws KernelError. */
  exchange(bytes: Uint8Array, first: number, count: number, answer?: Answer): Ack[] {
    this.send(bytes);
    return this.collect(first, count, answer);
  }

  /** The same with the send on a pool thread. Only inside exclusive. bytes must stay as they are until it resolves. */
  async exchangeInBackground(
    bytes: Uint8Array,
    first: number,
    count: number,
    answer?: Answer,
  ): Promise<Ack[]> {
    await this.sendInBackground(bytes, 0, bytes.length);
    return this.collect(first, count, answer);
  }

  sendInBackground(bytes: Uint8Array, offset: number, length: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (result: number) => {
        if (result < 0) reject(new KernelError('send to', 'netlink', -result));
        else resolve();
      };
      const queued = addon().sendInBackground(this.fd, bytes, offset, length, done);
      if (queued < 0) done(queued);
    });
  }

  /** Runs one exchange after the other. */
  exclusive<T>(run: () => Promise<T>): Promise<T> {
    return this.#turns.run(run);
  }

  /** One Ack for each request in the receive buffer; for one whose answer was lost ENOBUFS. */
  collect(first: number, count: number, answer?: Answer): Ack[] {
    const acks: (Ack | undefined)[] = Array.from({ length: count });
    let missing = count;
    this.read((packet, start, end) => {
      const request = packet.u32(start + 8) - first;
      if (request < 0 || request >= count) return true;
      if (packet.u16(start + 4) !== nlmsg.error) {
        answer?.(packet, start, end, request);
      } else if (acks[request] === undefined) {
        acks[request] = decodeAck(packet, start, end);
        missing--;
      }
      return missing > 0;
    });
    return Array.from(acks, (ack) => ack ?? { errno: errnos.ENOBUFS, text: 'the answer was lost' });
  }

  /**
   * Reads messages until each returns false or none is left; true when the kernel says that some were lost.
   * Throws KernelError when the socket itself fails.
   */
  read(each: (packet: Packet, start: number, end: number) => boolean): boolean {
    const native = addon();
    let lost = false;
    for (;;) {
      const size = native.recv(this.fd, shared.bytes, 0, PACKET_BYTES, MSG_DONTWAIT | MSG_TRUNC);
      if (size === -errnos.EAGAIN) return lost;
      if (size === -errnos.ENOBUFS) {
        lost = true;
        continue;
      }
      if (size < 0) throw new KernelError('receive from', 'rtnetlink', -size);
      if (size > PACKET_BYTES)
        throw new KernelError('receive from', 'rtnetlink', errnos.EMSGSIZE, `${size} bytes`);
      let more = true;
      for (let at = 0; at + HEADER_BYTES <= size; ) {
        const length = shared.u32(at);
        if (length < HEADER_BYTES || at + length > size) break;
        more = each(shared, at, at + length) && more;
        at += (length + 3) & ~3;
      }
      if (!more) return lost;
    }
  }

  /**
   * Everything of one kind: type is RTM_GET…, body writes its fixed header and filter. Read in packets of at most 32 KB
   * with a turn of the event loop between them; begun again when the kernel says that it changed meanwhile.
   * Throws KernelError (what names it: 'routes').
   */
  dump<T>(
    what: string,
    type: number,
    body: (writer: MessageWriter) => void,
    decode: (packet: Packet, start: number, end: number) => T | undefined,
  ): Promise<T[]> {
    return this.exclusive(async () => {
      for (let attempt = 0; attempt < DUMP_ATTEMPTS; attempt++) {
        const found = await this.#dumpOnce(what, type, body, decode);
        if (found !== undefined) return found;
      }
      throw new KernelError(
        'list',
        what,
        errnos.EINTR,
        `changed during each of ${DUMP_ATTEMPTS} attempts to read it`,
      );
    });
  }

  /** undefined when the list changed while it was read. */
  async #dumpOnce<T>(
    what: string,
    type: number,
    body: (writer: MessageWriter) => void,
    decode: (packet: Packet, start: number, end: number) => T | undefined,
  ): Promise<T[] | undefined> {
    const sequence = this.sequences(1);
    const writer = new MessageWriter();
    writer.begin(type, nlmFlag.request | nlmFlag.dump, sequence);
    body(writer);
    writer.end();
    await this.sendInBackground(writer.bytes, 0, writer.length);
    const found: T[] = [];
    let end: Ack | undefined;
    let interrupted = false;
    let heard = false;
    const one = (packet: Packet, start: number, stop: number) => {
      if (packet.u32(start + 8) !== sequence) return true;
      heard = true;
      if (packet.u16(start + 6) & nlmFlag.dumpInterrupted) interrupted = true;
      const kind = packet.u16(start + 4);
      if (kind === nlmsg.done || kind === nlmsg.error) {
        end = decodeAck(packet, start, stop);
      } else {
        const value = decode(packet, start, stop);
        if (value !== undefined) found.push(value);
      }
      return false; // one packet, then a turn of the loop
    };
    while (end === undefined) {
      heard = false;
      // The kernel makes the next packet before it hands out one, so there is always something to read until the end.
      if (this.read(one) || !heard) {
        throw new KernelError('list', what, errnos.ENOBUFS, 'the answer stopped before its end');
      }
      if (end === undefined) await turnOfLoop();
    }
    if (end.errno !== 0) throw new KernelError('list', what, end.errno, end.text);
    return interrupted ? undefined : found;
  }

  /** Only when no exchange is under way. */
  close(): void {
    addon().close(this.fd);
  }
}
