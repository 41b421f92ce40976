// What the bench needs of a BGP speaker: is it installed, which version, start it for a kind of load.
import type { Host, HostProcess } from '#lab';
import type { Installed } from '../../testing/routers.ts';
import type { LoadKind, Place, SpeakerName } from '../cases.ts';

export interface Job {
  readonly host: Host;
  readonly load: LoadKind;
  readonly place: Place;
  /** An empty folder for configuration, sockets and logs. */
  readonly folder: string;
  /** Write a CPU profile into `folder` when the speaker can (only ours). */
  readonly profile: boolean;
}

export interface RunningSpeaker {
  readonly process: HostProcess;
  readonly port: number;
  /** File of the event loop probe (only ours). */
  readonly ticks?: string;
  /** Event loop delay and heap as the speaker itself reports them (only ours). */
  inside?(): Promise<InsideView>;
}

export interface InsideView {
  readonly eventLoopDelayP99Ms: number;
  readonly eventLoopDelayMaxMs: number;
  readonly heapUsedBytes: number;
}

export interface Speaker extends Installed {
  readonly name: SpeakerName;
  readonly title: string;
  /** Takes so long that fewer runs of it must do, see --slow-runs. */
  readonly isSlow: boolean;
  start(job: Job): Promise<RunningSpeaker>;
}

/** Waits until something listens on the TCP port in the host. Throws when the process ends first. */
export async function listening(
  host: Host,
  process: HostProcess,
  port: number,
  timeoutMs = 20_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (host.run(['ss', '-Hltn', `sport = :${port}`]) === '') {
    if (!process.running) throw new Error(`${process.command} ended at once:\n${process.output}`);
    if (performance.now() > deadline)
      throw new Error(`${process.command}: nothing on port ${port} after ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
