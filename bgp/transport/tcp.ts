// Transport over node:net. Sockets that need options node:net has no call for are opened by SocketOptions and
// handed over as descriptors; without SocketOptions whatever needs them is refused, never silently left out.
import { createServer, Socket, type Server } from 'node:net';
import { familyOf, hostPrefix, needsZone, withZone } from '#ip';
import type {
  Connection,
  DialError,
  DialOptions,
  OwnLink,
  ListenerHandle,
  ListenKeys,
  ListenOptions,
  RuleBreach,
  Transport,
  TtlRule,
} from '../io.ts';
import { ReadTurns } from './read-turns.ts';
import { refusalOnPlainSockets, ttlValues, type SocketOptions } from './socket-options.ts';
import { TcpConnection } from './tcp-connection.ts';

/** What may stand before a NOTIFICATION when the neighbour reads slowly; sessions queue the rest themselves. */
const HIGH_WATER_BYTES = 64 * 1024;
/** Of dialled connections. What one cannot hand on in its turn is copied, and no more than this. */
const READ_BUFFER_BYTES = 16 * 1024;
const DEFAULT_CONNECT_TIMEOUT_MS = 30_000;
const BACKLOG = 1024;

export interface TcpTransportOptions {
  readonly socketOptions?: SocketOptions;
  /** Reports links that go down; without it neighbours are lost by hold timer only. */
  readonly watchLink?: (device: string, down: () => void) => { cancel(): void };
  readonly linkOf?: (localAddress: string, device?: string) => OwnLink | undefined;
}

export class TcpTransport implements Transport {
  readonly watchLink?: (device: string, down: () => void) => { cancel(): void };
  readonly linkOf?: (localAddress: string, device?: string) => OwnLink | undefined;
  readonly #options: SocketOptions | undefined;
  readonly #turns = new ReadTurns();
  /** One for all dialled connections: a read and its callback are one synchronous step. */
  readonly #readBuffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);

  constructor(options: TcpTransportOptions = {}) {
    this.#options = options.socketOptions;
    if (options.watchLink !== undefined) this.watchLink = options.watchLink;
    if (options.linkOf !== undefined) this.linkOf = options.linkOf;
  }

