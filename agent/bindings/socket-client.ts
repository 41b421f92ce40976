// One request on the agent's unix socket, for the command line. Real binding of node:http, which is imported when it is
// used: the agent itself, whose door this file is part of, can do without its 15 MB.
import type { ErrorReply } from '#agent-api';

/** Nobody answers on the socket: no agent runs there, or it hangs. */
export class AgentUnreachableError extends Error {
  override readonly name = 'AgentUnreachableError';
}

const TIMEOUT_MS = 10_000;

/**
 * The JSON that the agent answers to `path`. Throws AgentUnreachableError when no agent answers, and an Error
 * with the agent's own words when it answers with a status of 400 or more.
 */
export async function askAgent<T>(
  socketPath: string,
  path: string,
  method: 'GET' | 'POST' = 'GET',
): Promise<T> {
  const { request } = await import('node:http');
  return new Promise<T>((done, fail) => {
    const call = request({ socketPath, path, method, headers: { connection: 'close' } }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', (error) => fail(unreachable(socketPath, error)));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        try {
          const body: unknown = JSON.parse(text);
          if ((response.statusCode ?? 500) < 400) done(body as T);
          else fail(new Error(`agent: ${method} ${path}: ${(body as ErrorReply).error}`));
        } catch {
          fail(
            new Error(
              `agent: ${method} ${path}: status ${response.statusCode}, not JSON: ${text.slice(0, 200)}`,
            ),
          );
        }
      });
    });
    call.setTimeout(TIMEOUT_MS, () => {
      call.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`));
    });
    call.on('error', (error) => fail(unreachable(socketPath, error)));
    call.end();
  });
}

function unreachable(socketPath: string, error: NodeJS.ErrnoException): AgentUnreachableError {
  return new AgentUnreachableError(`agent on ${socketPath}: ${reasonOf(error)}`, { cause: error });
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
