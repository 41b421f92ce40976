// Serves HTTP GETs over a unix socket or TCP: the real binding of node:http. What is answered is decided elsewhere.
import { chmodSync, rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { Reply, StatusRequest } from '../status/endpoints.ts';

export type Answer = (request: StatusRequest) => Reply;

/** Takes the path over from a dead agent. The caller has made sure that no live one listens there. Root only. */
export async function serveUnixSocket(path: string, answer: Answer): Promise<AsyncDisposable> {
  rmSync(path, { force: true });
  const server = createServer(listener(answer));
  await listening(server, path, () => server.listen(path));
  chmodSync(path, 0o600);
  return disposable(server);
}

/** @param place 'ADDR:PORT' or '[V6]:PORT' */
export async function serveTcp(place: string, answer: Answer): Promise<AsyncDisposable> {
  const match = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(place);
  if (match === null) throw new Error(`--http ${place}: expected ADDR:PORT, for example 127.0.0.1:9179`);
  const host = match[1] ?? match[2] ?? '';
  const server = createServer(listener(answer));
  await listening(server, place, () => server.listen({ port: Number(match[3]), host: host || '::' }));
  return disposable(server);
}

function listener(answer: Answer): RequestListener {
  return (request, response) => {
    let reply: Reply;
    try {
      reply = answer({ method: request.method ?? 'GET', url: request.url ?? '/' });
    } catch (error) {
      const body = JSON.stringify({ error: `internal error: ${String(error)}` });
      reply = { status: 500, contentType: 'application/json', body };
    }
    response.writeHead(reply.status, { 'content-type': reply.contentType });
    response.end(reply.body);
  };
}

function listening(server: Server, place: string, listen: () => void): Promise<void> {
  return new Promise((done, fail) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      fail(new Error(`cannot listen on ${place}: ${error.code ?? error.message}`, { cause: error }));
    });
    server.once('listening', done);
    listen();
  });
}

function disposable(server: Server): AsyncDisposable {
  return {
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((done) => {
        server.close(() => done());
      });
      server.closeAllConnections();
      await closed;
    },
  };
}
