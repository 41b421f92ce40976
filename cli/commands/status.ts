// podroute status [SESSION] [-w]
import type { SessionStatus, StatusReply } from '#agent-api';
import { ask } from '../client.ts';
import { CommandError, EXIT, tell } from '../exit.ts';
import { type OutputFormat, print } from '../output-format.ts';
import { sessionDetails } from '../session-details.ts';
import { statusTable } from '../status-table.ts';

interface StatusOptions {
  readonly socket: string;
  readonly output: OutputFormat;
  readonly watch?: boolean;
}

export async function status(session: string | undefined, options: StatusOptions): Promise<void> {
  for (;;) {
    if (!options.watch) return showOnce(session, options);
    // A pipe gets one answer after the other.
    if (options.output === 'table' && process.stdout.isTTY) process.stdout.write('\u001b[2J\u001b[H');
    try {
      await showOnce(session, options);
    } catch (error) {
      // Who watches wants to see the agent come back.
      if (!(error instanceof CommandError) || error.exitCode !== EXIT.agentUnreachable) throw error;
      tell(error.message);
    }
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

async function showOnce(session: string | undefined, options: StatusOptions): Promise<void> {
  const reply = await ask<StatusReply>(options.socket, '/v1/status');
  if (session === undefined) {
    print(reply, options.output, statusTable);
    process.exitCode = reply.conditions.every(({ isTrue }) => isTrue) ? EXIT.good : EXIT.badNews;
    return;
  }
  const found = sessionNamed(reply, session);
  print(found, options.output, sessionDetails);
  process.exitCode = found.state === 'Established' ? EXIT.good : EXIT.badNews;
}

/** By id or by the neighbour's address. Throws CommandError when there is none, or when its neighbour is not found yet. */
export function sessionNamed({ sessions, waiting = [] }: StatusReply, name: string): SessionStatus {
  const found = sessions.find(({ id, remote }) => id === name || remote === name);
  if (found !== undefined) return found;
  const waits = waiting.find(({ id }) => id === name);
  if (waits !== undefined)
    throw new CommandError(`status: session ${name} has no neighbour yet: ${waits.why}`, EXIT.badNews);
  const ids = [...sessions, ...waiting].map(({ id }) => id).join(', ');
  throw new CommandError(
    `status: no session ${name} on this node; there are: ${ids || 'none'}`,
    EXIT.wrongUse,
  );
}