  dial(options: DialOptions, done: (result: Connection | DialError) => void): { cancel(): void } {
    let isOver = false;
    let socket: Socket | undefined;
    let connection: TcpConnection | undefined;
    const finish = (result: Connection | DialError) => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timeout);
      if ('error' in result) socket?.destroy();
      done(result);
    };
    const where = describeRemote(options);
    const fail = (error: NodeJS.ErrnoException) => {
      const text = `connect to ${where}: ${error.code ?? error.message}`;
      finish(error.code === undefined ? { error: text } : { error: text, errno: error.code });
    };
    const timeoutMs = options.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS;
    const timeout = setTimeout(() => fail(errnoError('ETIMEDOUT')), timeoutMs);
    const received = (length: number, buffer: Uint8Array) =>
      connection?.received(buffer, length, false) ?? true;
    try {
      socket = this.#openSocket(options, { buffer: this.#readBuffer, callback: received });
    } catch (error) {
      clearTimeout(timeout);
      const { message, code } = error as NodeJS.ErrnoException;
      const text = `connect to ${where}: ${message}`;
      setImmediate(() => finish(code === undefined ? { error: text } : { error: text, errno: code }));
      return {
        cancel: () => {
          isOver = true;
        },
      };
    }
    const opened = socket;
    opened.once('error', fail);
    opened.once('connect', () => {
      if (isOver) return;
      opened.off('error', fail);
      opened.pause();
      connection = new TcpConnection(opened, this.#turns, this.#options, options.device);
      finish(connection);
    });
    opened.setNoDelay(true);
    opened.connect({
      host: zoned(options.remoteAddress, options.device),
      port: options.remotePort,
      // A descriptor from SocketOptions is bound already.
      ...(this.#options === undefined && options.localAddress !== undefined
        ? { localAddress: zoned(options.localAddress, options.device) }
        : {}),
    });
    return {
      cancel: () => {
        if (isOver) return;
        isOver = true;
        clearTimeout(timeout);
        opened.on('error', () => {});
        opened.destroy();
      },
    };
  }

  listen(
    options: ListenOptions,
    accept: (connection: Connection) => void,
    prepare?: (keys: ListenKeys) => void,
  ): Promise<ListenerHandle> {
    const socketOptions = this.#options;
    const turns = this.#turns;
    const where = `${options.address} port ${options.port}`;
    const server = createServer(
      { pauseOnConnect: true, noDelay: true, highWaterMark: HIGH_WATER_BYTES },
      (socket) => accept(acceptedConnection(socket, turns, socketOptions)),
    );
    return new Promise((resolve, reject) => {
      let fd = -1;
      server.once('error', (error: NodeJS.ErrnoException) => {
        reject(new Error(`listen on ${where}: ${error.code ?? error.message}`, { cause: error }));
      });
      server.once('listening', () => {
        // An error of a listening socket (EMFILE in accept) concerns one connection, not the listener.
        server.removeAllListeners('error').on('error', () => {});
        resolve(listenerHandle(server, fd, socketOptions));
      });
      if (socketOptions === undefined) {
        prepare?.(listenKeys(-1, undefined));
        server.listen({ host: options.address, port: options.port, backlog: BACKLOG, ipv6Only: true });
        return;
      }
      try {
        // TTL 255 from the first SYN-ACK on: a neighbour with GTSM takes nothing less.
        fd = socketOptions.openTcpSocket({
          family: familyOf(options.address),
          bind: { address: options.address, port: options.port },
          ttl: 255,
          reuseAddress: true,
          v6Only: true,
          saveSyn: true,
        });
        // A connection takes its key from the socket that it came to, as it was then: later is too late.
        prepare?.(listenKeys(fd, socketOptions));
      } catch (error) {
        if (fd >= 0) socketOptions.closeSocket(fd);
        reject(new Error(`listen on ${where}: ${(error as Error).message}`, { cause: error }));
        return;
      }
      server.listen({ fd, backlog: BACKLOG });
    });
  }

  admit(
    connection: Connection,
    { ttl, md5Key }: { readonly ttl: TtlRule; readonly md5Key?: string },
  ): RuleBreach | undefined {
    this.setTtlRule(connection, ttl);
    const options = this.#options;
    if (options === undefined) {
      this.setMd5Key(connection, md5Key);
      return undefined;
    }
    const fd = liveFd(connection);
    const least = ttlValues(ttl).minTtl;
    if (least > 0) {
      // Until now the kernel took any TTL, and what came may wait to be read.
      const arrived = options.synTtl(fd);
      if (arrived === undefined || arrived < least) return { kind: 'too far', ttl: arrived, least };
    }
    if (md5Key === undefined || options.renewMd5(fd, connection.remoteAddress, md5Key)) return undefined;
    return { kind: 'unsigned' };
  }

  setTtlRule(connection: Connection, rule: TtlRule): void {
    if (this.#options === undefined) {
      const refusal = refusalOnPlainSockets(rule, undefined);
      if (refusal !== undefined) throw new Error(refusal);
      return;
    }
    const { ttl, minTtl } = ttlValues(rule);
    this.#options.setTtl(liveFd(connection), familyOf(connection.remoteAddress), ttl, minTtl);
  }

  setMd5Key(connection: Connection, key: string | undefined): void {
    if (this.#options === undefined) {
      if (key === undefined) return;
      throw new Error(refusalOnPlainSockets({ kind: 'multihop', hops: 255 }, key));
    }
    this.#options.setMd5(liveFd(connection), hostPrefix(connection.remoteAddress), key);
  }

  #openSocket(
    options: DialOptions,
    onread: { buffer: Uint8Array; callback: (length: number, buffer: Uint8Array) => boolean },
  ): Socket {
    const { device, md5Key, localAddress, remoteAddress } = options;
    // Stream options that @types/node does not list for Socket.
    const tuning = { onread, writableHighWaterMark: HIGH_WATER_BYTES };
    if (this.#options === undefined) {
      const link = device === undefined ? undefined : { name: device, isLinkLocal: needsZone(remoteAddress) };
      const refusal = refusalOnPlainSockets(options.ttl, md5Key, link);
      if (refusal !== undefined) throw new Error(refusal);
      return new Socket(tuning);
    }
    const { ttl, minTtl } = ttlValues(options.ttl);
    const fd = this.#options.openTcpSocket({
      family: familyOf(remoteAddress),
      ttl,
      ...(minTtl > 0 ? { minTtl } : {}),
      ...(localAddress === undefined ? {} : { bind: { address: localAddress, port: 0 } }),
      ...(device === undefined ? {} : { device }),
      ...(md5Key === undefined ? {} : { md5: [{ prefix: hostPrefix(remoteAddress), key: md5Key }] }),
    });
    try {
      // manualStart: there is nothing to read before connect().
      return new Socket({ ...tuning, fd, readable: true, writable: true, manualStart: true } as object);
    } catch (error) {
      this.#options.closeSocket(fd);
      throw error;
    }
  }
}

function acceptedConnection(
  socket: Socket,
  turns: ReadTurns,
  options: SocketOptions | undefined,
): TcpConnection {
  const connection = new TcpConnection(socket, turns, options, undefined);
  socket.on('data', (chunk: Buffer) => {
    if (!connection.received(chunk, chunk.length, true)) socket.pause();
  });
  socket.pause();
  return connection;
}

function listenerHandle(server: Server, fd: number, options: SocketOptions | undefined): ListenerHandle {
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    ...listenKeys(fd, options),
    close: () => {
      server.close();
    },
  };
}

function listenKeys(fd: number, options: SocketOptions | undefined): ListenKeys {
  return {
    setMd5Key(prefix: string, key: string | undefined): void {
      if (options !== undefined) options.setMd5(fd, prefix, key);
      else if (key !== undefined) {
        throw new Error(refusalOnPlainSockets({ kind: 'multihop', hops: 255 }, key));
      }
    },
  };
}

function liveFd(connection: Connection): number {
  const fd = (connection as TcpConnection).fd;
  if (fd < 0) throw new Error(`the connection with ${connection.remoteAddress} is closed`);
  return fd;
}

/** Only a link-local address is told apart by its link. */
function zoned(address: string, device: string | undefined): string {
  return needsZone(address) ? withZone(address, device) : address;
}

function describeRemote(options: DialOptions): string {
  return `${zoned(options.remoteAddress, options.device)} port ${options.remotePort}`;
}

function errnoError(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(code), { code });
}
