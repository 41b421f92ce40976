// podroute agent: runs the daemon until a signal ends it.
import { type LogLevel, runAgent } from '#agent';
import { canonicalAddress, familyOf } from '#ip';
import { httpOption, storeOption } from '../files.ts';
import { CommandError, EXIT } from '../exit.ts';
import { VERSION } from './version.ts';

interface AgentCommandOptions {
  readonly nodeName: string;
  readonly store: string;
  readonly fib: 'kernel' | 'none';
  readonly table: string;
  readonly routerId?: string;
  readonly socket: string;
  readonly stateDir: string;
  readonly cniSocket: string;
  readonly cniConfDir: string;
  readonly http?: string;
  readonly startupTaint?: string;
  readonly leakGraceSeconds: string;
  readonly logLevel: LogLevel;
}

export async function agent(options: AgentCommandOptions): Promise<void> {
  const table = Number(options.table);
  if (!Number.isInteger(table) || table < 1 || table > 0xffffffff) {
    throw new CommandError(
      `agent: --table ${options.table}: expected a number from 1 to 4294967295 (254 is main)`,
      EXIT.wrongUse,
    );
  }
  const leakGraceSeconds = leakGraceOf(options.leakGraceSeconds);
  const routerId = routerIdOf(options.routerId, process.env);
  process.exitCode = await runAgent({
    version: VERSION,
    nodeName: options.nodeName,
    ...(routerId === undefined ? {} : { routerId }),
    store: storeOption('agent', options.store),
    fib: options.fib,
    table,
    socketPath: options.socket,
    stateDir: options.stateDir,
    cniSocketPath: options.cniSocket,
    // Without kernel routes a pod could be wired but not reached: runtimes must not be told to try.
    ...(options.fib === 'kernel' ? { cniConfDir: options.cniConfDir } : {}),
    ...httpOption('agent', options.http),
    ...(options.startupTaint === undefined ? {} : { startupTaint: options.startupTaint }),
    leakGraceSeconds,
    logLevel: options.logLevel,
  });
}

/** @param option whole seconds, a week at most */
export function leakGraceOf(option: string): number {
  const seconds = option === '' ? Number.NaN : Number(option);
  if (Number.isInteger(seconds) && seconds >= 0 && seconds <= 604_800) return seconds;
  throw new CommandError(
    `agent: --leak-grace-seconds ${option}: expected a number from 0 (never) to 604800`,
    EXIT.wrongUse,
  );
}

/** Calico's variable counts too, so that a DaemonSet may stay as it is. Empty is absent, as there. */
export function routerIdOf(
  option: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const sources = [
    ['--router-id', option],
    ...['PODROUTE_ROUTER_ID', 'CALICO_ROUTER_ID'].map((name) => [name, environment[name]] as const),
  ] as const;
  const [name, value] = sources.find((source) => source[1]) ?? [];
  if (value === undefined || value === 'hash') return value;
  const address = canonicalAddress(value);
  if (address !== undefined && familyOf(address) === 'ipv4' && address !== '0.0.0.0') return address;
  throw new CommandError(
    `agent: ${name} ${value}: expected an IPv4 address that is not 0.0.0.0, or hash`,
    EXIT.wrongUse,
  );
}
