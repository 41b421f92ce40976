// The server behind the CNI executable: takes up what an earlier agent left (links, queued DELs), then serves the socket;
// and the way of each call from its bytes to those of the answer.
import { type BlockRelease, type Ipam, type Owner, ownerKey } from '#ipam';
import type { DroppedPackets, Kernel, PodSources, PodWirer } from '#linux';
import type { Clock, Disk } from '#world';
import type { CniListener, CniLog } from '../outside.ts';
import {
  type AddressAudit,
  auditAddresses,
  podLinksAndRoutes,
  releaseAddress,
  type ReleaseOutcome,
} from './verbs/audit.ts';
import { CallOrder } from './call-order.ts';
import { DelQueue } from './del-queue.ts';
import { PodKeeper } from './pod-keeper.ts';
import { SourceGuard } from './source-guard.ts';
import { UplinkMtu } from './uplink-mtu.ts';
import { ownerOf, resultJson } from './attachment.ts';
import { type CniCode, CniError, codes, errorJson, toCniError } from './cni-error.ts';
import {
  type CniCommand,
  type CniRequest,
  decodeRequest,
  encodeAnswer,
  isCommand,
  readEnvironment,
  withoutLength,
} from './call.ts';
import { NEWEST, readConfig, versionForErrors, VERSIONS } from './network-config.ts';
import { add } from './verbs/add.ts';
import { check } from './verbs/check.ts';
import { del } from './verbs/del.ts';
import { collectGarbage, collectLeaks } from './verbs/gc.ts';
import type { VerbIo } from './verbs/verb-io.ts';

export interface CniServerOptions {
  readonly socketPath: string;
  /** Where the executable queues DELs while no agent answers. */
  readonly stateDir: string;
}

export interface CniServerIo {
  readonly clock: Clock;
  readonly disk: Disk;
  readonly listener: CniListener;
  /** Started, and its inputs set. */
  readonly ipam: Ipam;
  readonly kernel: Kernel;
  readonly wirer: PodWirer;
  readonly sources: PodSources;
  /** For CHECK: the kernel of a pod's namespace. */
  readonly openPodKernel: (netns: string) => Promise<Kernel>;
  readonly log: CniLog;
  /**
   * Told of every call when it is answered.
   * @param code of the error; undefined: it went well
   */
  readonly called?: (verb: CniCommand | 'unknown', code: CniCode | undefined, tookMs: number) => void;
  /** What else ADD waits for (first routes, say): undefined when it can be served. */
  readonly whyUnready?: () => string | undefined;
}

export interface CniServer extends AsyncDisposable {
  /** Addresses given out against the kernel's links and routes, while no call is under way. */
  audit(): Promise<AddressAudit>;
  /** Frees what a pod that is gone still holds. Rejects with CniError when the journal cannot be written. */
  release(address: string): Promise<ReleaseOutcome>;
  /**
   * DEL, while no call is under way, of those for whom none came.
   *
   * @param choose told which pods' links the host has
   * @returns of each that was chosen: undefined, or why it still has its addresses
   */
  collect(
    choose: (links: ReadonlySet<string>) => readonly Owner[],
  ): Promise<readonly (CniError | undefined)[]>;
  /** Takes a block back from a node that has no Node object any more. Rejects when the store does not answer. */
  releaseBlock(cidr: string): Promise<BlockRelease>;
  /** What pods sent from addresses of others; undefined while the kernel does not check it. */
  droppedPackets(): DroppedPackets | undefined;
  /** What an operator should see of the server's own work. */
  problems(): string[];
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
  const guard = new SourceGuard(io);
  const handling: Handling = {
    io: { ...io, guard, mtu: () => mtu.value, whyUnready },
    ...{ order, queue, clock: io.clock, called: io.called },
  };

  let timer: { cancel(): void } | undefined;
  let looking: Promise<unknown> = Promise.resolve();
  const lookLater = (): void => {
    timer = io.clock.setTimer(LOOK_EVERY_MS, () => {
      const work = [queue.drain(order, handling.io), mtu.refresh(), guard.look()];
      looking = Promise.allSettled(work).finally(lookLater);
    });
  };

