// What every Transport must do, run against the one in memory and against real TCP on the loopback.
import assert from 'node:assert/strict';
import { FakeClock } from '#world/testing';
import type {
  Connection,
  ConnectionHandler,
  DialError,
  DialOptions,
  ListenerHandle,
  Transport,
} from '../io.ts';
import { MemoryNetwork } from './memory-network.ts';
import { TcpTransport } from './tcp.ts';

interface Bench {
  readonly transport: Transport;
  readonly address: string;
  /** Lets things happen until the condition holds; fails after a while. */
  until(condition: () => boolean): Promise<void>;
}

function memoryBench(): Bench {
  const clock = new FakeClock();
  const transport = new MemoryNetwork(clock).host('10.0.0.1');
  transport.hasSocketOptions = false;
  return {
    transport,
    address: '10.0.0.1',
    async until(condition) {
      for (let i = 0; i < 2000 && !condition(); i++) {
        clock.advance(10);
        await Promise.resolve();
      }
      assert.ok(condition(), 'it did not happen');
    },
  };
}

function tcpBench(): Bench {
  return {
    transport: new TcpTransport(),
    address: '127.0.0.1',
    async until(condition) {
      for (let i = 0; i < 500 && !condition(); i++) await new Promise((resolve) => setTimeout(resolve, 4));
      assert.ok(condition(), 'it did not happen');
    },
  };
}

class Recorder implements ConnectionHandler {
  readonly connection: Connection;
  bytes = Buffer.alloc(0);
  drains = 0;
  closes: (string | undefined)[] = [];

  constructor(connection: Connection) {
    this.connection = connection;
    connection.setHandler(this);
  }
  data(buffer: Uint8Array, start: number, end: number): void {
    this.bytes = Buffer.concat([this.bytes, buffer.subarray(start, end)]);
  }
  drained(): void {
    this.drains++;
  }
  closed(error: string | undefined): void {
    this.closes.push(error);
  }
}

const MULTIHOP = { kind: 'multihop', hops: 255 } as const;

