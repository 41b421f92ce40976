// The agent's real socket server.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { httpServers } from './http-server.ts';

describe('the agent’s socket', () => {
  const folder = mkdtempSync(join(tmpdir(), 'podroute-io-'));
  const path = join(folder, 'agent.sock');
  after(() => rmSync(folder, { recursive: true }));

  const get = (url: string) =>
    new Promise<{ status: number | undefined; body: unknown }>((done, fail) => {
      const call = request({ socketPath: path, path: url }, (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => {
          text += chunk.toString();
        });
        response.on('end', () => done({ status: response.statusCode, body: JSON.parse(text) }));
      });
      call.on('error', fail).end();
    });

  it('carries a question and its answer, for root only', async () => {
    await using _server = await httpServers.serveUnixSocket(path, ({ url }) => ({
      status: 200,
      contentType: 'application/json',
      body: JSON.stringify({ url }),
    }));
    assert.deepEqual(await get('/v1/status?a=b'), { status: 200, body: { url: '/v1/status?a=b' } });
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  it('is open to nobody else for no moment, also under umask 0', async () => {
    const before = process.umask(0);
    try {
      const started = httpServers.serveUnixSocket(path, () => ({ status: 200, contentType: '', body: '' }));
      // The first turn in which the socket is there: it is made private in the same call.
      let atOnce: number | undefined;
      while (atOnce === undefined) {
        await new Promise((turn) => setImmediate(turn));
        atOnce = statSync(path, { throwIfNoEntry: false })?.mode;
      }
      await using _server = await started;
      assert.equal(atOnce & 0o777, 0o600);
      assert.equal(process.umask(), 0);
    } finally {
      process.umask(before);
    }
  });

  it('carries a refusal with its status', async () => {
    await using _server = await httpServers.serveUnixSocket(path, () => ({
      status: 400,
      contentType: 'application/json',
      body: JSON.stringify({ error: 'no such peer' }),
    }));
    assert.deepEqual(await get('/v1/routes'), { status: 400, body: { error: 'no such peer' } });
  });

  it('refuses what is no GET of HTTP, in words, and cuts off what never ends', async () => {
    await using _server = await httpServers.serveUnixSocket(path, ({ method }) => ({
      status: method === 'GET' ? 200 : 405,
      contentType: 'text/plain',
      body: method,
    }));
    const say = (text: string) =>
      new Promise<string>((done) => {
        let heard = '';
        const socket = createConnection(path, () => socket.write(text));
        socket.on('data', (chunk: Buffer) => {
          heard += chunk.toString();
        });
        socket.on('error', () => undefined);
        socket.on('close', () => done(heard.split('\r\n')[0] ?? ''));
      });
    assert.equal(await say('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), 'HTTP/1.1 200 OK');
    assert.equal(await say('POST / HTTP/1.1\r\n\r\n'), 'HTTP/1.1 405 Method Not Allowed');
    assert.equal(await say('\x16\x03 hello\r\n\r\n'), 'HTTP/1.1 400 Bad Request');
    assert.equal(await say('a'.repeat(20_000)), 'HTTP/1.1 431 Request Header Fields Too Large');
  });

  it('takes the path over from a dead agent', async () => {
    writeFileSync(path, '');
    await using _server = await httpServers.serveUnixSocket(path, () => ({
      status: 200,
      contentType: 'application/json',
      body: '{}',
    }));
    assert.deepEqual(await get('/'), { status: 200, body: {} });
  });
});
