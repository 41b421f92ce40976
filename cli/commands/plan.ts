// podroute plan: what the agent has decided that this node should do, and from which object each part came.
import type { PlanReply } from '#agent';
import { stringify } from 'yaml';
import { ask } from '../client.ts';
import { EXIT } from '../exit.ts';
import { type OutputFormat, print } from '../output.ts';

export async function plan(options: { socket: string; output: OutputFormat }): Promise<void> {
  const reply = await ask<PlanReply>(options.socket, '/v1/plan');
  print(reply, options.output, (value) => stringify(value).trimEnd());
  if (reply.problems.length > 0) process.exitCode = EXIT.badNews;
}
