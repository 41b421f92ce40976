// A neighbour under a test's hand: it says exactly the bytes it is told and keeps what it hears, as messages.
// Bytes are put together here, not by our encoder.
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

/** RFC 4271 §4.1: marker, length, type. */
export function rawMessage(
  type: number,
  body: Uint8Array = Buffer.alloc(0),
  length = 19 + body.length,
): Buffer {
  const header = Buffer.alloc(19, 0xff);
  header.writeUInt16BE(length, 16);
  header[18] = type;
  return Buffer.concat([header, body]);
}

export const KEEPALIVE = rawMessage(4);
/** The End-of-RIB of IPv4 unicast (RFC 4724 §2). */
export const END_OF_RIB = rawMessage(2, Buffer.alloc(4));

export interface RawOpen {
  readonly version?: number;
  readonly as: number;
  readonly hold?: number;
  readonly id: string;
  /** Capabilities as hex TLVs, put into one optional parameter; undefined: no optional parameters. */
  readonly capabilities?: string;
}

/** RFC 4271 §4.2. */
export function rawOpen({ version = 4, as, hold = 90, id, capabilities }: RawOpen): Buffer {
  const caps = Buffer.from((capabilities ?? '').replaceAll(' ', ''), 'hex');
  const parameters = capabilities === undefined ? Buffer.alloc(0) : Buffer.from([2, caps.length, ...caps]);
  const fixed = Buffer.alloc(10);
  fixed[0] = version;
  fixed.writeUInt16BE(as > 65535 ? 23456 : as, 1);
  fixed.writeUInt16BE(hold, 3);
  Buffer.from(id.split('.').map(Number)).copy(fixed, 5);
  fixed[9] = parameters.length;
  return rawMessage(1, Buffer.concat([fixed, parameters]));
}

/** Multiprotocol IPv4 and IPv6 unicast (RFC 4760 §8). */
export const MP_BOTH = '01040001 0001 01040002 0001';

/** RFC 6793 §3. */
export function fourByteAs(as: number): string {
  return `4104${as.toString(16).padStart(8, '0')}`;
}

export function rawNotification(code: number, subcode: number, data: Uint8Array = Buffer.alloc(0)): Buffer {
  return rawMessage(3, Buffer.concat([Buffer.from([code, subcode]), data]));
}

/** An UPDATE of so many bytes; its contents do not matter here. */
export function updateOf(bytes: number): Buffer {
  return rawMessage(2, Buffer.alloc(bytes - 19, 1));
}
