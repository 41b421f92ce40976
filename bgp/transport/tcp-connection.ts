// One TCP connection over node:net: no copying in either direction, and a close that lets a NOTIFICATION arrive.
import type { Socket } from 'node:net';
import { splitZone } from '#ip';
import type { Connection, ConnectionHandler, LifeSigns } from '../io.ts';
import type { Reader, ReadTurns } from './read-turns.ts';
import type { SocketOptions } from './socket-options.ts';

/** A long read is handed on in parts, so that a turn of the loop ends when its share is spent. As the longest message. */
export const PART_BYTES = 4096;
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
  /** What of the last read is still to be handed on. */
  #rest: Uint8Array | undefined;
  /** It is over, but for what was read before. */
  #end: { readonly error: string | undefined; readonly errno: string | undefined } | undefined;
  /** Octets of the last read. */
  #readLength = 0;

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

  /**
   * Takes what its reader has read.
   * @param isOurs the buffer is not used again
   * @returns false: read no more until the socket is resumed
   */
  received(buffer: Uint8Array, length: number, isOurs: boolean): boolean {
    const chunk = buffer.subarray(0, length);
    this.#readLength = length;
    const done = this.#handOn(chunk);
    if (done < length) this.#rest = isOurs ? chunk.subarray(done) : Buffer.from(chunk.subarray(done));
    return done === length && !this.#isPaused && !this.#turns.isWaiting(this);
  }

  /** Its turn has come. */
  goOn(): void {
    const rest = this.#rest;
    if (this.#isPaused) return;
    if (rest !== undefined) {
      this.#rest = undefined;
      const done = this.#handOn(rest);
      if (done < rest.length) this.#rest = rest.subarray(done);
      if (this.#isPaused || this.#turns.isWaiting(this)) return;
    }
    if (this.#end === undefined) this.#socket.resume();
    else this.#over(this.#end.error, this.#end.errno);
  }

  /** @returns how much of it was handed on until the turn was over or somebody paused it; all of it when it is closed */
  #handOn(chunk: Uint8Array): number {
    const { length } = chunk;
    for (let at = 0; at < length; ) {
      const handler = this.#handler;
      if (handler === undefined) break;
      const before = performance.now();
      const end = Math.min(length, at + PART_BYTES);
      handler.data(chunk, at, end);
      at = end;
      const mustWait = this.#turns.spent(this, performance.now() - before, this.#readLength);
      if (this.#handler === undefined) this.#turns.leave(this);
      else if (mustWait || this.#isPaused) return at;
    }
    return length;
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
    // Never from here: whoever resumes does not expect messages before it has returned.
    if (this.#rest !== undefined || this.#end !== undefined) this.#turns.wait(this);
    if (!this.#turns.isWaiting(this)) this.#socket.resume();
  }

  hasUnreadBytes(): boolean | 'unknown' {
    if (this.#rest !== undefined || this.#turns.isWaiting(this) || this.#socket.readableLength > 0)
      return true;
    const { fd } = this;
    if (this.#options === undefined || fd < 0) return 'unknown';
    return this.#options.unread(fd) > 0;
  }

  lifeSigns(): LifeSigns | undefined {
    const { fd } = this;
    if (fd < 0) return { isClosed: true, answeredAgoMs: 0, isShut: false };
    return this.#options?.lifeSigns(fd);
  }

  end(afterMs: number): void {
    if (this.#handler === undefined && this.#socket.destroyed) return;
    this.#forget();
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
    this.#forget();
    this.#socket.destroy();
  }

  #forget(): void {
    this.#handler = undefined;
    this.#rest = undefined;
    this.#turns.leave(this);
  }

  #over(error: string | undefined, errno?: string): void {
    if (this.#rest !== undefined) {
      // A NOTIFICATION in it says why.
      this.#end ??= { error, errno };
      if (!this.#isPaused) this.#turns.wait(this);
      return;
    }
    const handler = this.#handler;
    this.#forget();
    if (handler === undefined) return;
    this.#socket.destroy();
    handler.closed(error, errno);
  }
}
