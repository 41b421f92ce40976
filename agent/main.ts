// The only place where the agent's real clock, kernel, transport, store and disk are bound.
import type { AgentOptions } from './options.ts';

/** Runs the daemon until SIGTERM or SIGINT. Resolves with the exit code. */
export async function runAgent(options: AgentOptions): Promise<number> {
  throw new Error(`agent ${options.nodeName}: not built yet`);
}
