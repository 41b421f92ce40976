// podroute status [SESSION] [-w], and of the whole cluster: podroute status --all
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { SessionStatus, StatusReply } from '#agent-api';
import { readCluster } from '#controller';
import { StorePlaceError } from '#store';
import { ask } from '../client.ts';
import { clusterTable } from '../cluster-table.ts';
import { storeOption } from '../files.ts';
import { CommandError, EXIT, tell } from '../exit.ts';
import { type OutputFormat, print } from '../output-format.ts';
import { sessionDetails } from '../session-details.ts';
import { statusTable } from '../status-table.ts';
import { VERSION } from './version.ts';

interface StatusOptions {
  readonly all?: boolean;
  readonly store?: string;
  readonly socket: string;
  readonly output: OutputFormat;
  readonly watch?: boolean;
}

export async function status(session: string | undefined, options: StatusOptions): Promise<void> {
  if (options.all && session !== undefined)
    throw new CommandError('status: --all shows nodes, and no session of one', EXIT.wrongUse);
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

/** Where kubectl finds its cluster. */
function clusterOfThisUser(): string {
  const { KUBECONFIG, KUBERNETES_SERVICE_HOST } = process.env;
  const usual = join(homedir(), '.kube', 'config');
  const isUsual = KUBECONFIG === undefined && KUBERNETES_SERVICE_HOST === undefined && existsSync(usual);
  return isUsual ? `kubernetes:${usual}` : 'kubernetes';
}

async function showAll({ store = clusterOfThisUser(), output }: StatusOptions): Promise<void> {
  const place = storeOption('status', store);
  if (place.kind !== 'cluster') {
    throw new CommandError(
      `status: --store ${store}: a folder has no BGPNodeStatus of every node: expected kubernetes or kubernetes:KUBECONFIG`,
      EXIT.wrongUse,
    );
  }
  const reply = await readCluster(place, VERSION).catch((error: Error) => {
    const code = error instanceof StorePlaceError ? EXIT.wrongUse : EXIT.agentUnreachable;
    throw new CommandError(`status: --all: ${error.message}`, code);
  });
  print(reply, output, clusterTable);
  process.exitCode = reply.nodes.every(({ isReady }) => isReady) ? EXIT.good : EXIT.badNews;
}

async function showOnce(session: string | undefined, options: StatusOptions): Promise<void> {
  if (options.all) return showAll(options);
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
