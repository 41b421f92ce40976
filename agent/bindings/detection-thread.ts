// BFD in a thread of its own, so that nothing that the agent does makes a neighbour believe that it is gone, and no
// neighbour seems gone because the agent was busy. The thread begins with the first session and ends with the agent; when it
// dies before that it is begun again with what is wanted. Bound: what is kept of the sessions that are wanted.
import { Worker, type WorkerOptions } from 'node:worker_threads';
import {
  type BfdChange,
  type BfdSessionConfig,
  type BfdSessionStatus,
  type BfdState,
  type BfdUnclaimed,
  endsKey,
  unopenedSession,
} from '#bfd';
import type { ThreadPriority } from '#linux';
import { growingPauseMs, systemClock, systemRandom } from '#world';
import type { Detection } from '../detection/detection.ts';
import type { Log } from '../log.ts';

/** For a thousand sessions, ten times over; a small nursery makes short pauses. */
const LIMITS = { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 8 };
const RESTART = { firstMs: 100, longestMs: 30_000 };
/** So long it must have run for its next death to be the first again. */
const STEADY_MS = 60_000;
/** So long its end is waited for. */
const GOODBYE_MS = 2_000;

export type ToWorker =
  | { readonly type: 'apply'; readonly version: number; readonly wanted: readonly BfdSessionConfig[] }
  /** AdminDown is said on every session, then 'ended'. */
  | { readonly type: 'end' };

/** version: of the last 'apply' that was read before. */
export type FromWorker =
  | { readonly type: 'begun'; readonly priority: ThreadPriority }
  | {
      readonly type: 'change';
      readonly version: number;
      readonly change: BfdChange;
      readonly status: BfdSessionStatus;
    }
  | {
      readonly type: 'status';
      readonly version: number;
      readonly statuses: readonly BfdSessionStatus[];
      readonly unclaimed: BfdUnclaimed;
    }
  | { readonly type: 'ended' };

export interface WorkerData {
  /** processMs() when the agent's clock stood at 0. */
  readonly zeroMs: number;
}

/** The same in every thread of the process, unlike performance.now(). */
export function processMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1_000 + nanoseconds / 1e6;
}

/** Of one session, as this thread knows it. */
interface Watched {
  readonly config: BfdSessionConfig;
  /** What an earlier version says is of an earlier session of that name. */
  readonly since: number;
  status: BfdSessionStatus | undefined;
  /** As the listener was told. */
  told: BfdState;
}

export type NewWorker = (file: URL, options: WorkerOptions) => Worker;

/** @param newWorker for tests: in which network namespace, and who it is */
export function startDetectionThread(
  log: Log,
  newWorker: NewWorker = (file, options) => new Worker(file, options),
): Detection {
  return new DetectionThread(log, newWorker);
}

class DetectionThread implements Detection {
  readonly #log: Log;
  readonly #newWorker: NewWorker;
  readonly #watched = new Map<string, Watched>();
  #unclaimed: BfdUnclaimed = { packets: 0 };
  #version = 0;
  #listener: ((change: BfdChange) => void) | undefined;
  #worker: Worker | undefined;
  #begunAt = 0;
  #deaths = 0;
  #again: NodeJS.Timeout | undefined;
  #goodbye: (() => void) | undefined;
  #isStopped = false;

  constructor(log: Log, newWorker: NewWorker) {
    this.#log = log;
    this.#newWorker = newWorker;
  }

