// The one place that starts our agent for the bench and for interop: documents in, a running process out.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join, resolve } from 'node:path';
import type { StatusReply } from '#agent-api';
import type { Host, HostProcess } from '#lab';

export const PODROUTE = resolve(import.meta.dirname, '../../bin/podroute');

export interface PodrouteOptions {
  readonly nodeName: string;
  /** YAML documents of the directory store. */
  readonly documents: string;
  /** Holds the store, the socket, the state and the log. */
  readonly folder: string;
  readonly fib?: 'kernel' | 'none';
  /** Options for Node, e.g. --cpu-prof. */
  readonly nodeOptions?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Further options of the agent. */
  readonly more?: readonly string[];
}

export interface RunningPodroute {
  readonly process: HostProcess;
  readonly socketPath: string;
  readonly storePath: string;
  /** GET on the agent's socket. Throws with the status and the answer's text unless it is 200. */
  get<T>(path: string): Promise<T>;
  /** Replaces the store's documents; the agent follows within 200 ms. */
  configure(documents: string): void;
}

/** Starts the agent and waits until its socket answers (10 s at most). */
export async function startPodroute(host: Host, options: PodrouteOptions): Promise<RunningPodroute> {
  const storePath = join(options.folder, 'store');
  const socketPath = join(options.folder, 'agent.sock');
  mkdirSync(storePath, { recursive: true });
  const file = join(storePath, 'config.yaml');
  writeFileSync(file, options.documents);
  const command = [PODROUTE, 'agent', '--node-name', options.nodeName, '--store', `dir:${storePath}`];
  command.push(
    '--fib',
    options.fib ?? 'none',
    '--socket',
    socketPath,
    '--state-dir',
    join(options.folder, 'state'),
  );
  command.push(
    '--cni-socket',
    join(options.folder, 'cni.sock'),
    '--cni-conf-dir',
    join(options.folder, 'net.d'),
  );
  command.push('--log-level', 'info');
  command.push(...(options.more ?? []));
  const process = host.spawn(command, {
    env: { ...options.env, PODROUTE_NODE_OPTIONS: (options.nodeOptions ?? []).join(' ') },
  });
  const get = <T>(path: string) => getJson<T>(socketPath, path);
  const deadline = performance.now() + 10_000;
  for (;;) {
    if (!process.running) throw new Error(`podroute agent ended at once:\n${process.output}`);
    const answered = existsSync(socketPath) && (await get<StatusReply>('/v1/status').catch(() => undefined));
    if (answered) break;
    if (performance.now() > deadline)
      throw new Error(`podroute agent: no answer on ${socketPath}:\n${process.output}`);
    await new Promise((wake) => setTimeout(wake, 20));
  }
  return { process, socketPath, storePath, get, configure: (documents) => writeFileSync(file, documents) };
}

/**
 * Once more when the agent has cut the connection: this process stands still while it runs a command, for longer than
 * the agent waits for a request when the machine is busy.
 */
async function getJson<T>(socketPath: string, path: string): Promise<T> {
  const isCut = (error: NodeJS.ErrnoException) => error.code === 'EPIPE' || error.code === 'ECONNRESET';
  return askOnce<T>(socketPath, path).catch((error: NodeJS.ErrnoException) => {
    if (!isCut(error)) throw error;
    return askOnce<T>(socketPath, path);
  });
}

function askOnce<T>(socketPath: string, path: string): Promise<T> {
  return new Promise((done, fail) => {
    const call = request({ socketPath, path, headers: { connection: 'close' } }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', fail);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        if (response.statusCode === 200) done(JSON.parse(text) as T);
        else fail(new Error(`GET ${path}: ${response.statusCode} ${text}`));
      });
    });
    call.on('error', fail);
    call.end();
  });
}
