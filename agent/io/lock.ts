// One agent a node: a lock that the kernel lets go when its holder dies. It is a listening socket in the abstract
// namespace, which belongs to the network namespace, as the kernel routes do that two agents would fight over.
// Whoever connects is told who holds it.
import { createConnection, createServer, type Server } from 'node:net';

/** Somebody else holds the lock; the message says who. */
export class LockedError extends Error {
  override readonly name = 'LockedError';
}

/** @param subject what is locked, 'node n1'; @param holder what others are told, 'pid 12, node n1' */
export async function takeLock(subject: string, holder: string): Promise<AsyncDisposable> {
  const path = `\0podroute/${subject}`;
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.end(holder);
  });
  try {
    await bind(server, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    throw new LockedError(`${subject} has an agent already: ${await whoHolds(path)}; stop that one first`);
  }
  server.unref();
  return {
    async [Symbol.asyncDispose]() {
      await new Promise<void>((done) => {
        server.close(() => done());
      });
    },
  };
}

function bind(server: Server, path: string): Promise<void> {
  return new Promise((done, fail) => {
    server.once('error', fail);
    server.listen({ path }, done);
  });
}

function whoHolds(path: string): Promise<string> {
  return new Promise((done) => {
    let text = '';
    const socket = createConnection(path);
    socket.setTimeout(1_000, () => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => done(text || 'it does not say who it is'));
  });
}
