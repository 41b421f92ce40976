// Locks that the kernel lets go when their holder dies, because each is a listening socket. Whoever
// connects is told who holds it. An abstract socket belongs to the network namespace, as do the kernel routes that two
// agents would fight over; one with a path belongs to a folder, as does the journal in it.
import { rmSync } from 'node:fs';
import { createConnection, createServer, type Server } from 'node:net';
import { LockedError, type Locks } from '../outside.ts';

export const socketLocks: Locks = { lockHere, lockFolder };

async function lockHere(subject: string, holder: string): Promise<AsyncDisposable> {
  const path = `\0podroute/${subject}`;
  const server = serverFor(holder);
  const errno = await bind(server, path);
  if (errno !== undefined) throw await refusal(subject, path, errno);
  return disposable(server);
}

/** A file that a dead holder left is taken over. Two that do so in the same millisecond both succeed. */
async function lockFolder(folder: string, holder: string): Promise<AsyncDisposable> {
  const path = `${folder}/agent.lock`;
  const server = serverFor(holder);
  const errno = await bind(server, path);
  if (errno === undefined) return disposable(server);
  const holderNow = errno === 'EADDRINUSE' ? await whoHolds(path) : undefined;
  if (holderNow !== undefined || errno !== 'EADDRINUSE') throw await refusal(folder, path, errno);
  rmSync(path, { force: true });
  const again = serverFor(holder);
  const second = await bind(again, path);
  if (second !== undefined) throw await refusal(folder, path, second);
  return disposable(again);
}

async function refusal(subject: string, path: string, errno: string): Promise<Error> {
  if (errno !== 'EADDRINUSE') return new Error(`cannot lock ${subject}: ${errno}`);
  const holder = (await whoHolds(path)) ?? 'it does not say who it is';
  return new LockedError(subject, holder);
}

function serverFor(holder: string): Server {
  return createServer((socket) => {
    socket.on('error', () => undefined);
    socket.end(holder);
  });
}

/** The errno's name when it is refused. */
function bind(server: Server, path: string): Promise<string | undefined> {
  return new Promise((done) => {
    server.once('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.message));
    server.listen({ path }, () => {
      server.unref();
      done(undefined);
    });
  });
}

/** Undefined when nobody listens. */
function whoHolds(path: string): Promise<string | undefined> {
  return new Promise((done) => {
    let text: string | undefined;
    const socket = createConnection(path);
    socket.setTimeout(1_000, () => socket.destroy());
    socket.on('connect', () => {
      text = '';
    });
    socket.on('data', (chunk: Buffer) => {
      text = (text ?? '') + chunk.toString();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => done(text === '' ? 'it does not say who it is' : text));
  });
}

function disposable(server: Server): AsyncDisposable {
  return {
    async [Symbol.asyncDispose]() {
      await new Promise<void>((done) => {
        server.close(() => done());
      });
    },
  };
}
