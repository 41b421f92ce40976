// podroute plan: what the agent has decided that this node should do, and from which object each part came; with --dir
// what the agent of a node would decide from these files, without asking one.
import { formatProblem } from '#api';
import { planOffline } from '#agent';
import type { PlanReply } from '#agent-api';
import { stringify } from 'yaml';
import { ask } from '../client.ts';
import { CommandError, EXIT } from '../exit.ts';
import { readFilesBelow } from '../files.ts';
import { type OutputFormat, print } from '../output-format.ts';

interface PlanOptions {
  readonly socket: string;
  readonly output: OutputFormat;
  readonly dir?: string;
  readonly node?: string;
}

export async function plan(options: PlanOptions): Promise<void> {
  const { dir, node, output } = options;
  if ((dir === undefined) !== (node === undefined)) {
    const missing = dir === undefined ? '--dir PATH' : '--node NAME';
    throw new CommandError(`plan: --dir and --node go together: ${missing} is missing`, EXIT.wrongUse);
  }
  if (dir !== undefined && node !== undefined) return showOffline(dir, node, output);
  const reply = await ask<PlanReply>(options.socket, '/v1/plan');
  print(reply, output, (value) => stringify(value).trimEnd());
  if (reply.problems.length > 0) process.exitCode = EXIT.badNews;
}

/** Problems go to stderr beside a plan, so that the plan can be compared with another one. */
async function showOffline(dir: string, node: string, output: OutputFormat): Promise<void> {
  const reply = await planOffline(readFilesBelow([dir], 'plan'), node);
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
