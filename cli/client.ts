// What the commands ask the agent: one request on its unix socket.
import { request } from 'node:http';
import type { ErrorReply } from '#agent-api';
import { CommandError, EXIT } from './exit.ts';

const TIMEOUT_MS = 10_000;

/**
 * The JSON that the agent answers to `path`. Throws CommandError: 3 when no agent answers (none runs there, or it
 * hangs), 2 with the agent's own words where the question was wrong (no such session, no such prefix), 1 with its words
 * when it refuses or fails.
 */
export function ask<T>(
  socketPath: string,
  path: string,
  method: 'GET' | 'POST' = 'GET',
  body = '',
): Promise<T> {
  return new Promise<T>((done, fail) => {
    const headers = { connection: 'close', 'content-length': Buffer.byteLength(body) };
    const call = request({ socketPath, path, method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', (error) => fail(unreachable(socketPath, error)));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const status = response.statusCode ?? 500;
        try {
          const body: unknown = JSON.parse(text);
          if (status < 400) done(body as T);
          else fail(refused(status, (body as ErrorReply).error));
        } catch {
          fail(refused(500, `${method} ${path}: status ${status}, not JSON: ${text.slice(0, 200)}`));
        }
      });
    });
    call.setTimeout(TIMEOUT_MS, () => {
      call.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`));
    });
    call.on('error', (error) => fail(unreachable(socketPath, error)));
    call.end(body);
  });
}

function refused(status: number, words: string): CommandError {
  const isWrongUse = status === 400 || status === 404;
  return new CommandError(`agent: ${words}`, isWrongUse ? EXIT.wrongUse : EXIT.badNews);
}

function unreachable(socketPath: string, error: NodeJS.ErrnoException): CommandError {
  return new CommandError(`agent on ${socketPath}: ${reasonOf(error)}`, EXIT.agentUnreachable);
}

function reasonOf(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'ENOENT':
      return 'no such socket: is the agent running, and is this its --socket?';
    case 'ECONNREFUSED':
      return 'nobody listens: the agent has ended (its socket file is left over)';
    case 'EACCES':
    case 'EPERM':
      return `${error.code}: the socket is for root only`;
    case undefined:
      return error.message;
    default:
      return `${error.code}: ${error.message}`;
  }
}
