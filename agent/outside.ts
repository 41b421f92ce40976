// All that a node reaches outside its process by. main.ts binds the real ones (bindings/), tests a machine in memory.
import type { ProcessStatus } from '#agent-api';
import type { Transport } from '#bgp';
import type { CniListener } from '#cni-plugin';
import type { Kernel, PodSources, PodWirer, RouterDiscovery, SignatureDrops, Sysctl } from '#linux';
import type { Store } from '#store';
import type { Clock, Disk, Random, Scheduler } from '#world';
import type { Detection } from './detection/detection.ts';
import type { Reply, StatusRequest } from './http/endpoints.ts';
import type { ProcessFigures } from './http/figures.ts';
import type { Log } from './log.ts';
import type { LinkWatch } from './speaker/link-watch.ts';
import type { Rehearse } from './speaker/rehearsal.ts';

/** What is opened by a function is opened in the order of startNode, and closed in reverse. */
export interface NodeBindings {
  readonly clock: Clock;
  readonly random: Random;
  readonly scheduler: Scheduler;
  readonly log: Log;
  readonly process: ProcessFacts;
  readonly locks: Locks;
  readonly disk: Disk;
  readonly http: HttpServers;
  openStore(): Store;
  /**
   * The store is a cluster's: the node's BGPNodeStatus is kept there (nobody plans by it), and it is the controller that
   * takes back what nodes that are gone have left.
   */
  readonly isOfCluster?: boolean;
  /** @param links undefined with --fib none: link failures are then noticed by hold timers */
  openTransport(links: LinkWatch | undefined): Transport;
  /** BFD, which a busy main thread does not hold up. */
  openDetection(): Detection;
  /** Not opened with --fib none. */
  readonly host: HostBindings;
  /** Undefined: the process is not prepared for large tables. */
  readonly rehearse?: Rehearse;
}

/** The kernel of the namespace that the agent runs in, and pods. */
export interface HostBindings {
  openKernel(): Promise<Kernel>;
  openPodWirer(): PodWirer;
  openPodSources(): PodSources;
  /** Rejects when there is no such namespace. */
  openPodKernel(netns: string): Promise<Kernel>;
  readonly sysctl: Sysctl;
  /** Of the same kernel. */
  readonly routerDiscovery: RouterDiscovery;
  readonly cniListener: CniListener;
}

export interface ProcessFacts {
  readonly pid: number;
  /** 'v24.21.0' */
  readonly runtime: string;
  status(): ProcessStatus;
  /** What signed TCP of this network namespace lost in the last minute; undefined: not known. */
  signatureDrops?(): SignatureDrops | undefined;
  figures(): Promise<ProcessFigures>;
}

/**
 * One agent a node. A lock is let go when it is disposed of and when its holder dies. Both reject with LockedError when
 * somebody else has it.
 */
export interface Locks {
  /**
   * Of something of this network namespace.
   * @param subject 'node n1' @param holder what others are told, 'pid 12, node n1'
   */
  lockHere(subject: string, holder: string): Promise<AsyncDisposable>;
  lockFolder(folder: string, holder: string): Promise<AsyncDisposable>;
  /** Of the node's name in the store: for all hosts that share it. */
  lockName(node: string, holder: string): Promise<AsyncDisposable>;
}

/** Of an agent's lockHere, whatever its table: links of pods, and the check of their addresses, are one for the namespace. */
export const PODS_LOCK = 'pods of this network namespace';

/** Somebody else holds the lock. */
export class LockedError extends Error {
  override readonly name = 'LockedError';

  /** @param holder as it says who it is */
  constructor(subject: string, holder: string) {
    super(`${subject} has an agent already: ${holder}; stop that one first`);
  }
}

export type Answer = (request: StatusRequest) => Reply | Promise<Reply>;

/** Both reject when nobody can be served there. What `answer` throws is status 500. */
export interface HttpServers {
  /** For root only. Takes the path over from a dead agent: the caller has made sure that no live one serves it. */
  serveUnixSocket(path: string, answer: Answer): Promise<AsyncDisposable>;
  /** @param place 'ADDR:PORT' or '[V6]:PORT' */
  serveTcp(place: string, answer: Answer): Promise<AsyncDisposable>;
}
