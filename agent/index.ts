// The door of the agent: what of it runs in another process than its own daemon. Whatever is heavy is imported when it
// is used, so that `podroute plan` does not load a BGP speaker. What a running agent answers is in agent-api/.
import type { ValidatedTexts } from '#api';
import type { ClusterPlace } from '#store';
import { systemClock } from '#world';
import { PODS_LOCK } from './outside.ts';
import type { Examination } from './doctor/finding.ts';
import type { AgentSays, Places } from './doctor/patient.ts';
import type { Log } from './log.ts';
import type { AgentOptions, LogLevel } from './options.ts';
import type { Fate, InstalledPlaces } from './uninstall.ts';
import type { MeantFile } from './diff/documents.ts';
import type { OfflineDiff } from './diff/offline-diff.ts';
import type { OfflinePlan, ValidatedPlans } from './plan/index.ts';

export type { MeantFile } from './diff/documents.ts';
export type { OfflineDiff } from './diff/offline-diff.ts';
export type { OfflinePlan } from './plan/index.ts';
export type { Fate, InstalledPlaces } from './uninstall.ts';
export type { Examination } from './doctor/finding.ts';
export type { AgentOptions, LogLevel } from './options.ts';

/** Runs the daemon until SIGTERM or SIGINT. Resolves with the exit code: 0 after an orderly stop. */
export async function runAgent(options: AgentOptions): Promise<number> {
  const { runAgent: run } = await import('./main.ts');
  return run(options);
}

/** As the agent's own: for another daemon of podroute. @param base what every line says */
export async function openDaemonLog(level: LogLevel, base: Readonly<Record<string, string>>): Promise<Log> {
  const { openLog } = await import('./bindings/logger.ts');
  return openLog(level, base);
}

/** What the agent of a node would do with these files, without asking one. */
export async function planOffline(
  files: readonly { readonly file: string; readonly text: string }[],
  nodeName: string,
): Promise<OfflinePlan> {
  const { offlinePlan } = await import('./plan/index.ts');
  const { validateTexts } = await import('#api');
  return offlinePlan(validateTexts(files), nodeName, 'in these files');
}

/**
 * The same of what a cluster has at this moment: podroute's objects, where it has its CRDs, and Calico's. Reads and does no
 * more. Rejects when the API server does not answer.
 */
export async function planOfCluster(
  place: ClusterPlace,
  nodeName: string,
  version: string,
): Promise<OfflinePlan> {
  const { offlinePlan } = await import('./plan/index.ts');
  return offlinePlan(await validatedCluster(place, version), nodeName, 'of podroute in the cluster');
}

/** What applying or deleting the objects of a file would change for a node, of these files' objects. @throws RangeError */
export async function diffOffline(
  files: readonly { readonly file: string; readonly text: string }[],
  meant: MeantFile,
  nodeName: string,
): Promise<OfflineDiff> {
  const { offlineDiff } = await import('./diff/offline-diff.ts');
  const { validateTexts } = await import('#api');
  return offlineDiff(validateTexts(files), meant, nodeName);
}

/** The same of what a cluster has at this moment. Rejects likewise, and when the API server does not answer. */
export async function diffOfCluster(
  place: ClusterPlace,
  meant: MeantFile,
  nodeName: string,
  version: string,
): Promise<OfflineDiff> {
  const { offlineDiff } = await import('./diff/offline-diff.ts');
  return offlineDiff(await validatedCluster(place, version), meant, nodeName);
}

async function validatedCluster(place: ClusterPlace, version: string): Promise<ValidatedTexts> {
  const { validateDocuments } = await import('#api');
  const { lookAtCluster } = await import('#store/kubernetes');
  return validateDocuments(await lookAtCluster(place, systemClock, `podroute/${version}`));
}

/** What is wrong with these files, for every node among them. */
export async function validateOffline(
  files: readonly { readonly file: string; readonly text: string }[],
): Promise<ValidatedPlans> {
  const { validateWithPlans } = await import('./plan/index.ts');
  return validateWithPlans(files);
}

/** The CNI executable that came with this program; undefined: it was not built. */
export async function builtCniPlugin(): Promise<string | undefined> {
  const { builtCniPlugin: find } = await import('./bindings/built-cni-plugin.ts');
  return find();
}

/**
 * Looks this machine over, and changes nothing on it. What hangs may still hold a thread: end the process by `leave`, which
 * does not wait for it.
 *
 * @param agent what the running one says, or why none does
 */
export async function examineThisMachine(
  places: Places,
  version: string,
  agent: AgentSays | string,
): Promise<{ readonly examination: Examination; readonly leave: (code: number) => never }> {
  const { thisMachine } = await import('./bindings/this-machine.ts');
  const { examine } = await import('./doctor/examine.ts');
  const { systemClock } = await import('#world');
  const { leaveAtOnce } = await import('#linux');
  const patient = await thisMachine(places, version, agent);
  return { examination: await examine(patient, systemClock), leave: leaveAtOnce };
}

/**
 * What podroute has left on this machine, and what becomes of it. Rejects when an agent with pods runs here, where it is meant.
 *
 * @param isMeant false: nothing is changed
 */
export async function uninstallHere(places: InstalledPlaces, isMeant: boolean): Promise<Fate[]> {
  const { openKernel, openPodSources } = await import('#linux');
  const { fileLocks } = await import('./bindings/file-locks.ts');
  const { installedFiles: files } = await import('./bindings/installed-files.ts');
  const { uninstall } = await import('./uninstall.ts');
  await using open = new AsyncDisposableStack();
  // An agent has it for as long as it runs, and none starts meanwhile.
  if (isMeant) {
    const held = await fileLocks(undefined).lockHere(PODS_LOCK, `pid ${process.pid}, podroute uninstall`);
    open.use(held);
  }
  const kernel = open.use(await openKernel());
  const podSources = open.use(openPodSources());
  return await uninstall({ places, kernel, podSources, files }, isMeant);
}
