// Long reads over real sockets, on both kinds of connection: dialled ones, whose buffer is shared, and accepted ones.
import assert from 'node:assert/strict';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import type { Connection, ConnectionHandler } from '../io.ts';
import { TURN_MS } from './read-turns.ts';
import { PART_BYTES } from './tcp-connection.ts';
import { TcpTransport } from './tcp.ts';

const SENT = Buffer.from(Uint8Array.from({ length: 100_000 }, (_, i) => (i * 7) % 251));

interface Ends extends AsyncDisposable {
  readonly connection: Connection;
  readonly far: Socket;
}

async function dialled(): Promise<Ends> {
  const server = createServer();
  const accepted = once(server.listen(0, '127.0.0.1'), 'connection');
  await once(server, 'listening');
  const { port: remotePort } = server.address() as AddressInfo;
  const { promise, resolve } = Promise.withResolvers<Connection>();
  new TcpTransport().dial(
    { remoteAddress: '127.0.0.1', remotePort, ttl: { kind: 'multihop', hops: 255 } },
    (result) => resolve(result as Connection),
  );
  const connection = await promise;
  const [far] = (await accepted) as [Socket];
  return ends(connection, far, () => server.close());
}

async function accepted(): Promise<Ends> {
  const { promise, resolve } = Promise.withResolvers<Connection>();
  const listener = await new TcpTransport().listen({ address: '127.0.0.1', port: 0 }, resolve);
  const far = connect({ host: '127.0.0.1', port: listener.port });
  return ends(await promise, far, () => listener.close());
}

function ends(connection: Connection, far: Socket, close: () => void): Ends {
  far.on('error', () => {});
  return {
    ...{ connection, far },
    [Symbol.asyncDispose]: async () => {
      far.destroy();
      connection.destroy();
      close();
    },
  };
}

/** Keeps what it is given, and takes `ms` of the thread for each piece. */
class SlowReader implements ConnectionHandler {
  readonly #ms: number;
  readonly #afterPiece: () => void;
  readonly pieces: Buffer[] = [];
  readonly isOver = Promise.withResolvers<void>();
  piecesBetweenTurns = 0;
  #pieces = 0;
  #timer = setImmediate(() => this.#turn());

  constructor(ms: number, afterPiece: () => void = () => {}) {
    this.#ms = ms;
    this.#afterPiece = afterPiece;
  }

  #turn(): void {
    this.piecesBetweenTurns = Math.max(this.piecesBetweenTurns, this.#pieces);
    this.#pieces = 0;
    this.#timer = setImmediate(() => this.#turn());
  }

  data(buffer: Uint8Array, start: number, end: number): void {
    this.pieces.push(Buffer.from(buffer.subarray(start, end)));
    this.#pieces++;
    const until = performance.now() + this.#ms;
    while (performance.now() < until);
    this.#afterPiece();
  }

  drained(): void {}

  closed(): void {
    clearImmediate(this.#timer);
    this.isOver.resolve();
  }

  get bytes(): Buffer {
    return Buffer.concat(this.pieces);
  }
}

for (const [kind, open] of Object.entries({ dialled, accepted })) {
  describe(`a TCP connection, ${kind}`, () => {
    it('hands on what came at once in parts, and ends its turn when a part has cost its share', async () => {
      await using both = await open();
      both.far.end(SENT);
      const reader = new SlowReader(TURN_MS + 1);
      both.connection.setHandler(reader);
      await reader.isOver.promise;
      assert.ok(reader.bytes.equals(SENT), 'in order, and all of it');
      assert.ok(reader.pieces.every(({ length }) => length <= PART_BYTES));
      // One that goes on in its turn, and one that is read first in the same turn.
      assert.ok(reader.piecesBetweenTurns <= 2, `${reader.piecesBetweenTurns} parts in one turn`);
    });

    it('keeps what is left of a read while it is paused, and says that there are bytes to read', async () => {
      await using both = await open();
      const reader = new SlowReader(0, () => both.connection.pause());
      both.connection.setHandler(reader);
      both.far.end(SENT);
      while (reader.bytes.length < SENT.length) {
        await new Promise((resolve) => setTimeout(resolve, 1));
        if (reader.pieces.length === 0) continue;
        const { length } = reader.pieces;
        await new Promise((resolve) => setTimeout(resolve, 2));
        assert.equal(reader.pieces.length, length, 'paused is paused');
        both.connection.resume();
        assert.equal(reader.pieces.length, length, 'resume() itself hands on nothing');
      }
      assert.ok(reader.bytes.equals(SENT));
      both.connection.resume();
      await reader.isOver.promise;
    });
  });
}

describe('a TCP connection that is reset while parts of a read wait', () => {
  it('hands them on first: a NOTIFICATION among them says why', async () => {
    await using both = await accepted();
    const sent = SENT.subarray(0, 3 * PART_BYTES);
    await new Promise((resolve) => both.far.write(sent, () => setTimeout(resolve, 20)));
    const reader: SlowReader = new SlowReader(TURN_MS + 1, () => {
      if (reader.pieces.length > 1) return;
      both.far.resetAndDestroy();
      // Nothing is read while parts wait: it is a write that meets the reset.
      both.connection.write(Buffer.from([0]));
    });
    both.connection.setHandler(reader);
    await reader.isOver.promise;
    assert.ok(reader.bytes.equals(sent), `${reader.bytes.length} bytes`);
  });
});
