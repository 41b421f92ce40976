// What the system refuses of the agent's sockets, and what becomes of it.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unixSocketListener } from '#cni-plugin';
import { systemClock, waitUntil } from '#world';
import { FakeClock } from '#world/testing';
import { httpServers } from './bindings/http-server.ts';
import { LateSockets } from './late-sockets.ts';

describe('a socket that the system refuses', () => {
  const folder = mkdtempSync(join(tmpdir(), 'podroute-late-'));
  after(() => rmSync(folder, { recursive: true }));
  const ok = () => ({ status: 200, contentType: '', body: '' });
  const kinds = {
    'CNI socket': (path: string) => unixSocketListener.listen(path, async (bytes) => bytes, systemClock),
    'socket for commands': (path: string) => httpServers.serveUnixSocket(path, ok),
  };

  for (const [purpose, listen] of Object.entries(kinds)) {
    it(`is told of, and opened when it can be: ${purpose}`, async () => {
      const path = join(folder, `${purpose.length}.sock`);
      mkdirSync(path);
      const clock = new FakeClock();
      const told: (readonly string[])[] = [];
      const sockets = new LateSockets(clock, (problems) => told.push(problems));
      await using _socket = await sockets.open(purpose, () => listen(path));
      const why = sockets.whyNot(purpose) ?? '';
      assert.ok(why.startsWith(`${purpose}: `) && why.includes(path), why);
      assert.match(why, /remove that folder; tried again every 5 s$/);
      await clock.run(5_000);
      rmdirSync(path);
      await clock.run(5_000);
      await waitUntil('the socket', 2_000, () => sockets.whyNot(purpose) === undefined);
      assert.ok(existsSync(path));
      assert.deepEqual(told, [[why], []]);
    });
  }

  it('is no more asked for once the agent stops', async () => {
    const clock = new FakeClock();
    let asked = 0;
    const refusal = Object.assign(new Error('EROFS: read-only file system'), { code: 'EROFS' });
    const sockets = new LateSockets(clock, () => undefined);
    {
      await using _socket = await sockets.open('--http', () => {
        asked++;
        return Promise.reject(refusal);
      });
      await clock.run(5_000);
      assert.equal(asked, 2);
    }
    await clock.run(60_000);
    assert.equal(asked, 2);
  });

  it('is a port of somebody else’s, too', async () => {
    const other = createServer();
    await new Promise<void>((done) => other.listen(0, '127.0.0.1', done));
    const { port } = other.address() as { port: number };
    const sockets = new LateSockets(new FakeClock(), () => undefined);
    await using _socket = await sockets.open('--http', () => httpServers.serveTcp(`127.0.0.1:${port}`, ok));
    assert.equal(
      sockets.whyNot('--http'),
      `--http: cannot listen on 127.0.0.1:${port}: EADDRINUSE; tried again every 5 s`,
    );
    other.close();
  });

  it('is another thing than one that another agent serves, or a place that is none: there the start ends', async () => {
    const sockets = new LateSockets(new FakeClock(), () => undefined);
    const path = join(folder, 'served.sock');
    const listen = () => unixSocketListener.listen(path, async (bytes) => bytes, systemClock);
    await using _first = await sockets.open('CNI socket', listen);
    await assert.rejects(sockets.open('CNI socket', listen), /another agent serves it/);
    await assert.rejects(
      sockets.open('--http', () => httpServers.serveTcp('nowhere', ok)),
      /expected ADDR:PORT/,
    );
  });
});
