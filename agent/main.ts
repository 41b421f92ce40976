// The only place where a node's real clock, kernel, transport, store and disk are bound. Runs one agent from its start to
// its orderly stop.
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { rehearse, TcpTransport } from '#bgp';
import { unixSocketListener } from '#cni-plugin';
import {
  openKernel,
  openPodSources,
  openPodWirer,
  readSysctl,
  realDisk,
  routerDiscovery,
  tcpSockets,
  writeSysctl,
} from '#linux';
import { StorePlaceError, storePlaceText } from '#store';
import { systemClock, systemRandom, systemScheduler } from '#world';
import { startDetectionThread } from './bindings/detection-thread.ts';
import { DocumentWorker } from './bindings/document-worker.ts';
import { watchEventLoop } from './bindings/event-loop.ts';
import { fileLocks } from './bindings/file-locks.ts';
import { httpServers } from './bindings/http-server.ts';
import { openLog } from './bindings/logger.ts';
import { MemoryKeeper } from './bindings/memory-keeper.ts';
import { storeOpener } from './bindings/open-store.ts';
import { processFacts } from './bindings/process-facts.ts';
import { watchSignatures } from './bindings/signature-watch.ts';

import type { Log } from './log.ts';
import { needsOthers } from './needs-others.ts';
import { startNode } from './node.ts';
import type { AgentOptions } from './options.ts';
import type { HostBindings } from './outside.ts';

/** Runs the daemon until SIGTERM or SIGINT. Resolves with the exit code: 0 after an orderly stop, 1 when it cannot run, 2 when its store is none. */
export async function runAgent(options: AgentOptions): Promise<number> {
  const log = await openLog(options.logLevel, { node: options.nodeName });
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
    return error instanceof StorePlaceError ? 2 : 1;
  }
}

async function start(options: AgentOptions, log: Log, cleanUp: AsyncDisposableStack): Promise<void> {
  const { version, socketPath, stateDir, store: place } = options;
  log.info(
    {
      version,
      pid: process.pid,
      runtime: process.version,
      store: storePlaceText(options.store),
      fib: options.fib,
    },
    'starting',
  );
  // A disk that cannot be written keeps pods from getting addresses, and nothing else: see its problem in status.
  await mkdir(stateDir, { recursive: true, mode: 0o700 }).catch(() => undefined);
  await mkdir(dirname(socketPath), { recursive: true, mode: 0o755 }).catch(() => undefined);
  const eventLoop = cleanUp.use(watchEventLoop());
  const signatures = cleanUp.use(watchSignatures());
  const memory = cleanUp.use(new MemoryKeeper());
  const documents = cleanUp.use(new DocumentWorker());
  const openStore = await storeOpener(place, {
    version,
    keepIn: `${stateDir}/last-good`,
    own: {
      node: options.nodeName,
      needsOthers: (resources, { formerPools }) => needsOthers(resources, options.nodeName, formerPools),
      hasPods: options.fib === 'kernel',
    },
    parseAside: (text, file) => documents.parse(text, file),
  });
  const node = await startNode(options, {
    clock: systemClock,
    random: systemRandom,
    scheduler: systemScheduler,
    log,
    process: { ...processFacts(eventLoop), signatureDrops: () => signatures.recent() },
    locks: fileLocks(place.kind === 'folder' ? place.folder : undefined),
    disk: realDisk,
    http: httpServers,
    openStore,
    isOfCluster: place.kind === 'cluster',
    openTransport: (links) =>
      new TcpTransport({
        socketOptions: tcpSockets,
        ...(links && {
          watchLink: (device, down) => links.watchLink(device, down),
          linkOf: (address, device) => links.linkOf(address, device),
        }),
      }),
    openDetection: () => startDetectionThread(log),
    host: realHost,
    rehearse: async (like, signal) => {
      const octets = await rehearse({ clock: systemClock, random: systemRandom, signal }, like);
      memory.releaseSoon();
      return octets;
    },
  });
  cleanUp.use(node);
}

const realHost: HostBindings = {
  openKernel: () => openKernel(),
  openPodWirer: () => openPodWirer(),
  openPodSources: () => openPodSources(),
  openPodKernel: (netns) => openKernel({ netns }),
  sysctl: { read: readSysctl, write: writeSysctl },
  routerDiscovery,
  cniListener: unixSocketListener,
};

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
