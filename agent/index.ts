// The door of the daemon: start it, ask a running one, and the types of what it answers. Whatever is heavy is
// imported when it is used, so that `podroute status` does not load a BGP speaker.
import type { AgentOptions } from './options.ts';
import type { OfflinePlan } from './plan/index.ts';

export { AgentUnreachableError, askAgent } from './bindings/socket-client.ts';
export type { AgentOptions, LogLevel } from './options.ts';
export type { AddressAudit, ReleaseOutcome } from '#cni-plugin';
export type { OfflinePlan } from './plan/index.ts';
export type * from '#agent-api';

/** Runs the daemon until SIGTERM or SIGINT. Resolves with the exit code: 0 after an orderly stop. */
export async function runAgent(options: AgentOptions): Promise<number> {
  const { runAgent: run } = await import('./main.ts');
  return run(options);
}

/** What the agent of a node would do with these files, without asking one. */
export async function planOffline(
  files: readonly { readonly file: string; readonly text: string }[],
  nodeName: string,
): Promise<OfflinePlan> {
  const { offlinePlan } = await import('./plan/index.ts');
  return offlinePlan(files, nodeName);
}
