// The agent's real socket server and its client.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AgentUnreachableError, askAgent } from './socket-client.ts';
import { httpServers } from './http-server.ts';

describe('the agent’s socket and its client', () => {
  const folder = mkdtempSync(join(tmpdir(), 'podroute-io-'));
  const path = join(folder, 'agent.sock');
  after(() => rmSync(folder, { recursive: true }));

  it('carries a question and its answer, for root only', async () => {
    await using _server = await httpServers.serveUnixSocket(path, ({ url }) => ({
      status: 200,
      contentType: 'application/json',
      body: JSON.stringify({ url }),
    }));
    assert.deepEqual(await askAgent(path, '/v1/status?a=b'), { url: '/v1/status?a=b' });
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  it('tells the agent’s own words when it refuses', async () => {
    await using _server = await httpServers.serveUnixSocket(path, () => ({
      status: 400,
      contentType: 'application/json',
      body: JSON.stringify({ error: 'no such peer' }),
    }));
    await assert.rejects(askAgent(path, '/v1/routes'), /no such peer/);
  });

  it('says that nobody is there: no file, or a file that a dead agent left', async () => {
    await assert.rejects(askAgent(join(folder, 'none'), '/'), (error: Error) => {
      return error instanceof AgentUnreachableError && /is the agent running/.test(error.message);
    });
    const left = join(folder, 'left.sock');
    writeFileSync(left, '');
    await assert.rejects(askAgent(left, '/'), AgentUnreachableError);
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
    assert.deepEqual(await askAgent(path, '/'), {});
  });
});
