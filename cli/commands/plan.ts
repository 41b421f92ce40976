// podroute plan: what the agent has decided that this node should do, and from which object each part came; with --dir or
// --store what the agent of a node would decide from these files or a cluster's objects, without asking one. A plan is no table: for people it
// is the plan itself as YAML, and what is wrong stands on stderr, so that it can be compared with another one.
import { formatProblem } from '#api';
import { type OfflinePlan, planOfCluster, planOffline } from '#agent';
import type { NodePlan, PlanReply } from '#agent-api';
import { StorePlaceError } from '#store';
import { stringify } from 'yaml';
import { ask } from '../client.ts';
import { CommandError, EXIT, tell } from '../exit.ts';
import { type PlanOptions, showDiff } from './plan-diff.ts';
import { readFilesBelow, storeOption } from '../files.ts';
import { type OutputFormat, print } from '../output-format.ts';
import { VERSION } from './version.ts';

export async function plan(options: PlanOptions): Promise<void> {
  const { dir, store, node, output, diff } = options;
  const isOffline = (dir ?? store) !== undefined;
  if (!isOffline && node !== undefined) throw incomplete('--dir PATH or --store STORE');
  if (isOffline && node === undefined) throw incomplete('--node NAME');
  if (diff !== undefined) return showDiff(diff, options);
  if (options.delete)
    throw new CommandError(
      'plan: --delete goes together with --diff FILE, whose objects would be deleted',
      EXIT.wrongUse,
    );
  if (store !== undefined && node !== undefined) return showStored(store, node, output);
  if (dir !== undefined && node !== undefined) return showFiles(dir, node, output);
  const reply = await ask<PlanReply>(options.socket, '/v1/plan');
  print(reply, output, ({ plan: made }) => (made === undefined ? 'no plan yet' : planText(made)));
  if (output === 'table') {
    if (reply.isStale) tell('an older plan is in force: the newest objects cannot be used');
    for (const problem of reply.problems) process.stderr.write(`${problem.text}\n`);
  }
  if (reply.problems.length > 0) process.exitCode = EXIT.badNews;
}

const incomplete = (missing: string): CommandError =>
  new CommandError(`plan: --node goes together with --dir or --store: ${missing} is missing`, EXIT.wrongUse);

async function showFiles(dir: string, node: string, output: OutputFormat): Promise<void> {
  show(await planOffline(readFilesBelow([dir], 'plan'), node), node, output);
}

async function showStored(store: string, node: string, output: OutputFormat): Promise<void> {
  const place = storeOption('plan', store);
  if (place.kind === 'folder') return showFiles(place.folder, node, output);
  const reply = await planOfCluster(place, node, VERSION).catch((error: unknown) => {
    const code = error instanceof StorePlaceError ? EXIT.wrongUse : EXIT.agentUnreachable;
    throw new CommandError(`plan: ${(error as Error).message}`, code);
  });
  show(reply, node, output);
}

function show(reply: OfflinePlan, node: string, output: OutputFormat): void {
  const { plan: made, problems, notes } = reply;
  print(reply, output, () => (made === undefined ? `no plan for ${node}` : planText(made)));
  if (output === 'table') {
    for (const line of [...problems.map(formatProblem), ...notes.map((note) => `note: ${note}`)]) {
      process.stderr.write(`${line}\n`);
    }
  }
  const isBad = made === undefined || problems.some(({ severity }) => severity !== 'warning');
  if (isBad) process.exitCode = EXIT.badNews;
}

const planText = (plan: NodePlan): string => stringify(plan).trimEnd();
