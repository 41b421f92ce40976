// The unix socket that the CNI executable calls: one request a connection, answered and closed.
import { chmod, mkdir, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import type { Clock } from '#world';
import { type AnswerCall, type CniListener, servedByAnother } from '../outside.ts';
import { requestLength, STILL_AT_WORK } from '../server/call.ts';

/** The executable gives up on an agent that is silent for three times as long. */
const SIGN_OF_LIFE_MS = 300;
const BACKLOG = 1024;
/** From accept on, for a whole request; and from the answer on, for the caller to take it and go. */
const CALLER_MS = 5000;
/** Callers that have not asked yet: the oldest gives way to one more. */
const MAX_SILENT = 1024;

export const unixSocketListener: CniListener = {
  async listen(path, answer, clock) {
    if (await isServed(path)) throw servedByAnother(path);
    await mkdir(dirname(path), { recursive: true, mode: 0o755 });
    await rm(path, { force: true });
    /** Those that have not asked yet, in the order in which they came. */
    const silent = new Set<Socket>();
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      const [oldest] = silent;
      if (oldest !== undefined && silent.size >= MAX_SILENT) {
        silent.delete(oldest);
        oldest.destroy();
      }
      silent.add(socket);
      const speaks = () => void silent.delete(socket);
      socket.once('close', speaks);
      serve(socket, answer, clock, speaks);
    });
    await listenPrivately(server, path);
    return {
      async [Symbol.asyncDispose]() {
        const closed = new Promise<void>((resolve) => server.close(() => resolve()));
        // Calls that are under way are answered; who has not asked yet finds no agent.
        for (const socket of silent) socket.destroy();
        await closed;
      },
    };
  },
};

/** Nobody but the owner may connect, from the first moment on. */
function listenPrivately(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) =>
      reject(new Error(`CNI socket ${path}: ${error.message}`, { cause: error })),
    );
    const before = process.umask(0o177);
    try {
      server.listen({ path, backlog: BACKLOG }, () => {
        chmod(path, 0o600).then(resolve, reject);
      });
    } finally {
      process.umask(before);
    }
  });
}

function serve(socket: Socket, answer: AnswerCall, clock: Clock, speaks: () => void): void {
  let bytes: Buffer = Buffer.alloc(0);
  let timer = clock.setTimer(CALLER_MS, () => socket.destroy());
  const signOfLife = (): void => {
    timer = clock.setTimer(SIGN_OF_LIFE_MS, () => {
      if (socket.writable) socket.write(Uint8Array.of(STILL_AT_WORK));
      signOfLife();
    });
  };
  // A caller that went away is no error of ours: the runtime cleans up by DEL.
  socket.on('error', () => socket.destroy());
  socket.once('close', () => timer.cancel());
  socket.on('end', () => {
    if (socket.listenerCount('data') > 0) socket.destroy();
  });
  socket.on('data', (chunk: Buffer) => {
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
    const length = requestLength(bytes);
    if (length === undefined || bytes.length < length) return;
    timer.cancel();
    socket.removeAllListeners('data');
    speaks();
    if (Number.isNaN(length)) {
      socket.destroy();
      return;
    }
    signOfLife();
    void answer(bytes.subarray(0, length)).then((reply) => {
      timer.cancel();
      if (socket.destroyed) return;
      socket.end(reply);
      timer = clock.setTimer(CALLER_MS, () => socket.destroy());
    });
  });
}

function isServed(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
}
