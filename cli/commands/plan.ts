// podroute plan: what the agent has decided that this node should do, and from which object each part came; with --dir or
// --store what the agent of a node would decide from these files or a cluster's objects, without asking one.
import { formatProblem } from '#api';
import { type OfflinePlan, planOfCluster, planOffline } from '#agent';
import type { PlanReply } from '#agent-api';
import { stringify } from 'yaml';
import { ask } from '../client.ts';
import { CommandError, EXIT } from '../exit.ts';
import { readFilesBelow } from '../files.ts';
import { type OutputFormat, print } from '../output-format.ts';
import { VERSION } from './version.ts';

interface PlanOptions {
  readonly socket: string;
  readonly output: OutputFormat;
  readonly dir?: string;
  readonly store?: string;
  readonly node?: string;
}

export async function plan(options: PlanOptions): Promise<void> {
  const { dir, store, node, output } = options;
  if ((dir ?? store) === undefined && node !== undefined) throw incomplete('--dir PATH or --store STORE');
  if ((dir ?? store) !== undefined && node === undefined) throw incomplete('--node NAME');
  if (store !== undefined && node !== undefined) return showStored(store, node, output);
  if (dir !== undefined && node !== undefined) return showFiles(dir, node, output);
  const reply = await ask<PlanReply>(options.socket, '/v1/plan');
  print(reply, output, (value) => stringify(value).trimEnd());
  if (reply.problems.length > 0) process.exitCode = EXIT.badNews;
}

const incomplete = (missing: string): CommandError =>
  new CommandError(`plan: --node goes together with --dir or --store: ${missing} is missing`, EXIT.wrongUse);

async function showFiles(dir: string, node: string, output: OutputFormat): Promise<void> {
  show(await planOffline(readFilesBelow([dir], 'plan'), node), node, output);
}

async function showStored(store: string, node: string, output: OutputFormat): Promise<void> {
  const [, folder] = /^dir:(.+)$/.exec(store) ?? [];
  if (folder !== undefined) return showFiles(folder, node, output);
  if (!/^kubernetes(:.+)?$/.test(store)) {
    const expected = 'expected kubernetes, kubernetes:KUBECONFIG or dir:PATH';
    throw new CommandError(`plan: --store ${store}: ${expected}`, EXIT.wrongUse);
  }
  const reply = await planOfCluster(store, node, VERSION).catch((error: unknown) => {
    throw new CommandError(`plan: ${(error as Error).message}`, EXIT.agentUnreachable);
  });
  show(reply, node, output);
}

/** Problems go to stderr beside a plan, so that the plan can be compared with another one. */
function show(reply: OfflinePlan, node: string, output: OutputFormat): void {
  const { plan: made, problems, notes } = reply;
  print(reply, output, () => (made === undefined ? `no plan for ${node}` : stringify(made).trimEnd()));
  if (output === 'table') {
    for (const line of [...problems.map(formatProblem), ...notes.map((note) => `note: ${note}`)]) {
      process.stderr.write(`${line}\n`);
    }
  }
  const isBad = made === undefined || problems.some(({ severity }) => severity !== 'warning');
  if (isBad) process.exitCode = EXIT.badNews;
}
