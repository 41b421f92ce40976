// The only place where the agent's real clock, kernel, transport, store and disk are bound. Runs one agent from its
// locks to its orderly stop; whatever was opened is closed in reverse order, also when the start fails halfway.
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { rehearse, systemClock, systemRandom, TcpTransport } from '#bgp';
import { realDisk } from '#cni-plugin';
import { Ipam } from '#ipam';
import { type Kernel, openKernel, readSysctl, tcpSockets, writeSysctl } from '#linux';
import { Agent } from './agent.ts';
import { startCni, subjectLog } from './pods/cni-service.ts';
import { type EventLoopWatch, watchEventLoop } from './bindings/event-loop.ts';
import { serveTcp, serveUnixSocket } from './bindings/http-server.ts';
import { lockFolder, lockHere } from './bindings/lock.ts';
import { openLog } from './bindings/logger.ts';
import { MemoryKeeper } from './bindings/memory-keeper.ts';
import { storeDisk } from './bindings/store-disk.ts';
import { blockStore } from './pods/ipam-store.ts';
import { LinkWatch } from './speaker/link-watch.ts';
import type { Log } from './log.ts';
import type { AgentOptions } from './options.ts';
import { answer, answerPublic, type StatusRequest } from './http/endpoints.ts';
import { answerAddresses } from './http/ipam-endpoints.ts';
import { AgentStatusSource } from './status/source.ts';
import { openDirectoryStore, type Store } from '#store';

/** Runs the daemon until SIGTERM or SIGINT. Resolves with the exit code: 0 after an orderly stop, 1 when it cannot run. */
export async function runAgent(options: AgentOptions): Promise<number> {
  const log = await openLog(options.logLevel, options.nodeName);
  const stopped = signalled(log);
  dieOfBugs(log);
  try {
    await using cleanUp = new AsyncDisposableStack();
    await start(options, log, cleanUp);
    log.info({ signal: await stopped }, 'stopping: sessions are closed, kernel routes and pods stay');
    return 0;
  } catch (error) {
    log.error({}, `agent cannot run: ${error instanceof Error ? error.message : String(error)}`);
    log.debug({ error: text(error) }, 'where that was');
    return 1;
  }
}

async function start(options: AgentOptions, log: Log, cleanUp: AsyncDisposableStack): Promise<void> {
  const { nodeName, version, socketPath, stateDir } = options;
  const startedAtMs = systemClock.wall();
  log.info(
    { version, pid: process.pid, runtime: process.version, store: options.store, fib: options.fib },
    'starting',
  );
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  mkdirSync(dirname(socketPath), { recursive: true, mode: 0o755 });
  await takeLocks(options, cleanUp);

  const eventLoop = cleanUp.use(watchEventLoop());
  const memory = cleanUp.use(new MemoryKeeper());
  const store = cleanUp.use(openStore(options.store));
  await store.start();
  const host = options.fib === 'none' ? undefined : await openHost(options, store, log, cleanUp);
  const agent = new Agent(
    { nodeName, table: options.table },
    {
      clock: systemClock,
      random: systemRandom,
      transport: host?.transport ?? new TcpTransport({ socketOptions: tcpSockets }),
      log,
      store,
      rehearse: async (like, signal) => {
        const octets = await rehearse({ clock: systemClock, random: systemRandom, signal }, like);
        memory.releaseSoon();
        return octets;
      },
      ...(host === undefined ? {} : { host: { ...host, sysctl: { read: readSysctl, write: writeSysctl } } }),
    },
  );
  cleanUp.use(agent);
  await agent.start();
  const cni = host === undefined ? undefined : await serveHost(options, host, log, cleanUp);

  const source = new AgentStatusSource(agent, {
    version,
    pid: process.pid,
    runtime: process.version,
    startedAtMs,
    process: () => processStatus(eventLoop),
    now: () => systemClock.wall(),
    whyNoPods: () => cni?.whyUnready(),
  });
  const answerAll = (request: StatusRequest) => answerAddresses(request, cni) ?? answer(request, source);
  cleanUp.use(await serveUnixSocket(socketPath, answerAll));
  if (options.http !== undefined) {
    cleanUp.use(await serveTcp(options.http, (request) => answerPublic(request, source)));
  }
  log.info({ socket: socketPath, tookMs: systemClock.wall() - startedAtMs }, 'started');
}

async function takeLocks(options: AgentOptions, cleanUp: AsyncDisposableStack): Promise<void> {
  const holder = `pid ${process.pid}, node ${options.nodeName}`;
  cleanUp.use(await lockHere(`node ${options.nodeName}`, holder));
  if (options.fib === 'kernel') cleanUp.use(await lockHere(`kernel routing table ${options.table}`, holder));
  cleanUp.use(await lockFolder(options.stateDir, holder));
}

function openStore(place: string): Store {
  if (!place.startsWith('dir:')) {
    throw new Error(`--store ${place}: this version reads its objects from a folder only: --store dir:PATH`);
  }
  return openDirectoryStore(place.slice('dir:'.length), { clock: systemClock, disk: storeDisk });
}

interface Host {
  readonly kernel: Kernel;
  readonly ipam: Ipam;
  readonly transport: TcpTransport;
}

/** What the agent has besides a speaker: kernel routes and pods. */
async function openHost(
  options: AgentOptions,
  store: Store,
  log: Log,
  cleanUp: AsyncDisposableStack,
): Promise<Host> {
  const kernel = cleanUp.use(await openKernel());
  const links = cleanUp.use(new LinkWatch(kernel, log));
  await links.start();
  const ipam = new Ipam(
    { node: options.nodeName, stateDir: options.stateDir },
    { clock: systemClock, disk: realDisk, store: blockStore(store), log: subjectLog(log) },
  );
  await ipam.start();
  cleanUp.use(ipam);
  const transport = new TcpTransport({
    socketOptions: tcpSockets,
    watchLink: (device, down) => links.watchLink(device, down),
    linkOf: (address) => links.linkOf(address),
  });
  return { kernel, ipam, transport };
}

function serveHost(options: AgentOptions, host: Host, log: Log, cleanUp: AsyncDisposableStack) {
  const { cniSocketPath, stateDir, cniConfDir } = options;
  return startCni(
    { socketPath: cniSocketPath, stateDir, confDir: cniConfDir },
    { ...host, clock: systemClock, disk: realDisk, log },
    cleanUp,
  );
}

function processStatus(eventLoop: EventLoopWatch) {
  const { rss, heapUsed } = process.memoryUsage();
  const { p99Ms, maxMs } = eventLoop.read();
  return { rssBytes: rss, heapUsedBytes: heapUsed, eventLoopDelayP99Ms: p99Ms, eventLoopDelayMaxMs: maxMs };
}

/** The first signal stops in order; a second one ends the process at once. */
function signalled(log: Log): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => {
        process.once(signal, () => process.exit(1));
        resolve(signal);
        log.debug({ signal }, 'signal received');
      });
    }
  });
}

/** What nobody caught is a bug: the state is unknown, and kernel routes outlive the process. */
function dieOfBugs(log: Log): void {
  const die = (error: unknown) => {
    log.error({ error: text(error) }, 'a bug: the agent ends; kernel routes and pods stay');
    process.exit(1);
  };
  process.on('uncaughtException', die);
  process.on('unhandledRejection', die);
}

function text(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
