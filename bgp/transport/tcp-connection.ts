// One TCP connection over node:net: no copying in either direction, and a close that lets a NOTIFICATION arrive.
import type { Socket } from 'node:net';
import { splitZone } from '#ip';
import type { Connection, ConnectionHandler } from '../io.ts';
import type { Reader, ReadTurns } from './read-turns.ts';
import type { SocketOptions } from './socket-options.ts';

/** After a flushed end() the other side has this long to close too: closing with unread bytes would reset. */
const LINGER_MS = 1000;

export class TcpConnection implements Connection, Reader {
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly device?: string;
  readonly #socket: Socket;
  readonly #options: SocketOptions | undefined;
  readonly #turns: ReadTurns;
  #handler: ConnectionHandler | undefined;
  #isPaused = false;

  /**
   * @param socket connected; its reader must call received(), and it must be paused until setHandler()
   * @param device the link asked for, when the address has no zone
   */
  constructor(
    socket: Socket,
    turns: ReadTurns,
    options: SocketOptions | undefined,
    device: string | undefined,
  ) {
    this.#socket = socket;
    this.#turns = turns;
    this.#options = options;
    const local = splitZone(socket.localAddress ?? '');
    const remote = splitZone(socket.remoteAddress ?? '');
    this.localAddress = local.address;
    this.localPort = socket.localPort ?? 0;
    this.remoteAddress = remote.address;
    this.remotePort = socket.remotePort ?? 0;
    const link = remote.zone ?? local.zone ?? device;
    if (link !== undefined) this.device = link;
    socket.on('error', (error: NodeJS.ErrnoException) => this.#over(error.message, error.code));
    socket.on('end', () => this.#over(undefined));
    socket.on('close', () => this.#over(undefined));
    socket.on('drain', () => this.#handler?.drained());
  }

  /** Descriptor, or -1 once closed. Node has no public name for it; the field has been there since 0.x. */
  get fd(): number {
    const { _handle } = this.#socket as unknown as { _handle: { fd?: number } | null };
    return _handle?.fd ?? -1;
  }

  setHandler(handler: ConnectionHandler): void {
    this.#handler = handler;
    if (!this.#isPaused) this.#socket.resume();
  }

  /** For the reader. False: read no more. */
  received(buffer: Uint8Array, length: number): boolean {
    const handler = this.#handler;
    if (handler === undefined) return true;
    const before = performance.now();
    handler.data(buffer, 0, length);
    const mustWait = this.#turns.spent(this, performance.now() - before, length);
    if (this.#handler === undefined) {
      this.#turns.leave(this);
      return true;
    }
    return !mustWait && !this.#isPaused;
  }

  /** Its turn has come. */
  goOn(): void {
    if (!this.#isPaused) this.#socket.resume();
  }

  write(bytes: Uint8Array): boolean {
    return this.#socket.write(bytes);
  }

  cork(): void {
    this.#socket.cork();
  }

  uncork(): void {
    this.#socket.uncork();
  }

  get queuedBytes(): number {
    return this.#socket.writableLength;
  }

  get totalBytesAccepted(): number {
    return this.#socket.bytesWritten - this.#socket.writableLength;
  }

  pause(): void {
    this.#isPaused = true;
    this.#socket.pause();
  }

  resume(): void {
    this.#isPaused = false;
    if (!this.#turns.isWaiting(this)) this.#socket.resume();
  }

  hasUnreadBytes(): boolean | 'unknown' {
    if (this.#turns.isWaiting(this) || this.#socket.readableLength > 0) return true;
    const { fd } = this;
    if (this.#options === undefined || fd < 0) return 'unknown';
    return this.#options.unread(fd) > 0;
  }

  end(afterMs: number): void {
    if (this.#handler === undefined && this.#socket.destroyed) return;
    this.#handler = undefined;
    this.#turns.leave(this);
    const socket = this.#socket;
    // What still comes in is read and thrown away.
    this.#isPaused = false;
    socket.resume();
    let timer = setTimeout(() => socket.destroy(), afterMs);
    socket.once('close', () => clearTimeout(timer));
    while (socket.writableCorked > 0) socket.uncork();
    socket.end(() => {
      clearTimeout(timer);
      timer = setTimeout(() => socket.destroy(), Math.min(afterMs, LINGER_MS));
    });
  }

  destroy(): void {
    this.#handler = undefined;
    this.#turns.leave(this);
    this.#socket.destroy();
  }

  #over(error: string | undefined, errno?: string): void {
    const handler = this.#handler;
    this.#handler = undefined;
    if (handler === undefined) return;
    this.#turns.leave(this);
    this.#socket.destroy();
    handler.closed(error, errno);
  }
}
