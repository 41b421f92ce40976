// podroute agent: runs the daemon until a signal ends it.
import { type LogLevel, runAgent } from '#agent';
import { CommandError, EXIT } from '../exit.ts';
import { VERSION } from './version.ts';

interface AgentCommandOptions {
  readonly nodeName: string;
  readonly store: string;
  readonly fib: 'kernel' | 'none';
  readonly table: string;
  readonly socket: string;
  readonly stateDir: string;
  readonly cniSocket: string;
  readonly cniConfDir: string;
  readonly http?: string;
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
  if (!/^(kubernetes|dir:.+)$/.test(options.store)) {
    throw new CommandError(`agent: --store ${options.store}: expected kubernetes or dir:PATH`, EXIT.wrongUse);
  }
  if (options.http !== undefined && !/^.+:\d+$/.test(options.http)) {
    throw new CommandError(
      `agent: --http ${options.http}: expected ADDR:PORT, such as 127.0.0.1:9179`,
      EXIT.wrongUse,
    );
  }
  process.exitCode = await runAgent({
    version: VERSION,
    nodeName: options.nodeName,
    store: options.store,
    fib: options.fib,
    table,
    socketPath: options.socket,
    stateDir: options.stateDir,
    cniSocketPath: options.cniSocket,
    // Without kernel routes a pod could be wired but not reached: runtimes must not be told to try.
    ...(options.fib === 'kernel' ? { cniConfDir: options.cniConfDir } : {}),
    ...(options.http === undefined ? {} : { http: options.http }),
    logLevel: options.logLevel,
  });
}
