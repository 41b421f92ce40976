// Serves requests in HTTP/1.1, with a short body or none, over a unix socket or TCP, one a connection. Written on node:net because importing node:http
// costs 15 MB of memory, a fifth of an idle agent. What is answered is decided elsewhere.
import { chmod, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { parseEndpoint } from '#ip';
import type { Reply } from '../http/endpoints.ts';
import type { Answer, HttpServers } from '../outside.ts';

/** Request line and headers together. */
const MAX_HEAD_BYTES = 16_384;
/** Documents that are tried out, on the unix socket only; those of all connections fit into 16 MiB. */
const MAX_BODY_BYTES = 262_144;
/** From accept on: a client that has not asked, or not read its whole answer, by then is cut off. */
const CLIENT_MS = 10_000;
/** On each socket. One more, and the oldest gives way: clients that dawdle keep nobody out. */
const MAX_CONNECTIONS = 64;
const REASONS: Readonly<Record<number, string>> = {
  200: 'OK',
  400: 'Bad Request',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  413: 'Content Too Large',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

export const httpServers = httpServersThatWait(CLIENT_MS);

/** @param clientMs what a client has from accept to close */
export function httpServersThatWait(clientMs: number): HttpServers {
  return {
    serveUnixSocket: (path, answer) => serveUnixSocket(path, answer, clientMs),
    serveTcp: (place, answer) => serveTcp(place, answer, clientMs),
  };
}

async function serveUnixSocket(path: string, answer: Answer, clientMs: number): Promise<AsyncDisposable> {
  await rm(path, { force: true });
  const server = createServer();
  const closed = serve(server, answer, clientMs, MAX_BODY_BYTES);
  // Private from the start, whatever umask the agent was started with: listen() binds before it returns.
  await listening(server, path, () => {
    const before = process.umask(0o177);
    try {
      server.listen(path);
    } finally {
      process.umask(before);
    }
  });
  await chmod(path, 0o600);
  return closed;
}

async function serveTcp(place: string, answer: Answer, clientMs: number): Promise<AsyncDisposable> {
  const endpoint = parseEndpoint(place);
  if (endpoint === undefined)
    throw new Error(`--http ${place}: expected ADDR:PORT, for example 127.0.0.1:9179`);
  const server = createServer();
  const closed = serve(server, answer, clientMs, 0);
  await listening(server, place, () => server.listen(endpoint));
  return closed;
}

function serve(server: Server, answer: Answer, clientMs: number, mostBody: number): AsyncDisposable {
  /** In the order in which they came. */
  const open = new Set<Socket>();
  const cutOff = (socket: Socket) => {
    open.delete(socket);
    socket.destroy();
  };
  server.on('connection', (socket) => {
    const [oldest] = open;
    if (oldest !== undefined && open.size >= MAX_CONNECTIONS) cutOff(oldest);
    open.add(socket);
    const deadline = setTimeout(() => cutOff(socket), clientMs);
    socket.once('close', () => {
      clearTimeout(deadline);
      open.delete(socket);
    });
    converse(socket, answer, mostBody);
  });
  return {
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((done) => {
        server.close(() => done());
      });
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

function converse(socket: Socket, answer: Answer, mostBody: number): void {
  let text = '';
  socket.setEncoding('latin1');
  socket.on('error', () => socket.destroy());
  const end = (reply: Reply | Promise<Reply>) => {
    socket.off('data', hear);
    socket.resume();
    void Promise.resolve(reply).then((said) => socket.end(encodeReply(said)));
  };
  const hear = (chunk: string) => {
    text += chunk;
    const headEnd = text.indexOf('\r\n\r\n');
    if (headEnd < 0 ? text.length > MAX_HEAD_BYTES : headEnd > MAX_HEAD_BYTES) return end(refuse(431));
    if (headEnd < 0) return;
    const head = text.slice(0, headEnd + 2);
    const length = Number(/\r\ncontent-length: *(\d+) *\r\n/i.exec(head)?.[1] ?? 0);
    if (length > mostBody)
      return end(refuse(413, `a body of ${length} octets: at most ${mostBody} are read`));
    const bodyAt = headEnd + 4;
    if (text.length < bodyAt + length) return;
    const body = Buffer.from(text.slice(bodyAt, bodyAt + length), 'latin1').toString();
    end(replyTo(head, body, answer));
  };
  socket.on('data', hear);
}

async function replyTo(head: string, body: string, answer: Answer): Promise<Reply> {
  const match = /^([A-Z]+) (\/\S*) HTTP\/1\.[01]\r\n/.exec(head);
  if (match === null) return refuse(400);
  try {
    return await answer({ method: match[1]!, url: match[2]!, ...(body === '' ? {} : { body }) });
  } catch (error) {
    return refuse(500, String(error));
  }
}

function refuse(status: number, detail = REASONS[status]): Reply {
  return { status, contentType: 'application/json', body: JSON.stringify({ error: detail }) };
}

function encodeReply({ status, contentType, body }: Reply): Buffer {
  const bytes = Buffer.from(body);
  const head = [
    `HTTP/1.1 ${status} ${REASONS[status] ?? 'Unknown'}`,
    `Content-Type: ${contentType}`,
    `Content-Length: ${bytes.length}`,
    'Connection: close',
  ].join('\r\n');
  return Buffer.concat([Buffer.from(`${head}\r\n\r\n`), bytes]);
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
