// The CNI server in the agent, and the conflist that tells the container runtime to use it: written once ADD can be
// served, and left in place when the agent stops (the executable queues DELs and refuses ADDs while it is away).
import {
  type CniServer,
  type CniServerIo,
  CONFLIST_NAME,
  filesBeforeOurs,
  networkName,
  serveCni,
  writeConflist,
} from '#cni-plugin';
import type { Ipam } from '#ipam';
import type { Kernel } from '#linux';
import type { Clock, Disk } from '#world';
import type { LateSockets } from '../late-sockets.ts';
import type { Log } from '../log.ts';
import type { HostBindings } from '../outside.ts';

const READY_CHECK_MS = 50;
const WRITE_RETRY_MS = 5_000;
/** What others put into the runtime's folder, and what of the DEL queue cannot be done. */
const LOOK_EVERY_MS = 5_000;

export interface CniServiceOptions {
  readonly cniSocketPath: string;
  readonly stateDir: string;
  /** Undefined: no conflist. */
  readonly cniConfDir?: string;
  /** Told of every call. */
  readonly called?: CniServerIo['called'];
}

export interface CniServiceIo {
  readonly clock: Clock;
  readonly disk: Disk;
  readonly log: Log;
  readonly host: HostBindings;
}

export interface CniServiceUse {
  readonly sockets: LateSockets;
  /** What an operator should see; called with the whole, now and then. */
  readonly tell: (problems: readonly string[]) => void;
}

const SOCKET = 'socket for the CNI executable';

/** Rejects when another process serves the socket. */
export async function startCni(
  { cniSocketPath: socketPath, stateDir, cniConfDir, called }: CniServiceOptions,
  { log, clock, disk, host }: CniServiceIo,
  { ipam, kernel }: { readonly ipam: Ipam; readonly kernel: Kernel },
  { sockets, tell }: CniServiceUse,
  opening: AsyncDisposableStack,
): Promise<CniServer> {
  const { cniListener } = host;
  const server = await serveCni(
    { socketPath, stateDir },
    {
      clock,
      disk,
      ipam,
      kernel,
      listener: {
        listen: (path, answer) => sockets.open(SOCKET, () => cniListener.listen(path, answer, clock)),
      },
      whyUnready: () => sockets.whyNot(SOCKET),
      wirer: opening.use(host.openPodWirer()),
      sources: opening.use(host.openPodSources()),
      openPodKernel: (netns) => host.openPodKernel(netns),
      log: subjectLog(log),
      ...(called && { called }),
    },
  );
  opening.use(server);
  if (cniConfDir !== undefined) {
    const written = publishConflist(cniConfDir, { socketPath, stateDir }, server, clock, disk, log);
    opening.use(written);
    opening.use(watchProblems(server, { folder: cniConfDir, written }, clock, disk, tell));
  } else opening.use(watchProblems(server, undefined, clock, disk, tell));
  return server;
}

function watchProblems(
  server: CniServer,
  conf: { readonly folder: string; readonly written: Conflist } | undefined,
  clock: Clock,
  disk: Disk,
  tell: (problems: readonly string[]) => void,
): AsyncDisposable {
  let isStopped = false;
  let timer: { cancel(): void } | undefined;
  const look = async (): Promise<void> => {
    const problems = server.problems();
    if (conf !== undefined)
      problems.push(...conf.written.problems(), ...(await conflistProblems(conf.folder, disk)));
    if (isStopped) return;
    tell(problems);
    timer = clock.setTimer(LOOK_EVERY_MS, () => {
      looking = look();
    });
  };
  let looking = look();
  return {
    async [Symbol.asyncDispose]() {
      isStopped = true;
      timer?.cancel();
      await looking;
    },
  };
}

async function conflistProblems(folder: string, disk: Disk): Promise<string[]> {
  try {
    const before = await filesBeforeOurs(folder, disk);
    const others = before.map(
      (name) =>
        `${folder}/${name} sorts before ${CONFLIST_NAME}: the container runtime takes that one, and pods get no ` +
        `address of podroute: move it away`,
    );
    return [...others, ...(await unreadable(folder, disk))];
  } catch (error) {
    return [`${folder} cannot be read: ${messageOf(error)}`];
  }
}

/** It says the network's name: without it nobody knows which pods are podroute's. */
async function unreadable(folder: string, disk: Disk): Promise<string[]> {
  try {
    await networkName(folder, disk);
    return [];
  } catch (error) {
    const what = `${folder}/${CONFLIST_NAME} cannot be read: ${messageOf(error)}`;
    return [`${what}; meanwhile addresses of Pods that are gone are not given back`];
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

interface Conflist extends AsyncDisposable {
  /** Why it is not in place. */
  problems(): string[];
}

function publishConflist(
  folder: string,
  conflist: { readonly socketPath: string; readonly stateDir: string },
  server: CniServer,
  clock: Clock,
  disk: Disk,
  log: Log,
): Conflist {
  let isStopped = false;
  let unwritten: string | undefined;
  let timer: { cancel(): void } | undefined;
  let writing = Promise.resolve();
  const again = (delayMs: number) => {
    timer = clock.setTimer(delayMs, () => {
      writing = look();
    });
  };
  const look = async (): Promise<void> => {
    if (server.whyUnready() !== undefined) {
      if (!isStopped) again(READY_CHECK_MS);
      return;
    }
    try {
      await writeConflist(folder, conflist, disk);
      unwritten = undefined;
      log.info({ folder }, 'pods can be wired: the conflist is in place');
    } catch (error) {
      const text = `${folder}/${CONFLIST_NAME} cannot be written: ${messageOf(error)}; tried again every ${WRITE_RETRY_MS / 1000} s`;
      if (text !== unwritten)
        log.error({ folder, error: String(error) }, 'the conflist cannot be written; trying again');
      unwritten = text;
      if (!isStopped) again(WRITE_RETRY_MS);
    }
  };
  writing = look();
  return {
    problems: () => (unwritten === undefined ? [] : [unwritten]),
    async [Symbol.asyncDispose]() {
      isStopped = true;
      timer?.cancel();
      await writing;
      timer?.cancel();
    },
  };
}

/** For parts that log a subject and a message. */
export function subjectLog(log: Log) {
  return {
    debug: (subject: string, message: string) => log.debug({ subject }, message),
    info: (subject: string, message: string) => log.info({ subject }, message),
    warn: (subject: string, message: string) => log.warn({ subject }, message),
    error: (subject: string, message: string) => log.error({ subject }, message),
  };
}