  apply(wanted: readonly BfdSessionConfig[]): void {
    if (this.#isStopped) return;
    const ids = new Set(wanted.map(({ id }) => id));
    if (ids.size < wanted.length) throw new RangeError('BFD sessions: two with the same id');
    this.#version++;
    for (const id of this.#watched.keys()) if (!ids.has(id)) this.#watched.delete(id);
    for (const config of wanted) {
      const before = this.#watched.get(config.id);
      this.#watched.set(
        config.id,
        before !== undefined && endsKey(before.config) === endsKey(config)
          ? { ...before, config }
          : { config, since: this.#version, status: undefined, told: 'Down' },
      );
    }
    if (this.#worker !== undefined) this.#sayWanted(this.#worker);
    else if (wanted.length > 0 && this.#again === undefined) this.#begin();
  }

  onChange(listener: (change: BfdChange) => void): void {
    this.#listener = listener;
  }

  status(id: string): BfdSessionStatus | undefined {
    return this.#watched.get(id)?.status;
  }

  unclaimed(): BfdUnclaimed {
    return this.#unclaimed;
  }

  #sayWanted(worker: Worker): void {
    const wanted = [...this.#watched.values()].map(({ config }) => config);
    worker.postMessage({ type: 'apply', version: this.#version, wanted } satisfies ToWorker);
  }

  #begin(): void {
    // From source, or as a file of its own beside the bundle (scripts/build.ts).
    const file = import.meta.url.endsWith('.ts') ? './detection-worker.ts' : './detection-worker.js';
    const workerData: WorkerData = { zeroMs: processMs() - systemClock.now() };
    const worker = this.#newWorker(new URL(file, import.meta.url), { workerData, resourceLimits: LIMITS });
    this.#worker = worker;
    this.#begunAt = systemClock.now();
    worker.on('message', (message: FromWorker) => {
      if (worker === this.#worker) this.#hear(message);
    });
    let reason: string | undefined;
    worker.on('error', (error: Error) => void (reason = error.message));
    // Its sockets are closed by then.
    worker.on('exit', (code) => this.#died(worker, reason ?? `exit code ${code}`));
    // Last: a listener for messages takes it back.
    worker.unref();
    this.#sayWanted(worker);
  }

  #hear(message: FromWorker): void {
    switch (message.type) {
      case 'begun': {
        const { priority } = message;
        const hint =
          priority === 'usual' ? '; with CAP_SYS_NICE it would be before other work of the host' : '';
        this.#log.info({ priority }, `BFD runs in a thread of its own${hint}`);
        return;
      }
      case 'change':
        this.#changed(message.version, message.change, message.status);
        return;
      case 'status':
        this.#unclaimed = message.unclaimed;
        for (const status of message.statuses) this.#keep(message.version, status);
        return;
      case 'ended':
        this.#goodbye?.();
        return;
    }
  }

  #keep(version: number, status: BfdSessionStatus): Watched | undefined {
    const watched = this.#watched.get(status.id);
    if (watched === undefined || version < watched.since) return undefined;
    watched.status = status;
    return watched;
  }

  #changed(version: number, change: BfdChange, status: BfdSessionStatus): void {
    const watched = this.#keep(version, status);
    if (watched === undefined || this.#isStopped) return;
    watched.told = change.to;
    this.#listener?.(change);
  }

  #died(worker: Worker, reason: string): void {
    if (worker !== this.#worker) return;
    this.#worker = undefined;
    this.#goodbye?.();
    if (this.#isStopped) return;
    if (systemClock.now() - this.#begunAt >= STEADY_MS) this.#deaths = 0;
    const pauseMs = Math.round(growingPauseMs(RESTART, this.#deaths++, systemRandom));
    const problem = `the thread of BFD ended (${reason}) and begins again`;
    for (const [id, watched] of this.#watched) {
      const { told, status = unopenedSession(id, problem) } = watched;
      watched.status = { ...status, state: 'Down', problem };
      watched.told = 'AdminDown';
      if (told !== 'Up') continue;
      const { diagnostic, remoteState, remoteDiagnostic, isRemoteIndependent, detectionMicros } = status;
      const seen = { diagnostic, remoteState, remoteDiagnostic, isRemoteIndependent, detectionMicros };
      this.#listener?.({ id, from: 'Up', to: 'AdminDown', ...seen });
    }
    this.#log.error(
      { reason, againInMs: pauseMs, sessions: this.#watched.size },
      'the thread of BFD ended: its sessions begin anew, and none counts as down for it',
    );
    this.#again = setTimeout(() => {
      this.#again = undefined;
      if (this.#watched.size > 0) this.#begin();
    }, pauseMs);
    this.#again.unref();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    clearTimeout(this.#again);
    const worker = this.#worker;
    if (worker === undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#goodbye = resolve;
    const late = setTimeout(resolve, GOODBYE_MS);
    worker.ref();
    worker.postMessage({ type: 'end' } satisfies ToWorker);
    await promise;
    clearTimeout(late);
    this.#worker = undefined;
    await worker.terminate();
  }
}
