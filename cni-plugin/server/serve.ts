// The server behind the CNI executable: takes up what an earlier agent left (links, queued DELs), then serves the socket.
import type { Clock, Ipam } from '#ipam';
import type { Kernel, PodWirer } from '#linux';
import type { CniDisk, CniListener, CniLog } from '../outside.ts';
import {
  type AddressAudit,
  auditAddresses,
  podLinksAndRoutes,
  releaseAddress,
  type ReleaseOutcome,
} from './verbs/audit.ts';
import { CallOrder } from './call-order.ts';
import { DelQueue } from './del-queue.ts';
import { decodeRequest, encodeAnswer, withoutLength } from './request/frame.ts';
import { drainDelQueue, type Handling, handle } from './handle.ts';
import { Durations } from './durations.ts';
import { UplinkMtu } from './uplink-mtu.ts';

export interface CniServerOptions {
  readonly socketPath: string;
  /** Where the executable queues DELs while no agent answers. */
  readonly stateDir: string;
}

export interface CniServerIo {
  readonly clock: Clock;
  readonly disk: CniDisk;
  readonly listener: CniListener;
  /** Started, and its inputs set. */
  readonly ipam: Ipam;
  readonly kernel: Kernel;
  readonly wirer: PodWirer;
  /** For CHECK: the kernel of a pod's namespace. */
  readonly openPodKernel: (netns: string) => Promise<Kernel>;
  readonly log: CniLog;
  /** What else ADD waits for (first routes, say): undefined when it can be served. */
  readonly whyUnready?: () => string | undefined;
}

export interface CniServerStats {
  /** Calls answered, by verb. */
  readonly calls: Readonly<Record<string, number>>;
  readonly failures: Readonly<Record<string, number>>;
  /** Request read to answer ready, of the last 1,000 ADDs that succeeded. */
  readonly addMs: { readonly p50: number; readonly p95: number; readonly p99: number };
  readonly underWay: number;
}

export interface CniServer extends AsyncDisposable {
  stats(): CniServerStats;
  /** Addresses given out against the kernel's links and routes, while no call is under way. */
  audit(): Promise<AddressAudit>;
  /** Frees what a pod that is gone still holds. Rejects with CniError when the journal cannot be written. */
  release(address: string): Promise<ReleaseOutcome>;
  /** Undefined when ADD can be served: then the conflist may be written. */
  whyUnready(): string | undefined;
}

const LOOK_EVERY_MS = 10_000;

/** Resolves when the socket accepts calls. Rejects when another agent serves it. */
export async function serveCni(options: CniServerOptions, io: CniServerIo): Promise<CniServer> {
  const mtu = new UplinkMtu(io.kernel);
  const order = new CallOrder();
  const queue = new DelQueue(io.disk, options.stateDir);
  const whyUnready = io.whyUnready ?? ((): undefined => undefined);
  const handling: Handling = { io: { ...io, mtu: () => mtu.value, whyUnready }, order, queue };
  const calls: Record<string, number> = {};
  const failures: Record<string, number> = {};
  const addDurations = new Durations();

  const answer = async (bytes: Uint8Array): Promise<Uint8Array> => {
    const begin = io.clock.now();
    const { exitCode, output, command, error } = await handle(decodeRequest(withoutLength(bytes)), handling);
    calls[command] = (calls[command] ?? 0) + 1;
    if (error !== undefined) {
      failures[command] = (failures[command] ?? 0) + 1;
      const details = error.details === '' ? '' : ` (${error.details})`;
      io.log.warn('cni', `${command} answered code ${error.code}: ${error.message}${details}`);
    } else if (command === 'ADD') addDurations.add(io.clock.now() - begin);
    return encodeAnswer(exitCode, output);
  };

  let timer: { cancel(): void } | undefined;
  let looking: Promise<unknown> = Promise.resolve();
  const lookLater = (): void => {
    timer = io.clock.setTimer(LOOK_EVERY_MS, () => {
      looking = Promise.allSettled([drainDelQueue(handling), mtu.refresh()]).finally(lookLater);
    });
  };

  let socket: AsyncDisposable;
  try {
    await mtu.refresh();
    await adoptLinks(io);
    await drainDelQueue(handling);
    socket = await io.listener.listen(options.socketPath, answer, io.clock);
  } catch (error) {
    mtu[Symbol.dispose]();
    throw error;
  }
  lookLater();
  return {
    stats: () => ({
      calls: { ...calls },
      failures: { ...failures },
      addMs: addDurations.percentiles(),
      underWay: order.calls,
    }),
    audit: () => order.runAlone(() => auditAddresses(handling.io)),
    release: (address) => order.runAlone(() => releaseAddress(address, handling.io)),
    whyUnready: () => whyUnready() ?? io.ipam.whyUnready(),
    async [Symbol.asyncDispose]() {
      timer?.cancel();
      await socket[Symbol.asyncDispose]();
      await looking;
      timer?.cancel();
      mtu[Symbol.dispose]();
    },
  };
}

/** Addresses of pods that run although the journal does not know them are not given out again. */
async function adoptLinks(io: CniServerIo): Promise<void> {
  const { routes } = await podLinksAndRoutes(io.kernel);
  for (const { address, link } of routes) io.ipam.adopt(address, link);
}
