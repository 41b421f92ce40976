// The real command as a process of its own, and an agent's socket with canned answers for it: for tests.
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { join } from 'node:path';

export const MAIN = join(import.meta.dirname, '..', 'main.ts');

/** Half the CPU time of a command that runs from source is reading it: once is enough. */
const COMPILED = { NODE_COMPILE_CACHE: join(import.meta.dirname, '../../build/compile-cache') };

export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
}

/** Runs `podroute ARGS` from source. The environment is this process's, without what changes colours, and `env`. */
export function podroute(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  return run(process.execPath, [MAIN, ...args], env);
}

export function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  const { NO_COLOR: _, FORCE_COLOR: __, ...own } = process.env;
  return new Promise((done, fail) => {
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...own, ...COMPILED, ...env },
    });
    const said = { stdout: '', stderr: '' };
    child.stdout.on('data', (text) => (said.stdout += text));
    child.stderr.on('data', (text) => (said.stderr += text));
    child.on('error', fail);
    child.on('close', (code) => done({ ...said, code }));
  });
}

/** An agent's socket: what it answers to 'GET /v1/status' and the like; everything else is a 404. */
export async function cannedAgent(
  socket: string,
  answers: Readonly<Record<string, unknown>>,
): Promise<AsyncDisposable> {
  const server = createServer(({ method, url = '' }, response) => {
    const found = answers[`${method} ${url}`] ?? answers[`${method} ${url.split('?')[0]}`];
    response.writeHead(found === undefined ? 404 : 200);
    response.end(JSON.stringify(found ?? { error: `no such path: ${url}` }));
  });
  await new Promise<void>((done) => {
    server.listen(socket, done);
  });
  return {
    async [Symbol.asyncDispose]() {
      await new Promise((done) => {
        server.close(done);
      });
    },
  };
}
