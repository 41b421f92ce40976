// A request's body, as a client on the unix socket sends it: whole, in pieces, too long; none on TCP.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StatusRequest } from '../http/endpoints.ts';
import { httpServers } from './http-server.ts';

const answer = ({ method, body }: StatusRequest) => ({
  status: 200,
  contentType: 'text/plain',
  body: `${method} ${body ?? 'nothing'}`,
});

/** The pieces as writes of their own. */
async function say(socket: Socket, pieces: readonly (string | Buffer)[]): Promise<string> {
  let heard = '';
  socket.setEncoding('utf8').on('data', (text: string) => (heard += text));
  const closed = new Promise((done) => socket.once('close', done));
  for (const piece of pieces) {
    socket.write(piece);
    await new Promise((done) => setTimeout(done, 10));
  }
  await closed;
  return heard;
}

describe('the body of a request', () => {
  const text = 'description: Büro';
  const bytes = Buffer.from(text);
  const head = (length: number) => `POST / HTTP/1.1\r\nContent-Length: ${length}\r\n\r\n`;

  it('is read whole on the unix socket, in whatever pieces it comes, and not when it is too long', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'podroute-body-'));
    const path = join(folder, 'a.sock');
    try {
      await using _server = await httpServers.serveUnixSocket(path, answer);
      const ask = (...pieces: (string | Buffer)[]) => say(connect(path), pieces);
      const whole = Buffer.concat([Buffer.from(head(bytes.length)), bytes]);
      // 15 is within ü.
      for (const cut of [10, whole.length - bytes.length, whole.length - bytes.length + 15, whole.length])
        assert.ok(
          (await ask(whole.subarray(0, cut), whole.subarray(cut))).endsWith(`POST ${text}`),
          `cut at ${cut}`,
        );
      assert.match(await ask(head(300_000)), /^HTTP\/1\.1 413 .*\r\n[^]*300000 octets: at most 262144/);
      assert.ok((await ask('GET / HTTP/1.1\r\n\r\n')).endsWith('GET nothing'));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('is not taken on TCP, where anybody may ask', async () => {
    const free = createServer();
    await new Promise<void>((done) => {
      free.listen(0, '127.0.0.1', done);
    });
    const { port } = free.address() as AddressInfo;
    await new Promise((done) => free.close(done));
    await using _server = await httpServers.serveTcp(`127.0.0.1:${port}`, answer);
    assert.match(await say(connect(port, '127.0.0.1'), [head(5), 'hello']), /^HTTP\/1\.1 413 /);
  });
});