for (const [name, makeBench] of [
  ['memory', memoryBench],
  ['tcp', tcpBench],
] as const) {
  describe(`transport contract: ${name}`, () => {
    let bench: Bench;
    let listener: ListenerHandle;
    let accepted: Connection[];
    const opened: Connection[] = [];

    beforeEach(async () => {
      bench = makeBench();
      accepted = [];
      listener = await bench.transport.listen({ address: bench.address, port: 0 }, (connection) => {
        accepted.push(connection);
      });
    });
    afterEach(() => {
      for (const connection of [...opened, ...accepted]) connection.destroy();
      listener.close();
    });

    function dialOptions(more: Partial<DialOptions> = {}): DialOptions {
      return { remoteAddress: bench.address, remotePort: listener.port, ttl: MULTIHOP, ...more };
    }

    async function dial(more: Partial<DialOptions> = {}): Promise<Connection | DialError> {
      let result: Connection | DialError | undefined;
      bench.transport.dial(dialOptions(more), (outcome) => {
        result = outcome;
      });
      assert.equal(result, undefined, 'done must not be called during dial()');
      await bench.until(() => result !== undefined);
      return result!;
    }

    async function pair(): Promise<[Recorder, Recorder]> {
      const near = await dial();
      assert.ok(!('error' in near), JSON.stringify(near));
      opened.push(near);
      await bench.until(() => accepted.length === 1);
      return [new Recorder(near), new Recorder(accepted[0]!)];
    }

    it('knows the addresses and ports of both ends', async () => {
      const [near, far] = await pair();
      assert.equal(near.connection.remoteAddress, bench.address);
      assert.equal(near.connection.remotePort, listener.port);
      assert.equal(far.connection.remoteAddress, near.connection.localAddress);
      assert.equal(far.connection.remotePort, near.connection.localPort);
    });

    it('carries bytes both ways, in order', async () => {
      const [near, far] = await pair();
      near.connection.write(Buffer.from('abc'));
      near.connection.write(Buffer.from('def'));
      far.connection.write(Buffer.from('xyz'));
      await bench.until(() => far.bytes.length === 6 && near.bytes.length === 3);
      assert.equal(far.bytes.toString(), 'abcdef');
      assert.equal(near.bytes.toString(), 'xyz');
      assert.equal(near.connection.totalBytesAccepted, 6);
      assert.equal(near.connection.queuedBytes, 0);
    });

    it('hands out no byte before the handler is set', async () => {
      const near = await dial();
      assert.ok(!('error' in near));
      opened.push(near);
      near.write(Buffer.from('early'));
      await bench.until(() => accepted.length === 1 && near.queuedBytes === 0);
      const far = new Recorder(accepted[0]!);
      await bench.until(() => far.bytes.length === 5);
    });

    it('corks: nothing leaves before the last uncork', async () => {
      const [near, far] = await pair();
      near.connection.cork();
      near.connection.cork();
      near.connection.write(Buffer.from('1'));
      near.connection.uncork();
      near.connection.write(Buffer.from('2'));
      assert.equal(near.connection.queuedBytes, 2);
      assert.equal(far.bytes.length, 0);
      near.connection.uncork();
      await bench.until(() => far.bytes.toString() === '12');
    });

    it('says false above the high-water mark and drained() when the reader has caught up', async () => {
      const [near, far] = await pair();
      far.connection.pause();
      const block = Buffer.alloc(64 * 1024, 7);
      let written = 0;
      let goesOn = true;
      while (goesOn && written < 64 * 1024 * 1024) {
        goesOn = near.connection.write(block);
        written += block.length;
      }
      assert.equal(goesOn, false);
      assert.ok(near.connection.queuedBytes > 0);
      far.connection.resume();
      await bench.until(() => near.drains === 1 && far.bytes.length === written);
      assert.equal(near.connection.totalBytesAccepted, written);
    });

    it('pause() keeps bytes back, resume() hands them out', async () => {
      const [near, far] = await pair();
      near.connection.pause();
      far.connection.write(Buffer.from('later'));
      await bench.until(() => far.connection.queuedBytes === 0);
      assert.equal(near.bytes.length, 0);
      assert.notEqual(near.connection.hasUnreadBytes(), false);
      near.connection.resume();
      await bench.until(() => near.bytes.toString() === 'later');
    });

    it('end() flushes first and tells the other side only', async () => {
      const [near, far] = await pair();
      near.connection.write(Buffer.from('last words'));
      near.connection.end(1000);
      await bench.until(() => far.closes.length === 1);
      assert.equal(far.bytes.toString(), 'last words');
      assert.deepEqual(far.closes, [undefined]);
      assert.deepEqual(near.closes, []);
    });

    it('end() delivers even when the other side has sent what nobody will read', async () => {
      const [near, far] = await pair();
      near.connection.pause();
      far.connection.write(Buffer.alloc(10_000));
      await bench.until(() => far.connection.queuedBytes === 0);
      near.connection.write(Buffer.from('last words'));
      near.connection.end(1000);
      await bench.until(() => far.closes.length === 1);
      assert.equal(far.bytes.toString(), 'last words');
    });

    it('destroy() tells the other side once and this side never', async () => {
      const [near, far] = await pair();
      near.connection.destroy();
      near.connection.destroy();
      await bench.until(() => far.closes.length === 1);
      assert.deepEqual(near.closes, []);
    });

    it('a refused connection is a result that names the neighbour and the errno', async () => {
      listener.close();
      const result = await dial();
      assert.ok('error' in result);
      assert.equal(result.errno, 'ECONNREFUSED');
      assert.match(result.error, new RegExp(`${bench.address} port ${listener.port}`));
    });

    it('a cancelled dial never calls back and leaves no connection', async () => {
      let calls = 0;
      const dialling = bench.transport.dial(dialOptions(), () => calls++);
      dialling.cancel();
      const control = await dial();
      assert.ok(!('error' in control));
      opened.push(control);
      assert.equal(calls, 0);
    });

    it('refuses MD5, GTSM and low TTLs when it has no socket options', async () => {
      for (const more of [
        { md5Key: 'secret' },
        { ttl: { kind: 'gtsm', hops: 1 } },
        { ttl: { kind: 'direct' } },
      ] as const) {
        const result = await dial(more);
        assert.ok('error' in result, JSON.stringify(more));
        assert.match(result.error, /needs socket options/);
        assert.doesNotMatch(result.error, /secret/);
      }
      assert.throws(() => listener.setMd5Key('10.0.0.0/8', 'secret'), /needs socket options/);
      assert.equal(accepted.length, 0);
    });

    it('listen() on a taken address says which', async () => {
      await assert.rejects(
        bench.transport.listen({ address: bench.address, port: listener.port }, () => {}),
        new RegExp(`${bench.address} port ${listener.port}.*EADDRINUSE`),
      );
    });
  });
}
