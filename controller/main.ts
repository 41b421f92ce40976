// The only place where a controller's real clock, store and lease are bound. Runs one until it is told to stop.
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { hostname } from 'node:os';
import type { ClusterReply } from '#agent-api';
import { realDisk } from '#linux';
import {
  type ClusterPlace,
  openDirectoryStore,
  StorePlaceError,
  storePlaceText,
  type Store,
  type StorePlace,
} from '#store';
import { parseEndpoint } from '#ip';
import { systemClock, systemRandom } from '#world';
import { clusterView } from './cluster-view.ts';
import { Controller } from './controller.ts';
import type { DutyLog } from './duty-log.ts';

export interface ControllerOptions {
  readonly version: string;
  readonly store: StorePlace;
  /** Who holds the lease is called so; undefined: by the host, which in a pod is the pod's name. */
  readonly identity?: string;
  /** Of the lease; undefined: podroute's own. */
  readonly namespace?: string;
  readonly leaseSeconds: number;
  readonly nodeGraceMs: number;
  /** 'ADDR:PORT' for /healthz and /readyz. */
  readonly http?: string;
  readonly log: DutyLog;
}

/** Runs until a signal. Resolves with the exit code: 0 after an orderly stop, 1 when it cannot run, 2: there is no such store. */
export async function runController(options: ControllerOptions): Promise<number> {
  const { log } = options;
  const stopped = new Promise<string>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => {
        process.once(signal, () => process.exit(1));
        resolve(signal);
      });
    }
  });
  try {
    await using cleanUp = new AsyncDisposableStack();
    await start(options, cleanUp);
    log.info({ signal: await stopped }, 'stopping: the lease is given back');
    return 0;
  } catch (error) {
    log.error({}, `controller cannot run: ${error instanceof Error ? error.message : String(error)}`);
    return error instanceof StorePlaceError ? 2 : 1;
  }
}

async function start(options: ControllerOptions, cleanUp: AsyncDisposableStack): Promise<void> {
  const { log, leaseSeconds, nodeGraceMs, http } = options;
  const opened = await openStore(options.store, options.version);
  const store = cleanUp.use(opened.store);
  await store.start();
  // A host may start anew with the same name while its old process is being killed.
  const identity = options.identity ?? `${hostname()}_${randomBytes(4).toString('hex')}`;
  const namespace = options.namespace ?? opened.namespace;
  const controller = cleanUp.use(
    new Controller(
      { identity, namespace, leaseSeconds, nodeGraceMs },
      { clock: systemClock, random: systemRandom, store, log },
    ),
  );
  controller.start();
  if (http !== undefined) cleanUp.use(await serve(http, controller));
  log.info(
    { version: options.version, identity, namespace, store: storePlaceText(options.store) },
    'started',
  );
}

/** Rejects when the API server does not answer. */
export async function readCluster(place: ClusterPlace, version: string): Promise<ClusterReply> {
  // Asked, and not followed: it need not be started.
  await using opened = (await openStore(place, version)).store;
  const [nodes, statuses] = await Promise.all([opened.list('Node'), opened.list('BGPNodeStatus')]);
  const names = nodes.map(({ metadata: { name } }) => name);
  return clusterView(names, statuses, systemClock.wall());
}

interface Opened {
  readonly store: Store;
  readonly namespace: string;
}

async function openStore(place: StorePlace, version: string): Promise<Opened> {
  if (place.kind === 'folder') {
    const store = openDirectoryStore(place.folder, { clock: systemClock, disk: realDisk });
    return { store, namespace: 'podroute' };
  }
  // Only then: the client of Kubernetes costs 30 MB.
  const { namespaceOf, openCluster } = await import('#store/kubernetes');
  const store = openCluster(place, {
    clock: systemClock,
    random: systemRandom,
    disk: realDisk,
    userAgent: `podroute-controller/${version}`,
    reader: 'controller',
  });
  return { store, namespace: namespaceOf(place, systemClock) };
}

/** Alive: this process answers. One that waits for the lease is as ready as the leader. */
async function serve(place: string, controller: Controller): Promise<AsyncDisposable> {
  const endpoint = parseEndpoint(place);
  if (endpoint === undefined) throw new Error(`--http ${place}: expected ADDR:PORT`);
  const server = createServer((request, response) => {
    const isKnown = request.url === '/healthz' || request.url === '/readyz';
    response.writeHead(isKnown ? 200 : 404, { 'content-type': 'text/plain', connection: 'close' });
    response.end(isKnown ? `ok\n${controller.isLeader ? 'leading' : 'standing by'}\n` : 'no such page\n');
  });
  server.headersTimeout = 5_000;
  server.maxConnections = 64;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(endpoint, resolve);
  });
  return {
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise<void>((closed) => server.close(() => closed()));
    },
  };
}
