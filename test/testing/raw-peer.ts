// A scripted BGP peer in a host: the test writes octets and reads messages; nothing answers by itself.
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Host, HostProcess } from '#lab';
import { waitUntil } from '#world';
import { KEEPALIVE, MessageType, type OpenFields, open } from './messages.ts';

export interface RawMessage {
  readonly type: number;
  readonly body: Buffer;
}

/** The way from this process into a host's TCP: one relay process a host. */
export class RawHost implements AsyncDisposable {
  readonly #process: HostProcess;
  readonly #folder: string;
  readonly #path: string;

  constructor(process: HostProcess, folder: string, path: string) {
    this.#process = process;
    this.#folder = folder;
    this.#path = path;
  }

  static async start(host: Host): Promise<RawHost> {
    const folder = mkdtempSync(join(tmpdir(), 'podroute-raw-'));
    const path = join(folder, 'relay.sock');
    const relay = host.spawn([process.execPath, resolve(import.meta.dirname, 'relay-process.ts'), path]);
    await waitUntil('the relay', 15_000, () => relay.output.includes('ready'));
    return new RawHost(relay, folder, path);
  }

  /** Connects from localAddress; resolves when TCP is up. */
  connect(remoteAddress: string, localAddress: string, port = 179): Promise<RawPeer> {
    return this.#request({ connect: { host: remoteAddress, port, localAddress } });
  }

  /** Resolves when somebody has connected to the address. */
  accept(address: string, port = 179): Promise<RawPeer> {
    return this.#request({ listen: { host: address, port } });
  }

  #request(request: object): Promise<RawPeer> {
    return new Promise((done, fail) => {
      const socket = connect(this.#path, () => socket.write(`${JSON.stringify(request)}\n`));
      let head = Buffer.alloc(0);
      const read = (bytes: Buffer) => {
        head = Buffer.concat([head, bytes]);
        const end = head.indexOf(10);
        if (end < 0) return;
        socket.off('data', read);
        const answer = head.subarray(0, end).toString();
        if (answer === 'ok') done(new RawPeer(socket, head.subarray(end + 1)));
        else fail(new Error(answer));
      };
      socket.on('data', read);
      socket.on('error', fail);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** One connection. Every message that came is kept. */
export class RawPeer {
  readonly received: RawMessage[] = [];
  readonly #socket: Socket;
  #buffer: Buffer;
  #next = 0;
  #closed = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(socket: Socket, first: Buffer) {
    this.#socket = socket;
    this.#buffer = first;
    socket.on('data', (bytes) => {
      this.#buffer = Buffer.concat([this.#buffer, bytes]);
      this.#parse();
    });
    socket.on('close', () => (this.#closed = true));
    socket.on('error', () => (this.#closed = true));
    this.#parse();
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  send(...messages: readonly Buffer[]): void {
    this.#socket.write(Buffer.concat(messages));
  }

  /** The next message not yet read, or undefined when the connection ended first. Throws after timeoutMs. */
  async read(timeoutMs = 3000): Promise<RawMessage | undefined> {
    await waitUntil('a message', timeoutMs, () => this.#next < this.received.length || this.#closed);
    return this.received[this.#next] === undefined ? undefined : this.received[this.#next++];
  }

  /** Reads on until a message of this type; undefined when the connection ended without. */
  async readUntil(type: number, timeoutMs = 3000): Promise<RawMessage | undefined> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const next = await this.read(Math.max(1, deadline - performance.now()));
      if (next === undefined || next.type === type) return next;
    }
  }

  /** OPEN and KEEPALIVE both ways. Throws when the other side refuses. */
  async establish(fields: OpenFields, timeoutMs = 3000): Promise<void> {
    this.send(open(fields), KEEPALIVE);
    const answer = await this.readUntil(MessageType.keepalive, timeoutMs);
    if (answer === undefined)
      throw new Error(`not established: ${this.received.map((m) => m.type).join(' ')}`);
  }

  /** Sends KEEPALIVEs from now on. */
  keepAlive(everyMs: number): void {
    this.#timer = setInterval(() => this.send(KEEPALIVE), everyMs);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#socket.destroy();
  }

  #parse(): void {
    while (this.#buffer.length >= 19) {
      const length = this.#buffer.readUInt16BE(16);
      if (this.#buffer.length < length) return;
      this.received.push({ type: this.#buffer[18] as number, body: this.#buffer.subarray(19, length) });
      this.#buffer = this.#buffer.subarray(length);
    }
  }
}
