// What the node expects of HttpServers, asked of real sockets and of those in memory.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HttpServers } from '../outside.ts';
import { MemoryHttp } from '../testing/memory-http.ts';
import { httpServers, httpServersThatWait } from './http-server.ts';

interface Bench {
  readonly servers: HttpServers;
  /** Rejects when nobody serves the place. */
  ask(place: string, url: string): Promise<{ status: number; body: string }>;
}

function memoryBench(): Bench {
  const servers = new MemoryHttp();
  return { servers, ask: (place, url) => servers.ask(place, url) };
}

function realBench(): Bench {
  const ask = (place: string, url: string) =>
    new Promise<{ status: number; body: string }>((resolve, reject) => {
      const [host = '', port] = place.split(/:(?=\d+$)/);
      const socket = port === undefined ? connect(place) : connect(Number(port), host);
      let heard = '';
      socket.on('connect', () => socket.write(`GET ${url} HTTP/1.1\r\n\r\n`));
      socket.on('data', (chunk: Buffer) => {
        heard += chunk.toString();
      });
      socket.on('error', reject);
      socket.on('close', () => {
        const [head = '', body = ''] = heard.split('\r\n\r\n');
        resolve({ status: Number(head.split(' ')[1]), body });
      });
    });
  return { servers: httpServers, ask };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => {
    server.listen(0, '127.0.0.1', done);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

const said = (body: string) => ({ status: 200, contentType: 'text/plain', body });

for (const [name, makeBench] of [
  ['in memory', memoryBench],
  ['of this machine', realBench],
] as const) {
  describe(`HTTP servers ${name}`, () => {
    let folder: string;
    let bench: Bench;
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'podroute-http-'));
      bench = makeBench();
    });
    afterEach(() => rmSync(folder, { recursive: true }));

    it('answer at a path and at a port, each as it was told, until they are closed', async () => {
      const path = join(folder, 'a.sock');
      const place = `127.0.0.1:${await freePort()}`;
      {
        await using _a = await bench.servers.serveUnixSocket(path, ({ url }) => said(`path ${url}`));
        await using _b = await bench.servers.serveTcp(place, async ({ method, url }) =>
          said(`${method} ${url}`),
        );
        const answers = await Promise.all([bench.ask(path, '/x?y=1'), bench.ask(place, '/z')]);
        assert.deepEqual(
          answers.map(({ status, body }) => [status, body]),
          [
            [200, 'path /x?y=1'],
            [200, 'GET /z'],
          ],
        );
      }
      await assert.rejects(bench.ask(path, '/'));
      await assert.rejects(bench.ask(place, '/'));
    });

    it('tell what went wrong when the answer fails', async () => {
      const path = join(folder, 'a.sock');
      await using _served = await bench.servers.serveUnixSocket(path, () => {
        throw new Error('a bug');
      });
      const { status, body } = await bench.ask(path, '/');
      assert.deepEqual([status, body], [500, '{"error":"Error: a bug"}']);
    });

    it('refuse a port that is taken', async () => {
      const place = `127.0.0.1:${await freePort()}`;
      await using _first = await bench.servers.serveTcp(place, () => said(''));
      await assert.rejects(
        bench.servers.serveTcp(place, () => said('')),
        (error: Error) => error.message === `cannot listen on ${place}: EADDRINUSE`,
      );
    });
  });
}

describe('HTTP servers of this machine, wherever the agent listens,', () => {
  // The probes of the manifests ask there, and each node has that address on `lo`, those without IPv4 as well.
  for (const listening of ['127.0.0.1', '0.0.0.0', '[::]']) {
    it(`answer a probe at 127.0.0.1: ${listening}`, async () => {
      const port = await freePort();
      const bench = realBench();
      await using _served = await bench.servers.serveTcp(`${listening}:${port}`, () => said('ok'));
      assert.equal((await bench.ask(`127.0.0.1:${port}`, '/healthz')).body, 'ok');
    });
  }
});

describe('HTTP servers of this machine, with clients that dawdle,', () => {
  let folder: string;
  let sockets: Socket[];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'podroute-http-'));
    sockets = [];
  });
  afterEach(() => {
    for (const socket of sockets) socket.destroy();
    rmSync(folder, { recursive: true });
  });
  const dawdle = async (path: string): Promise<Socket> => {
    const socket = connect(path);
    sockets.push(socket);
    socket.on('error', () => undefined);
    await new Promise((done) => socket.once('connect', done));
    return socket;
  };
  const cutOff = (socket: Socket) => new Promise((done) => socket.once('close', done));

  it('answer others at once, though sixty-four ask for ever: the oldest gives way', async () => {
    const path = join(folder, 'a.sock');
    await using _served = await httpServers.serveUnixSocket(path, () => said('ok'));
    const [oldest] = await Promise.all(Array.from({ length: 64 }, () => dawdle(path)));
    for (const socket of sockets) socket.write('GET /healthz');
    const gone = cutOff(oldest!);
    const begin = performance.now();
    const answers = await Promise.all(Array.from({ length: 3 }, () => realBench().ask(path, '/healthz')));
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200],
    );
    assert.ok(performance.now() - begin < 5_000, 'before any deadline has passed');
    await gone;
    assert.ok(sockets.filter((socket) => !socket.closed).length >= 61, 'no more than need be give way');
  });

  it('cut one off by the clock, though it sends a byte now and then', async () => {
    const path = join(folder, 'a.sock');
    await using _served = await httpServersThatWait(300).serveUnixSocket(path, () => said('ok'));
    const slow = await dawdle(path);
    const gone = cutOff(slow);
    const begin = performance.now();
    const trickle = setInterval(() => slow.write('G'), 20);
    await gone;
    clearInterval(trickle);
    assert.ok(performance.now() - begin >= 250, `cut off after ${performance.now() - begin} ms`);
  });

  it('cut one off that does not read its answer', async () => {
    const path = join(folder, 'a.sock');
    const big = 'x'.repeat(8_000_000);
    await using _served = await httpServersThatWait(300).serveUnixSocket(path, () => said(big));
    const deaf = await dawdle(path);
    const gone = cutOff(deaf);
    deaf.write('GET / HTTP/1.1\r\n\r\n');
    await new Promise((done) => setTimeout(done, 600));
    let heard = 0;
    deaf.on('data', (chunk: Buffer) => {
      heard += chunk.length;
    });
    await gone;
    assert.ok(heard < big.length, 'it has not got all of it');
  });
});