  const keeper = new PodKeeper(io);
  let socket: AsyncDisposable;
  try {
    await mtu.refresh();
    await adoptLinks(io);
    await guard.start();
    await keeper.start();
    await queue.drain(order, handling.io);
    socket = await io.listener.listen(options.socketPath, (bytes) => answerCall(bytes, handling), io.clock);
  } catch (error) {
    mtu[Symbol.dispose]();
    await keeper[Symbol.asyncDispose]();
    await guard[Symbol.asyncDispose]();
    throw error;
  }
  lookLater();
  return {
    audit: () => order.runAlone(() => auditAddresses(handling.io)),
    release: (address) => order.runAlone(() => releaseAddress(address, handling.io)),
    collect: (choose) => order.runAlone(() => collectLeaks(choose, handling.io)),
    droppedPackets: () => guard.dropped,
    problems: () => [...guard.problems(), ...queue.problems()],
    releaseBlock: (cidr) => io.ipam.releaseBlock(cidr),
    whyUnready: () => whyUnready() ?? io.ipam.whyUnready(),
    async [Symbol.asyncDispose]() {
      timer?.cancel();
      await socket[Symbol.asyncDispose]();
      await looking;
      timer?.cancel();
      mtu[Symbol.dispose]();
      await keeper[Symbol.asyncDispose]();
      await guard[Symbol.asyncDispose]();
    },
  };
}

/** Addresses of pods that run although the journal does not know them are not given out again. */
async function adoptLinks(io: CniServerIo): Promise<void> {
  const { routes } = await podLinksAndRoutes(io.kernel);
  for (const { address, link } of routes) io.ipam.adopt(address, link);
}

interface Handling {
  readonly io: VerbIo;
  readonly clock: Clock;
  readonly called: CniServerIo['called'] | undefined;
  readonly order: CallOrder;
  readonly queue: DelQueue;
}

/** One call from its bytes to those of the answer: read, ordered, done, written. Never throws.
 *
 * @param bytes a whole request, its length included */
async function answerCall(bytes: Uint8Array, handling: Handling): Promise<Uint8Array> {
  const { io, clock, called } = handling;
  const request = decodeRequest(withoutLength(bytes));
  const command = request?.environment.get('CNI_COMMAND') ?? '';
  const startMs = clock.now();
  const note = (code?: CniCode) =>
    called?.(isCommand(command) ? command : 'unknown', code, clock.now() - startMs);
  try {
    if (request === undefined) throw new CniError(codes.decoding, 'the request on the socket cannot be read');
    const output = await perform(request, handling);
    note();
    return encodeAnswer(0, output);
  } catch (thrown) {
    const error = toCniError(thrown);
    note(error.code);
    const details = error.details === '' ? '' : ` (${error.details})`;
    io.log.warn('cni', `${command} answered code ${error.code}: ${error.message}${details}`);
    return encodeAnswer(1, errorJson(error, versionForErrors(request?.input ?? '')));
  }
}

/** JSON, or nothing. */
async function perform(request: CniRequest, { io, order, queue }: Handling): Promise<string> {
  const call = readEnvironment(request.environment);
  if (call.command === 'VERSION') {
    return `${JSON.stringify({ cniVersion: NEWEST, supportedVersions: VERSIONS })}\n`;
  }
  const config = readConfig(request.input, call.command);
  const key = call.containerId === '' ? '' : ownerKey(call);
  switch (call.command) {
    case 'ADD':
      return order.run(key, async () => {
        await queue.finish(call, io);
        return resultJson(await add(call, config, io), config.cniVersion);
      });
    case 'DEL':
      await order.run(key, () => del(ownerOf(call, config), io));
      return '';
    case 'CHECK':
      await order.run(key, () => check(call, config, io));
      return '';
    case 'GC':
      await order.runAlone(() => collectGarbage(config, io));
      return '';
    case 'STATUS': {
      const why = io.whyUnready() ?? io.ipam.whyUnready();
      if (why !== undefined) throw new CniError(codes.unavailable, 'podroute cannot serve ADD', why);
      return '';
    }
  }
}
