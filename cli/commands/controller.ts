// podroute controller: runs one until a signal ends it.
import { type LogLevel, openDaemonLog } from '#agent';
import { runController } from '#controller';
import { httpOption, storeOption } from '../files.ts';
import { CommandError, EXIT } from '../exit.ts';
import { VERSION } from './version.ts';

interface ControllerCommandOptions {
  readonly store: string;
  readonly identity?: string;
  readonly namespace?: string;
  readonly leaseSeconds: string;
  readonly nodeGraceSeconds: string;
  readonly http?: string;
  readonly logLevel: LogLevel;
}

/** A lease is renewed three times while it lasts. */
const SHORTEST_LEASE_SECONDS = 3;
const LONGEST_SECONDS = 86_400;

export async function controller(options: ControllerCommandOptions): Promise<void> {
  const leaseSeconds = secondsOf('--lease-seconds', options.leaseSeconds, SHORTEST_LEASE_SECONDS);
  const nodeGraceMs = secondsOf('--node-grace-seconds', options.nodeGraceSeconds, 0) * 1000;
  process.exitCode = await runController({
    version: VERSION,
    store: storeOption('controller', options.store),
    ...(options.identity !== undefined && { identity: options.identity }),
    ...(options.namespace !== undefined && { namespace: options.namespace }),
    leaseSeconds,
    nodeGraceMs,
    ...httpOption('controller', options.http),
    log: await openDaemonLog(options.logLevel, { controller: options.identity ?? String(process.pid) }),
  });
}

export function secondsOf(option: string, text: string, least: number): number {
  const seconds = Number(text);
  if (/^\d+$/.test(text) && seconds >= least && seconds <= LONGEST_SECONDS) return seconds;
  throw new CommandError(
    `controller: ${option} ${text}: expected a whole number of seconds from ${least} to ${LONGEST_SECONDS}`,
    EXIT.wrongUse,
  );
}
