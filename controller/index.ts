// The door of the controller. What it needs is imported when it runs.
import type { ClusterReply } from '#agent-api';
import type { ClusterPlace } from '#store';
import type { ControllerOptions } from './main.ts';

export type { ControllerOptions } from './main.ts';
export type { DutyLog } from './duty-log.ts';

/**
 * All nodes of a cluster, as their agents describe themselves. Rejects when the API server does not answer, with
 * StorePlaceError when nothing says where it is.
 */
export async function readCluster(store: ClusterPlace, version: string): Promise<ClusterReply> {
  const { readCluster: read } = await import('./main.ts');
  return read(store, version);
}

/** Runs a controller until SIGTERM or SIGINT. Resolves with the exit code: 0 after an orderly stop. */
export async function runController(options: ControllerOptions): Promise<number> {
  const { runController: run } = await import('./main.ts');
  return run(options);
}
