// A neighbour under a test's hand: it says exactly the bytes it is told and keeps what it hears, as messages.
import type { Connection, ConnectionHandler, Transport } from '../io.ts';

export interface HeardMessage {
  readonly type: number;
  /** Behind the header. */
  readonly body: Buffer;
}

export class ScriptPeer implements ConnectionHandler {
  readonly connection: Connection;
  readonly heard: HeardMessage[] = [];
  isClosed = false;
  #bytes = Buffer.alloc(0);

  constructor(connection: Connection) {
    this.connection = connection;
    connection.setHandler(this);
  }

  /** Resolves through `settle` steps: the caller's clock must move. */
  static dial(
    transport: Transport,
    address: string,
    localAddress: string,
    port = 179,
  ): { peer: ScriptPeer | undefined; error?: string } {
    const box: { peer: ScriptPeer | undefined; error?: string } = { peer: undefined };
    transport.dial(
      { remoteAddress: address, remotePort: port, localAddress, ttl: { kind: 'multihop', hops: 255 } },
      (result) => {
        if ('error' in result) box.error = result.error;
        else box.peer = new ScriptPeer(result);
      },
    );
    return box;
  }

  send(...parts: readonly Uint8Array[]): void {
    this.connection.write(Buffer.concat(parts));
  }

  data(buffer: Uint8Array, start: number, end: number): void {
    this.#bytes = Buffer.concat([this.#bytes, buffer.subarray(start, end)]);
    while (this.#bytes.length >= 19) {
      const length = this.#bytes.readUInt16BE(16);
      if (this.#bytes.length < length) return;
      const message = this.#bytes.subarray(0, length);
      this.#bytes = this.#bytes.subarray(length);
      this.heard.push({ type: message[18]!, body: Buffer.from(message.subarray(19)) });
    }
  }
  drained(): void {}
  closed(): void {
    this.isClosed = true;
  }

  /** 'OPEN KEEPALIVE NOTIFICATION 6/2' */
  get words(): string {
    return this.heard.map(word).join(' ');
  }

  /** The first NOTIFICATION as 'code/subcode hex-data'. */
  get notification(): string | undefined {
    const found = this.heard.find(({ type }) => type === 3);
    if (found === undefined) return undefined;
    const data = found.body.subarray(2).toString('hex');
    return `${found.body[0]}/${found.body[1]}${data === '' ? '' : ` ${data}`}`;
  }

  count(type: number): number {
    return this.heard.filter((message) => message.type === type).length;
  }
}

function word({ type, body }: HeardMessage): string {
  switch (type) {
    case 1:
      return 'OPEN';
    case 2:
      return 'UPDATE';
    case 3:
      return `NOTIFICATION ${body[0]}/${body[1]}`;
    case 4:
      return 'KEEPALIVE';
    case 5:
      return 'REFRESH';
    default:
      return `type ${type}`;
  }
}
