// A transport with nobody behind it: the rehearsal hands bytes in, and what the speaker writes is thrown away.
import type {
  Connection,
  ConnectionHandler,
  DialError,
  DialOptions,
  ListenerHandle,
  ListenOptions,
  Transport,
} from '../io.ts';

export class StageConnection implements Connection {
  readonly localAddress: string;
  readonly localPort = 179;
  readonly remoteAddress: string;
  readonly remotePort = 40_000;
  readonly queuedBytes = 0;
  totalBytesAccepted = 0;
  isPaused = false;
  isOver = false;
  #handler: ConnectionHandler | undefined;

  constructor(localAddress: string, remoteAddress: string) {
    this.localAddress = localAddress;
    this.remoteAddress = remoteAddress;
  }

  /** The speaker reads bytes. */
  hear(bytes: Uint8Array, start: number, end: number): void {
    this.#handler?.data(bytes, start, end);
  }

  setHandler(handler: ConnectionHandler): void {
    this.#handler = handler;
  }
  write(bytes: Uint8Array): boolean {
    this.totalBytesAccepted += bytes.length;
    return true;
  }
  cork(): void {}
  uncork(): void {}
  pause(): void {
    this.isPaused = true;
  }
  resume(): void {
    this.isPaused = false;
  }
  hasUnreadBytes(): boolean {
    return false;
  }
  lifeSigns(): undefined {}
  end(): void {
    this.destroy();
  }
  destroy(): void {
    this.isOver = true;
    this.#handler = undefined;
  }
}

export class Stage implements Transport {
  #accept: ((connection: Connection) => void) | undefined;

  /** A neighbour connects. */
  enter(localAddress: string, remoteAddress: string): StageConnection {
    const connection = new StageConnection(localAddress, remoteAddress);
    this.#accept?.(connection);
    return connection;
  }

  dial(_options: DialOptions, _done: (result: Connection | DialError) => void): { cancel(): void } {
    return { cancel: () => {} };
  }
  listen(options: ListenOptions, accept: (connection: Connection) => void): Promise<ListenerHandle> {
    this.#accept = accept;
    return Promise.resolve({ port: options.port, setMd5Key: () => {}, close: () => {} });
  }
  admit(): undefined {}
  setTtlRule(): void {}
  setMd5Key(): void {}
}
